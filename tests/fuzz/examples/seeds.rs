//! Writes the inputs to start from where cargo-fuzz looks for them: `corpus/TARGET/seed-N`.

use std::path::Path;
use std::{fs, io};

use isthmus_fuzz::{TARGETS, seeds};

fn main() -> io::Result<()> {
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, input) in seeds::read(target.seeds).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), input)?;
        }
    }
    Ok(())
}
