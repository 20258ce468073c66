//! Memory, processors and the disk, as far as the control group allows their use.

use super::{Check, NOW, PERMANENTLY, enough};
use crate::cli::doctor::{Tier, host::Host};

pub(super) fn memory(host: &Host, tier: &Tier) -> Check {
    let what = "memory";
    let Some((bytes, is_limited)) = host.memory() else {
        return Check::unknown(what, "/proc/meminfo has no MemTotal");
    };
    let found = bytes >> 20;
    // Firmware, the kernel and graphics take part of the nominal size.
    let needed = |tier: &Tier| tier.memory_mb - tier.memory_mb / 8;
    let megabytes = tier.memory_mb;
    let fix = if is_limited {
        vec![
            (NOW, format!("sudo systemctl set-property --runtime campfire MemoryMax={megabytes}M")),
            (PERMANENTLY, format!("sudo systemctl set-property campfire MemoryMax={megabytes}M")),
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
        fix,
    }
}

pub(super) fn processors(host: &Host, tier: &Tier) -> Check {
    let what = "processors";
    let Some((found, is_limited)) = host.cores() else {
        return Check::unknown(what, "/proc/self/status has no Cpus_allowed_list");
    };
    let cores = tier.cores;
    let fix = if is_limited {
        vec![
            (NOW, format!("sudo systemctl set-property --runtime campfire CPUQuota={cores}00%")),
            (PERMANENTLY, format!("sudo systemctl set-property campfire CPUQuota={cores}00%")),
            ("in Docker", format!("docker update --cpus {cores} CONTAINER")),
        ]
    } else {
        vec![("no command helps", "give the machine more processors".into())]
    };
    Check {
        what,
        found: format!("{found}{}", if is_limited { ", the limit of its control group" } else { "" }),
        // A quota of 95 % counts as a whole processor.
        enough: enough(|tier| found >= tier.cores as f64 * 0.95),
        needs: format!("it needs {cores}"),
        fix,
    }
}

/// How the frequency of the processors follows the load (admin-guide/pm/cpufreq.rst). `powersave` is always the lowest
/// frequency, except with drivers that choose it themselves (intel_pstate.rst, amd-pstate.rst).
pub(super) fn governor(host: &Host, _: &Tier) -> Check {
    let what = "CPU governor";
    let at = |name: &str| host.read(&format!("sys/devices/system/cpu/cpu0/cpufreq/{name}"));
    let Some(found) = at("scaling_governor") else {
        return Check::unknown(what, "this system does not control the frequency (no cpufreq)");
    };
    let driver = at("scaling_driver").unwrap_or_default();
    let is_lowest = found == "powersave" && !["intel_pstate", "amd-pstate-epp"].contains(&driver.as_str());
    let path = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
    Check {
        what,
        found: format!("{found}{}", if is_lowest { ": always the lowest frequency" } else { "" }),
        enough: enough(|tier| match found.as_str() {
            "performance" => true,
            _ if is_lowest => tier.name == "small",
            _ => tier.name != "enterprise",
        }),
        needs: "it needs performance".into(),
        fix: vec![
            (NOW, format!("echo performance | sudo tee {path}")),
            (
                PERMANENTLY,
                format!(
                    "echo 'w {path} - - - - performance' | sudo tee /etc/tmpfiles.d/campfire-governor.conf"
                ),
            ),
        ],
    }
}

/// A posted message waits for the sync of the batch before it and for that of its own. Both together may take half of the
/// response time of the tier.
pub(super) fn disk_sync(host: &Host, tier: &Tier) -> Check {
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
        fix: vec![
            ("now, on a faster disk", "campfire serve --data DIR".into()),
            ("now, if a power cut may take the last seconds", "campfire serve --durability normal".into()),
            (PERMANENTLY, "echo 'durability = \"normal\"' | sudo tee -a /etc/campfire/campfire.toml".into()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::doctor::{
        TIERS,
        capacity::tests::{host, names},
    };

    #[test]
    fn powersave_is_the_lowest_frequency_unless_the_driver_chooses() {
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
    fn control_group_limits_apply_in_both_versions_and_from_parents() {
        let machine = [("proc/meminfo", "MemTotal:       33554432 kB\nMemFree: 1 kB")];
        let with = |more: &[(&str, &str)]| names(memory, &[&machine, more].concat());
        assert_eq!(with(&[]), "every tier");
        let new = ("proc/self/cgroup", "0::/system.slice/campfire.service");
        assert_eq!(
            with(&[new, ("sys/fs/cgroup/system.slice/campfire.service/memory.max", "max")]),
            "every tier"
        );
        assert_eq!(with(&[new, ("sys/fs/cgroup/system.slice/memory.max", "2147483648")]), "small, medium");
        // In a container the path is that of the host, and the group is mounted as the topmost.
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
    fn sync_time_is_measured_in_the_data_directory_and_leaves_no_file() {
        let (dir, host) = host(&[]);
        assert_eq!(host.sync_time().unwrap().1, dir.path());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let nowhere = Host { root: PathBuf::new(), data: "/proc/self/net".into() };
        assert!(disk_sync(&nowhere, &TIERS[0]).enough.is_none());
    }
}
