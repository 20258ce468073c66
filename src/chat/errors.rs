//! Conversions of errors of the store and the disk to [`Problem`].

use crate::{
    store::{NotCommitted, Refusal, WriteError},
    wire::Problem,
};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Forbidden(detail) => Self::forbidden(detail),
            Refusal::Conflict(detail) => Self::conflict(detail),
            Refusal::Unclaimed => Self::unclaimed(),
            Refusal::Invalid(field, reason) => Self::invalid_field(field, reason),
            // The writer has logged it.
            Refusal::Database(error) => match NotCommitted::from(&error) {
                NotCommitted::Full => Self::no_space(),
                _ => Self::internal(),
            },
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => refusal.into(),
            WriteError::Overloaded
            | WriteError::Stopped
            | WriteError::NotCommitted(NotCommitted::OtherFailed) => Self::overloaded(),
            WriteError::NotCommitted(NotCommitted::Full) => Self::no_space(),
            WriteError::NotCommitted(NotCommitted::Database(_)) => Self::internal(),
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::no_space(),
            std::io::ErrorKind::NotFound => Self::not_found(),
            _ => {
                tracing::error!(%error, "a file could not be read or written");
                Self::internal()
            }
        }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::no_space(),
            // The deadline of a read.
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::overloaded(),
            _ => {
                tracing::error!(%error, "a read failed");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    /// B11.
    #[test]
    fn full_disk_is_507_whatever_the_words_of_the_error() {
        let failure =
            |code, text: &str| rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned()));
        let status = |error: WriteError| Problem::from(error).status;
        for (code, text, expected) in [
            (ffi::SQLITE_FULL, "no room", 507),
            (ffi::SQLITE_IOERR_WRITE, "the full story", 500),
            (ffi::SQLITE_CONSTRAINT, "UNIQUE constraint failed: full.name", 500),
        ] {
            let error = failure(code, text);
            assert_eq!(status(WriteError::NotCommitted((&error).into())), expected, "{text}");
            assert_eq!(status(WriteError::Refused(Refusal::Database(error))), expected, "{text}");
        }
        assert_eq!(status(WriteError::NotCommitted(NotCommitted::OtherFailed)), 503);
    }
}
