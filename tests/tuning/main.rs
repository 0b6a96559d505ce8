//! `tuning/check` against hosts made of files, the files it sends its reader to, and flame graphs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod files;
mod flamegraph;
mod host;

use host::{Host, Said};

#[test]
fn a_host_as_it_should_be_differs_in_nothing() {
    let said = Host::good("good").check();
    assert!(said.differing().is_empty() && said.ends_with("nothing differs"), "{said}");
    assert_eq!(said.exit, 0);
    for name in ["net.core.rmem_max", "processors of the gateway", "eth0: interrupts", "governor", "open files"] {
        assert!(said.line(name).starts_with("ok "), "{name}: {said}");
    }
}

/// Each knob alone: the file that is different, its content, what is said to differ, and where it is explained.
const KNOBS: &[(&str, &str, &str, &str)] = &[
    ("proc/sys/kernel/osrelease", "5.10.0-28-amd64", "kernel", "backend.md"),
    ("proc/sys/kernel/osrelease", "6.0.12", "kernel", "backend.md"),
    ("proc/sys/kernel/io_uring_disabled", "2", "kernel.io_uring_disabled", "backend.md"),
    ("proc/sys/net/core/rmem_max", "212992", "net.core.rmem_max", "socket-buffers.md"),
    ("proc/sys/net/core/wmem_max", "212992", "net.core.wmem_max", "socket-buffers.md"),
    ("proc/sys/net/core/somaxconn", "128", "net.core.somaxconn", "listen-backlog.md"),
    ("proc/sys/net/core/busy_poll", "50", "net.core.busy_poll", "busy-poll.md"),
    ("proc/sys/net/core/busy_read", "50", "net.core.busy_read", "busy-poll.md"),
    ("proc/sys/net/ipv4/tcp_slow_start_after_idle", "1", "net.ipv4.tcp_slow_start_after_idle", "tcp-idle.md"),
    ("proc/net/softnet_stat", host::SOFTNET_DROPS, "packets dropped before IP", "packet-backlog.md"),
    ("proc/sys/net/netfilter/nf_conntrack_count", "200000", "tracked connections", "connection-tracking.md"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave", "governor", "frequency.md"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet", "clocksource", "clock.md"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "huge pages", "huge-pages.md"),
    ("proc/sys/kernel/numa_balancing", "1", "kernel.numa_balancing", "numa.md"),
    ("sys/devices/system/cpu/nohz_full", "3-7", "processors without a tick", "tickless.md"),
    ("proc/700/comm", "irqbalance", "irqbalance", "interrupts.md"),
    ("proc/irq/41/smp_affinity_list", "0-7", "eth0: interrupts", "interrupts.md"),
    ("proc/irq/41/smp_affinity_list", "5", "eth0: interrupts", "interrupts.md"),
    ("sys/class/net/eth0/queues/rx-2/rps_cpus", "00", "eth0: receive queues", "nic-queues.md"),
    ("sys/class/net/eth0/queues/rx-1/rps_cpus", "0c", "eth0: packet steering", "packet-steering.md"),
    ("proc/600/task/602/status", "Cpus_allowed_list:\t0-7", "processors of the gateway", "cores.md"),
    ("proc/600/task/602/status", "Cpus_allowed_list:\t0", "processors of the gateway", "cores.md"),
    ("proc/600/task/602/status", "Cpus_allowed_list:\t2", "processors of the gateway", "cores.md"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2-3", "processors of the gateway", "cores.md"),
    ("proc/600/limits", "Max open files  1024  4096  files\nMax core file size  0  0  bytes", "open files", "files.md"),
    (
        "proc/600/limits",
        "Max open files  9  99999  files\nMax core file size  unlimited  unlimited  bytes",
        "core dumps",
        "core-dumps.md",
    ),
    ("proc/600/task/602/stat", host::STAT_FIFO_60, "policy of the core threads", "scheduling.md"),
    ("proc/600/status", "VmSwap:\t  812 kB", "memory on the disk", "swap.md"),
    ("sys/fs/cgroup/isthmus.slice/isthmus.service/memory.swap.max", "max", "memory on the disk", "swap.md"),
    ("sys/fs/cgroup/isthmus.slice/isthmus.service/memory.high", "1073741824", "MemoryHigh", "memory-limit.md"),
];

#[test]
fn each_knob_is_told_with_what_is_right_and_where() {
    for (path, content, name, file) in KNOBS {
        let host = Host::good("knobs");
        host.write(path, content);
        let said = host.check();
        let line = said.line(name);
        assert!(line.starts_with("differs ") && line.contains("; right: "), "{path}: {said}");
        assert!(line.ends_with(&format!(": tuning/{file}")), "{path}: {line}");
        assert_eq!(said.exit, 1, "{path}: {said}");
        // Where threads run is what interrupts are compared with.
        assert!(said.differing().len() == 1 || *file == "cores.md", "{path}: {said}");
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_no_difference() {
    let said = Host::empty("empty").check();
    assert_eq!((said.differing().len(), said.exit), (0, 0), "{said}");
    for name in ["net.core.rmem_max", "kernel", "clocksource", "governor", "open files"] {
        assert!(said.line(name).starts_with("unknown "), "{name}: {said}");
    }
}

#[test]
fn a_gateway_that_does_not_run_leaves_its_knobs_unknown() {
    let host = Host::good("not-running");
    host.write("proc/600/comm", "nginx");
    let said = host.check();
    assert_eq!(said.exit, 0, "{said}");
    assert!(said.line("open files").contains("isthmus does not run"), "{said}");
    assert!(said.line("net.core.rmem_max").starts_with("ok "), "{said}");
}

#[test]
fn a_card_with_one_queue_needs_steering() {
    let host = Host::good("one-queue");
    host.remove("sys/class/net/eth0/queues/rx-1");
    let said = host.check();
    assert!(said.line("eth0: packet steering").starts_with("differs "), "{said}");
    host.write("sys/class/net/eth0/queues/rx-0/rps_cpus", "0c");
    let said = host.check();
    assert!(said.line("eth0: packet steering").starts_with("ok ") && said.exit == 0, "{said}");
}

#[test]
fn bbr_knows_no_slow_start_after_idle() {
    let host = Host::good("bbr");
    host.write("proc/sys/net/ipv4/tcp_slow_start_after_idle", "1");
    host.write("proc/sys/net/ipv4/tcp_congestion_control", "bbr");
    assert_eq!(host.check().exit, 0);
}

#[test]
fn interrupts_of_a_virtual_card_have_the_name_of_its_device() {
    let host = Host::good("virtio");
    host.remove("sys/class/net/eth0/device");
    host.link("../../../devices/virtio2", "sys/class/net/eth0/device");
    host.write("proc/interrupts", " 40: 1 PCI virtio2-input.0\n 41: 1 PCI virtio2-output.0\n 42: 1 PCI virtio2-config");
    host.write("proc/irq/42/smp_affinity_list", "0-7");
    assert!(host.check().line("eth0: interrupts").starts_with("ok "));
    host.write("proc/irq/40/smp_affinity_list", "0-7");
    assert!(host.check().line("eth0: interrupts").contains("40 on 0-7; right: each on one of 2 3"));
}

#[test]
fn interfaces_can_be_named() {
    let host = Host::good("named");
    host.write("sys/class/net/eth1/queues/rx-0/rps_cpus", "0");
    let said = host.check_of(&["eth1"]);
    assert!(said.line("eth1: interrupts").starts_with("unknown ") && !said.to_string().contains("eth0"), "{said}");
    let said = host.check_of(&["eth7"]);
    assert_eq!((said.exit, said.errors.trim()), (2, "no interface eth7"));
}

#[test]
fn nothing_is_changed() {
    let host = Host::good("unchanged");
    let before = host.tree();
    let Said { exit, errors, .. } = host.check();
    assert_eq!((exit, errors.as_str()), (0, ""));
    assert_eq!(host.tree(), before);
}
