//! What went wrong, as RFC 9457 has it.

use std::{fmt::Write, time::Duration};

use crate::store::{Refusal, WriteError};

/// An answer that is not the one asked for: a status, a stable word for programs, a sentence for people.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    /// On 422: each field with the reasons against it.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Seconds, for 429 and 503.
    pub(crate) retry_after: Option<u64>,
    /// For 405.
    pub(crate) allow: Option<String>,
}

impl Problem {
    fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), fields: Vec::new(), retry_after: None, allow: None }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", detail)
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(401, "not_signed_in", "Sign in first.")
    }

    pub(crate) fn wrong_password() -> Self {
        Self::new(401, "not_signed_in", "There is nobody here with this e-mail address and password.")
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", detail)
    }

    pub(crate) fn cross_site() -> Self {
        Self::new(403, "cross_site_request", "This request comes from another site.")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "not_found", "There is no such thing here, or it is not yours to see.")
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(405, "method_not_allowed", "This address does not take that method.")
        }
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", detail)
    }

    pub(crate) fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", detail)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, "too_large", format!("The body is larger than {limit} bytes."))
    }

    pub(crate) fn file_too_large(limit: u64) -> Self {
        Self::new(413, "too_large", format!("A file has to have {} MB or less.", limit >> 20))
    }

    pub(crate) fn not_multipart() -> Self {
        Self::new(415, "unsupported_media_type", "The body has to be multipart/form-data, with a boundary.")
    }

    pub(crate) fn not_an_image() -> Self {
        Self::new(415, "unsupported_media_type", "The body has to be a PNG, JPEG, GIF or WebP picture.")
    }

    /// In Slack's words.
    pub(crate) fn of_hook(status: u16, code: &'static str) -> Self {
        let detail = match code {
            "no_text" => "There is nothing to say in the payload.",
            _ => "There is no such webhook.",
        };
        Self::new(status, code, detail)
    }

    pub(crate) fn range_not_satisfiable() -> Self {
        Self::new(416, "range_not_satisfiable", "The file has no such part.")
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(415, "unsupported_media_type", "The body has to be application/json.")
    }

    pub(crate) fn upgrade_required() -> Self {
        Self::new(426, "upgrade_required", "This address speaks WebSocket (RFC 6455, version 13).")
    }

    pub(crate) fn invalid(fields: Vec<(&'static str, String)>) -> Self {
        let detail =
            fields.iter().map(|(name, reason)| format!("{name} {reason}")).collect::<Vec<_>>().join("; ");
        Self { fields, ..Self::new(422, "invalid", detail) }
    }

    pub(crate) fn invalid_field(name: &'static str, reason: impl Into<String>) -> Self {
        Self::invalid(vec![(name, reason.into())])
    }

    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
        let detail = format!("Too much at once: try again in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::new(429, "rate_limited", detail) }
    }

    pub(crate) fn overloaded() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(503, "overloaded", "The server has more to do than it can: try again soon.")
        }
    }

    pub(crate) fn internal() -> Self {
        Self::new(500, "internal", "Something went wrong here; it is in the server's log.")
    }

    fn title(&self) -> &'static str {
        match self.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            410 => "Gone",
            413 => "Content Too Large",
            415 => "Unsupported Media Type",
            416 => "Range Not Satisfiable",
            422 => "Unprocessable Content",
            426 => "Upgrade Required",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            507 => "Insufficient Storage",
            _ => "Internal Server Error",
        }
    }

    pub(crate) fn timeout() -> Self {
        Self::new(408, "timeout", "The body did not arrive in time.")
    }

    fn no_space() -> Self {
        Self::new(507, "no_space", "The server's disk is full: nothing was changed.")
    }

    pub(crate) fn json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut json = format!(
            r#"{{"type":"about:blank","title":{},"status":{},"detail":{},"code":{}"#,
            text(self.title()),
            self.status,
            text(&self.detail),
            text(self.code)
        );
        if !self.fields.is_empty() {
            let mut fields = serde_json::Map::new();
            for (name, reason) in &self.fields {
                let reasons = fields.entry(*name).or_insert_with(|| serde_json::Value::Array(Vec::new()));
                if let serde_json::Value::Array(reasons) = reasons {
                    reasons.push(reason.as_str().into());
                }
            }
            write!(json, r#","fields":{}"#, serde_json::Value::Object(fields))
                .expect("memory takes any text");
        }
        json.push('}');
        json
    }
}

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
