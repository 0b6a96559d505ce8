//! A host made of files.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two processors, the second of which dropped packets.
pub(crate) const SOFTNET_DROPS: &str = "000000ff 00000000 0 0 0 0 0 0 0 0 0 0 0 0 00000000\n\
                                        000000ff 00000007 0 0 0 0 0 0 0 0 0 0 0 0 00000001";
/// A thread with the policy fifo and priority 60.
pub(crate) const STAT_FIFO_60: &str =
    "602 (core-1 (x) y) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 -61 0 4 0 9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 -1 3 60 1 0 0 0";
const STAT: &str =
    "602 (core-0) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 4 0 9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 -1 3 0 0 0 0 0";

/// A gateway with two cores on processors 2 and 3 of eight, two memory nodes, a card with two queues.
const GOOD: &[(&str, &str)] = &[
    ("proc/sys/kernel/osrelease", "6.1.0-28-amd64"),
    ("proc/sys/kernel/io_uring_disabled", "0"),
    ("proc/sys/kernel/numa_balancing", "0"),
    ("proc/sys/net/core/rmem_max", "4194304"),
    ("proc/sys/net/core/wmem_max", "8388608"),
    ("proc/sys/net/core/somaxconn", "4096"),
    ("proc/sys/net/core/busy_poll", "0"),
    ("proc/sys/net/core/busy_read", "0"),
    ("proc/sys/net/core/netdev_max_backlog", "1000"),
    ("proc/sys/net/ipv4/tcp_slow_start_after_idle", "0"),
    ("proc/sys/net/ipv4/tcp_congestion_control", "cubic"),
    ("proc/sys/net/netfilter/nf_conntrack_count", "12"),
    ("proc/sys/net/netfilter/nf_conntrack_max", "262144"),
    ("proc/net/softnet_stat", "000000ff 00000000 0 0 0 0 0 0 0 0 0 0 0 0 00000000"),
    ("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 999 0 -2"),
    (
        "proc/interrupts",
        "  CPU0 CPU1\n 40: 7 9 PCI-MSI eth0-TxRx-0\n 41: 7 9 PCI-MSI eth0-TxRx-1\n 50: 1 1 PCI-MSI nvme0q1",
    ),
    ("proc/irq/40/smp_affinity_list", "2"),
    ("proc/irq/41/smp_affinity_list", "3"),
    ("proc/irq/50/smp_affinity_list", "0-7"),
    ("proc/1/comm", "systemd"),
    ("proc/600/comm", "isthmus"),
    ("proc/600/status", "Name:\tisthmus\nVmSwap:\t       0 kB"),
    ("proc/600/limits", "Max open files            1024  65536  files\nMax core file size        0  0  bytes"),
    ("proc/600/cgroup", "0::/isthmus.slice/isthmus.service"),
    ("proc/600/task/600/comm", "isthmus"),
    ("proc/600/task/600/status", "Cpus_allowed_list:\t1-3"),
    ("proc/600/task/601/comm", "core-0"),
    ("proc/600/task/601/status", "Name:\tcore-0\nCpus_allowed_list:\t2"),
    ("proc/600/task/601/stat", STAT),
    ("proc/600/task/602/comm", "core-1"),
    ("proc/600/task/602/status", "Name:\tcore-1\nCpus_allowed_list:\t3"),
    ("proc/600/task/602/stat", STAT),
    ("sys/fs/cgroup/isthmus.slice/isthmus.service/memory.high", "max"),
    ("sys/fs/cgroup/isthmus.slice/isthmus.service/memory.swap.max", "0"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2,6"),
    ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3,7"),
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/cpu/nohz_full", "(null)"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc"),
    ("sys/devices/system/node/node0/cpulist", "0-3"),
    ("sys/devices/system/node/node1/cpulist", "4-7"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
    ("sys/class/net/lo/queues/rx-0/rps_cpus", "0"),
    ("sys/class/net/eth0/device/vendor", "0x8086"),
    ("sys/class/net/eth0/queues/rx-0/rps_cpus", "00"),
    ("sys/class/net/eth0/queues/rx-1/rps_cpus", "00"),
];

pub(crate) struct Host {
    root: PathBuf,
}

impl Host {
    /// A host of which nothing can be read. Its name is its directory's.
    pub(crate) fn empty(name: &str) -> Host {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tuning").join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Host { root }
    }

    /// A host as the files of `tuning/` want it.
    pub(crate) fn good(name: &str) -> Host {
        let host = Host::empty(name);
        GOOD.iter().for_each(|(path, content)| host.write(path, content));
        host
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{content}\n")).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_dir_all(self.root.join(path)).unwrap();
    }

    pub(crate) fn link(&self, to: &str, path: &str) {
        symlink(to, self.root.join(path)).unwrap();
    }

    pub(crate) fn check(&self) -> Said {
        self.check_of(&[])
    }

    pub(crate) fn check_of(&self, interfaces: &[&str]) -> Said {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning/check");
        let output = Command::new(script).args(interfaces).env("TUNING_ROOT", &self.root).output().unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Said { text: text(output.stdout), errors: text(output.stderr), exit: output.status.code().unwrap() }
    }

    /// Every file and its content.
    pub(crate) fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path)
                } else {
                    drop(files.insert(path.clone(), fs::read(&path).unwrap()))
                }
            }
        }
        files
    }
}

/// What `tuning/check` said.
pub(crate) struct Said {
    text: String,
    pub(crate) errors: String,
    pub(crate) exit: i32,
}

impl Said {
    /// The line about `name`.
    pub(crate) fn line(&self, name: &str) -> &str {
        let start = format!("{name} ");
        let about = |line: &&str| line.get(9..).is_some_and(|rest| rest.starts_with(&start));
        self.text.lines().find(about).unwrap_or_else(|| panic!("nothing about {name}: {self}"))
    }

    pub(crate) fn differing(&self) -> Vec<&str> {
        self.text.lines().filter(|line| line.starts_with("differs ")).collect()
    }

    pub(crate) fn ends_with(&self, end: &str) -> bool {
        self.text.trim_end().ends_with(end)
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}{}", self.text, self.errors)
    }
}
