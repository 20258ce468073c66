//! `campfire backup` and `campfire restore`.

use std::{
    ffi::OsString,
    fs::File,
    io::{IsTerminal, Read, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Given, help, say};
use crate::backup::{self, BackupError, ENDING, Made, Pace, Restored, Target};

/// How often a terminal is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Set once somebody wants it to end.
static STOP: AtomicBool = AtomicBool::new(false);

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Ending(_) => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

pub(super) fn backup(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::backup(), &[("force", false)])? else { return Ok(()) };
    let file = the_file(&given)?;
    let data = given.config()?.data;
    let to_stream = file == Path::new("-");
    let target = if to_stream {
        if std::io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "a backup is nothing to look at; give a file, or a pipe after -".into(),
            ));
        }
        Target::Stream(Box::new(std::io::stdout()))
    } else {
        Target::File { path: file, replace: given.has("force") }
    };
    let Made { size, database, files, missing } =
        at_leisure("backing up", |pace| backup::make(&data, target, pace))?;
    if missing > 0 {
        eprintln!(
            "campfire: {missing} uploaded files were not there, so they are not in the backup; `campfire check` names them"
        );
    }
    if to_stream {
        return Ok(());
    }
    say(&format!(
        "{}: {}, with a database of {} and {files} uploaded files\n",
        file.display(),
        in_mb(size),
        in_mb(database)
    ))
}

pub(super) fn restore(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::restore(), &[("verify", false)])? else { return Ok(()) };
    let file = the_file(&given)?;
    let data = given.config()?.data;
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(file).map_err(|error| BackupError::Read(file.to_owned(), error))?)
    };
    let only_verify = given.has("verify");
    let Restored { made_at, version, files, bytes, missing } =
        at_leisure(if only_verify { "verifying" } else { "restoring" }, |pace| {
            if only_verify {
                backup::verify(source, &std::env::temp_dir(), pace)
            } else {
                backup::restore(source, &data, pace)
            }
        })?;
    if missing > 0 {
        eprintln!("campfire: {missing} uploaded files were not there already when the backup was made");
    }
    let what = format!("the backup of {made_at} (campfire {version}, {}, {files} files)", in_mb(bytes));
    say(&if only_verify {
        format!("{what} is whole\n")
    } else {
        format!("{what} is restored; serve it with `campfire serve --data {}`\n", data.display())
    })
}

/// The one word: a name with the right ending, or `-`.
fn the_file(given: &Given) -> Result<&Path, Failure> {
    match given.words.as_slice() {
        [word] if word == "-" || word.ends_with(ENDING) => Ok(Path::new(word)),
        [word] => Err(BackupError::Ending(word.into()).into()),
        [] => Err(Failure::Usage(format!(
            "the file is missing: name one that ends with {ENDING}, or give - for standard input or output"
        ))),
        [_, word, ..] => Err(Failure::Usage(format!("{word:?} is too much here: one file at a time"))),
    }
}

/// Does something that takes long: behind everything else on this machine, and until a signal ends it. A terminal sees how
/// far it is.
pub(super) fn at_leisure<T>(
    what: &str,
    work: impl FnOnce(&mut Pace<'_>) -> Result<T, BackupError>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build();
    let listening = runtime.and_then(|runtime| {
        let inside = runtime.enter();
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        drop(inside);
        runtime.spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            STOP.store(true, Ordering::Relaxed);
        });
        Ok(runtime)
    });
    let _runtime =
        listening.map_err(|error| Failure::Failed(format!("cannot wait for signals ({error})")))?;
    Pace::give_way();
    let is_seen = std::io::stderr().is_terminal();
    let mut told = Instant::now();
    let pace = Pace::new(&STOP, |done, total| {
        if is_seen && told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let of = if total > done { format!(" of {}", in_mb(total)) } else { String::new() };
            eprint!("\r\x1b[K{what}: {}{of}", in_mb(done));
        }
    });
    let outcome = work(&mut pace.patient(|| {
        eprintln!("campfire: a backup or a check of the same data is under way; waiting for its end");
    }));
    if is_seen {
        eprint!("\r\x1b[K");
        let _ = std::io::stderr().flush();
    }
    Ok(outcome?)
}

pub(super) fn in_mb(bytes: u64) -> String {
    if bytes < 1 << 20 {
        return format!("{} KB", bytes.div_ceil(1 << 10));
    }
    format!("{}.{} MB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}
