//! The settings: flags over `CAMPFIRE_*` variables over a TOML file over defaults, all out of one table.

mod settings;

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

pub use settings::{SETTINGS, Setting};

use crate::outbound::Cidr;

const DEFAULT_FILE: &str = "/etc/campfire/campfire.toml";

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

/// A setting that is wrong: one sentence that says which and why.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The settings as they are put together, and where each came from.
#[derive(Debug, Default)]
pub struct Loaded {
    pub config: Config,
    sources: BTreeMap<&'static str, String>,
}

impl Loaded {
    /// `flags` are pairs of a key and its value, in the order given; `file` is named by `--config`.
    pub fn load(
        flags: &[(String, String)],
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut loaded = Self::default();
        let named = file.map(Path::to_owned).or_else(|| variable("CAMPFIRE_CONFIG").map(PathBuf::from));
        match named {
            Some(path) => loaded.read(&path)?,
            None if Path::new(DEFAULT_FILE).exists() => loaded.read(Path::new(DEFAULT_FILE))?,
            None => {}
        }
        for setting in SETTINGS {
            let name = setting.variable();
            if let Some(value) = variable(&name) {
                loaded.set(setting, &value, name)?;
            }
        }
        for (key, value) in flags {
            let setting = SETTINGS
                .iter()
                .find(|setting| setting.key == key)
                .ok_or_else(|| ConfigError(format!("there is no setting {key}")))?;
            loaded.set(setting, value, setting.flag())?;
        }
        loaded.settle()?;
        Ok(loaded)
    }

    /// What follows from several settings together.
    fn settle(&mut self) -> Result<(), ConfigError> {
        let config = &mut self.config;
        match (&config.tls_cert, &config.tls_key) {
            (Some(_), None) => {
                return Err(ConfigError(
                    "tls_cert is set and tls_key is not; a certificate needs its key".into(),
                ));
            }
            (None, Some(_)) => {
                return Err(ConfigError(
                    "tls_key is set and tls_cert is not; a key needs its certificate".into(),
                ));
            }
            (Some(_), Some(_)) if !config.domain.is_empty() => {
                return Err(ConfigError(
                    "domain and tls_cert are both set; either a certificate is got for the domain, or there is one".into(),
                ));
            }
            _ => {}
        }
        if config.has_tls() && !self.sources.contains_key("listen") {
            config.listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 443));
            self.sources.insert("listen", "for HTTPS".into());
        }
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError(format!(
                "cannot read the settings file {shown} ({error}); name another with --config"
            ))
        })?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            ConfigError(format!("the settings file {shown} is not TOML: {}", error.message()))
        })?;
        for (key, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
                return Err(ConfigError(format!(
                    "the settings file {shown} has {key}, which is no setting; `campfire serve --help` lists them all"
                )));
            };
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Array(values) => {
                    let texts: Option<Vec<&str>> = values.iter().map(toml::Value::as_str).collect();
                    texts
                        .map(|texts| texts.join(","))
                        .ok_or_else(|| ConfigError(format!("{key} in {shown} has to be a list of texts")))?
                }
                _ => return Err(ConfigError(format!("{key} in {shown} has to be a text or a whole number"))),
            };
            self.set(setting, &value, format!("{key} in {shown}"))?;
        }
        Ok(())
    }

    fn set(&mut self, setting: &Setting, value: &str, source: String) -> Result<(), ConfigError> {
        (setting.set)(&mut self.config, value)
            .map_err(|why| ConfigError(format!("{source} {why}, not {value:?}")))?;
        self.sources.insert(setting.key, source);
        Ok(())
    }

    /// A setting's value as text.
    pub fn show(&self, setting: &Setting) -> String {
        (setting.show)(&self.config)
    }

    /// Every setting with its value and where that came from, as TOML.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for setting in SETTINGS {
            let source = self.sources.get(setting.key).map_or("default", String::as_str);
            let line = format!("{} = {:?}", setting.key, (setting.show)(&self.config));
            text.push_str(&format!("{line:<48} # {source}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{settings::MAX_DOMAINS, *};

    fn load(
        flags: &[(&str, &str)],
        file: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<Loaded, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("campfire.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        let flags: Vec<_> = flags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
        };
        Loaded::load(&flags, file.map(|_| path.as_path()), variable)
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let file = "listen = \"127.0.0.1:1\"\ndata = \"file\"\npost_limit = 7\ncors_origins = [\"https://a.example\"]";
        let loaded = load(
            &[("listen", "127.0.0.1:3")],
            Some(file),
            &[("CAMPFIRE_LISTEN", "127.0.0.1:2"), ("CAMPFIRE_DATA", "variable")],
        )
        .unwrap();
        assert_eq!(loaded.config.listen.port(), 3);
        assert_eq!(loaded.config.data, Path::new("variable"));
        assert_eq!(loaded.config.post_limit, 7);
        assert_eq!(loaded.config.cors_origins, ["https://a.example"]);
        assert_eq!(loaded.config.writer_queue, Config::default().writer_queue);
        let printed = loaded.print();
        for source in ["# --listen", "# CAMPFIRE_DATA", "# post_limit in ", "# default"] {
            assert!(printed.contains(source), "{printed}");
        }
    }

    #[test]
    fn with_a_certificate_it_listens_where_browsers_look_for_it() {
        let pair = [("tls_cert", "a.pem"), ("tls_key", "a.key")];
        let config = load(&pair, None, &[]).unwrap().config;
        assert_eq!(config.listen.to_string(), "[::]:443");
        assert_eq!(config.redirect_from().unwrap().to_string(), "[::]:80");
        assert_eq!(config.base_url(), "https://[::1]:443");
        let config = load(&[("domain", "chat.example, c.example")], Some("listen = \"0.0.0.0:8443\""), &[])
            .unwrap()
            .config;
        assert_eq!((config.listen.port(), config.redirect_from()), (8443, None));
        assert_eq!(config.base_url(), "https://chat.example:8443");
        let config = load(&[("http_listen", "127.0.0.1:80")], None, &[]).unwrap().config;
        assert_eq!(config.redirect_from(), None, "there is no HTTPS to send anybody to");
        assert_eq!(config.base_url(), "http://127.0.0.1:3000");
        for half in [&pair[..1], &pair[1..], &[pair[0], pair[1], ("domain", "a.example")]] {
            let refused = load(half, None, &[]).err().unwrap().0;
            assert!(refused.contains("tls_cert") && refused.contains("set"), "{refused}");
        }
    }

    #[test]
    fn names_for_a_certificate_are_taken_as_they_stand_in_one() {
        let domain = |text: &str| load(&[("domain", text)], None, &[]).map(|loaded| loaded.config.domain);
        assert_eq!(
            domain("Chat.Example.org., b.example,chat.example.org").unwrap(),
            ["chat.example.org", "b.example"]
        );
        assert_eq!(domain("b\u{fc}ro.example").unwrap(), ["xn--bro-hoa.example"]);
        assert_eq!(domain("").unwrap(), [""; 0]);
        for (text, why) in [
            ("*.example.org", "wildcards are not offered"),
            ("203.0.113.5", "which is an address"),
            ("[::1]", "which is an address"),
            ("a b.example", "which is no name"),
            ("-a.example", "which is no name"),
            ("a_b.example", "which is no name"),
            ("a..example", "which is no name"),
            ("https://chat.example", "which is no name"),
            ("chat.example:443", "which is no name"),
            (&format!("{}.example", "a".repeat(64)), "which is no name"),
        ] {
            let refused = domain(text).unwrap_err().0;
            assert!(refused.starts_with("--domain has ") && refused.contains(why), "{refused}");
        }
        let many: Vec<String> = (0..=MAX_DOMAINS).map(|n| format!("n{n}.example")).collect();
        assert!(domain(&many.join(",")).unwrap_err().0.contains("one certificate holds 100"));
    }

    #[test]
    fn the_authority_is_one_of_lets_encrypts_or_any_with_a_directory() {
        let with = |key: &str, value: &str| load(&[("domain", "a.example"), (key, value)], None, &[]);
        let url = |value: &str| with("acme_directory", value).unwrap().config.acme_directory_url().to_owned();
        assert_eq!(url("production"), "https://acme-v02.api.letsencrypt.org/directory");
        assert_eq!(url("staging"), "https://acme-staging-v02.api.letsencrypt.org/directory");
        assert_eq!(url("https://ca.example/dir"), "https://ca.example/dir");
        for (key, value) in [
            ("acme_directory", "http://ca.example/dir"),
            ("acme_directory", "https://"),
            ("acme_email", "nobody"),
            ("acme_email", "a@example.org,b@example.org"),
            ("acme_email", "a@example.org?cc=b"),
            ("acme_challenge", "dns-01"),
        ] {
            assert!(with(key, value).unwrap_err().0.contains(" has to be "), "{key} {value}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_the_reason() {
        let refused = |flags: &[(&str, &str)], file: Option<&str>| load(flags, file, &[]).err().unwrap().0;
        assert_eq!(
            refused(&[("post_limit", "many")], None),
            "--post-limit has to be a whole number from 0 to 1000000, not \"many\""
        );
        assert!(refused(&[("listen", "here")], None).starts_with("--listen has to be an address and a port"));
        assert!(refused(&[], Some("colour = \"red\"")).contains("colour, which is no setting"));
        assert!(refused(&[], Some("listen =")).contains("is not TOML"));
        assert!(refused(&[], Some("durability = true")).contains("has to be a text or a whole number"));
    }
}
