//! `campfire upgrade`: to the version of a release, or back to the previous one.

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

/// The settings that it reads.
pub(super) const OWN: [&str; 3] = ["listen", "data", "backup_dir"];

/// How long a server that systemd reports as ready may take to be healthy.
const WAIT: Duration = Duration::from_secs(60);

/// The largest value of `--wait`, in seconds.
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
                "--rollback goes back to the previous version, so leave out --{other}"
            )));
        }
        roll_back(&given, wait)
    } else {
        upgrade(&given, wait)
    }
}

fn upgrade(given: &Given, wait: Duration) -> Result<(), Failure> {
    let base = std::env::var("CAMPFIRE_BASE_URL").ok().filter(|base| !base.is_empty());
    // Without permission to read the settings, --check still works.
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
            "this is the previous version; upgrade with {}, or go back with --rollback",
            installed.path.display()
        )));
    }
    let claim = installed.claim()?;
    let server = Server::find(given, &installed)?;
    report(&format!("Downloading {new} from {source}"));
    claim.write(&source.binary()?)?;
    match version_of(&claim.new) {
        Ok(version) if version == new => {}
        Ok(version) => {
            return Err(Failure::Failed(format!(
                "the binary of {source} reports version {version}, but its VERSION is {new}; nothing was changed"
            )));
        }
        Err(why) => {
            return Err(Failure::Failed(format!(
                "the new binary does not run on this machine ({why}); nothing was changed"
            )));
        }
    }
    let backup = if given.has("no-backup") { None } else { server.back_up(&installed.path, &new)? };
    claim.install()?;
    report(&format!(
        "{new} is in {}, and {own} in {}",
        installed.path.display(),
        installed.previous.display()
    ));
    match server.restart(&installed.path, wait) {
        Ok(done) => say(&format!("{done}\n")),
        Err(why) => {
            report(&format!("{new} does not start: {why}"));
            undo(&claim, &server, &own, &new, backup.as_deref(), wait)
        }
    }
}

/// Puts the old version back and restarts it, after the new one did not start.
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
            "{new} did not come up, and {own}, which is back, does not start either ({why}); {}",
            server.way_back(own, new, backup)
        ),
    }))
}

fn roll_back(given: &Given, wait: Duration) -> Result<(), Failure> {
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
    // The installed version may not run, which may be why it is rolled back.
    let left = version_of(&installed.path).unwrap_or_else(|_| Version::own());
    let claim = installed.claim()?;
    let server = Server::find(given, &installed)?;
    claim.exchange()?;
    report(&format!(
        "{old} is in {}, and {left} in {}",
        installed.path.display(),
        installed.previous.display()
    ));
    let backup = server.newest_backup_before(&left);
    let way_back = server.way_back(&old, &left, backup.as_deref());
    match server.restart(&installed.path, wait) {
        Ok(done) => {
            report(&done);
            if old < left && !server.answers {
                report(&format!("If it does not start: {way_back}"));
            }
            Ok(())
        }
        Err(why) => Err(Failure::Failed(format!("{old} does not start ({why}); {way_back}"))),
    }
}

/// Prints a line of progress. A closed pipe does not stop the upgrade.
fn report(line: &str) {
    let _ = say(&format!("{line}\n"));
}
