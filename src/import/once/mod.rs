//! ONCE Campfire.

use super::{Error, Progress, Secrets, archive::Archive, report::Report, staging::Staging};
use crate::store::Import;

/// What only ONCE Campfire has.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) join_code: Option<String>,
    /// JSON.
    pub(super) settings: String,
}

pub(super) fn read(
    _archive: &Archive,
    _staging: &mut Staging<'_>,
    _secrets: &Secrets,
    _watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    Err(Error("this format cannot be read yet".into()))
}

pub(super) fn write_extra(_target: &Import, _extra: &Extra, _report: &mut Report) -> Result<(), Error> {
    Ok(())
}
