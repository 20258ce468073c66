//! Whether this host can carry a tier: the checks, in the order in which they are shown. Documents that they name are those
//! of the kernel, below `Documentation/`.

mod hardware;
mod kernel;

use self::{
    hardware::{disk_sync, governor, memory, processors},
    kernel::{accept_queue, connection_tracking, huge_pages, open_files, port_range, swappiness},
};
use super::{NOW, TIERS, Tier, host::Host};

/// The result of one check.
pub(super) struct Check {
    pub(super) what: &'static str,
    /// What was found, or why it is unknown.
    pub(super) found: String,
    /// For each tier whether it is enough; None if that is unknown.
    pub(super) enough: Option<[bool; TIERS.len()]>,
    /// What the chosen tier needs.
    pub(super) needs: String,
    /// Labels and commands that fix it.
    pub(super) fix: Vec<(&'static str, String)>,
}

impl Check {
    fn unknown(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, found: why.into(), enough: None, needs: String::new(), fix: Vec::new() }
    }

    pub(super) fn is_enough(&self, tier: &Tier) -> Option<bool> {
        let index = TIERS.iter().position(|it| it.name == tier.name)?;
        self.enough.map(|enough| enough[index])
    }

    /// The tiers for which it is enough.
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

/// Labels a command whose effect lasts.
const PERMANENTLY: &str = "permanently";

fn enough(is_enough: impl Fn(&Tier) -> bool) -> Option<[bool; TIERS.len()]> {
    Some(TIERS.each_ref().map(is_enough))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with these files and contents.
    pub(super) fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
        }
        let host = Host { root: dir.path().to_owned(), data: dir.path().join("not/yet/there") };
        (dir, host)
    }

    pub(super) fn names(check: fn(&Host, &Tier) -> Check, files: &[(&str, &str)]) -> String {
        let (_dir, host) = host(files);
        check(&host, &TIERS[0]).tiers()
    }

    #[test]
    fn host_without_figures_fails_no_check() {
        let (_dir, host) = host(&[]);
        for check in CHECKS.iter().map(|check| check(&host, &TIERS[3])).filter(|it| it.what != "disk sync") {
            assert!(check.enough.is_none() && !check.found.is_empty(), "{}: {}", check.what, check.found);
        }
    }
}
