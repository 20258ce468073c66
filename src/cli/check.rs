//! `campfire check`: verifies the database and the uploaded files.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Failure, Given, backup::in_background, help, say};
use crate::{
    backup::{self, BackupError, Pace},
    config::Durability,
    store::{DataDir, Examined, Folder, Import, KnownFile, OpenError, Reader, SCHEMA_VERSION},
};

/// Faults of the files that are reported one by one; the others are counted.
const MAX_REPORTED: usize = 20;

const RESTORE: &str = "restore an earlier backup: campfire restore FILE --data NEW-DIRECTORY";
const RETURN_FILES: &str =
    "extract the file from a backup into the data directory: tar --zstd -xf FILE files/…";
const GO_ON: &str = "run it again, which goes on: campfire import CHAT PATH";
const REBUILD: &str = "stop the server and run campfire check --rebuild-index";

/// The result of one check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    /// None for a note, which is neither good nor bad.
    ok: Option<bool>,
    found: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    /// What to do if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'static str>,
}

impl Finding {
    /// Ok if there are no faults.
    fn of(check: &'static str, found: String, faults: Vec<String>, fix: &'static str) -> Self {
        let ok = faults.is_empty();
        Self { check, ok: Some(ok), found, faults, fix: (!ok).then_some(fix) }
    }

    /// A check that could not be made because the database cannot be read.
    fn failed(check: &'static str, error: &rusqlite::Error) -> Self {
        Self::of(check, "it cannot be read".into(), vec![error.to_string()], RESTORE)
    }
}

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let own = [("json", false), ("rebuild-index", false)];
    let Some(given) = Given::parse(arguments, &help::check(), &own)? else { return Ok(()) };
    given.no_words()?;
    let data = given.config()?.data;
    if given.has("rebuild-index") {
        DataDir::look(&data)?;
        // Claimed, so that no server runs: its writes would wait until the rebuild ends.
        return Ok(DataDir::claim(&data, Durability::Full)?.rebuild_index()?);
    }
    let findings = in_background("checking", |pace| examine(&data, pace))?;
    say(&if given.has("json") { as_json(&findings) } else { as_text(&findings) })?;
    match findings.iter().filter(|it| it.ok == Some(false)).map(|it| it.check).collect::<Vec<_>>().as_slice()
    {
        [] => Ok(()),
        failed => Err(Failure::Failed(format!("something is wrong with the {}", failed.join(", the ")))),
    }
}

/// Runs all checks on a copy of the database: a running server does not wait, its WAL does not grow meanwhile, and checks
/// that have to write do no harm.
fn examine(data: &Path, pace: &mut Pace<'_>) -> Result<Vec<Finding>, BackupError> {
    let data = DataDir::look(data)?;
    let began = SystemTime::now();
    let copy = match backup::copy_aside(&data, pace) {
        Ok(copy) => copy,
        // Its first page cannot be read.
        Err(BackupError::Database(error) | BackupError::Open(OpenError::Database(_, error))) => {
            return Ok(vec![Finding::failed("database", &error)]);
        }
        Err(error) => return Err(error),
    };
    let mut findings = Vec::new();
    let database = match Examined::open(&copy.database()) {
        Ok(database) => database,
        Err(error) => return Ok(vec![Finding::failed("database", &error)]),
    };
    let mut note = |check, finding: rusqlite::Result<Finding>| {
        findings.push(finding.unwrap_or_else(|error| Finding::failed(check, &error)));
    };
    note("schema", schema(&database));
    note("database", pages(&database));
    note(
        "references",
        database.dangling().map(|faults| {
            Finding::of("references", "every referenced row was looked up".into(), faults, RESTORE)
        }),
    );
    note(
        "messages",
        database.messages().map(|(count, faults)| {
            Finding::of("messages", format!("{count} messages were read"), faults, RESTORE)
        }),
    );
    note(
        "numbers",
        database.numbers().map(|(last, faults)| {
            Finding::of("numbers", format!("the last number of the history is {last}"), faults, RESTORE)
        }),
    );
    note("search index", index(&database));
    drop(database);
    if let Some(source) = Import::unfinished(&DataDir::look(&copy.path)?)? {
        let faults = vec![format!("one from {source} was begun and not finished")];
        findings.push(Finding::of("import", "the server does not start".into(), faults, GO_ON));
    }
    let reader = Reader::open(&DataDir::look(&copy.path)?)?;
    let folder = Folder::of(data.path());
    let files = files(&reader, &folder, pace);
    match files {
        Ok(finding) => findings.push(finding),
        Err(BackupError::Database(error)) => findings.push(Finding::failed("files", &error)),
        Err(error) => return Err(error),
    }
    if let Ok(finding) = orphans(&reader, &folder, began) {
        findings.push(finding);
    }
    Ok(findings)
}

fn schema(database: &Examined) -> rusqlite::Result<Finding> {
    let version = database.schema_version()?;
    let known = SCHEMA_VERSION as i64;
    let faults = if version > known {
        vec![format!("this binary knows versions up to {known}")]
    } else if version < 1 || !database.is_ours()? {
        vec!["it is no database of campfire".into()]
    } else {
        Vec::new()
    };
    let found = match version < known {
        true => format!("version {version}; the next start brings it to {known}"),
        false => format!("version {version}"),
    };
    Ok(Finding::of("schema", found, faults, "install the version of campfire that wrote it, or a later one"))
}

fn pages(database: &Examined) -> rusqlite::Result<Finding> {
    let mut faults = database.faults()?;
    // The search index has a check of its own.
    faults.retain(|fault| !fault.contains("messages_fts"));
    Ok(Finding::of("database", "every page and tree was checked".into(), faults, RESTORE))
}

fn index(database: &Examined) -> rusqlite::Result<Finding> {
    let faults = match database.index_is_right()? {
        true => Vec::new(),
        false => vec!["it differs from the messages".into()],
    };
    Ok(Finding::of("search index", "compared with every message".into(), faults, REBUILD))
}

/// Every file that a row refers to: whether it exists and has the size and the checksum that the row has.
fn files(reader: &Reader, folder: &Folder, pace: &mut Pace<'_>) -> Result<Finding, BackupError> {
    let (mut count, mut hashed, mut failed, mut faults) = (0_u64, 0_u64, 0_usize, Vec::new());
    reader.each_file(|known| {
        count += 1;
        hashed += u64::from(known.sha256.is_some());
        let fault = match fault_of(&known, folder, pace) {
            Ok(fault) => fault,
            // It may have been deleted since the copy was made.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some("is not there".to_owned()),
            Err(error) if error.get_ref().is_some_and(|it| it.is::<BackupError>()) => {
                return Err(BackupError::Stopped);
            }
            Err(error) => Some(format!("cannot be read ({error})")),
        };
        if let Some(fault) = fault {
            failed += 1;
            if faults.len() < MAX_REPORTED {
                let what = if known.byte_size.is_some() { "file" } else { "thumbnail of file" };
                let place = folder.place(&known.key);
                faults.push(format!(
                    "{what} {} ({:?}) {fault}: {}",
                    known.id,
                    known.filename,
                    place.display()
                ));
            }
        }
        Ok(())
    })?;
    if failed > faults.len() {
        faults.push(format!("and {} more", failed - faults.len()));
    }
    let found =
        format!("{count} uploaded files and thumbnails, {hashed} of them compared with their checksums");
    Ok(Finding::of("files", found, faults, RETURN_FILES))
}

fn fault_of(known: &KnownFile, folder: &Folder, pace: &mut Pace<'_>) -> io::Result<Option<String>> {
    let mut file = folder.file(&known.key)?;
    let size = file.metadata()?.len();
    if let Some(expected) = known.byte_size
        && size != expected
    {
        return Ok(Some(format!("has {size} bytes instead of {expected}")));
    }
    if size == 0 {
        return Ok(Some("is empty".into()));
    }
    if let Some(expected) = known.sha256
        && checksum(&mut file, pace)? != expected
    {
        return Ok(Some("has another checksum than when it was uploaded".into()));
    }
    Ok(None)
}

fn checksum(file: &mut File, pace: &mut Pace<'_>) -> io::Result<[u8; 32]> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&buffer[..count]);
        pace.worked_io(count as u64)?;
    }
}

/// Files that no row refers to. A crash between the rename of a file and the commit of its row leaves one.
fn orphans(reader: &Reader, folder: &Folder, began: SystemTime) -> io::Result<Finding> {
    let mut count = 0_u64;
    folder.each(began, |key| {
        count += u64::from(!reader.knows_file(key).map_err(io::Error::other)?);
        Ok(())
    })?;
    let found = match count {
        0 => "no orphaned files".to_owned(),
        count => format!("{count} files belong to no message; the next start of the server removes them"),
    };
    Ok(Finding { check: "orphaned files", ok: None, found, faults: Vec::new(), fix: None })
}

/// The width of the second column.
const COLUMN: usize = 16;

fn as_text(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let verdict = match finding.ok {
            Some(true) => "ok    ",
            Some(false) => "FAILED",
            None => "note  ",
        };
        text += &format!("{verdict}  {:<COLUMN$}{}", finding.check, finding.found);
        if !finding.faults.is_empty() {
            let faults: Vec<&str> = finding.faults.iter().map(|fault| fault.trim()).collect();
            text += &format!(": {}", faults.join("; ").replace('\n', " "));
        }
        if let Some(fix) = finding.fix {
            text += &format!(". To fix it, {fix}");
        }
        text + "\n"
    })
}

fn as_json(findings: &[Finding]) -> String {
    let ok = findings.iter().all(|finding| finding.ok != Some(false));
    format!("{:#}\n", serde_json::json!({"ok": ok, "checks": findings}))
}
