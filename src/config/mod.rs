//! The settings. Flags override `CAMPFIRE_*` variables, these the TOML file, and that the defaults; all are in one table.

mod load;
mod mail;
mod oidc;
mod once;
mod settings;
mod values;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

pub use self::{
    load::{ConfigError, Loaded},
    once::unmoved,
    settings::{SETTINGS, Setting},
};
use crate::{
    outbound::{
        Cidr,
        oidc::Provider,
        smtp::{Relay, Sender},
    },
    text::Languages,
};

/// What acknowledged writes survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every acknowledged write survives a power cut.
    Full,
    /// Acknowledged writes survive a crash of the process; a power cut may lose those of the last seconds. For SD cards that
    /// sync slowly.
    Normal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

/// Where plain HTTP is served beside HTTPS, for redirects and ACME challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpListen {
    /// On port 80 where HTTPS is on port 443, else nowhere.
    Auto,
    Off,
    On(SocketAddr),
}

/// The ACME challenge that proves control of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcmeChallenge {
    /// TLS-ALPN-01, then HTTP-01 if that fails.
    Auto,
    TlsAlpn01,
    Http01,
}

/// The values of all settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    /// Worker threads; 0 for one per core.
    pub workers: usize,
    pub durability: Durability,
    /// Languages in whose inflections search finds words.
    pub search_languages: Languages,
    /// Messages that a person may post in ten seconds; 0 for no limit.
    pub post_limit: u32,
    /// Open connections, HTTP and WebSocket; 0 for as many as memory and open files allow.
    pub max_connections: usize,
    /// Those of one address, or of one IPv6 /64; 0 for no such bound.
    pub max_per_address: usize,
    /// The capacity of the queue of the writer, in commands.
    pub writer_queue: usize,
    pub cors_origins: Vec<String>,
    pub metrics_token: Option<String>,
    /// The URL of this server for people, if it is behind a proxy.
    pub public_url: Option<String>,
    /// Names for which a certificate is ordered and renewed by ACME.
    pub domain: Vec<String>,
    /// The contact of the ACME account.
    pub acme_email: Option<String>,
    /// `production` or `staging` of Let's Encrypt, or the URL of an ACME directory.
    pub acme_directory: String,
    /// A PEM file of roots that are trusted for that directory, besides the built-in ones.
    pub acme_ca: Option<PathBuf>,
    pub acme_challenge: AcmeChallenge,
    /// PEM files of a certificate chain and its key, which the server does not renew.
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub http_listen: HttpListen,
    /// The `max-age` of `Strict-Transport-Security` in seconds; 0 for no such header.
    pub hsts: u32,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxy: Vec<Cidr>,
    /// The largest file that can be uploaded, in bytes.
    pub upload_limit: u64,
    /// Whether linked pages are fetched to show previews.
    pub link_previews: bool,
    /// Name servers for outgoing connections; empty for those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// Private networks that link previews and pushes may reach.
    pub outgoing_allow: Vec<Cidr>,
    /// The directory of scheduled backups; None for no schedule.
    pub backup_dir: Option<PathBuf>,
    /// The number of days, and of weeks before them, whose last backup is retained.
    pub backup_daily: usize,
    pub backup_weekly: usize,
    /// The time of the daily backup, in UTC.
    pub backup_at: jiff::civil::Time,
    /// The server that takes mails; None for no mail at all.
    pub smtp_url: Option<Relay>,
    /// A file with the password for it.
    pub smtp_password_file: Option<PathBuf>,
    /// A PEM file of roots that are trusted for it, besides the usual ones.
    pub smtp_ca: Option<PathBuf>,
    /// How long it may take for each answer.
    pub smtp_timeout: Duration,
    pub mail_from: Option<Sender>,
    /// Mails in an hour, in all.
    pub mail_per_hour: usize,
    /// How long somebody has to be away before unread mentions and direct messages are mailed.
    pub mail_after: Duration,
    /// The time of the daily mail of those who want one, in UTC.
    pub mail_daily_at: jiff::civil::Time,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
    /// Thresholds of alerts: response time (95th percentile) in ms, memory in MB, CPU and errors in percent; 0 for none.
    pub alert_response_ms: usize,
    pub alert_memory_mb: usize,
    /// Of all processors that the process may use.
    pub alert_cpu_percent: usize,
    pub alert_error_percent: usize,
    /// The id of the room where alerts are posted, besides the log; 0 for none.
    pub alert_room: usize,
    pub log_format: LogFormat,
    pub log_level: String,
    /// Identity providers to sign in by. Without any, there is nothing of them.
    pub oidc: Vec<Provider>,
    /// Whether people sign in by a password.
    pub password_sign_in: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            data: "./data".into(),
            workers: 0,
            durability: Durability::Full,
            search_languages: Languages::default(),
            post_limit: 20,
            max_connections: 0,
            max_per_address: 1024,
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
            smtp_url: None,
            smtp_password_file: None,
            smtp_ca: None,
            smtp_timeout: Duration::from_secs(30),
            mail_from: None,
            mail_per_hour: 200,
            mail_after: Duration::from_secs(900),
            mail_daily_at: jiff::civil::time(7, 0, 0, 0),
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
            oidc: Vec::new(),
            password_sign_in: true,
        }
    }
}

impl Config {
    pub fn has_tls(&self) -> bool {
        self.tls_cert.is_some() || !self.domain.is_empty()
    }

    /// The URL of the ACME directory (RFC 8555, section 7.1.1).
    pub fn acme_directory_url(&self) -> &str {
        match self.acme_directory.as_str() {
            "production" => "https://acme-v02.api.letsencrypt.org/directory",
            "staging" => "https://acme-staging-v02.api.letsencrypt.org/directory",
            url => url,
        }
    }

    /// The address that redirects to HTTPS, if any.
    pub fn redirect_from(&self) -> Option<SocketAddr> {
        match self.http_listen {
            HttpListen::On(address) if self.has_tls() => Some(address),
            HttpListen::Auto if self.has_tls() && self.listen.port() == 443 => {
                Some(SocketAddr::new(self.listen.ip(), 80))
            }
            _ => None,
        }
    }

    /// The address of this server on this machine: loopback if it listens on every address.
    pub fn reachable(&self) -> SocketAddr {
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        SocketAddr::new(ip, self.listen.port())
    }

    /// The URL of this server for people.
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

/// An https URL, with the port unless it is 443.
pub fn https(host: &str, port: u16) -> String {
    match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    }
}
