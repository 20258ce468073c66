//! `campfire demo`: serves an invented team from a temporary directory.

mod files;
mod messages;
mod paint;
mod people;
mod seed;

use std::{ffi::OsString, fs::DirBuilder, io::ErrorKind, os::unix::fs::DirBuilderExt, path::PathBuf, thread};

pub(super) use self::people::PASSWORD;
use self::{files::Files, people::People, seed::Seed};
use super::{Failure, Given, help};
use crate::{
    config::{Config, Durability},
    log,
    server::{self, NoWorkers},
    store::{DataDir, Folder, Reader, WriteError, Writer, WriterHandle},
};

/// Settings that cannot be given: the demo chooses its directory, does not survive a power cut, and serves plain HTTP.
pub(super) const OWN: [&str; 11] = [
    "data",
    "durability",
    "domain",
    "acme_email",
    "acme_directory",
    "acme_ca",
    "acme_challenge",
    "tls_cert",
    "tls_key",
    "http_listen",
    "hsts",
];

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::demo(), &[])? else { return Ok(()) };
    given.no_words()?;
    if let Some((key, _)) = given.settings.iter().find(|(key, _)| OWN.contains(&key.as_str())) {
        return Err(Failure::Usage(format!("a demo keeps nothing, so there is no --{key} for it")));
    }
    let mut config = given.config()?;
    let directory = TemporaryDirectory::new()?;
    config.data = directory.0.clone();
    config.durability = Durability::Normal;
    if config.has_tls() {
        // From a settings file that is meant for the real server.
        let Config { listen, domain, tls_cert, tls_key, .. } = Config::default();
        config = Config { listen, domain, tls_cert, tls_key, ..config };
    }
    log::init(config.log_format, &config.log_level);
    let data = DataDir::claim(&config.data, config.durability)?;
    let token = {
        let (_writer, handle) = Writer::start(&data, 16, Box::new(NoWorkers))?;
        seed(&data, &handle)?
    };
    eprintln!(
        "A demo: all of it is gone when it stops (Ctrl+C). Open the address below and you are signed in as Ana; in a
second browser, sign in as mara@example.org with the password \"{PASSWORD}\"."
    );
    Ok(server::serve_from(config, &data, Some(token), |address| server::say_where("http", address))?)
}

/// The e-mail address of the first visitor.
pub(super) fn visitor_email() -> String {
    people::profiles().next().map(|(name, _)| people::email(name)).unwrap_or_default()
}

/// A temporary directory that is removed on drop.
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn new() -> Result<Self, Failure> {
        let stem = std::env::temp_dir().join(format!("campfire-demo-{}", std::process::id()));
        let mut path = stem.clone();
        // It must not exist yet, and only its owner may read it. A demo that was killed leaves its directory behind, and
        // in a container the process id is the same every time.
        for number in 2.. {
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1000 => {
                    path = stem.with_extension(number.to_string());
                }
                Err(error) => {
                    let shown = path.display();
                    return Err(Failure::Failed(format!(
                        "cannot create {shown} ({error}); set TMPDIR to another directory"
                    )));
                }
                Ok(()) => break,
            }
        }
        Ok(Self(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Seeds the data and returns the token of the visitor's session.
fn seed(data: &DataDir, writer: &WriterHandle) -> Result<String, Failure> {
    let failed = |error: WriteError| Failure::Failed(format!("cannot seed the demo ({error:?})"));
    let unstored = |error| Failure::Failed(format!("cannot store the demo's files ({error})"));
    let folder = Folder::open(data.path()).map_err(unstored)?;
    let reader = Reader::open(data)?;
    thread::scope(|scope| {
        // Pictures are drawn while people and rooms are created.
        let files = scope.spawn(|| Files::make(&folder));
        let mut people = People::create(writer).map_err(failed)?;
        let rooms = seed::create_rooms(writer, &reader, &mut people).map_err(failed)?;
        let mut files = files.join().unwrap_or_else(|_| Err(ErrorKind::Other.into())).map_err(unstored)?;
        people.set_avatars(writer, std::mem::take(&mut files.avatars)).map_err(failed)?;
        Seed::new(writer, &people, files, rooms).run().map_err(failed)?;
        people.sign_in(writer).map_err(failed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_directory_is_unique_and_removed_on_drop() {
        let (one, other) = (TemporaryDirectory::new().ok().unwrap(), TemporaryDirectory::new().ok().unwrap());
        assert!(one.0.is_dir() && other.0.is_dir() && one.0 != other.0);
        let path = one.0.clone();
        drop(one);
        assert!(!path.exists());
    }
}
