//! The checks, in the order they are shown. Recommended values are the kernel's where a document of it is named.

use super::{TIERS, Tier, host::Host};

pub(super) struct Check {
    pub(super) what: &'static str,
    /// What was found, or why nothing was.
    pub(super) found: String,
    /// For each tier whether it is enough; None if that cannot be told here.
    pub(super) enough: Option<[bool; TIERS.len()]>,
    /// What the asked tier needs.
    pub(super) needs: String,
    /// When a command helps, and the command.
    pub(super) mend: Vec<(&'static str, String)>,
}

impl Check {
    fn unknown(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, found: why.into(), enough: None, needs: String::new(), mend: Vec::new() }
    }

    pub(super) fn is_enough(&self, tier: &Tier) -> Option<bool> {
        let place = TIERS.iter().position(|it| it.name == tier.name)?;
        self.enough.map(|enough| enough[place])
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let enough = self.enough.unwrap_or_default();
        TIERS.iter().zip(enough).filter(|(_, enough)| *enough).map(|(tier, _)| tier.name).collect()
    }

    pub(super) fn tiers(&self) -> String {
        match self.names() {
            none if none.is_empty() => "no tier".into(),
            all if all.len() == TIERS.len() => "every tier".into(),
            some => some.join(", "),
        }
    }
}

pub(super) static CHECKS: &[fn(&Host, &Tier) -> Check] = &[
    open_files,
    accept_queue,
    port_range,
    connection_tracking,
    memory,
    swappiness,
    processors,
    governor,
    huge_pages,
    disk_sync,
];

pub(super) const NOW: &str = "now";
const KEEP: &str = "to keep it";

fn enough(is_enough: impl Fn(&Tier) -> bool) -> Option<[bool; TIERS.len()]> {
    Some(TIERS.each_ref().map(is_enough))
}

/// A kernel parameter: until the next start, and in a file that is read at each.
fn sysctl(name: &str, value: &str) -> Vec<(&'static str, String)> {
    let file = format!("/etc/sysctl.d/90-campfire-{}.conf", name.replace('.', "-"));
    vec![
        (NOW, format!("sudo sysctl -w {name}=\"{value}\"")),
        (KEEP, format!("echo '{name} = {value}' | sudo tee {file}")),
    ]
}

/// One for each socket, and some for the database, the files and what is called outside. The server raises its own
/// limit up to the hard one.
fn files_needed(tier: &Tier) -> u64 {
    tier.sockets + 1_000
}

fn open_files(host: &Host, tier: &Tier) -> Check {
    let what = "open files";
    let Some(limits) = host.field("proc/self/limits", "Max open files") else {
        return Check::unknown(what, "/proc/self/limits has no \"Max open files\"");
    };
    let hard = match limits.split_whitespace().nth(1) {
        Some("unlimited") => u64::MAX,
        word => word.and_then(|word| word.parse().ok()).unwrap_or(0),
    };
    let needed = files_needed(tier);
    let mut mend = Vec::new();
    // The hard limit of a process cannot pass fs.nr_open (admin-guide/sysctl/fs.rst).
    if host.number("proc/sys/fs/nr_open").is_some_and(|most| most < needed) {
        mend = sysctl("fs.nr_open", &needed.to_string());
    }
    mend.extend([
        (NOW, format!("sudo prlimit --nofile={needed}:{needed} --pid \"$(pidof campfire)\"")),
        (
            "to keep it, with systemd",
            format!(
                "printf '[Service]\\nLimitNOFILE={needed}\\n' | sudo install -D -m 644 /dev/stdin /etc/systemd/system/campfire.service.d/files.conf"
            ),
        ),
        ("to keep it, with Docker", format!("docker run --ulimit nofile={needed}:{needed} …")),
    ]);
    Check {
        what,
        found: match hard {
            u64::MAX => "as many as the kernel gives".into(),
            hard => format!("{hard} for a process"),
        },
        enough: enough(|tier| hard >= files_needed(tier)),
        needs: format!("it needs {needed}"),
        mend,
    }
}

/// How many connections may wait to be accepted (admin-guide/sysctl/net.rst: 4096 by default since Linux 5.4, 128
/// before). When many come back at once after a restart, those past it wait for a second and try again. The server
/// asks for 4096 with each of its listeners, so more is of no use.
fn accept_queue(host: &Host, tier: &Tier) -> Check {
    let what = "somaxconn";
    let Some(found) = host.number("proc/sys/net/core/somaxconn") else {
        return Check::unknown(what, "there is no net.core.somaxconn");
    };
    let needed = |tier: &Tier| tier.sockets.clamp(128, 4096);
    Check {
        what,
        found: format!("{found} connections may wait to be accepted"),
        enough: enough(|tier| found >= needed(tier)),
        needs: format!("it needs {}", needed(tier)),
        mend: sysctl("net.core.somaxconn", &needed(tier).to_string()),
    }
}

/// Ports of this host's own side (networking/ip-sysctl.rst). A proxy before the server takes one for each
/// connection, and no address has more than 64,511 of them: a proxy for more sockets than that needs more addresses.
fn port_range(host: &Host, tier: &Tier) -> Check {
    let what = "port range";
    const WIDEST: u64 = 65_535 - 1_024;
    let range = host.read("proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().filter_map(|end| end.parse::<u64>().ok());
    let (Some(first), Some(last)) = (ends.next(), ends.next()) else {
        return Check::unknown(what, "there is no net.ipv4.ip_local_port_range");
    };
    let found = last.saturating_sub(first);
    let needed = |tier: &Tier| (tier.sockets + tier.sockets / 10).min(WIDEST);
    Check {
        what,
        found: format!("{first} to {last}: {found} connections of a proxy on this host"),
        enough: enough(|tier| found >= needed(tier)),
        needs: format!("it needs {}, if a proxy on this host stands before it", needed(tier)),
        mend: sysctl("net.ipv4.ip_local_port_range", "1024 65535"),
    }
}

/// Connections that the firewall remembers (networking/nf_conntrack-sysctl.rst); new ones past it are dropped. With a
/// proxy before the server a socket is two of them.
fn connection_tracking(host: &Host, tier: &Tier) -> Check {
    let what = "conntrack";
    let Some(found) = host.number("proc/sys/net/netfilter/nf_conntrack_max") else {
        return Check::unknown(what, "connections are not tracked, or not where this can be read");
    };
    let needed = |tier: &Tier| tier.sockets * 2 + 1_000;
    Check {
        what,
        found: format!("{found} connections are tracked at most"),
        enough: enough(|tier| found >= needed(tier)),
        needs: format!("it needs {}", needed(tier)),
        mend: sysctl("net.netfilter.nf_conntrack_max", &needed(tier).to_string()),
    }
}

fn memory(host: &Host, tier: &Tier) -> Check {
    let what = "memory";
    let Some((bytes, is_limited)) = host.memory() else {
        return Check::unknown(what, "/proc/meminfo has no MemTotal");
    };
    let found = bytes >> 20;
    // Firmware, the kernel and graphics keep some of what is sold as so many megabytes.
    let needed = |tier: &Tier| tier.memory_mb - tier.memory_mb / 8;
    let megabytes = tier.memory_mb;
    let mend = if is_limited {
        vec![
            (NOW, format!("sudo systemctl set-property --runtime campfire MemoryMax={megabytes}M")),
            (KEEP, format!("sudo systemctl set-property campfire MemoryMax={megabytes}M")),
            (
                "in Docker",
                format!("docker update --memory {megabytes}m --memory-swap {megabytes}m CONTAINER"),
            ),
        ]
    } else {
        vec![("no command helps", "give the machine more memory".into())]
    };
    Check {
        what,
        found: format!("{found} MB{}", if is_limited { ", the limit of its control group" } else { "" }),
        enough: enough(|tier| found >= needed(tier)),
        needs: format!("it needs {megabytes} MB"),
        mend,
    }
}

/// How gladly memory is swapped out for a larger page cache: 0 to 200, 60 by default, less where swap is slower than
/// the disk with the files (admin-guide/sysctl/vm.rst). The memory of a socket that waits for an hour is the first
/// to go, and everybody's next message waits for the disk.
fn swappiness(host: &Host, _: &Tier) -> Check {
    let what = "swappiness";
    const MOST: u64 = 10;
    let Some(found) = host.number("proc/sys/vm/swappiness") else {
        return Check::unknown(what, "there is no vm.swappiness");
    };
    let has_swap = host.read("proc/swaps").is_some_and(|swaps| swaps.lines().nth(1).is_some());
    Check {
        what,
        found: format!("{found}{}", if has_swap { "" } else { ", and there is no swap" }),
        enough: enough(|tier| !has_swap || found <= MOST || tier.sockets < 50_000),
        needs: format!("it needs {MOST} or less"),
        mend: sysctl("vm.swappiness", &MOST.to_string()),
    }
}

fn processors(host: &Host, tier: &Tier) -> Check {
    let what = "processors";
    let Some((found, is_limited)) = host.cores() else {
        return Check::unknown(what, "/proc/self/status has no Cpus_allowed_list");
    };
    let cores = tier.cores;
    let mend = if is_limited {
        vec![
            (NOW, format!("sudo systemctl set-property --runtime campfire CPUQuota={cores}00%")),
            (KEEP, format!("sudo systemctl set-property campfire CPUQuota={cores}00%")),
            ("in Docker", format!("docker update --cpus {cores} CONTAINER")),
        ]
    } else {
        vec![("no command helps", "give the machine more processors".into())]
    };
    Check {
        what,
        found: format!("{found}{}", if is_limited { ", the limit of its control group" } else { "" }),
        // A quota of 95 % is meant to be one.
        enough: enough(|tier| found >= tier.cores as f64 * 0.95),
        needs: format!("it needs {cores}"),
        mend,
    }
}

/// How the clock of the processors follows their work (admin-guide/pm/cpufreq.rst). `powersave` is the lowest clock,
/// always; but with the drivers that choose by themselves (intel_pstate.rst, amd-pstate.rst) it follows the work.
fn governor(host: &Host, _: &Tier) -> Check {
    let what = "CPU governor";
    let at = |name: &str| host.read(&format!("sys/devices/system/cpu/cpu0/cpufreq/{name}"));
    let Some(found) = at("scaling_governor") else {
        return Check::unknown(what, "the clock is not for this system to choose (no cpufreq)");
    };
    let driver = at("scaling_driver").unwrap_or_default();
    let is_lowest = found == "powersave" && !["intel_pstate", "amd-pstate-epp"].contains(&driver.as_str());
    let path = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
    Check {
        what,
        found: format!("{found}{}", if is_lowest { ": always the lowest clock" } else { "" }),
        enough: enough(|tier| match found.as_str() {
            "performance" => true,
            _ if is_lowest => tier.name == "small",
            _ => tier.name != "enterprise",
        }),
        needs: "it needs performance".into(),
        mend: vec![
            (NOW, format!("echo performance | sudo tee {path}")),
            (
                KEEP,
                format!(
                    "echo 'w {path} - - - - performance' | sudo tee /etc/tmpfiles.d/campfire-governor.conf"
                ),
            ),
        ],
    }
}

/// Transparent huge pages (admin-guide/mm/transhuge.rst): with `always`, what an idle socket keeps could be spread
/// over pages of 2 MiB. The server asks the kernel to leave it alone; the check is whether that worked.
fn huge_pages(host: &Host, _: &Tier) -> Check {
    let what = "huge pages";
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    let Some(modes) = host.read(&path[1..]) else {
        return Check::unknown(what, "this kernel has no transparent huge pages");
    };
    let mode = modes.split(['[', ']']).nth(1).unwrap_or(&modes).to_owned();
    let is_off = host.field("proc/self/status", "THP_enabled:").is_some_and(|flag| flag == "0");
    Check {
        what,
        found: format!("{mode}{}", if is_off { ", and off for the server, by itself" } else { "" }),
        enough: enough(|tier| is_off || mode != "always" || tier.sockets < 50_000),
        needs: "it needs madvise or never".into(),
        mend: vec![
            (NOW, format!("echo madvise | sudo tee {path}")),
            (KEEP, format!("echo 'w {path} - - - - madvise' | sudo tee /etc/tmpfiles.d/campfire-thp.conf")),
        ],
    }
}

/// A message that is posted waits for the sync of the batch before it and for that of its own. Half of the time that
/// a response may take is left for the rest.
fn disk_sync(host: &Host, tier: &Tier) -> Check {
    let what = "disk sync";
    let (time, place) = match host.sync_time() {
        Ok(measured) => measured,
        Err(error) => return Check::unknown(what, format!("cannot write to the data directory ({error})")),
    };
    let found = time.as_secs_f64() * 1e3;
    let most = |tier: &Tier| tier.p95_ms as f64 / 4.0;
    Check {
        what,
        found: format!("{found:.2} ms for 4 KB in {}", place.display()),
        enough: enough(|tier| found <= most(tier)),
        needs: format!("it needs {} ms or less", most(tier)),
        mend: vec![
            ("now, on a faster disk", "campfire serve --data DIR".into()),
            ("now, if a power cut may take the last seconds", "campfire serve --durability normal".into()),
            (KEEP, "echo 'durability = \"normal\"' | sudo tee -a /etc/campfire/campfire.toml".into()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A host of so many files, each with what it has.
    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
        }
        let host = Host { root: dir.path().to_owned(), data: dir.path().join("not/yet/there") };
        (dir, host)
    }

    fn names(check: fn(&Host, &Tier) -> Check, files: &[(&str, &str)]) -> String {
        let (_dir, host) = host(files);
        check(&host, &TIERS[0]).tiers()
    }

    #[test]
    fn a_host_that_tells_nothing_holds_nothing_back() {
        let (_dir, host) = host(&[]);
        for check in CHECKS.iter().map(|check| check(&host, &TIERS[3])).filter(|it| it.what != "disk sync") {
            assert!(check.enough.is_none() && !check.found.is_empty(), "{}: {}", check.what, check.found);
        }
    }

    #[test]
    fn each_figure_is_enough_for_the_tiers_it_carries() {
        let limits = |hard: &str| {
            let line =
                format!("Max cpu time  unlimited  unlimited  seconds\nMax open files  1024  {hard}  files");
            names(open_files, &[("proc/self/limits", &line)])
        };
        assert_eq!(limits("1024"), "no tier");
        assert_eq!(limits("20000"), "small, medium");
        assert_eq!(limits("unlimited"), "every tier");
        assert_eq!(names(accept_queue, &[("proc/sys/net/core/somaxconn", "128")]), "no tier");
        assert_eq!(names(accept_queue, &[("proc/sys/net/core/somaxconn", "4096")]), "every tier");
        let range = "proc/sys/net/ipv4/ip_local_port_range";
        assert_eq!(names(port_range, &[(range, "32768\t60999")]), "small, medium");
        assert_eq!(names(port_range, &[(range, "1024\t65535")]), "every tier");
        let tracked = "proc/sys/net/netfilter/nf_conntrack_max";
        assert_eq!(names(connection_tracking, &[(tracked, "262144")]), "small, medium, large");
        let swaps = "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2";
        let swappy = ("proc/sys/vm/swappiness", "60");
        assert_eq!(names(swappiness, &[swappy, ("proc/swaps", swaps)]), "small, medium");
        assert_eq!(names(swappiness, &[swappy]), "every tier");
        let thp = ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never");
        assert_eq!(names(huge_pages, &[thp]), "small, medium");
        assert_eq!(names(huge_pages, &[thp, ("proc/self/status", "THP_enabled:\t0")]), "every tier");
    }

    #[test]
    fn powersave_is_the_lowest_clock_unless_the_driver_chooses() {
        let governor_is = |name: &str, driver: &str| {
            let path = "sys/devices/system/cpu/cpu0/cpufreq/scaling_";
            let (governor_path, driver_path) = (format!("{path}governor"), format!("{path}driver"));
            names(governor, &[(&governor_path, name), (&driver_path, driver)])
        };
        assert_eq!(governor_is("powersave", "cpufreq-dt"), "small");
        assert_eq!(governor_is("powersave", "intel_pstate"), "small, medium, large");
        assert_eq!(governor_is("performance", "cpufreq-dt"), "every tier");
    }

    #[test]
    fn a_control_group_counts_in_both_versions_and_so_does_the_one_above() {
        let machine = [("proc/meminfo", "MemTotal:       33554432 kB\nMemFree: 1 kB")];
        let with = |more: &[(&str, &str)]| names(memory, &[&machine, more].concat());
        assert_eq!(with(&[]), "every tier");
        let new = ("proc/self/cgroup", "0::/system.slice/campfire.service");
        assert_eq!(
            with(&[new, ("sys/fs/cgroup/system.slice/campfire.service/memory.max", "max")]),
            "every tier"
        );
        assert_eq!(with(&[new, ("sys/fs/cgroup/system.slice/memory.max", "2147483648")]), "small, medium");
        // In a container the path is the host's, and the group is mounted as the topmost.
        let old = ("proc/self/cgroup", "4:memory:/docker/1f\n1:cpu,cpuacct:/docker/1f");
        assert_eq!(with(&[old, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912")]), "small");
        let status = ("proc/self/status", "Cpus_allowed:\tff\nCpus_allowed_list:\t0-6,9");
        let cpus = |more: &[(&str, &str)]| {
            let (_dir, host) = host(&[&[status], more].concat());
            host.cores().unwrap().0
        };
        assert_eq!(cpus(&[]), 8.0);
        assert_eq!(cpus(&[new, ("sys/fs/cgroup/system.slice/cpu.max", "150000 100000")]), 1.5);
        assert_eq!(cpus(&[new, ("sys/fs/cgroup/system.slice/cpu.max", "max 100000")]), 8.0);
        let (quota, period) = ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "sys/fs/cgroup/cpu/cpu.cfs_period_us");
        assert_eq!(cpus(&[old, (quota, "-1"), (period, "100000")]), 8.0);
        assert_eq!(cpus(&[old, (quota, "200000"), (period, "100000")]), 2.0);
    }

    #[test]
    fn the_sync_is_measured_where_the_data_will_be_and_leaves_nothing() {
        let (dir, host) = host(&[]);
        assert_eq!(host.sync_time().unwrap().1, dir.path());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let nowhere = Host { root: PathBuf::new(), data: "/proc/self/net".into() };
        assert!(disk_sync(&nowhere, &TIERS[0]).enough.is_none());
    }
}
