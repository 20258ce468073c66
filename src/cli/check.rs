//! `campfire check`: whether all that is kept is there, and whole.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Failure, Given, backup::at_leisure, help, say};
use crate::{
    backup::{self, BackupError, Pace},
    config::Durability,
    store::{DataDir, Examined, Folder, KnownFile, OpenError, Reader, SCHEMA_VERSION},
};

/// Faults of one kind that are told by name.
const TOLD: usize = 20;

const RESTORE: &str = "restore a backup from before: campfire restore FILE --data NEW-DIRECTORY";
const RETURN_FILES: &str =
    "take the file from a backup: tar --zstd -xf FILE files/…, into the data directory";
const REBUILD: &str = "stop the server and run campfire check --rebuild-index";

/// What one check has found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    /// None if it is but a note.
    right: Option<bool>,
    found: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    /// What to do if it is not right.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

impl Finding {
    /// Right if there are no faults.
    fn of(check: &'static str, found: String, faults: Vec<String>, mend: &'static str) -> Self {
        let right = faults.is_empty();
        Self { check, right: Some(right), found, faults, mend: (!right).then_some(mend) }
    }

    /// A check that could not be made because of what is wrong.
    fn failed(check: &'static str, error: &rusqlite::Error) -> Self {
        Self::of(check, "it could not be looked at".into(), vec![error.to_string()], RESTORE)
    }
}

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let own = [("json", false), ("rebuild-index", false)];
    let Some(given) = Given::parse(arguments, &help::check(), &own)? else { return Ok(()) };
    given.no_words()?;
    let data = given.config()?.data;
    if given.has("rebuild-index") {
        DataDir::look(&data)?;
        // Only where no server runs: it would wait for as long as this takes.
        return Ok(DataDir::claim(&data, Durability::Full)?.rebuild_index()?);
    }
    let findings = at_leisure("checking", |pace| examine(&data, pace))?;
    say(&if given.has("json") { as_json(&findings) } else { as_text(&findings) })?;
    match findings
        .iter()
        .filter(|it| it.right == Some(false))
        .map(|it| it.check)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => Ok(()),
        wrong => Err(Failure::Failed(format!("something is wrong with the {}", wrong.join(", the ")))),
    }
}

/// All of it is done on a copy of the database: a server that runs is not held up, its log does not grow meanwhile, and
/// even what has to write to check does no harm.
fn examine(data: &Path, pace: &mut Pace<'_>) -> Result<Vec<Finding>, BackupError> {
    let data = DataDir::look(data)?;
    let began = SystemTime::now();
    let copy = match backup::copy_aside(&data, pace) {
        Ok(copy) => copy,
        // Not even its first page can be read.
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
            Finding::of("references", "every row that is pointed to is looked for".into(), faults, RESTORE)
        }),
    );
    note(
        "messages",
        database.messages().map(|(count, faults)| {
            Finding::of("messages", format!("{count} messages, each read"), faults, RESTORE)
        }),
    );
    note(
        "numbers",
        database.numbers().map(|(last, faults)| {
            Finding::of("numbers", format!("the history ends at {last}"), faults, RESTORE)
        }),
    );
    note("search index", index(&database));
    drop(database);
    let reader = Reader::open(&DataDir::look(&copy.path)?)?;
    let folder = Folder::of(data.path());
    let files = files(&reader, &folder, pace);
    match files {
        Ok(finding) => findings.push(finding),
        Err(BackupError::Database(error)) => findings.push(Finding::failed("files", &error)),
        Err(error) => return Err(error),
    }
    if let Ok(finding) = strays(&reader, &folder, began) {
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
        vec!["it is not one of campfire's".into()]
    } else {
        Vec::new()
    };
    let found = match version < known {
        true => format!("version {version}; the next start brings it to {known}"),
        false => format!("version {version}"),
    };
    Ok(Finding::of("schema", found, faults, "install the campfire that wrote it, or a later one"))
}

fn pages(database: &Examined) -> rusqlite::Result<Finding> {
    let mut faults = database.faults()?;
    // It looks at the index as well, which has a check of its own.
    faults.retain(|fault| !fault.contains("messages_fts"));
    Ok(Finding::of("database", "every page and tree is looked at".into(), faults, RESTORE))
}

fn index(database: &Examined) -> rusqlite::Result<Finding> {
    let faults = match database.index_is_right()? {
        true => Vec::new(),
        false => vec!["it does not say what the messages say".into()],
    };
    Ok(Finding::of("search index", "held against every message".into(), faults, REBUILD))
}

/// Every file that a row knows: there, as long as its row says, and with its checksum.
fn files(reader: &Reader, folder: &Folder, pace: &mut Pace<'_>) -> Result<Finding, BackupError> {
    let (mut count, mut hashed, mut wrong, mut faults) = (0_u64, 0_u64, 0_usize, Vec::new());
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
            wrong += 1;
            if faults.len() < TOLD {
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
    if wrong > faults.len() {
        faults.push(format!("and {} more", wrong - faults.len()));
    }
    let found =
        format!("{count} uploaded files and thumbnails, {hashed} of them held against their checksums");
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
        return Ok(Some("has another checksum than what was uploaded".into()));
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

/// Files that no row knows: a crash between a file's being in its place and its row leaves such a one.
fn strays(reader: &Reader, folder: &Folder, began: SystemTime) -> io::Result<Finding> {
    let mut count = 0_u64;
    folder.each(began, |key| {
        count += u64::from(!reader.knows_file(key).map_err(io::Error::other)?);
        Ok(())
    })?;
    let found = match count {
        0 => "no file is nobody's".to_owned(),
        count => format!("{count} files belong to no message; the next start of the server removes them"),
    };
    Ok(Finding { check: "stray files", right: None, found, faults: Vec::new(), mend: None })
}

/// Where the third column starts.
const COLUMN: usize = 14;

fn as_text(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let verdict = match finding.right {
            Some(true) => "right",
            Some(false) => "WRONG",
            None => "note ",
        };
        text += &format!("{verdict}  {:<COLUMN$}{}", finding.check, finding.found);
        if !finding.faults.is_empty() {
            let faults: Vec<&str> = finding.faults.iter().map(|fault| fault.trim()).collect();
            text += &format!(": {}", faults.join("; ").replace('\n', " "));
        }
        if let Some(mend) = finding.mend {
            text += &format!(". To mend it, {mend}");
        }
        text + "\n"
    })
}

fn as_json(findings: &[Finding]) -> String {
    let right = findings.iter().all(|finding| finding.right != Some(false));
    format!("{:#}\n", serde_json::json!({"right": right, "checks": findings}))
}
