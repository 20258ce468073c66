//! The server of the installed binary: its health, its restart, and backups of its data.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use super::{Failure, Given, Installed, Version, child, report, service::Service};
use crate::{
    backup::{self, ENDING},
    config::Config,
};

/// The timeout of `campfire healthcheck`, whose own is shorter.
const HEALTHCHECK: Duration = Duration::from_secs(20);

/// How often a restarted server is checked.
const CHECK_EVERY: Duration = Duration::from_millis(200);

/// The timeout of a backup.
const BACKUP: Duration = Duration::from_secs(24 * 3600);

/// The most backups from before the same version.
const MAX_BACKUPS: u32 = 1000;

/// The server of the installed binary: its settings, and its service, if systemd has one.
pub(super) struct Server {
    config: Config,
    /// The settings as arguments of other commands.
    settings: Vec<OsString>,
    service: Option<Service>,
    /// Whether it is healthy at the address of the settings, so that the next version can be checked there.
    pub(super) answers: bool,
}

impl Server {
    /// Settings are those on the command line, or else those of the service.
    pub(super) fn find(given: &Given, installed: &Installed) -> Result<Self, Failure> {
        let service = Service::of(&installed.path);
        let settings = match &service {
            Some(service) if given.settings.is_empty() && given.file.is_none() => service.settings.clone(),
            _ => given.as_arguments(),
        };
        let known = Given::parse(settings.clone(), "", &[])?.unwrap_or_default();
        let config = known.config()?;
        let mut server = Self { config, settings, service, answers: false };
        server.answers = server.is_active() && server.is_healthy(&installed.path).is_ok();
        if server.is_active() && !server.answers {
            report("The server does not answer now, so only systemd is asked whether the next one runs");
        }
        Ok(server)
    }

    fn is_active(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.is_active)
    }

    fn is_healthy(&self, binary: &Path) -> Result<(), String> {
        let arguments = [&["healthcheck".into()], self.settings.as_slice()].concat();
        let output = child::run(binary, &arguments, HEALTHCHECK)?;
        if output.status.success() { Ok(()) } else { Err(child::last_line(&output)) }
    }

    /// Restarts the service and waits until it is healthy. Returns a sentence about the result.
    pub(super) fn restart(&self, binary: &Path, wait: Duration) -> Result<String, String> {
        let Some(service) = &self.service else {
            return Ok(format!(
                "No campfire.service of systemd runs {}; if a server runs, stop it and start it again",
                binary.display()
            ));
        };
        if !service.is_active {
            return Ok(format!("The service does not run; start it with `{}`", service.command("start")));
        }
        service.restart()?;
        let end = Instant::now() + wait;
        loop {
            let health = if self.answers {
                self.is_healthy(binary)
            } else if service.runs() {
                Ok(())
            } else {
                Err("systemd does not have it as running".to_owned())
            };
            match health {
                Ok(()) => return Ok("The service was restarted and is well".to_owned()),
                Err(why) if Instant::now() > end => return Err(why),
                Err(_) => sleep(CHECK_EVERY),
            }
        }
    }

    /// The command that shows the log.
    pub(super) fn journal(&self) -> String {
        let Some(service) = &self.service else { return "the log".to_owned() };
        service.command("status")
    }

    /// The directory of backups from before an upgrade.
    fn backups(&self) -> PathBuf {
        let data = absolute(&self.config.data);
        match &self.config.backup_dir {
            Some(directory) => directory.clone(),
            None => data.parent().unwrap_or(&data).to_owned(),
        }
    }

    /// Makes a backup while the server runs. None if there is no data yet.
    pub(super) fn back_up(&self, binary: &Path, new: &Version) -> Result<Option<PathBuf>, Failure> {
        let data = absolute(&self.config.data);
        if !data.join("campfire.db").exists() {
            if self.is_active() {
                return Err(Failure::Failed(format!(
                    "the server runs, but there is no data in {}, so no backup can be made; give its settings with --config or --data, or make no backup with --no-backup",
                    data.display()
                )));
            }
            report(&format!("There is no data in {} yet, so there is nothing to back up", data.display()));
            return Ok(None);
        }
        let directory = self.backups();
        let failed = |why: String| {
            Failure::Failed(format!(
                "there is no backup ({why}); nothing was changed; --no-backup goes on without one"
            ))
        };
        backup::check_place(&data, &directory).map_err(|error| failed(error.to_string()))?;
        let stem = format!("campfire-before-{new}");
        let names = (1..=MAX_BACKUPS).map(|count| match count {
            1 => format!("{stem}{ENDING}"),
            count => format!("{stem}-again-{count}{ENDING}"),
        });
        let file = names.map(|name| directory.join(name)).find(|file| !file.exists()).ok_or_else(|| {
            Failure::Failed(format!(
                "there are {MAX_BACKUPS} backups {stem}… in {}; remove some",
                directory.display()
            ))
        })?;
        report(&format!("Backing up to {}", file.display()));
        let command = ["backup".into(), file.clone().into(), "--data".into(), data.clone().into()];
        // The last --data applies.
        let arguments = [&command[..2], &self.settings, &command[2..]].concat();
        let made = child::run(binary, &arguments, BACKUP)
            .and_then(|output| if output.status.success() { Ok(()) } else { Err(child::last_line(&output)) });
        made.map_err(failed)?;
        // The user of the server can read it, even if root made it.
        if let Ok(owner) = fs::metadata(&data) {
            let _ = chown(&file, Some(owner.uid()), Some(owner.gid()));
        }
        Ok(Some(file))
    }

    /// The newest backup that was made before an upgrade to this version.
    pub(super) fn newest_backup_before(&self, version: &Version) -> Option<PathBuf> {
        let stem = format!("campfire-before-{version}");
        let of_it = |name: &str| {
            let rest = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(ENDING));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("-again-"))
        };
        let made = |entry: &fs::DirEntry| {
            entry.metadata().and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        let entries = fs::read_dir(self.backups()).ok()?.filter_map(Result::ok);
        entries
            .filter(|entry| entry.file_name().to_str().is_some_and(of_it))
            .max_by_key(made)
            .map(|it| it.path())
    }

    /// What to do if an older version refuses the database of a newer one.
    pub(super) fn way_back(&self, old: &Version, new: &Version, backup: Option<&Path>) -> String {
        let data = absolute(&self.config.data);
        let changed = format!("if {new} has changed the database, {old} refuses it");
        match backup {
            Some(file) => format!(
                "{changed}: stop the server, move {data} away, `campfire restore {file} --data {data}`, and start it",
                data = data.display(),
                file = file.display()
            ),
            None => format!(
                "{changed}; there is no backup from before {new} in {}, so upgrade again with `campfire upgrade`, or restore another backup",
                self.backups().display()
            ),
        }
    }
}

/// An absolute path, for other processes and other directories.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
