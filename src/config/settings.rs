//! The table of settings: the name, meaning, parser and display of each.

use url::Url;

use super::{
    AcmeChallenge, Config, Durability, HttpListen, LogFormat, mail,
    oidc::{OIDC, PASSWORD_SIGN_IN},
    values::{
        domains, is_email, joined, list, number, on_or_off, parse, seconds, set_path, shown, shown_path,
        time_of_day,
    },
};

use crate::text::Languages;

/// One setting: its name, meaning, parser and display.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The TOML key; the flag is `--key-with-dashes`, the variable `CAMPFIRE_KEY`.
    pub key: &'static str,
    /// The placeholder of the value in `--help`.
    pub value: &'static str,
    /// Its meaning, for `--help` and the documentation.
    pub help: &'static str,
    /// Parses and sets a value. An error continues a sentence that begins with the name of the setting.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
    pub(super) show: fn(&Config) -> String,
}

impl Setting {
    pub fn flag(&self) -> String {
        format!("--{}", self.key.replace('_', "-"))
    }

    pub fn variable(&self) -> String {
        format!("CAMPFIRE_{}", self.key.to_uppercase())
    }
}

/// All settings, in the order of `--help` and of the documentation.
pub static SETTINGS: &[Setting] =
    &joined::<_, { GENERAL.len() + OIDC.len() + 1 }>(&[GENERAL, OIDC, &[PASSWORD_SIGN_IN]]);

const GENERAL: &[Setting] = &[
    Setting {
        key: "listen",
        value: "ADDR:PORT",
        help: "the address to listen on; port 0 picks a free port",
        set: |config, text| {
            parse(text, "an address and a port, like 127.0.0.1:3000").map(|value| config.listen = value)
        },
        show: |config| config.listen.to_string(),
    },
    Setting {
        key: "data",
        value: "DIR",
        help: "the directory of the database and the uploaded files",
        set: |config, text| {
            if text.is_empty() {
                return Err("has to name a directory".into());
            }
            config.data = text.into();
            Ok(())
        },
        show: |config| config.data.display().to_string(),
    },
    Setting {
        key: "public_url",
        value: "URL",
        help: "the URL of the server for people, if it is behind a proxy",
        set: |config, text| match text {
            "" => {
                config.public_url = None;
                Ok(())
            }
            url if url.starts_with("http://") || url.starts_with("https://") => {
                config.public_url = Some(url.trim_end_matches('/').to_owned());
                Ok(())
            }
            _ => Err("has to start with http:// or https://".into()),
        },
        show: |config| config.public_url.clone().unwrap_or_default(),
    },
    Setting {
        key: "domain",
        value: "NAME,…",
        help: "serve HTTPS with a certificate for these names, ordered and renewed by ACME",
        set: |config, text| domains(text).map(|names| config.domain = names),
        show: |config| config.domain.join(","),
    },
    Setting {
        key: "acme_email",
        value: "ADDRESS",
        help: "the contact of the ACME account, for notices about the certificate",
        set: |config, text| match text {
            "" => {
                config.acme_email = None;
                Ok(())
            }
            address if is_email(address) => {
                config.acme_email = Some(address.to_owned());
                Ok(())
            }
            _ => Err("has to be an address like ada@example.org".into()),
        },
        show: |config| config.acme_email.clone().unwrap_or_default(),
    },
    Setting {
        key: "acme_directory",
        value: "URL",
        help: "production or staging of Let's Encrypt, or the URL of a directory",
        set: |config, text| {
            let is_url = |text: &str| {
                Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.host_str().is_some())
            };
            if !["production", "staging"].contains(&text) && !is_url(text) {
                return Err("has to be production, staging, or start with https://".into());
            }
            config.acme_directory = text.to_owned();
            Ok(())
        },
        show: |config| config.acme_directory.clone(),
    },
    Setting {
        key: "acme_ca",
        value: "FILE",
        help: "roots (PEM) to trust for that directory, besides the built-in ones",
        set: |config, text| set_path(&mut config.acme_ca, text),
        show: |config| shown_path(&config.acme_ca),
    },
    Setting {
        key: "acme_challenge",
        value: "KIND",
        help: "ACME challenge: tls-alpn-01 (port 443), http-01 (port 80) or auto (both)",
        set: |config, text| {
            config.acme_challenge = match text {
                "auto" => AcmeChallenge::Auto,
                "tls-alpn-01" => AcmeChallenge::TlsAlpn01,
                "http-01" => AcmeChallenge::Http01,
                _ => return Err("has to be auto, tls-alpn-01 or http-01".into()),
            };
            Ok(())
        },
        show: |config| match config.acme_challenge {
            AcmeChallenge::Auto => "auto".into(),
            AcmeChallenge::TlsAlpn01 => "tls-alpn-01".into(),
            AcmeChallenge::Http01 => "http-01".into(),
        },
    },
    Setting {
        key: "tls_cert",
        value: "FILE",
        help: "serve HTTPS with this certificate chain (PEM), reloaded when it changes",
        set: |config, text| set_path(&mut config.tls_cert, text),
        show: |config| shown_path(&config.tls_cert),
    },
    Setting {
        key: "tls_key",
        value: "FILE",
        help: "the private key of that certificate (PEM)",
        set: |config, text| set_path(&mut config.tls_key, text),
        show: |config| shown_path(&config.tls_key),
    },
    Setting {
        key: "http_listen",
        value: "ADDR:PORT",
        help: "address that redirects to HTTPS, or off; auto: port 80 with HTTPS on 443",
        set: |config, text| {
            config.http_listen = match text {
                "auto" => HttpListen::Auto,
                "off" | "false" => HttpListen::Off,
                address => HttpListen::On(parse(address, "auto, off, or an address and a port")?),
            };
            Ok(())
        },
        show: |config| match config.http_listen {
            HttpListen::Auto => "auto".into(),
            HttpListen::Off => "off".into(),
            HttpListen::On(address) => address.to_string(),
        },
    },
    Setting {
        key: "hsts",
        value: "SECONDS",
        help: "max-age of Strict-Transport-Security; 0 to send no such header",
        set: |config, text| number(text, 0, 63_072_000).map(|value| config.hsts = value as u32),
        show: |config| config.hsts.to_string(),
    },
    Setting {
        key: "trusted_proxy",
        value: "CIDR,…",
        help: "proxies whose forwarding headers are trusted",
        set: |config, text| {
            list(text, "a network like 10.0.0.0/8").map(|networks| config.trusted_proxy = networks)
        },
        show: |config| shown(&config.trusted_proxy),
    },
    Setting {
        key: "workers",
        value: "N",
        help: "worker threads; 0 for one per core",
        set: |config, text| number(text, 0, 1024).map(|value| config.workers = value),
        show: |config| config.workers.to_string(),
    },
    Setting {
        key: "durability",
        value: "full|normal",
        help: "full: writes survive a power cut; normal: for SD cards that sync slowly",
        set: |config, text| {
            config.durability = match text {
                "full" => Durability::Full,
                "normal" => Durability::Normal,
                _ => return Err("has to be full or normal".into()),
            };
            Ok(())
        },
        show: |config| match config.durability {
            Durability::Full => "full".into(),
            Durability::Normal => "normal".into(),
        },
    },
    Setting {
        key: "search_languages",
        value: "CODES",
        help: "languages whose inflections are known",
        set: |config, text| Languages::parse(text).map(|value| config.search_languages = value),
        show: |config| config.search_languages.to_string(),
    },
    Setting {
        key: "post_limit",
        value: "N",
        help: "messages that a person may post in 10 s; 0 for no limit",
        set: |config, text| number(text, 0, 1_000_000).map(|value| config.post_limit = value as u32),
        show: |config| config.post_limit.to_string(),
    },
    Setting {
        key: "max_connections",
        value: "N",
        help: "open connections; 0 for as many as memory and open files allow",
        set: |config, text| number(text, 0, 10_000_000).map(|value| config.max_connections = value),
        show: |config| config.max_connections.to_string(),
    },
    Setting {
        key: "max_per_address",
        value: "N",
        help: "open connections of one address, but loopback and proxies; 0 for any",
        set: |config, text| number(text, 0, 10_000_000).map(|value| config.max_per_address = value),
        show: |config| config.max_per_address.to_string(),
    },
    Setting {
        key: "writer_queue",
        value: "N",
        help: "writes that may be queued before further ones are answered with 503",
        set: |config, text| number(text, 1, 1_000_000).map(|value| config.writer_queue = value),
        show: |config| config.writer_queue.to_string(),
    },
    Setting {
        key: "upload_limit",
        value: "MB",
        help: "the largest file that can be uploaded, in megabytes",
        set: |config, text| {
            number(text, 1, 1_000_000).map(|value| config.upload_limit = (value as u64) << 20)
        },
        show: |config| (config.upload_limit >> 20).to_string(),
    },
    Setting {
        key: "link_previews",
        value: "on|off",
        help: "whether linked pages are fetched to show previews",
        set: |config, text| on_or_off(text).map(|value| config.link_previews = value),
        show: |config| if config.link_previews { "on".into() } else { "off".into() },
    },
    Setting {
        key: "outgoing_allow",
        value: "CIDR,…",
        help: "private networks that link previews and pushes may connect to",
        set: |config, text| {
            list(text, "a network like 10.0.0.0/8").map(|networks| config.outgoing_allow = networks)
        },
        show: |config| shown(&config.outgoing_allow),
    },
    Setting {
        key: "name_servers",
        value: "ADDR:PORT,…",
        help: "name servers for outgoing connections, instead of those of the system",
        set: |config, text| {
            list(text, "an address and a port, like 9.9.9.9:53").map(|servers| config.name_servers = servers)
        },
        show: |config| shown(&config.name_servers),
    },
    Setting {
        key: "cors_origins",
        value: "URL,…",
        help: "origins of other sites whose pages may use the API with a token",
        set: |config, text| {
            let origins: Vec<String> = text
                .split(',')
                .map(|origin| origin.trim().trim_end_matches('/').to_owned())
                .filter(|origin| !origin.is_empty())
                .collect();
            if let Some(wrong) = origins
                .iter()
                .find(|origin| !origin.starts_with("http://") && !origin.starts_with("https://"))
            {
                return Err(format!("has {wrong:?}, which is not an origin like https://example.org"));
            }
            config.cors_origins = origins;
            Ok(())
        },
        show: |config| config.cors_origins.join(","),
    },
    Setting {
        key: "metrics_token",
        value: "TOKEN",
        help: "a token that lets clients beyond loopback read /metrics",
        set: |config, text| {
            config.metrics_token = (!text.is_empty()).then(|| text.to_owned());
            Ok(())
        },
        show: |config| config.metrics_token.as_ref().map_or_else(String::new, |_| "(hidden)".into()),
    },
    Setting {
        key: "backup_dir",
        value: "DIR",
        help: "the directory for a daily backup; empty for no backups",
        set: |config, text| set_path(&mut config.backup_dir, text),
        show: |config| shown_path(&config.backup_dir),
    },
    Setting {
        key: "backup_at",
        value: "HH:MM",
        help: "the time of the daily backup, in UTC",
        set: |config, text| time_of_day(text).map(|time| config.backup_at = time),
        show: |config| config.backup_at.strftime("%H:%M").to_string(),
    },
    Setting {
        key: "backup_daily",
        value: "N",
        help: "days whose last backup is retained",
        set: |config, text| number(text, 1, 1_000).map(|value| config.backup_daily = value),
        show: |config| config.backup_daily.to_string(),
    },
    Setting {
        key: "backup_weekly",
        value: "N",
        help: "weeks before those days whose last backup is retained",
        set: |config, text| number(text, 0, 1_000).map(|value| config.backup_weekly = value),
        show: |config| config.backup_weekly.to_string(),
    },
    mail::SMTP_URL,
    mail::SMTP_PASSWORD_FILE,
    mail::SMTP_CA,
    mail::SMTP_TIMEOUT,
    mail::MAIL_FROM,
    mail::MAIL_PER_HOUR,
    mail::MAIL_AFTER,
    mail::MAIL_DAILY_AT,
    Setting {
        key: "header_timeout",
        value: "SECONDS",
        help: "how long the head of a request may take to arrive",
        set: |config, text| seconds(text).map(|value| config.header_timeout = value),
        show: |config| config.header_timeout.as_secs().to_string(),
    },
    Setting {
        key: "body_timeout",
        value: "SECONDS",
        help: "how long the body of a request may take to arrive",
        set: |config, text| seconds(text).map(|value| config.body_timeout = value),
        show: |config| config.body_timeout.as_secs().to_string(),
    },
    Setting {
        key: "idle_timeout",
        value: "SECONDS",
        help: "how long a connection may be idle between requests",
        set: |config, text| seconds(text).map(|value| config.idle_timeout = value),
        show: |config| config.idle_timeout.as_secs().to_string(),
    },
    Setting {
        key: "alert_response_ms",
        value: "MS",
        help: "alert when the 95th percentile over a minute is higher; 0 for never",
        // The last bucket of the histogram ends at 2.5 s.
        set: |config, text| number(text, 0, 2_400).map(|value| config.alert_response_ms = value),
        show: |config| config.alert_response_ms.to_string(),
    },
    Setting {
        key: "alert_memory_mb",
        value: "MB",
        help: "alert when more memory is in use; 0 for never",
        set: |config, text| number(text, 0, 1 << 30).map(|value| config.alert_memory_mb = value),
        show: |config| config.alert_memory_mb.to_string(),
    },
    Setting {
        key: "alert_cpu_percent",
        value: "%",
        help: "alert when more of all processors is used over a minute; 0 for never",
        set: |config, text| number(text, 0, 100).map(|value| config.alert_cpu_percent = value),
        show: |config| config.alert_cpu_percent.to_string(),
    },
    Setting {
        key: "alert_error_percent",
        value: "%",
        help: "alert when more requests over a minute fail with 5xx; 0 for never",
        set: |config, text| number(text, 0, 100).map(|value| config.alert_error_percent = value),
        show: |config| config.alert_error_percent.to_string(),
    },
    Setting {
        key: "alert_room",
        value: "ID",
        help: "the room where alerts are posted, besides the log; 0 for none",
        set: |config, text| number(text, 0, u32::MAX as usize).map(|value| config.alert_room = value),
        show: |config| config.alert_room.to_string(),
    },
    Setting {
        key: "log_format",
        value: "human|json",
        help: "the format of the log",
        set: |config, text| {
            config.log_format = match text {
                "human" => LogFormat::Human,
                "json" => LogFormat::Json,
                _ => return Err("has to be human or json".into()),
            };
            Ok(())
        },
        show: |config| match config.log_format {
            LogFormat::Human => "human".into(),
            LogFormat::Json => "json".into(),
        },
    },
    Setting {
        key: "log_level",
        value: "LEVEL",
        help: "the lowest level that is logged: error, warn, info, debug or trace",
        set: |config, text| {
            if !["error", "warn", "info", "debug", "trace"].contains(&text) {
                return Err("has to be error, warn, info, debug or trace".into());
            }
            config.log_level = text.to_owned();
            Ok(())
        },
        show: |config| config.log_level.clone(),
    },
];
