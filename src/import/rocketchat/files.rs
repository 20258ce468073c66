//! Files: in GridFS, where each is in pieces (`.chunks`), or on a disk by their ids.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
};

use bson::raw::RawBsonRef;
use rusqlite::Connection;

use super::{
    super::{Error, archive::Archive, json, model::Place, report::Kind, staging::Staging},
    Dump,
    records::{self, End},
};

/// Where the pieces of all files are.
pub(super) struct Files {
    /// `chunks`: file, number, place and length.
    scratch: Connection,
    chunks: Option<PathBuf>,
    /// Sizes of whole files by id.
    sizes: HashMap<String, u64>,
    /// Folders with files that are no dumps.
    folders: Vec<String>,
}

impl Files {
    pub(super) fn open(dump: &Dump<'_>, staging: &mut Staging<'_>) -> Result<Self, Error> {
        let scratch = staging.scratch_db()?;
        scratch.execute_batch(
            "create table chunks (file text, n integer, place integer, length integer, primary key (file, n))
             strict, without rowid",
        )?;
        let mut files = Self { scratch, chunks: None, sizes: HashMap::new(), folders: Vec::new() };
        let folders: HashSet<&str> = dump
            .archive
            .files()
            .filter(|(name, _)| !name.contains(".bson"))
            .map(|(name, _)| &name[..name.rfind('/').map_or(0, |slash| slash + 1)])
            .collect();
        files.folders = folders.into_iter().map(str::to_owned).collect();
        files.folders.sort_unstable();
        let mut sizes = HashMap::new();
        dump.each("rocketchat_uploads", staging, |staging, record| {
            let name = json::text(&record["name"]).unwrap_or_default();
            let Some(id) = json::text(&record["_id"]) else { return Ok(()) };
            match (&record["complete"], json::number(&record["size"])) {
                (serde_json::Value::Bool(false), _) => {
                    staging.leave_out(Kind::Files, "whose upload did not end", name)
                }
                (_, Some(size)) => drop(sizes.insert(id.to_owned(), size.try_into().unwrap_or(0))),
                _ => {}
            }
            Ok(())
        })?;
        files.sizes = sizes;
        files.index(dump, staging)?;
        Ok(files)
    }

    /// Notes where each piece is. What is compressed is unpacked for it.
    fn index(&mut self, dump: &Dump<'_>, staging: &mut Staging<'_>) -> Result<(), Error> {
        let Some(name) = dump.file("rocketchat_uploads.chunks") else { return Ok(()) };
        let path = match dump.archive.path(&name).filter(|_| !name.ends_with(".gz")) {
            Some(path) => path,
            None => {
                let place =
                    dump.read(&name, |reader| staging.scratch_file(|file| io::copy(reader, file).map(drop)))?;
                match place {
                    Place::Staged(path) => path.into(),
                    Place::Archive(_) => return Ok(()),
                }
            }
        };
        let mut insert = self
            .scratch
            .prepare("insert or replace into chunks (file, n, place, length) values (?, ?, ?, ?)")?;
        let end = records::each(&mut File::open(&path)?, |document, place| {
            let id = match document.get("files_id") {
                Ok(Some(RawBsonRef::String(id))) => id.to_owned(),
                Ok(Some(RawBsonRef::ObjectId(id))) => id.to_hex(),
                _ => return Ok(()),
            };
            let number = match document.get("n") {
                Ok(Some(RawBsonRef::Int32(n))) => i64::from(n),
                Ok(Some(RawBsonRef::Int64(n))) => n,
                Ok(Some(RawBsonRef::Double(n))) => n as i64,
                _ => return Ok(()),
            };
            if let Ok(Some(RawBsonRef::Binary(data))) = document.get("data") {
                let offset = data.bytes.as_ptr() as usize - document.as_bytes().as_ptr() as usize;
                insert.execute((id, number, place as i64 + offset as i64, data.bytes.len() as i64))?;
            }
            Ok(())
        })?;
        drop(insert);
        if let End::Damaged(why) = end {
            dump.damaged(staging, &name, &why);
        }
        self.chunks = Some(path);
        Ok(())
    }

    /// Where the file of an id is; a place where nothing is if the dump does not have all of it.
    pub(super) fn place(
        &self,
        id: &str,
        archive: &Archive,
        staging: &mut Staging<'_>,
    ) -> Result<Place, Error> {
        let missing = Place::Archive(String::new());
        let mut select =
            self.scratch.prepare_cached("select n, place, length from chunks where file = ? order by n")?;
        let pieces = select
            .query_map((id,), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<Vec<(i64, i64, i64)>>>()?;
        if let (Some(path), false) = (&self.chunks, pieces.is_empty()) {
            let size: i64 = pieces.iter().map(|(.., length)| length).sum();
            let has_gap = pieces.iter().enumerate().any(|(place, (n, ..))| *n != place as i64);
            let is_whole = self.sizes.get(id).is_none_or(|declared| *declared == size as u64);
            if has_gap || !is_whole {
                return Ok(missing);
            }
            let input = File::open(path)?;
            return staging.scratch_file(|output| {
                let mut bytes = Vec::new();
                for (_, place, length) in &pieces {
                    bytes.resize(*length as usize, 0);
                    input.read_exact_at(&mut bytes, *place as u64)?;
                    output.write_all(&bytes)?;
                }
                Ok(())
            });
        }
        let found = self.folders.iter().map(|folder| format!("{folder}{id}")).find(|path| archive.has(path));
        Ok(found.map_or(missing, Place::Archive))
    }
}

/// Reads what may be compressed by gzip, as `mongodump --gzip` does.
pub(super) fn unpacked<T>(
    name: &str,
    reader: &mut dyn Read,
    read: impl FnOnce(&mut dyn Read) -> Result<T, Error>,
) -> Result<T, Error> {
    match name.ends_with(".gz") {
        true => read(&mut flate2::read::MultiGzDecoder::new(io::BufReader::new(reader))),
        false => read(reader),
    }
}
