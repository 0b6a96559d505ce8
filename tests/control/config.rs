//! The configuration file: what is read, what is refused and how it is said.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use isthmus::control::config::{Backend, Config, Host, Profile};
use isthmus::engine::smpp::BindType;
use isthmus::engine::transport::Transport;
use isthmus::policy::{AnonymousSender, Policy};
use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::Index;

const LEAST: &str = "sip.next_hop = 'sip:127.0.0.1:5070'\nsmsc = [{ address = '127.0.0.1:2775' }]\n";

fn host() -> Host {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/control");
    Host {
        cores: vec![0, 1],
        directory,
        resolve: |peer| peer.parse().map(Some).map_err(|_| ErrorKind::NotFound.into()),
    }
}

fn read(text: &str) -> Config {
    Config::parse("isthmus.toml", text, &host()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str) -> String {
    Config::parse("isthmus.toml", text, &host()).map_or_else(|problems| problems.to_string(), |_| String::new())
}

#[test]
fn only_peers_are_asked_for() {
    let config = read(LEAST);
    assert_eq!((config.profile, config.runtime.backend), (Profile::Cpm, Backend::Auto));
    assert_eq!(config.runtime.cores, [0, 1]);
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.sip.listen.len(), 2);
    assert!(config.sip.trusted.is_empty());
    assert_eq!((config.smscs[0].name.as_str(), config.smscs[0].binds), ("smsc-1", 1));
    assert_eq!(config.smscs[0].session.window, 64);
    assert_eq!(config.policy, Policy::default());
}

/// The file of the README and of the packages.
#[test]
fn the_example_is_read() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/isthmus.toml")).unwrap();
    let config = read(&text);
    assert_eq!(config.runtime.cores, [0, 1]);
    let listen = config.sip.listen[1];
    assert_eq!((listen.transport, listen.address.port()), (Transport::Tcp, 5060));
    assert_eq!(config.sip.trusted[0].prefix_bits, 8);
    assert_eq!(config.msrp.listen.len(), 1);
    assert_eq!(config.msrp.settings.address, config.msrp.listen[0].address);
    let smsc = &config.smscs[0];
    assert_eq!((smsc.name.as_str(), smsc.session.bind), ("smsc-a", BindType::Transceiver));
    assert_eq!((&*smsc.session.system_id, &*smsc.session.password), (b"isthmus".as_slice(), b"secret".as_slice()));
}

/// Sockets for media are numbered after those of SIP and those for outbind.
#[test]
fn media_has_the_last_sockets() {
    let text = LEAST.replace(" }", ", outbind = 'tcp://127.0.0.1:2776' }")
        + "[msrp]\nlisten = ['tcp://0.0.0.0:2855', 'tcp://[::1]:0']\naddress = '192.0.2.1:0'\nchunk_bytes = 65536\n";
    let config = read(&text);
    let (settings, options) = (config.settings(), config.shell_options());
    let numbers: Vec<_> = settings.msrp.listeners.iter().map(|(listener, _)| usize::from(listener.0)).collect();
    assert_eq!(numbers, [3, 4]);
    for (listener, address) in &settings.msrp.listeners {
        assert_eq!(options.listen[usize::from(listener.0)], (Transport::Tcp, *address));
        assert!(settings.is_msrp(*listener));
    }
    assert_eq!((settings.msrp.address.to_string().as_str(), settings.msrp.chunk_bytes), ("192.0.2.1:0", 65_536));
    assert!(read(LEAST).settings().msrp.listeners.is_empty());
}

/// Sockets for mail come after those for media; a gateway may do without SMS.
#[test]
fn mail_has_the_last_sockets() {
    let text = "sip.next_hop = 'sip:127.0.0.1:5070'\n[msrp]\nlisten = ['tcp://127.0.0.1:2855']\n\
                [mm4]\nlisten = ['tcp://127.0.0.1:2525']\ndomain = 'mms.gw.example.net'\n\
                [[mmsc]]\naddress = '127.0.0.1:2526'\ndomain = 'mms.example.com'\nprefixes = ['+4477', '44']\n";
    let config = read(text);
    let (settings, options) = (config.settings(), config.shell_options());
    assert!(settings.smscs.is_empty());
    let [listener] = settings.mm4.listeners[..] else { panic!("{:?}", settings.mm4.listeners) };
    assert_eq!(options.listen[usize::from(listener.0)], (Transport::Tcp, "127.0.0.1:2525".parse().unwrap()));
    assert!(!settings.is_msrp(listener));
    assert_eq!(settings.mm4.system_address(), b"system-user@mms.gw.example.net");
    let mmsc = &settings.mmscs[0];
    assert_eq!((mmsc.name.as_str(), mmsc.prefixes.as_slice()), ("mmsc-1", &["4477".to_owned(), "44".to_owned()][..]));
    assert_eq!(mmsc.message_bytes_max, 307_200);
}

#[test]
fn times_may_be_fractions() {
    let config = read(&LEAST.replace(" }", ", reconnect_min_s = 0.2, response_timeout_s = 5 }"));
    let session = &config.smscs[0].session;
    assert_eq!((session.reconnect_min, session.response), (Duration::from_millis(200), Duration::from_secs(5)));
}

#[test]
fn numbers_may_be_written_as_toml_has_them() {
    let config = read(&LEAST.replace(" }", ", window = 1_000, addr_ton = 0x05, reconnect_max_s = 1_0.5 }"));
    let session = &config.smscs[0].session;
    assert_eq!((session.window, session.addr_ton), (1_000, 5));
    assert_eq!(session.reconnect_max, Duration::from_millis(10_500));
    for endless in ["inf", "nan", "-inf", "1e400"] {
        let text = LEAST.replace(" }", &format!(", reconnect_max_s = {endless} }}"));
        assert!(refused(&text).contains("smsc[1].reconnect_max_s: is "), "{endless}: {}", refused(&text));
    }
}

proptest! {
    /// Whatever stands in the file, the answer is a configuration or a list of problems with lines of the file.
    #[test]
    fn damaged_files_are_refused_in_order(at in any::<Index>(), len in 0usize..40, junk in "[\\PC\\n]{0,12}") {
        let example = include_str!("../../docs/isthmus.toml");
        let start = (0..=at.index(example.len())).rev().find(|at| example.is_char_boundary(*at)).unwrap();
        let end = (start + len).min(example.len());
        let text = format!("{}{junk}{}", &example[..start], &example[end..]);
        if let Err(problems) = Config::parse("isthmus.toml", &text, &host()) {
            let lines: Vec<_> = problems.problems.iter().map(|problem| problem.line).collect();
            prop_assert!(!lines.is_empty() && lines.is_sorted());
            prop_assert!(lines.iter().all(|line| (1..=text.lines().count().max(1) + 1).contains(line)), "{problems}");
        }
    }
}

#[test]
fn answers_lie_over_those_of_the_profile() {
    let text = "[policy.reports]\nunmatched_hold_s = 7\n[policy.submission]\nvalidity_s_max = 60\n\
                unmapped_command_status = { session = 500 }\nlanguages = [{ tag = 'en', indicator = 1 }]\n";
    let policy = read(&format!("profile = 'rcs'\n{LEAST}{text}")).policy;
    assert_eq!((policy.reports.unmatched_hold_s, policy.submission.validity_s_max), (7, Some(60)));
    assert_eq!(policy.submission.unmapped_command_status.session, 500);
    assert_eq!(policy.submission.unmapped_command_status.temporary, 480);
    assert_eq!(policy.submission.languages.len(), 1);
    assert_eq!(policy.submission.anonymous_sender, AnonymousSender::Refuse);
    assert_eq!(policy.switches, Policy::rcs().switches);
}

#[test]
fn transliteration_is_policy_unless_an_smsc_says_otherwise() {
    let policy = "[policy.submission]\ntransliteration = true\n";
    let text = format!(
        "sip.next_hop = 'sip:127.0.0.1'\n{policy}[[smsc]]\naddress = '127.0.0.1:1'\n[[smsc]]\naddress = '127.0.0.1:2'\ntransliterate = false"
    );
    let config = read(&text);
    assert!(config.smscs[0].coding.transliterate && !config.smscs[1].coding.transliterate);
}

#[test]
fn passwords_are_not_shown() {
    let config = read(&LEAST.replace(" }", ", password = 'geheim' }"));
    assert!(!format!("{config:?}").contains("geheim") && !format!("{config:?}").contains("103, 101, 104"));
    for password in ["geheimnisvoll", "gehéim"] {
        let problems = refused(&LEAST.replace(" }", &format!(", password = '{password}' }}")));
        assert!(problems.contains("smsc[1].password: has ") && !problems.contains("geh"), "{problems}");
    }
}

#[test]
fn a_password_may_come_from_a_file() {
    let config = read(&LEAST.replace(" }", ", password_file = 'password.txt' }"));
    assert_eq!(&*config.smscs[0].session.password, b"s3cret");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let text =
        "profile = 'cmp'\n[sip]\nlisten = ['udp://localhost:5060',\n  'tls://[::1]:5061']\nnexthop = ''\n[[smsc]]\n";
    let expected = "isthmus.toml:1: profile: is \"cmp\"; right would be one of \"cpm\", \"rcs\"\n\
        isthmus.toml:2: sip.next_hop: is missing and has no default; right would be next_hop = \"sip:10.0.0.1:5060\", say\n\
        isthmus.toml:3: sip.listen: is \"udp://localhost:5060\"; right would be \"udp://ADDRESS:PORT\" or \"tcp://ADDRESS:PORT\", the address in figures\n\
        isthmus.toml:4: sip.listen: is \"tls://[::1]:5061\"; right would be \"udp://ADDRESS:PORT\" or \"tcp://ADDRESS:PORT\", the address in figures\n\
        isthmus.toml:5: sip.nexthop: there is no such key; the nearest one is `next_hop`\n\
        isthmus.toml:6: smsc[1].address: is missing and has no default; right would be address = \"10.0.0.2:2775\", say";
    assert_eq!(refused(text), expected);
}

/// One line of `tests/spec/config_errors.tsv`: lines of a file (separated by ` / `), and what is said about them. The
/// file's lines stand behind those of the least configuration.
#[test]
fn each_mistake_is_named() {
    let table = include_str!("../spec/config_errors.tsv");
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let (given, said) = row.split_once('\t').unwrap();
        let (least, first_line) =
            if given.contains("next_hop") || given.contains("[[smsc]]") { ("", 0) } else { (LEAST, 2) };
        let text = format!("{least}{}", given.replace(" / ", "\n"));
        let expected: Vec<_> = said.split(" / ").map(|said| shifted(said, first_line)).collect();
        assert_eq!(refused(&text), expected.join("\n"), "{given}");
    }
}

fn shifted(said: &str, lines: usize) -> String {
    let (line, rest) = said.split_once(": ").unwrap();
    format!("isthmus.toml:{}: {rest}", line.parse::<usize>().unwrap() + lines)
}

#[test]
fn every_key_is_documented_and_every_documented_key_is_one() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).unwrap();
    let mut section = String::new();
    let mut documented = BTreeSet::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.split('`').nth(1).unwrap_or_default().trim_matches(['[', ']']).to_owned();
        } else if let Some(key) = line.strip_prefix("| `").and_then(|row| row.split('`').next()) {
            documented.insert(if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") });
        }
    }
    let keys: BTreeSet<_> = Config::keys().into_iter().map(|key| key.replace("[1].", ".")).collect();
    let missing: Vec<_> = keys.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&keys).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:#?}, unknown {unknown:#?}");
}
