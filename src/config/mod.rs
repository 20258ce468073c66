//! The settings: flags over `CAMPFIRE_*` variables over a TOML file over defaults, all out of one table.

mod load;
mod settings;
mod values;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

pub use self::{
    load::{ConfigError, Loaded},
    settings::{SETTINGS, Setting},
};
use crate::outbound::Cidr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every acknowledged write survives a power cut.
    Full,
    /// It survives a crash of the process; a power cut may take the last seconds. For cards that sync slowly.
    Normal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

/// Where plain HTTP is answered beside HTTPS, to send people on and for challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpListen {
    /// On port 80 where HTTPS is on port 443, else nowhere.
    Auto,
    Off,
    On(SocketAddr),
}

/// How it is shown to the authority that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcmeChallenge {
    /// TLS-ALPN-01, and HTTP-01 where that does not do.
    Auto,
    TlsAlpn01,
    Http01,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    /// Worker threads; 0 for one per core.
    pub workers: usize,
    pub durability: Durability,
    /// Messages of a person in ten seconds; 0 for no limit.
    pub post_limit: u32,
    /// Commands that may wait for the writer.
    pub writer_queue: usize,
    pub cors_origins: Vec<String>,
    pub metrics_token: Option<String>,
    /// Where people reach this server, when that is not where it listens.
    pub public_url: Option<String>,
    /// Names for which a certificate is got and renewed (ACME).
    pub domain: Vec<String>,
    /// Whom the authority tells when something is wrong with the certificate.
    pub acme_email: Option<String>,
    /// `production` or `staging` for Let's Encrypt, else the address of a directory.
    pub acme_directory: String,
    /// Roots, in PEM, that are trusted besides the usual ones when that directory is called.
    pub acme_ca: Option<PathBuf>,
    pub acme_challenge: AcmeChallenge,
    /// A certificate chain and its key, in PEM, that somebody else looks after.
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub http_listen: HttpListen,
    /// Seconds for which browsers are told to come by HTTPS only; 0 tells them nothing.
    pub hsts: u32,
    /// Proxies whose word about where a request comes from is believed.
    pub trusted_proxy: Vec<Cidr>,
    /// The largest file that can be uploaded, in bytes.
    pub upload_limit: u64,
    /// Whether the pages behind links are fetched and shown.
    pub link_previews: bool,
    /// Who is asked for names outside; empty for the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Private networks that link previews and pushes may reach.
    pub outgoing_allow: Vec<Cidr>,
    /// Where a backup is made every day; None for nowhere.
    pub backup_dir: Option<PathBuf>,
    /// Days, and weeks beyond those, of which the last backup stays.
    pub backup_daily: usize,
    pub backup_weekly: usize,
    /// The time of day in UTC.
    pub backup_at: jiff::civil::Time,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
    /// From what on the server says that it is slow, large, busy or failing; 0 for never.
    pub alert_response_ms: usize,
    pub alert_memory_mb: usize,
    /// Of the processors that the process may use, all together.
    pub alert_cpu_percent: usize,
    pub alert_error_percent: usize,
    /// The room where it says so, besides the log; 0 for none.
    pub alert_room: usize,
    pub log_format: LogFormat,
    pub log_level: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            data: "./data".into(),
            workers: 0,
            durability: Durability::Full,
            post_limit: 20,
            writer_queue: 4096,
            cors_origins: Vec::new(),
            metrics_token: None,
            public_url: None,
            domain: Vec::new(),
            acme_email: None,
            acme_directory: "production".into(),
            acme_ca: None,
            acme_challenge: AcmeChallenge::Auto,
            tls_cert: None,
            tls_key: None,
            http_listen: HttpListen::Auto,
            hsts: 180 * 86_400,
            trusted_proxy: Vec::new(),
            upload_limit: 100 << 20,
            link_previews: true,
            name_servers: Vec::new(),
            outgoing_allow: Vec::new(),
            backup_dir: None,
            backup_daily: 7,
            backup_weekly: 4,
            backup_at: jiff::civil::time(3, 0, 0, 0),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            alert_response_ms: 0,
            alert_memory_mb: 0,
            alert_cpu_percent: 0,
            alert_error_percent: 0,
            alert_room: 0,
            log_format: LogFormat::Human,
            log_level: "info".into(),
        }
    }
}

impl Config {
    pub fn has_tls(&self) -> bool {
        self.tls_cert.is_some() || !self.domain.is_empty()
    }

    /// Where the directory of the authority is (RFC 8555, section 7.1.1).
    pub fn acme_directory_url(&self) -> &str {
        match self.acme_directory.as_str() {
            "production" => "https://acme-v02.api.letsencrypt.org/directory",
            "staging" => "https://acme-staging-v02.api.letsencrypt.org/directory",
            url => url,
        }
    }

    /// Where plain HTTP is answered beside HTTPS.
    pub fn redirect_from(&self) -> Option<SocketAddr> {
        match self.http_listen {
            HttpListen::On(address) if self.has_tls() => Some(address),
            HttpListen::Auto if self.has_tls() && self.listen.port() == 443 => {
                Some(SocketAddr::new(self.listen.ip(), 80))
            }
            _ => None,
        }
    }

    /// Where this server is for somebody on this machine: what listens on every address is reached on loopback.
    pub fn reachable(&self) -> SocketAddr {
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        SocketAddr::new(ip, self.listen.port())
    }

    /// Where people reach this server, as far as the settings tell.
    pub fn base_url(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        match self.domain.first() {
            Some(domain) => https(domain, self.listen.port()),
            None if self.has_tls() => format!("https://{}", self.reachable()),
            None => format!("http://{}", self.reachable()),
        }
    }
}

/// The address of a host, with its port if that is not the usual one.
pub fn https(host: &str, port: u16) -> String {
    match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    }
}
