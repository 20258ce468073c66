//! What HTTPS needs beside a listener: the certificate, the way from port 80, and whoever keeps both fresh.

use std::{io, sync::Arc, thread::JoinHandle};

use tokio::{runtime::Builder, sync::watch};
use tokio_rustls::rustls::ServerConfig;

use super::{
    ServeError, acme,
    listener::{self, REDIRECT},
    redirect::Redirect,
    tls::{self, Certificates, HttpChallenges},
};
use crate::config::{Config, HttpListen};

/// What HTTPS is served with, and who looks after it; nothing of it if there is none.
pub(super) struct Security {
    pub(super) tls: Option<Arc<ServerConfig>>,
    certificates: Arc<Certificates>,
    challenges: Arc<HttpChallenges>,
    files: Option<tls::Files>,
}

impl Security {
    pub(super) fn prepare(config: &Config) -> Result<Self, ServeError> {
        let certificates = Arc::new(Certificates::default());
        let files = match (&config.tls_cert, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::Files::load(certificate, key, &certificates)?),
            _ => None,
        };
        let tls = config.has_tls().then(|| tls::server_config(Arc::clone(&certificates)));
        Ok(Self { tls, certificates, challenges: Arc::default(), files })
    }

    /// The listeners that send people from HTTP to HTTPS: those that were passed on, or else one of our own. If nobody
    /// asked for that one, it can fail.
    pub(super) fn redirects(
        &self,
        config: &Config,
        inherited: Vec<std::net::TcpListener>,
    ) -> Result<Vec<(std::net::TcpListener, Redirect)>, ServeError> {
        let with = |socket| (socket, Redirect::new(config, Arc::clone(&self.challenges)));
        if !inherited.is_empty() {
            if !config.has_tls() {
                tracing::warn!(
                    "a socket named {REDIRECT} was passed on, but there is no HTTPS to send anybody to"
                );
                return Ok(Vec::new());
            }
            return Ok(inherited.into_iter().map(with).collect());
        }
        let Some(address) = config.redirect_from() else { return Ok(Vec::new()) };
        match listener::bind(address, 1) {
            Ok((address, sockets)) => {
                tracing::info!("http://{address} sends everybody on to HTTPS");
                Ok(sockets.into_iter().map(with).collect())
            }
            Err(error) if config.http_listen == HttpListen::Auto => {
                tracing::warn!("nobody is sent from HTTP to HTTPS: {error}");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Who keeps the certificate fresh, if there is one.
    pub(super) fn certificate_manager(
        &mut self,
        config: &Config,
        answers_http: bool,
    ) -> Result<Option<CertificateManager>, ServeError> {
        let certificates = Arc::clone(&self.certificates);
        if let Some(files) = self.files.take() {
            return Ok(Some(CertificateManager::Files(files, certificates)));
        }
        if config.domain.is_empty() {
            return Ok(None);
        }
        let challenges = Arc::clone(&self.challenges);
        let certificate_manager =
            acme::CertificateManager::prepare(config, certificates, challenges, answers_http)?;
        Ok(Some(CertificateManager::Acme(Box::new(certificate_manager))))
    }
}

/// Whoever keeps the certificate fresh.
pub(super) enum CertificateManager {
    Files(tls::Files, Arc<Certificates>),
    Acme(Box<acme::CertificateManager>),
}

impl CertificateManager {
    /// Starts the thread that it does so on.
    pub(super) fn start(self, stopped: watch::Receiver<bool>) -> io::Result<JoinHandle<()>> {
        let thread = std::thread::Builder::new().name("certificate".into());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread.spawn(move || match self {
            Self::Files(files, certificates) => runtime.block_on(files.watch(certificates, stopped)),
            Self::Acme(certificate_manager) => runtime.block_on(certificate_manager.run(stopped)),
        })
    }
}
