//! `campfire upgrade`: to the version of a release, or back to the one before.

mod child;
mod installed;
mod release;
mod service;

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use super::{Failure, Given, help, say};
use crate::{config::Config, outside::Policy};
use installed::{Claim, Installed, version_of};
use release::{Source, Version};
use service::Service;

const OPTIONS: [(&str, bool); 6] = [
    ("from", true),
    ("check", false),
    ("rollback", false),
    ("force", false),
    ("no-backup", false),
    ("wait", true),
];

/// The settings that it looks at.
pub(super) const OWN: [&str; 3] = ["listen", "data", "backup_dir"];

/// Once systemd has a server as ready, it answers after this at the latest.
const WAIT: Duration = Duration::from_secs(60);

/// The longest that `--wait` may ask for.
const MAX_WAIT: u64 = 86_400;

/// One question whether the server is well; it gives up by itself before.
const HEALTHCHECK: Duration = Duration::from_secs(20);

const ASK_AGAIN: Duration = Duration::from_millis(200);

/// A backup of much data from a slow disk takes its time; it is not left alone for ever.
const BACKUP: Duration = Duration::from_secs(24 * 3600);

/// Backups from before one and the same version: who goes back and forth has some.
const MAX_BACKUPS: u32 = 1000;

const ENDING: &str = ".tar.zst";

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::upgrade(), &OPTIONS)? else { return Ok(()) };
    given.no_words()?;
    let wait = match given.option("wait") {
        None => WAIT,
        Some(text) => {
            let seconds = text.parse().ok().filter(|seconds| (1..=MAX_WAIT).contains(seconds));
            Duration::from_secs(seconds.ok_or_else(|| {
                Failure::Usage(format!(
                    "--wait has to be a number of seconds from 1 to {MAX_WAIT}, not {text:?}"
                ))
            })?)
        }
    };
    if given.has("rollback") {
        if let Some(other) = ["check", "force", "from"].into_iter().find(|other| given.has(other)) {
            return Err(Failure::Usage(format!(
                "--rollback goes back to the version before, so leave --{other} away"
            )));
        }
        go_back(&given, wait)
    } else {
        upgrade(&given, wait)
    }
}

fn upgrade(given: &Given, wait: Duration) -> Result<(), Failure> {
    let base = std::env::var("CAMPFIRE_BASE_URL").ok().filter(|base| !base.is_empty());
    // Who may not read the settings may still ask what there is.
    let policy =
        given.config().map(|config| Policy { name_servers: config.name_servers, ..Policy::default() });
    let source = Source::new(given.option("from").or(base.as_deref()), policy.unwrap_or_default())?;
    let (own, new) = (Version::own(), source.version()?);
    let is_check = given.has("check");
    if new == own && (is_check || !given.has("force")) {
        return say(&format!("{own} is the newest: {source} has the same\n"));
    }
    if is_check {
        return say(&if new > own {
            format!("{new} is newer than this, which is {own}; `campfire upgrade` installs it\n")
        } else {
            format!("this is {own}, which is newer than {new}, the version of {source}\n")
        });
    }
    if new < own && !given.has("force") {
        return say(&format!(
            "this is {own}, which is newer than {new}, the version of {source}; --force installs that all the same\n"
        ));
    }
    let installed = Installed::find()?;
    if installed.runs_as_previous() {
        return Err(Failure::Usage(format!(
            "this is the version before, kept to go back to; upgrade with {}, or go back with --rollback",
            installed.path.display()
        )));
    }
    let claim = installed.claim()?;
    let server = Server::find(given, &installed)?;
    tell(&format!("Taking {new} from {source}"));
    claim.write(&source.binary()?)?;
    match version_of(&claim.new) {
        Ok(version) if version == new => {}
        Ok(version) => {
            return Err(Failure::Failed(format!(
                "the binary of {source} says that it is {version}, and its VERSION says {new}; nothing was changed"
            )));
        }
        Err(why) => {
            return Err(Failure::Failed(format!(
                "the new binary does not run on this machine ({why}); nothing was changed"
            )));
        }
    }
    let backup = if given.has("no-backup") { None } else { server.back_up(&installed.path, &new)? };
    claim.place()?;
    tell(&format!("{new} is in {}, and {own} in {}", installed.path.display(), installed.previous.display()));
    match server.restart(&installed.path, wait) {
        Ok(done) => say(&format!("{done}\n")),
        Err(why) => {
            tell(&format!("{new} does not come up: {why}"));
            undo(&claim, &server, &own, &new, backup.as_deref(), wait)
        }
    }
}

/// Has the old version run again after the new one did not.
fn undo(
    claim: &Claim<'_>,
    server: &Server,
    own: &Version,
    new: &Version,
    backup: Option<&Path>,
    wait: Duration,
) -> Result<(), Failure> {
    claim.take_back()?;
    Err(Failure::Failed(match server.restart(claim.path(), wait) {
        Ok(_) => format!("{new} did not come up, so {own} is back and runs; see `{}`", server.journal()),
        Err(why) => format!(
            "{new} did not come up, and {own}, which is back, does not either ({why}); {}",
            server.way_back(own, new, backup)
        ),
    }))
}

fn go_back(given: &Given, wait: Duration) -> Result<(), Failure> {
    let installed = Installed::find()?;
    if !installed.previous.exists() {
        return Err(Failure::Failed(format!(
            "there is no {}, so there is nothing to go back to",
            installed.previous.display()
        )));
    }
    let old = version_of(&installed.previous).map_err(|why| {
        Failure::Failed(format!("{} does not run ({why}); nothing was changed", installed.previous.display()))
    })?;
    // It may be the very reason to go back that this one does not run.
    let left = version_of(&installed.path).unwrap_or_else(|_| Version::own());
    let claim = installed.claim()?;
    let server = Server::find(given, &installed)?;
    claim.exchange()?;
    tell(&format!(
        "{old} is in {}, and {left} in {}",
        installed.path.display(),
        installed.previous.display()
    ));
    let backup = server.newest_backup_before(&left);
    let way_back = server.way_back(&old, &left, backup.as_deref());
    match server.restart(&installed.path, wait) {
        Ok(done) => {
            tell(&done);
            if old < left && !server.is_well_known() {
                tell(&format!("Should it not start: {way_back}"));
            }
            Ok(())
        }
        Err(why) => Err(Failure::Failed(format!("{old} does not come up ({why}); {way_back}"))),
    }
}

/// The server that the installed binary is run as: its settings, and the service, if systemd has one.
struct Server {
    config: Config,
    /// How other commands are told the same settings.
    settings: Vec<OsString>,
    service: Option<Service>,
    /// Whether it runs and answers where the settings say, so that the same can be asked of the next version.
    answers: bool,
}

impl Server {
    /// Settings are those given here, else those that the service is started with.
    fn find(given: &Given, installed: &Installed) -> Result<Self, Failure> {
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

    /// Whether somebody has seen that it runs, rather than hoped so.
    fn is_well_known(&self) -> bool {
        self.answers
    }

    fn is_well(&self, binary: &Path) -> Result<(), String> {
        let arguments = [&["healthcheck".into()], self.settings.as_slice()].concat();
        let output = child::run(binary, &arguments, HEALTHCHECK)?;
        if output.status.success() { Ok(()) } else { Err(child::last_words(&output)) }
    }

    /// Restarts what runs, and waits until it is well. Answers a sentence about that.
    fn restart(&self, binary: &Path, wait: Duration) -> Result<String, String> {
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

    fn journal(&self) -> String {
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
    fn back_up(&self, binary: &Path, new: &Version) -> Result<Option<PathBuf>, Failure> {
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

    fn newest_backup_before(&self, version: &Version) -> Option<PathBuf> {
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
    fn way_back(&self, old: &Version, new: &Version, backup: Option<&Path>) -> String {
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

/// Says how far it is. That nobody reads it is no reason to stop half-way.
fn tell(line: &str) {
    let _ = say(&format!("{line}\n"));
}
