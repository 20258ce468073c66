//! The server that the installed binary is run as: whether it is well, and its data.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use super::{Failure, Given, Installed, Version, child, service::Service, tell};
use crate::{backup::ENDING, config::Config};

/// One question whether the server is well; it gives up by itself before.
const HEALTHCHECK: Duration = Duration::from_secs(20);

const ASK_AGAIN: Duration = Duration::from_millis(200);

/// A backup of much data from a slow disk takes its time; it is not left alone for ever.
const BACKUP: Duration = Duration::from_secs(24 * 3600);

/// Backups from before one and the same version: who goes back and forth has some.
const MAX_BACKUPS: u32 = 1000;

/// The server that the installed binary is run as: its settings, and the service, if systemd has one.
pub(super) struct Server {
    config: Config,
    /// How other commands are told the same settings.
    settings: Vec<OsString>,
    service: Option<Service>,
    /// Whether it runs and answers where the settings say, so that the same can be asked of the next version.
    pub(super) answers: bool,
}

impl Server {
    /// Settings are those given here, else those that the service is started with.
    pub(super) fn find(given: &Given, installed: &Installed) -> Result<Self, Failure> {
        let service = Service::of(&installed.path);
        let settings = match &service {
            Some(service) if given.settings.is_empty() && given.file.is_none() => service.settings.clone(),
            _ => given.as_arguments(),
        };
        let known = Given::parse(settings.clone(), "", &[])?.unwrap_or_default();
        let config = known.config()?;
        let mut server = Self { config, settings, service, answers: false };
        server.answers = server.is_active() && server.is_well(&installed.path).is_ok();
        if server.is_active() && !server.answers {
            tell("The server does not answer now, so systemd alone is asked whether the next one runs");
        }
        Ok(server)
    }

    fn is_active(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.is_active)
    }

    fn is_well(&self, binary: &Path) -> Result<(), String> {
        let arguments = [&["healthcheck".into()], self.settings.as_slice()].concat();
        let output = child::run(binary, &arguments, HEALTHCHECK)?;
        if output.status.success() { Ok(()) } else { Err(child::last_words(&output)) }
    }

    /// Restarts what runs, and waits until it is well. Answers a sentence about that.
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
            let well = if self.answers {
                self.is_well(binary)
            } else if service.runs() {
                Ok(())
            } else {
                Err("systemd does not have it as running".to_owned())
            };
            match well {
                Ok(()) => return Ok("The service was restarted and is well".to_owned()),
                Err(why) if Instant::now() > end => return Err(why),
                Err(_) => sleep(ASK_AGAIN),
            }
        }
    }

    pub(super) fn journal(&self) -> String {
        let Some(service) = &self.service else { return "the log".to_owned() };
        service.command("status")
    }

    /// Where backups from before an upgrade go.
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
                    "the server runs, but there is no data in {}, so no backup can be made; name its settings with --config or --data, or leave the backup away with --no-backup",
                    data.display()
                )));
            }
            tell(&format!("There is no data in {} yet, so nothing to back up", data.display()));
            return Ok(None);
        }
        let directory = self.backups();
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
        tell(&format!("Backing up to {}", file.display()));
        let command = ["backup".into(), file.clone().into(), "--data".into(), data.clone().into()];
        // Settings of the service come first; the last word about the data is ours.
        let arguments = [&command[..2], &self.settings, &command[2..]].concat();
        let made = fs::create_dir_all(&directory)
            .map_err(|error| format!("cannot make {}: {error}", directory.display()))
            .and_then(|()| child::run(binary, &arguments, BACKUP))
            .and_then(
                |output| {
                    if output.status.success() { Ok(()) } else { Err(child::last_words(&output)) }
                },
            );
        made.map_err(|why| {
            Failure::Failed(format!(
                "there is no backup ({why}); nothing was changed; --no-backup goes on without one"
            ))
        })?;
        // Made by root, and yet for the server's own user to restore.
        if let Ok(owner) = fs::metadata(&data) {
            let _ = chown(&file, Some(owner.uid()), Some(owner.gid()));
        }
        Ok(Some(file))
    }

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

    /// What to do when an older version does not take the database of a newer one.
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
                "{changed}; there is no backup from before {new} in {}, so go forward again with `campfire upgrade`, or restore another one",
                self.backups().display()
            ),
        }
    }
}

/// A path that says the same to whoever reads it elsewhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
