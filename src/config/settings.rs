//! The table of settings: how each is named everywhere, what it means, how it is read and shown.

use url::Url;

use super::{
    AcmeChallenge, Config, Durability, HttpListen, LogFormat,
    values::{domains, is_email, list, number, parse, seconds, set_path, shown, shown_path},
};

/// One setting: how it is named everywhere, what it means, how it is read and shown.
pub struct Setting {
    /// The TOML key; the flag is `--key-with-dashes`, the variable `CAMPFIRE_KEY`.
    pub key: &'static str,
    pub value: &'static str,
    pub help: &'static str,
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

pub static SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        value: "ADDR:PORT",
        help: "where to listen; port 0 picks a free one",
        set: |config, text| {
            parse(text, "an address and a port, like 127.0.0.1:3000").map(|value| config.listen = value)
        },
        show: |config| config.listen.to_string(),
    },
    Setting {
        key: "data",
        value: "DIR",
        help: "the directory with the database and the files",
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
        help: "where people reach the server, if a proxy stands before it",
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
        help: "serves HTTPS with a certificate that is got and renewed for these names (ACME)",
        set: |config, text| domains(text).map(|names| config.domain = names),
        show: |config| config.domain.join(","),
    },
    Setting {
        key: "acme_email",
        value: "ADDRESS",
        help: "whom the authority tells when something is wrong with that certificate",
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
        help: "production or staging of Let's Encrypt, or a directory's URL",
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
        help: "roots (PEM) to trust besides the usual ones when that directory is called",
        set: |config, text| set_path(&mut config.acme_ca, text),
        show: |config| shown_path(&config.acme_ca),
    },
    Setting {
        key: "acme_challenge",
        value: "KIND",
        help: "how names are proved: tls-alpn-01 (port 443), http-01 (port 80), or auto",
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
        help: "serves HTTPS with this certificate chain (PEM), read again when it changes",
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
        help: "where HTTP is sent on to HTTPS, or off; auto is port 80 if that is on 443",
        set: |config, text| {
            config.http_listen = match text {
                "auto" => HttpListen::Auto,
                "off" => HttpListen::Off,
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
        help: "how long browsers that came by HTTPS use nothing else; 0 for no time",
        set: |config, text| number(text, 0, 63_072_000).map(|value| config.hsts = value as u32),
        show: |config| config.hsts.to_string(),
    },
    Setting {
        key: "trusted_proxy",
        value: "CIDR,…",
        help: "proxies that are believed when they say whom a request is from",
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
        help: "full survives a power cut; normal spares cards that sync slowly",
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
        key: "post_limit",
        value: "N",
        help: "messages that a person may post in 10 s; 0 for no limit",
        set: |config, text| number(text, 0, 1_000_000).map(|value| config.post_limit = value as u32),
        show: |config| config.post_limit.to_string(),
    },
    Setting {
        key: "writer_queue",
        value: "N",
        help: "changes that may wait for the disk before new ones are answered with 503",
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
        help: "on fetches the pages behind links and shows what they are",
        set: |config, text| {
            config.link_previews = match text {
                "on" => true,
                "off" => false,
                _ => return Err("has to be on or off".into()),
            };
            Ok(())
        },
        show: |config| if config.link_previews { "on".into() } else { "off".into() },
    },
    Setting {
        key: "outgoing_allow",
        value: "CIDR,…",
        help: "private networks that link previews and pushes may reach all the same",
        set: |config, text| {
            list(text, "a network like 10.0.0.0/8").map(|networks| config.outgoing_allow = networks)
        },
        show: |config| shown(&config.outgoing_allow),
    },
    Setting {
        key: "name_servers",
        value: "ADDR:PORT,…",
        help: "who is asked for the addresses of other hosts, if not the system's name servers",
        set: |config, text| {
            list(text, "an address and a port, like 9.9.9.9:53").map(|servers| config.name_servers = servers)
        },
        show: |config| shown(&config.name_servers),
    },
    Setting {
        key: "cors_origins",
        value: "URL,…",
        help: "other sites whose pages may use the API with a token",
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
                return Err(format!("has {wrong:?}, which is no origin like https://example.org"));
            }
            config.cors_origins = origins;
            Ok(())
        },
        show: |config| config.cors_origins.join(","),
    },
    Setting {
        key: "metrics_token",
        value: "TOKEN",
        help: "lets others than loopback read /metrics",
        set: |config, text| {
            config.metrics_token = (!text.is_empty()).then(|| text.to_owned());
            Ok(())
        },
        show: |config| config.metrics_token.as_ref().map_or_else(String::new, |_| "(hidden)".into()),
    },
    Setting {
        key: "backup_dir",
        value: "DIR",
        help: "makes a backup in this directory every day; without it there are none",
        set: |config, text| set_path(&mut config.backup_dir, text),
        show: |config| shown_path(&config.backup_dir),
    },
    Setting {
        key: "backup_at",
        value: "HH:MM",
        help: "when that is, in UTC",
        set: |config, text| {
            let wanted = "has to be a time of day like 03:00";
            if text.len() != 5 {
                return Err(wanted.into());
            }
            config.backup_at = jiff::civil::Time::strptime("%H:%M", text).map_err(|_| wanted)?;
            Ok(())
        },
        show: |config| config.backup_at.strftime("%H:%M").to_string(),
    },
    Setting {
        key: "backup_daily",
        value: "N",
        help: "of so many days the last backup stays",
        set: |config, text| number(text, 1, 1_000).map(|value| config.backup_daily = value),
        show: |config| config.backup_daily.to_string(),
    },
    Setting {
        key: "backup_weekly",
        value: "N",
        help: "and of so many weeks before those",
        set: |config, text| number(text, 0, 1_000).map(|value| config.backup_weekly = value),
        show: |config| config.backup_weekly.to_string(),
    },
    Setting {
        key: "header_timeout",
        value: "SECONDS",
        help: "how long a request's head may take to arrive",
        set: |config, text| seconds(text).map(|value| config.header_timeout = value),
        show: |config| config.header_timeout.as_secs().to_string(),
    },
    Setting {
        key: "body_timeout",
        value: "SECONDS",
        help: "how long a request's body may take to arrive",
        set: |config, text| seconds(text).map(|value| config.body_timeout = value),
        show: |config| config.body_timeout.as_secs().to_string(),
    },
    Setting {
        key: "idle_timeout",
        value: "SECONDS",
        help: "how long a connection may wait for its next request",
        set: |config, text| seconds(text).map(|value| config.idle_timeout = value),
        show: |config| config.idle_timeout.as_secs().to_string(),
    },
    Setting {
        key: "alert_response_ms",
        value: "MS",
        help: "warn when one request in twenty takes longer, over a minute; 0 for never",
        // Beyond, the counters do not tell how long it was.
        set: |config, text| number(text, 0, 2_400).map(|value| config.alert_response_ms = value),
        show: |config| config.alert_response_ms.to_string(),
    },
    Setting {
        key: "alert_memory_mb",
        value: "MB",
        help: "warn when more memory is in use; 0 for never",
        set: |config, text| number(text, 0, 1 << 30).map(|value| config.alert_memory_mb = value),
        show: |config| config.alert_memory_mb.to_string(),
    },
    Setting {
        key: "alert_cpu_percent",
        value: "%",
        help: "warn when more of all processors is used, over a minute; 0 for never",
        set: |config, text| number(text, 0, 100).map(|value| config.alert_cpu_percent = value),
        show: |config| config.alert_cpu_percent.to_string(),
    },
    Setting {
        key: "alert_error_percent",
        value: "%",
        help: "warn when more requests fail by our own fault, over a minute; 0 for never",
        set: |config, text| number(text, 0, 100).map(|value| config.alert_error_percent = value),
        show: |config| config.alert_error_percent.to_string(),
    },
    Setting {
        key: "alert_room",
        value: "ID",
        help: "the room where such warnings are posted, besides the log; 0 for none",
        set: |config, text| number(text, 0, u32::MAX as usize).map(|value| config.alert_room = value),
        show: |config| config.alert_room.to_string(),
    },
    Setting {
        key: "log_format",
        value: "human|json",
        help: "how the log is written",
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
        help: "error, warn, info, debug or trace",
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
