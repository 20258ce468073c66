//! `campfire demo`: a team that never was, for an evening.

mod cast;
mod paint;
mod stage;
mod talk;
mod things;

use std::{ffi::OsString, fs::DirBuilder, io::ErrorKind, os::unix::fs::DirBuilderExt, path::PathBuf, thread};

pub(super) use self::cast::PASSWORD;
use self::{cast::Cast, stage::Stage, things::Things};
use super::{Failure, Given, help};
use crate::{
    config::{Config, Durability},
    log,
    server::{self, Nobody},
    store::{DataDir, Folder, Reader, WriteError, Writer, WriterHandle},
};

/// Settings that are the demo's own business: where its data is, that a power cut may take it, and that it speaks HTTP.
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
    let scratch = Scratch::new()?;
    config.data = scratch.0.clone();
    config.durability = Durability::Normal;
    if config.has_tls() {
        // Out of a settings file that is meant for the real one.
        let Config { listen, domain, tls_cert, tls_key, .. } = Config::default();
        config = Config { listen, domain, tls_cert, tls_key, ..config };
    }
    log::init(config.log_format, &config.log_level);
    let data = DataDir::claim(&config.data, config.durability)?;
    let token = {
        let (_writer, handle) = Writer::start(&data, 16, Box::new(Nobody))?;
        seed(&data, &handle)?
    };
    eprintln!(
        "A demo: all of it is gone when it stops (Ctrl+C). Open the address below and you are signed in as Ana; in a
second browser, sign in as mara@example.org with the password \"{PASSWORD}\"."
    );
    Ok(server::serve_from(config, &data, Some(token), |address| server::say_where("http", address))?)
}

/// Who the first visitor is.
pub(super) fn visitor_email() -> String {
    cast::people().next().map(|(name, _)| cast::email(name)).unwrap_or_default()
}

/// A directory of our own that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let stem = std::env::temp_dir().join(format!("campfire-demo-{}", std::process::id()));
        let mut path = stem.clone();
        // Only ours: it must not be there yet, and nobody else may look in. One that was killed may have left its
        // directory behind, and in a container our id is the same every time.
        for place in 2.. {
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && place < 1000 => {
                    path = stem.with_extension(place.to_string());
                }
                Err(error) => {
                    let shown = path.display();
                    return Err(Failure::Failed(format!(
                        "cannot make {shown} ({error}); set TMPDIR to another place"
                    )));
                }
                Ok(()) => break,
            }
        }
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes the team up; answers the token of the visitor's session.
fn seed(data: &DataDir, writer: &WriterHandle) -> Result<String, Failure> {
    let failed = |error: WriteError| Failure::Failed(format!("cannot make the demo up ({error:?})"));
    let unkept = |error| Failure::Failed(format!("cannot keep the demo's pictures ({error})"));
    let folder = Folder::open(data.path()).map_err(unkept)?;
    let reader = Reader::open(data)?;
    thread::scope(|scope| {
        // While pictures are drawn, people come in.
        let things = scope.spawn(|| Things::make(&folder));
        let mut cast = Cast::enter(writer).map_err(failed)?;
        let rooms = stage::rooms(writer, &reader, &mut cast).map_err(failed)?;
        let mut things = things.join().unwrap_or_else(|_| Err(ErrorKind::Other.into())).map_err(unkept)?;
        cast.show_faces(writer, std::mem::take(&mut things.faces)).map_err(failed)?;
        Stage::new(writer, &cast, things, rooms).play().map_err(failed)?;
        cast.sign_in(writer).map_err(failed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_has_a_directory_of_its_own_that_goes_with_it() {
        let (one, other) = (Scratch::new().ok().unwrap(), Scratch::new().ok().unwrap());
        assert!(one.0.is_dir() && other.0.is_dir() && one.0 != other.0);
        let path = one.0.clone();
        drop(one);
        assert!(!path.exists());
    }
}
