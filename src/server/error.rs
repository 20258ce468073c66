//! Why the server did not start, or did not go on.

use std::{fmt, io, net::SocketAddr, path::PathBuf};

use super::{AcmeError, TlsError};
use crate::store::OpenError;

/// Why the server did not start, go on or stop in order. Displays as one sentence that says what to do.
#[derive(Debug)]
pub enum ServeError {
    Open(OpenError),
    /// An import was begun in this directory and not ended, by its source.
    HalfImported(PathBuf, String),
    PortInUse(SocketAddr),
    Listen(SocketAddr, io::Error),
    /// A socket that was passed on by the service manager, by its name.
    Inherited(String, io::Error),
    Runtime(io::Error),
    Tls(TlsError),
    Acme(AcmeError),
    /// A second signal came while it was stopping.
    CutShort,
    /// A thread of the server has ended.
    Ended(&'static str),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::HalfImported(data, source) => {
                let data = data.display();
                write!(
                    f,
                    "an import into {data} was begun and not finished, so that messages are missing; go on with it first (campfire import {source} PATH --data {data}), or restore a backup from before it"
                )
            }
            Self::PortInUse(address) => {
                write!(
                    f,
                    "something listens on {address} already; stop it, or choose another address with --listen"
                )
            }
            Self::Listen(address, error) => {
                write!(f, "cannot listen on {address} ({error}); choose another address with --listen")
            }
            Self::Inherited(name, error) => {
                write!(
                    f,
                    "cannot accept from the socket {name:?} that was passed on ({error}); its unit needs ListenStream= with an address and a port"
                )
            }
            Self::Runtime(error) => {
                write!(f, "cannot start a worker ({error}); check the limits of this system")
            }
            Self::Tls(error) => write!(f, "{error}; name others with --tls-cert and --tls-key"),
            Self::Acme(error) => error.fmt(f),
            Self::CutShort => f.write_str(
                "stopped by a second signal before every request was answered; acknowledged writes are stored",
            ),
            Self::Ended(who) => {
                write!(
                    f,
                    "{who} has ended by a fault of the server, which the log tells; acknowledged writes are stored: start it again"
                )
            }
        }
    }
}

impl std::error::Error for ServeError {}

impl From<OpenError> for ServeError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<TlsError> for ServeError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<AcmeError> for ServeError {
    fn from(error: AcmeError) -> Self {
        Self::Acme(error)
    }
}
