//! `campfire export` and `campfire openapi`, which write to standard output.

use std::{
    ffi::OsString,
    io::{BufWriter, ErrorKind, Write},
};

use super::{Failure, Given, help, say};
use crate::{
    http::{openapi_document, write_export},
    store::{DataDir, Reader},
};

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::export(), &[])? else { return Ok(()) };
    given.no_words()?;
    let reader = Reader::open(&DataDir::visit(&given.config()?.data)?)?;
    let mut output = BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    let written = write_export(&reader, &mut |line| output.write_all(line)).and_then(|()| output.flush());
    match written {
        // A closed pipe is no failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("the export is incomplete ({error})")))
        }
        _ => Ok(()),
    }
}

pub(super) fn openapi(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::openapi(), &[])? else { return Ok(()) };
    given.no_words()?;
    say(&format!("{}\n", String::from_utf8_lossy(openapi_document())))
}
