//! Limits of the kernel, which commands raise.

use super::{Check, NOW, PERMANENTLY, enough};
use crate::cli::doctor::{Tier, host::Host};

/// The commands that set a kernel parameter: until the next reboot, and in a file that is read at each boot.
fn sysctl(name: &str, value: &str) -> Vec<(&'static str, String)> {
    let file = format!("/etc/sysctl.d/90-campfire-{}.conf", name.replace('.', "-"));
    vec![
        (NOW, format!("sudo sysctl -w {name}=\"{value}\"")),
        (PERMANENTLY, format!("echo '{name} = {value}' | sudo tee {file}")),
    ]
}

/// One for each socket, and 1,000 for the database, files and outgoing connections. The server raises its soft limit to the
/// hard limit.
fn files_needed(tier: &Tier) -> u64 {
    tier.sockets + 1_000
}

pub(super) fn open_files(host: &Host, tier: &Tier) -> Check {
    let what = "open files";
    let Some(limits) = host.field("proc/self/limits", "Max open files") else {
        return Check::unknown(what, "/proc/self/limits has no \"Max open files\"");
    };
    let hard = match limits.split_whitespace().nth(1) {
        Some("unlimited") => u64::MAX,
        word => word.and_then(|word| word.parse().ok()).unwrap_or(0),
    };
    let needed = files_needed(tier);
    let mut fix = Vec::new();
    // The hard limit of a process cannot pass fs.nr_open (admin-guide/sysctl/fs.rst).
    if host.number("proc/sys/fs/nr_open").is_some_and(|most| most < needed) {
        fix = sysctl("fs.nr_open", &needed.to_string());
    }
    fix.extend([
        (NOW, format!("sudo prlimit --nofile={needed}:{needed} --pid \"$(pidof campfire)\"")),
        (
            "permanently, with systemd",
            format!(
                "printf '[Service]\\nLimitNOFILE={needed}\\n' | sudo install -D -m 644 /dev/stdin /etc/systemd/system/campfire.service.d/files.conf"
            ),
        ),
        ("permanently, with Docker", format!("docker run --ulimit nofile={needed}:{needed} …")),
    ]);
    Check {
        what,
        found: match hard {
            u64::MAX => "no limit for a process".into(),
            hard => format!("{hard} for a process"),
        },
        enough: enough(|tier| hard >= files_needed(tier)),
        needs: format!("it needs {needed}"),
        fix,
    }
}

/// How many connections may wait to be accepted (admin-guide/sysctl/net.rst: 4096 by default since Linux 5.4, 128
/// before). When clients reconnect after a restart, those beyond it retry a second later. The server listens with a backlog
/// of 4096, so more has no effect.
pub(super) fn accept_queue(host: &Host, tier: &Tier) -> Check {
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
        fix: sysctl("net.core.somaxconn", &needed(tier).to_string()),
    }
}

/// Ports for outgoing connections (networking/ip-sysctl.rst). A proxy on this host takes one for each connection. An
/// address has at most 64,511 of them, so a proxy for more sockets needs more addresses.
pub(super) fn port_range(host: &Host, tier: &Tier) -> Check {
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
        needs: format!("it needs {}, if there is a proxy on this host", needed(tier)),
        fix: sysctl("net.ipv4.ip_local_port_range", "1024 65535"),
    }
}

/// Connections that the firewall tracks (networking/nf_conntrack-sysctl.rst); new ones beyond it are dropped. Behind a proxy
/// on this host, a socket is two of them.
pub(super) fn connection_tracking(host: &Host, tier: &Tier) -> Check {
    let what = "conntrack";
    let Some(found) = host.number("proc/sys/net/netfilter/nf_conntrack_max") else {
        return Check::unknown(what, "connections are not tracked, or the limit cannot be read");
    };
    let needed = |tier: &Tier| tier.sockets * 2 + 1_000;
    Check {
        what,
        found: format!("{found} connections are tracked at most"),
        enough: enough(|tier| found >= needed(tier)),
        needs: format!("it needs {}", needed(tier)),
        fix: sysctl("net.netfilter.nf_conntrack_max", &needed(tier).to_string()),
    }
}

/// How readily memory is swapped out in favour of the page cache: 0 to 200, 60 by default, lower where swap is slower than
/// the file system (admin-guide/sysctl/vm.rst). Memory of idle sockets is swapped out first, and the next message to them
/// then waits for the disk.
pub(super) fn swappiness(host: &Host, _: &Tier) -> Check {
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
        fix: sysctl("vm.swappiness", &MOST.to_string()),
    }
}

/// Transparent huge pages (admin-guide/mm/transhuge.rst): with `always`, small allocations can take pages of 2 MiB. The
/// server disables them for its process; this checks whether that worked.
pub(super) fn huge_pages(host: &Host, _: &Tier) -> Check {
    let what = "huge pages";
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    let Some(modes) = host.read(&path[1..]) else {
        return Check::unknown(what, "this kernel has no transparent huge pages");
    };
    let mode = modes.split(['[', ']']).nth(1).unwrap_or(&modes).to_owned();
    let is_off = host.field("proc/self/status", "THP_enabled:").is_some_and(|flag| flag == "0");
    Check {
        what,
        found: format!("{mode}{}", if is_off { ", and disabled by the server for itself" } else { "" }),
        enough: enough(|tier| is_off || mode != "always" || tier.sockets < 50_000),
        needs: "it needs madvise or never".into(),
        fix: vec![
            (NOW, format!("echo madvise | sudo tee {path}")),
            (
                PERMANENTLY,
                format!("echo 'w {path} - - - - madvise' | sudo tee /etc/tmpfiles.d/campfire-thp.conf"),
            ),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::capacity::tests::names;

    #[test]
    fn figures_of_the_kernel_are_enough_for_their_tiers() {
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
}
