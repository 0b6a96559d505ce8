//! The command line.

use std::io::{Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::config::Config;
use super::demo::{Fault, demo};
use super::load::load;
use super::load::options::Options;
use super::run::run;

/// What the process is asked to do.
#[derive(Debug, Parser)]
#[command(
    name = "isthmus",
    version,
    about = "Gateway between CPM/RCS (SIP) and SMS (SMPP)",
    arg_required_else_help = true
)]
pub struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM, then finish what was accepted
    Run {
        #[command(flatten)]
        file: File,
        /// Time every stage of every message: in the metrics, and in the log on SIGUSR1 and after the drain
        #[arg(long)]
        profile: bool,
    },
    /// Check a configuration: exit 0, or 2 with every error at its line
    Check(File),
    /// Send texts both ways through a gateway, between a CPM client and an SM-SC on loopback
    Demo {
        /// What goes wrong meanwhile; may be given several times
        #[arg(long, value_name = "FAULT")]
        fault: Vec<Fault>,
    },
    /// Load a gateway from both sides, and check what becomes of every message
    Load(Box<Options>),
}

#[derive(Debug, Args)]
struct File {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "isthmus.toml")]
    config: PathBuf,
}

/// The exit code of a configuration with errors, and of a command line that cannot be read.
const MISTAKEN: u8 = 2;

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    match Flags::parse().command {
        Command::Run { file, profile } => {
            read(&file.config).map_or(ExitCode::from(MISTAKEN), |config| run(&config, profile))
        }
        Command::Check(file) => check(&file.config),
        Command::Demo { fault } => demo(&fault),
        Command::Load(options) => load(&options),
    }
}

fn check(file: &Path) -> ExitCode {
    let Some(config) = read(file) else { return ExitCode::from(MISTAKEN) };
    let (cores, smscs, mmscs) = (config.runtime.cores.len(), config.smscs.len(), config.mmscs.len());
    let mmscs = if mmscs == 0 { String::new() } else { format!(", {mmscs} MMS Relay/Servers") };
    let _ = writeln!(stdout(), "{}: no errors; {cores} cores, {smscs} SM-SCs{mmscs}", file.display());
    ExitCode::SUCCESS
}

/// The configuration, or `None` after its errors were shown.
fn read(file: &Path) -> Option<Config> {
    Config::read(file).inspect_err(|problems| drop(writeln!(stderr(), "{problems}"))).ok()
}
