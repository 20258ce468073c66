//! `campfire upgrade`: to the version of a release, or back to the one before.

mod child;
mod installed;
mod release;
mod server;
mod service;

use std::{ffi::OsString, path::Path, time::Duration};

use super::{Failure, Given, help, say};
use crate::outbound::Policy;
use installed::{Claim, Installed, version_of};
use release::{Source, Version};
use server::Server;

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
            if old < left && !server.answers {
                tell(&format!("Should it not start: {way_back}"));
            }
            Ok(())
        }
        Err(why) => Err(Failure::Failed(format!("{old} does not come up ({why}); {way_back}"))),
    }
}

/// Says how far it is. That nobody reads it is no reason to stop half-way.
fn tell(line: &str) {
    let _ = say(&format!("{line}\n"));
}
