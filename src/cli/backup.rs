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
use crate::{
    backup::{self, BackupError, ENDING, Made, Pace, Restored, Target},
    store::{Ended, Ending},
};

/// How often the progress on a terminal is updated.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Set by the first SIGTERM or SIGINT.
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
    let file = file_argument(&given)?;
    let data = given.config()?.data;
    let to_stream = file == Path::new("-");
    let target = if to_stream {
        if std::io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "a backup is binary; give a file, or redirect standard output".into(),
            ));
        }
        Target::Stream(Box::new(std::io::stdout()))
    } else {
        Target::File { path: file, replace: given.has("force") }
    };
    let Made { size, database, files, missing } =
        in_background("backing up", |pace| backup::make(&data, target, pace))?;
    if missing > 0 {
        eprintln!(
            "campfire: {missing} uploaded files are missing, so they are not in the backup; `campfire check` lists them"
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

const RESTORE_OPTIONS: [(&str, bool); 3] =
    [("verify", false), ("keep-sessions", false), ("revoke-tokens", false)];

pub(super) fn restore(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::restore(), &RESTORE_OPTIONS)? else { return Ok(()) };
    let file = file_argument(&given)?;
    let data = given.config()?.data;
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(file).map_err(|error| BackupError::Read(file.to_owned(), error))?)
    };
    let only_verify = given.has("verify");
    let ending = match (given.has("keep-sessions"), given.has("revoke-tokens")) {
        (true, true) => {
            return Err(Failure::Usage("--keep-sessions and --revoke-tokens exclude each other".into()));
        }
        (true, false) => Ending::Nothing,
        (false, true) => Ending::Everything,
        (false, false) => Ending::Sessions,
    };
    let Restored { made_at, version, files, bytes, missing, ended } =
        in_background(if only_verify { "verifying" } else { "restoring" }, |pace| {
            if only_verify {
                backup::verify(source, &std::env::temp_dir(), pace)
            } else {
                backup::restore(source, &data, ending, pace)
            }
        })?;
    if missing > 0 {
        eprintln!("campfire: {missing} uploaded files were missing already when the backup was made");
    }
    let what = format!("the backup of {made_at} (campfire {version}, {}, {files} files)", in_mb(bytes));
    say(&if only_verify {
        format!("{what} is complete\n")
    } else {
        let outcome = outcome(ending, ended);
        format!("{what} is restored; serve it with `campfire serve --data {}`\n{outcome}", data.display())
    })
}

/// What works again and what does not, in a sentence for each.
fn outcome(ending: Ending, ended: Ended) -> String {
    let Ended { sessions, links, jobs, tokens_left } = ended;
    let tokens = match (ending, tokens_left) {
        (Ending::Everything, _) => "API tokens and bot keys were revoked: make new ones.\n".to_owned(),
        (_, 0) => String::new(),
        (_, count) => format!(
            "{count} API tokens and bot keys work, also those that were revoked since; --revoke-tokens revokes all.\n"
        ),
    };
    match ending {
        Ending::Nothing => format!("Sessions, links and jobs go on as when it was made.\n{tokens}"),
        _ => format!(
            "{sessions} sessions, {links} links and {jobs} waiting jobs were ended: everybody signs in again (--keep-sessions keeps them).\n{tokens}"
        ),
    }
}

/// The only positional argument: a file with the right ending, or `-`.
fn file_argument(given: &Given) -> Result<&Path, Failure> {
    match given.words.as_slice() {
        [word] if word == "-" || word.ends_with(ENDING) => Ok(Path::new(word)),
        [word] => Err(BackupError::Ending(word.into()).into()),
        [] => Err(Failure::Usage(format!(
            "the file is missing: name one that ends with {ENDING}, or give - for standard input or output"
        ))),
        [_, word, ..] => Err(Failure::Usage(format!("unexpected argument {word:?}: one file at a time"))),
    }
}

/// Runs long work at low priority, until a signal stops it. A terminal shows its progress.
pub(super) fn in_background<T>(
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
    let is_terminal = std::io::stderr().is_terminal();
    let mut updated = Instant::now();
    let pace = Pace::new(&STOP, |done, total| {
        if is_terminal && updated.elapsed() >= PROGRESS_EVERY {
            updated = Instant::now();
            let of = if total > done { format!(" of {}", in_mb(total)) } else { String::new() };
            eprint!("\r\x1b[K{what}: {}{of}", in_mb(done));
        }
    });
    let outcome = work(&mut pace.patient(|| {
        eprintln!("campfire: another backup or check of this data is running; waiting for its end");
    }));
    if is_terminal {
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
