//! What the kernel reports about this host. Paths are relative to a root directory, which tests replace.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::memory;

/// Writes that are timed to measure how long the disk takes to sync.
const SYNCS: usize = 9;

pub(super) struct Host {
    pub(super) root: PathBuf,
    pub(super) data: PathBuf,
}

impl Host {
    pub(super) fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok().map(|text| text.trim().to_owned())
    }

    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.read(path)?.parse().ok()
    }

    /// The text after a name in a file of lines such as `MemTotal:  24 kB`.
    pub(super) fn field(&self, path: &str, name: &str) -> Option<String> {
        self.read(path)?.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned())
    }

    /// Bytes of memory that this process may use, and whether its control group is what limits them.
    pub(super) fn memory(&self) -> Option<(u64, bool)> {
        memory::limit_below(&self.root)
    }

    /// Processors that this process may use, in fractions, and whether its control group is what limits them.
    pub(super) fn cores(&self) -> Option<(f64, bool)> {
        let list = self.field("proc/self/status", "Cpus_allowed_list:")?;
        let count = |range: &str| -> Option<u64> {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(last.parse::<u64>().ok()?.checked_sub(first.parse().ok()?)? + 1)
        };
        let machine = list.split(',').map(count).sum::<Option<u64>>()? as f64;
        // Version 2 has quota and period in one file; version 1 has a file for each, where -1 is no limit.
        let share = |quota: &str, period: &str| -> Option<f64> {
            let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
            (quota > 0.0 && period > 0.0).then(|| quota / period)
        };
        let new = memory::group_files(&self.root, "cpu", &["cpu.max"]);
        let new = new
            .iter()
            .filter_map(|text| text.split_once(' ').and_then(|(quota, period)| share(quota, period)));
        let (quotas, periods) = (
            memory::group_files(&self.root, "cpu", &["cpu.cfs_quota_us"]),
            memory::group_files(&self.root, "cpu", &["cpu.cfs_period_us"]),
        );
        let old = quotas.iter().zip(&periods).filter_map(|(quota, period)| share(quota, period));
        let limit = new.chain(old).fold(f64::INFINITY, f64::min);
        Some((machine.min(limit), limit < machine))
    }

    /// The data directory, or the nearest directory above it that exists.
    pub(super) fn data_directory(&self) -> PathBuf {
        let full = std::path::absolute(&self.data).unwrap_or_else(|_| self.data.clone());
        full.ancestors().find(|path| path.is_dir()).map_or(full.clone(), Path::to_owned)
    }

    /// The median time to write and sync 4 KiB in the data directory, and the directory.
    pub(super) fn sync_time(&self) -> io::Result<(Duration, PathBuf)> {
        let directory = self.data_directory();
        let path = directory.join(format!(".campfire-doctor-{}", std::process::id()));
        let measured = (|| {
            let mut file = fs::File::create_new(&path)?;
            let mut times = [Duration::ZERO; SYNCS];
            for time in &mut times {
                let started = Instant::now();
                file.write_all(&[0; 4096])?;
                file.sync_data()?;
                *time = started.elapsed();
            }
            times.sort_unstable();
            Ok(times[SYNCS / 2])
        })();
        // Fails if the file could not be created.
        let _ = fs::remove_file(&path);
        measured.map(|time| (time, directory))
    }
}
