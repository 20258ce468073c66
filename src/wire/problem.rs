//! Error responses (RFC 9457).

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

/// An error for a client: an HTTP status, a stable code for programs, a sentence for people.
#[derive(Debug)]
pub struct Problem {
    pub status: u16,
    pub code: &'static str,
    pub detail: String,
    /// On 422: names of fields, each with what is wrong with it.
    pub fields: Vec<(&'static str, String)>,
    /// On 413: the largest accepted size in bytes.
    pub limit: Option<u64>,
    /// On 429 and 503: how long to wait before trying again.
    pub retry_after: Option<Duration>,
    /// On 405: the value of `Allow`.
    pub allow: Option<Box<str>>,
}

impl Problem {
    fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            fields: Vec::new(),
            limit: None,
            retry_after: None,
            allow: None,
        }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", detail)
    }

    pub fn not_signed_in() -> Self {
        Self::new(401, "not_signed_in", "Sign in first.")
    }

    pub fn wrong_password() -> Self {
        Self::new(401, "not_signed_in", "The e-mail address or the password is wrong.")
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", detail)
    }

    pub fn read_only() -> Self {
        Self::forbidden("This token may only read: its scope is `read`.")
    }

    pub fn cross_site() -> Self {
        Self::new(403, "cross_site_request", "This request comes from another site.")
    }

    pub fn not_found() -> Self {
        Self::new(404, "not_found", "This does not exist, or you may not see it.")
    }

    pub fn method_not_allowed(allow: String) -> Self {
        Self {
            allow: Some(allow.into()),
            ..Self::new(405, "method_not_allowed", "This address does not allow this method.")
        }
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", detail)
    }

    /// Somebody joins with the address of an account that waits for its owner.
    pub fn unclaimed() -> Self {
        let detail = "An account here has this e-mail address already, and nobody has signed in to it yet. If it is yours, ask an administrator for an invitation.";
        Self::new(409, "unclaimed", detail)
    }

    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", detail)
    }

    pub fn too_large(limit: usize) -> Self {
        let detail = format!("The body is larger than {limit} bytes.");
        Self { limit: Some(limit as u64), ..Self::new(413, "too_large", detail) }
    }

    pub fn file_too_large(limit: u64) -> Self {
        let detail = format!("A file may have at most {} MB.", limit >> 20);
        Self { limit: Some(limit), ..Self::new(413, "too_large", detail) }
    }

    /// `what` of a multipart body has more than `limit` bytes.
    pub fn part_too_large(what: &str, limit: usize) -> Self {
        let detail = format!("The multipart body is not accepted: {what} has more than {limit} bytes.");
        Self { limit: Some(limit as u64), ..Self::new(413, "too_large", detail) }
    }

    pub fn too_many_parts(limit: usize) -> Self {
        let detail = format!("The multipart body is not accepted: it has more than {limit} parts.");
        Self { limit: Some(limit as u64), ..Self::new(413, "too_large", detail) }
    }

    pub fn not_multipart() -> Self {
        Self::new(415, "unsupported_media_type", "The body must be multipart/form-data with a boundary.")
    }

    pub fn not_an_image() -> Self {
        Self::new(415, "unsupported_media_type", "The body must be a PNG, JPEG, GIF or WebP image.")
    }

    /// With one of the codes of Slack's incoming webhooks.
    pub fn of_hook(status: u16, code: &'static str) -> Self {
        let detail = match code {
            "no_text" => "The payload has no text.",
            "invalid_payload" => "The payload is not valid JSON.",
            _ => "There is no such webhook.",
        };
        Self::new(status, code, detail)
    }

    pub fn range_not_satisfiable() -> Self {
        Self::new(416, "range_not_satisfiable", "The file does not have this range.")
    }

    pub fn unsupported_media_type() -> Self {
        Self::new(415, "unsupported_media_type", "The body must be application/json.")
    }

    pub fn upgrade_required() -> Self {
        Self::new(
            426,
            "upgrade_required",
            "This address requires a WebSocket handshake (RFC 6455, version 13).",
        )
    }

    pub fn invalid(fields: Vec<(&'static str, String)>) -> Self {
        let detail =
            fields.iter().map(|(name, reason)| format!("{name} {reason}")).collect::<Vec<_>>().join("; ");
        Self { fields, ..Self::new(422, "invalid", detail) }
    }

    pub fn invalid_field(name: &'static str, reason: impl Into<String>) -> Self {
        Self::invalid(vec![(name, reason.into())])
    }

    pub fn rate_limited(wait: Duration) -> Self {
        let detail = format!("Too many requests: try again in {} s.", seconds(wait));
        Self { retry_after: Some(wait), ..Self::new(429, "rate_limited", detail) }
    }

    pub fn overloaded() -> Self {
        Self::overloaded_for(Duration::from_secs(1))
    }

    pub fn overloaded_for(wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(503, "overloaded", "The server is overloaded: try again soon.")
        }
    }

    /// The connection is closed after it.
    pub fn too_many_connections() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(503, "overloaded", "Too many connections are open: try again soon.")
        }
    }

    /// Seconds for `Retry-After`, rounded up.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after.map(seconds)
    }

    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_millis().max(1) as u64)
    }

    pub fn internal() -> Self {
        Self::new(500, "internal", "Something went wrong on the server. Its log has the details.")
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

    pub fn timeout() -> Self {
        Self::new(408, "timeout", "The body did not arrive in time.")
    }

    pub fn no_space() -> Self {
        Self::new(507, "no_space", "The server's disk is full. Nothing was changed.")
    }

    pub fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            detail: &'a str,
            code: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            limit: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_ms: Option<u64>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            fields: BTreeMap<&'static str, Vec<&'a str>>,
        }
        let mut fields: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for (name, reason) in &self.fields {
            fields.entry(*name).or_default().push(reason);
        }
        super::to_json(&Wire {
            r#type: "about:blank",
            title: self.title(),
            status: self.status,
            detail: &self.detail,
            code: self.code,
            limit: self.limit,
            retry_after_ms: self.retry_after_ms(),
            fields,
        })
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1) as u64
}
