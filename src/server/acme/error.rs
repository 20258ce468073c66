//! Why there is no new certificate, and why the server cannot start with ACME.

use std::{fmt, io};

use super::{order::Way, storage::KeepError};
use crate::server::TlsError;

/// Why there is no new certificate. Displays as a part of a sentence that says what to look at.
#[derive(Debug)]
pub(super) enum Failure {
    /// The authority looked for the proof, and did not find it.
    Unproved {
        domain: String,
        way: Way,
        why: String,
    },
    NotOffered {
        domain: String,
        way: Way,
    },
    Authority(instant_acme::Error),
    Key(String),
    Disk(io::Error),
    /// What was issued cannot be used.
    Unfit(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproved { domain, way, why } => write!(
                f,
                "the authority could not verify {domain} by {} ({why}); check that the name's A and AAAA records lead to this machine, and that port {} can be reached from the internet",
                way.name(),
                way.port()
            ),
            Self::NotOffered { domain, way } => {
                write!(
                    f,
                    "the authority does not offer {} for {domain}; choose another with --acme-challenge",
                    way.name()
                )
            }
            Self::Authority(instant_acme::Error::Api(problem)) => {
                write!(
                    f,
                    "the authority refuses: {}",
                    problem.detail.as_deref().unwrap_or("it does not say why")
                )?;
                for part in problem.subproblems.iter().filter_map(|part| part.detail.as_deref()) {
                    write!(f, "; {part}")?;
                }
                Ok(())
            }
            Self::Authority(instant_acme::Error::Json(error)) => write!(
                f,
                "what the authority answers is not ACME ({error}); check the address of its directory, --acme-directory"
            ),
            Self::Authority(error) => error.fmt(f),
            Self::Key(why) => write!(f, "no key could be made ({why})"),
            Self::Disk(error) => write!(f, "it cannot be kept in the data directory ({error})"),
            Self::Unfit(why) => write!(f, "what the authority issued is of no use: {why}"),
        }
    }
}

impl From<instant_acme::Error> for Failure {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(error)
    }
}

impl From<rcgen::Error> for Failure {
    fn from(error: rcgen::Error) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Disk(error) => Self::Disk(error),
            KeepError::Unfit(error) => Self::Unfit(error.to_string()),
        }
    }
}

impl Failure {
    /// The kind of a refusal (RFC 8555, section 6.7).
    pub(super) fn is_refusal(&self, kind: &str) -> bool {
        let Self::Authority(instant_acme::Error::Api(problem)) = self else { return false };
        problem.r#type.as_deref().and_then(|urn| urn.strip_prefix("urn:ietf:params:acme:error:"))
            == Some(kind)
    }
}

/// Why the server cannot start with ACME. Displays as one sentence.
#[derive(Debug)]
pub enum AcmeError {
    Storage(String, io::Error),
    Roots(TlsError),
    /// HTTP-01 is asked for, and nobody answers plain HTTP.
    Unanswered,
}

impl fmt::Display for AcmeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(path, error) => {
                write!(f, "cannot keep certificates in {path} ({error}); make it a directory of this user's")
            }
            Self::Roots(error) => write!(f, "{error}; name another with --acme-ca"),
            Self::Unanswered => f.write_str(
                "the challenge is to be http-01, and nothing listens for plain HTTP; say where with --http-listen",
            ),
        }
    }
}

impl std::error::Error for AcmeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_says_what_to_look_at() {
        let unproved = |way| {
            let failure =
                Failure::Unproved { domain: "a.example".into(), way, why: "Connection refused".into() };
            failure.to_string()
        };
        assert!(unproved(Way::TlsAlpn).contains("by TLS-ALPN-01 (Connection refused)"));
        assert!(unproved(Way::TlsAlpn).contains("port 443 can be reached"));
        assert!(unproved(Way::Http).contains("port 80 can be reached"));
        let problem = r#"{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}"#;
        let refused = Failure::from(instant_acme::Error::Api(serde_json::from_str(problem).unwrap()));
        assert_eq!(refused.to_string(), "the authority refuses: too many");
        assert!(refused.is_refusal("rateLimited") && !refused.is_refusal("badNonce"));
    }
}
