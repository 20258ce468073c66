//! How a refusal of the store, or a failure of the disk, looks to a client.

use crate::{
    store::{Refusal, WriteError},
    wire::Problem,
};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Forbidden(detail) => Self::forbidden(detail),
            Refusal::Conflict(detail) => Self::conflict(detail),
            Refusal::Invalid(field, reason) => Self::invalid_field(field, reason),
            Refusal::Database(error) => error.into(),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => refusal.into(),
            WriteError::Overloaded | WriteError::Stopped => Self::overloaded(),
            WriteError::NotCommitted(why) if why.contains("full") => Self::no_space(),
            WriteError::NotCommitted(_) => Self::internal(),
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
