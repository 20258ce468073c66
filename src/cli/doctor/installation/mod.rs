//! Whether the installation is in order, whatever the tier: encryption, name, disk, clock, permissions, backups and
//! notifications.

mod data;
mod encryption;
mod notifications;

use self::{
    data::{clock, free_space, import, last_backup, permissions},
    encryption::{certificate_time, encryption, name},
    notifications::notifications,
};
use super::{NOW, host::Host};
use crate::config::Config;

/// The result of one check.
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) found: String,
    /// None if it is unknown, or for the owner to judge.
    pub(super) ok: Option<bool>,
    /// Why it fails.
    pub(super) needs: String,
    /// Labels and commands that fix it.
    pub(super) fix: Vec<(&'static str, String)>,
}

impl Finding {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "check": self.what,
            "found": self.found,
            "ok": self.ok,
            "needs": self.needs,
            "fix": super::commands(&self.fix),
        })
    }

    pub(super) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: found.into(), ok: Some(true), needs: String::new(), fix: Vec::new() }
    }

    pub(super) fn unknown(what: &'static str, found: impl Into<String>) -> Self {
        Self { ok: None, ..Self::ok(what, found) }
    }

    pub(super) fn failed(what: &'static str, found: impl Into<String>, needs: impl Into<String>) -> Self {
        Self { ok: Some(false), needs: needs.into(), ..Self::ok(what, found) }
    }

    pub(super) fn fix(mut self, when: &'static str, command: impl Into<String>) -> Self {
        self.fix.push((when, command.into()));
        self
    }
}

pub(super) static FINDINGS: &[fn(&Host, &Config) -> Finding] =
    &[encryption, certificate_time, name, free_space, clock, permissions, import, last_backup, notifications];

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    pub(super) fn installation(settings: impl FnOnce(&mut Config)) -> (tempfile::TempDir, Host, Config) {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        let mut config = Config { data: data.clone(), ..Config::default() };
        settings(&mut config);
        let host = Host { root: dir.path().to_owned(), data };
        (dir, host, config)
    }
}
