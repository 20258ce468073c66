//! What is around the server, whatever it is to carry: its name, its disk, the clock, who may read what it keeps.

mod data;
mod encryption;

use self::{
    data::{clock, disk_room, last_backup, permissions},
    encryption::{certificate_time, encryption, name},
};
use super::{NOW, host::Host};
use crate::config::Config;

pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) found: String,
    /// None if it cannot be told here, or is the owner's to judge.
    pub(super) fit: Option<bool>,
    /// Why it is not, and what would help.
    pub(super) needs: String,
    pub(super) mend: Vec<(&'static str, String)>,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: found.into(), fit: Some(true), needs: String::new(), mend: Vec::new() }
    }

    fn untold(what: &'static str, found: impl Into<String>) -> Self {
        Self { fit: None, ..Self::fine(what, found) }
    }

    fn unfit(what: &'static str, found: impl Into<String>, needs: impl Into<String>) -> Self {
        Self { fit: Some(false), needs: needs.into(), ..Self::fine(what, found) }
    }

    fn mend(mut self, when: &'static str, command: impl Into<String>) -> Self {
        self.mend.push((when, command.into()));
        self
    }
}

pub(super) static FINDINGS: &[fn(&Host, &Config) -> Finding] =
    &[encryption, certificate_time, name, disk_room, clock, permissions, last_backup];

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    pub(super) fn house(settings: impl FnOnce(&mut Config)) -> (tempfile::TempDir, Host, Config) {
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
