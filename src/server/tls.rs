//! TLS: the configuration of handshakes, the certificate that is served, and its reload from files.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tokio::sync::watch;
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache},
    sign::CertifiedKey,
};

/// The protocol of TLS-ALPN-01 (RFC 8737).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";
pub(super) const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// Sessions of TLS 1.2 that are stored for clients without tickets.
const SESSIONS: usize = 4096;

/// How often the files of a certificate are checked for changes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a certificate cannot be used. Displays as one sentence.
#[derive(Debug)]
pub enum TlsError {
    Certificate(PathBuf, String),
    Key(PathBuf, String),
    Mismatch(PathBuf, PathBuf),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(path, why) => {
                write!(f, "cannot read a certificate chain in PEM from {} ({why})", path.display())
            }
            Self::Key(path, why) => {
                write!(f, "cannot read a private key in PEM from {} ({why})", path.display())
            }
            Self::Mismatch(certificate, key) => {
                write!(
                    f,
                    "the key in {} is not that of the certificate in {}",
                    key.display(),
                    certificate.display()
                )
            }
        }
    }
}

impl std::error::Error for TlsError {}

/// The certificates for handshakes: the current one, and those that answer challenges.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    current: RwLock<Option<Arc<CertifiedKey>>>,
    challenges: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    /// Uses this certificate from the next handshake on.
    pub(super) fn set_current(&self, key: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
    }

    pub(super) fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses this certificate for handshakes by `acme-tls/1` with this name.
    pub(super) fn add_challenge(&self, domain: &str, key: CertifiedKey) {
        self.challenges().insert(domain.to_owned(), Arc::new(key));
    }

    pub(super) fn remove_challenge(&self, domain: &str) {
        self.challenges().remove(domain);
    }

    fn challenges(&self) -> MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a chain and its key from PEM files, and checks that they match.
    pub(super) fn load(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
        let unread = |error: std::io::Error| TlsError::Key(key.to_owned(), error.to_string());
        Self::pair(certificate, chain_in(certificate)?, key, &std::fs::read(key).map_err(unread)?)
    }

    /// The same, both from the text of one file.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<CertifiedKey, TlsError> {
        Self::pair(path, chain_of(path, text)?, path, text)
    }

    fn pair(
        certificate: &Path,
        chain: Vec<CertificateDer<'static>>,
        key: &Path,
        key_pem: &[u8],
    ) -> Result<CertifiedKey, TlsError> {
        let unread = |error: &dyn fmt::Display| TlsError::Key(key.to_owned(), error.to_string());
        let der = PrivateKeyDer::from_pem_slice(key_pem).map_err(|error| unread(&error))?;
        let pair = CertifiedKey::from_der(chain, der, &ring::default_provider());
        pair.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch(certificate.to_owned(), key.to_owned()),
            rustls::Error::InvalidCertificate(_) => {
                TlsError::Certificate(certificate.to_owned(), error.to_string())
            }
            error => unread(&error),
        })
    }
}

/// The certificates in a PEM file, at least one.
pub(super) fn chain_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text =
        std::fs::read(path).map_err(|error| TlsError::Certificate(path.to_owned(), error.to_string()))?;
    chain_of(path, &text)
}

fn chain_of(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unread = |why: String| TlsError::Certificate(path.to_owned(), why);
    let chain = CertificateDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unread(error.to_string()))?;
    if chain.is_empty() {
        return Err(unread("there is none in it".into()));
    }
    Ok(chain)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut offered| offered.any(|name| name == ACME_TLS)) {
            return self.challenges().get(hello.server_name()?).cloned();
        }
        self.current()
    }
}

/// The answers to HTTP-01 challenges (RFC 8555, section 8.3), by token.
#[derive(Debug, Default)]
pub(super) struct HttpChallenges(Mutex<HashMap<String, String>>);

impl HttpChallenges {
    pub(super) fn put(&self, token: String, answer: String) {
        self.answers().insert(token, answer);
    }

    pub(super) fn remove(&self, token: &str) {
        self.answers().remove(token);
    }

    pub(super) fn get(&self, token: &str) -> Option<String> {
        self.answers().get(token).cloned()
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration of handshakes: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1, and session tickets, which save a round trip.
/// All workers share it, so that each accepts the tickets of the others.
pub(super) fn server_config(certificates: Arc<Certificates>) -> Arc<ServerConfig> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec(), ACME_TLS.to_vec()];
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    match ring::Ticketer::new() {
        Ok(ticketer) => config.ticketer = ticketer,
        Err(error) => tracing::warn!(%error, "cannot issue session tickets: every handshake is a full one"),
    }
    Arc::new(config)
}

/// The files of a certificate that the server does not renew itself.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Option<Stamp>; 2],
}

/// Modification time, size and inode of a file, one of which changes when it is replaced.
type Stamp = (SystemTime, u64, u64);

impl Files {
    /// Reads them at the start, which fails if they cannot be used.
    pub(super) fn load(
        certificate: &Path,
        key: &Path,
        certificates: &Certificates,
    ) -> Result<Self, TlsError> {
        let mut files = Self { certificate: certificate.to_owned(), key: key.to_owned(), seen: [None, None] };
        files.seen = files.stamps();
        certificates.set_current(Certificates::load(certificate, key)?);
        Ok(files)
    }

    fn stamps(&self) -> [Option<Stamp>; 2] {
        use std::os::unix::fs::MetadataExt;
        [&self.certificate, &self.key].map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        })
    }

    /// Reloads the files whenever they change. If they cannot be used, that is logged once per change and the old certificate
    /// stays in use.
    pub(super) async fn watch(mut self, certificates: Arc<Certificates>, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stopped.changed() => return,
            }
            let stamps = self.stamps();
            if stamps == self.seen {
                continue;
            }
            self.seen = stamps;
            match Certificates::load(&self.certificate, &self.key) {
                Ok(key) => {
                    certificates.set_current(key);
                    tracing::info!("the certificate was replaced");
                }
                // The other file may be about to change too.
                Err(error) => tracing::warn!("the old certificate stays: {error}"),
            }
        }
    }
}
