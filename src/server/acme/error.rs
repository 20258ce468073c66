//! Why there is no new certificate, and why the server cannot start with ACME.

use std::{fmt, io};

use super::order::Challenge;
use crate::server::TlsError;

/// Why there is no new certificate. Displays as a part of a sentence that says what to check.
#[derive(Debug)]
pub(super) enum Failure {
    /// The authority could not validate the challenge.
    Invalid {
        domain: String,
        challenge: Challenge,
        why: String,
    },
    NotOffered {
        domain: String,
        challenge: Challenge,
    },
    Authority(instant_acme::Error),
    Key(String),
    Disk(io::Error),
    /// The issued certificate cannot be used.
    Unusable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { domain, challenge, why } => write!(
                f,
                "the authority could not verify {domain} by {} ({why}); check that the name's A and AAAA records point to this machine, and that port {} can be reached from the internet",
                challenge.name(),
                challenge.port()
            ),
            Self::NotOffered { domain, challenge } => {
                write!(
                    f,
                    "the authority does not offer {} for {domain}; choose another with --acme-challenge",
                    challenge.name()
                )
            }
            Self::Authority(instant_acme::Error::Api(problem)) => {
                write!(
                    f,
                    "the authority refuses: {}",
                    problem.detail.as_deref().unwrap_or("without a reason")
                )?;
                for part in problem.subproblems.iter().filter_map(|part| part.detail.as_deref()) {
                    write!(f, "; {part}")?;
                }
                Ok(())
            }
            Self::Authority(instant_acme::Error::Json(error)) => write!(
                f,
                "the authority's response is not ACME ({error}); check the URL of its directory, --acme-directory"
            ),
            Self::Authority(error) => error.fmt(f),
            Self::Key(why) => write!(f, "cannot generate a key ({why})"),
            Self::Disk(error) => write!(f, "the account cannot be read from the data directory ({error})"),
            Self::Unusable(why) => write!(f, "the issued certificate cannot be used: {why}"),
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

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Unusable(error.to_string())
    }
}

impl Failure {
    /// Whether the authority refused with this type of error (RFC 8555, section 6.7).
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
    /// HTTP-01 is configured, and nothing listens for plain HTTP.
    NoHttp,
}

impl fmt::Display for AcmeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(path, error) => {
                write!(
                    f,
                    "cannot store certificates in {path} ({error}); it has to be a directory that this user can write to"
                )
            }
            Self::Roots(error) => write!(f, "{error}; name another with --acme-ca"),
            Self::NoHttp => f.write_str(
                "the challenge is http-01, but nothing listens for plain HTTP; say where with --http-listen",
            ),
        }
    }
}

impl std::error::Error for AcmeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_says_what_to_check() {
        let invalid = |challenge| {
            let failure =
                Failure::Invalid { domain: "a.example".into(), challenge, why: "Connection refused".into() };
            failure.to_string()
        };
        assert!(invalid(Challenge::TlsAlpn).contains("by TLS-ALPN-01 (Connection refused)"));
        assert!(invalid(Challenge::TlsAlpn).contains("port 443 can be reached"));
        assert!(invalid(Challenge::Http).contains("port 80 can be reached"));
        let problem = r#"{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}"#;
        let refused = Failure::from(instant_acme::Error::Api(serde_json::from_str(problem).unwrap()));
        assert_eq!(refused.to_string(), "the authority refuses: too many");
        assert!(refused.is_refusal("rateLimited") && !refused.is_refusal("badNonce"));
    }
}
