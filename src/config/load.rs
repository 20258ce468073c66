//! Loading: the settings from flags, variables and the file.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use super::{Config, SETTINGS, Setting, mail, oidc, once};

const DEFAULT_FILE: &str = "/etc/campfire/campfire.toml";

/// An invalid setting: one sentence that says which and why.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

fn setting(key: &str) -> Result<&'static Setting, ConfigError> {
    let found = SETTINGS.iter().find(|setting| setting.key == key);
    found.ok_or_else(|| ConfigError(format!("there is no setting {key}")))
}

/// The settings, and the source of each.
#[derive(Debug, Default)]
pub struct Loaded {
    pub config: Config,
    sources: BTreeMap<&'static str, String>,
}

impl Loaded {
    /// `flags` are pairs of key and value in the order given, `file` the argument of `--config`, `variable` reads the
    /// environment.
    pub fn load(
        flags: &[(String, String)],
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut loaded = Self::default();
        for (key, value, source) in once::settings(Path::new(once::VOLUME), &variable) {
            loaded.set(setting(key)?, &value, source.to_owned())?;
        }
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
            let setting = setting(key)?;
            loaded.set(setting, value, setting.flag())?;
        }
        loaded.finish()?;
        Ok(loaded)
    }

    /// Checks and completes settings that depend on each other.
    fn finish(&mut self) -> Result<(), ConfigError> {
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
                    "domain and tls_cert are both set; with domain, the server orders its own certificate"
                        .into(),
                ));
            }
            _ => {}
        }
        mail::finish(config)?;
        if config.has_tls() && !self.sources.contains_key("listen") {
            config.listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 443));
            self.sources.insert("listen", "for HTTPS".into());
        }
        oidc::finish(config).map_err(ConfigError)
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
            if key == "oidc" {
                self.read_providers(path, &value)?;
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
                return Err(ConfigError(format!(
                    "the settings file {shown} has {key}, which is no setting; `campfire serve --help` lists them all"
                )));
            };
            let value = match &value {
                toml::Value::Table(_) => {
                    return Err(ConfigError(format!("{key} in {shown} has to be one value, not a table")));
                }
                value => text_of(value)
                    .ok_or_else(|| ConfigError(format!("{key} in {shown} has to be a list of texts")))?,
            };
            self.set(setting, &value, format!("{key} in {shown}"))?;
        }
        Ok(())
    }

    /// The tables `[oidc.NAME]`.
    fn read_providers(&mut self, path: &Path, tables: &toml::Value) -> Result<(), ConfigError> {
        let tables = tables.as_table().into_iter().flatten();
        let tables: Option<Vec<_>> = tables.map(|(id, table)| Some((id, table.as_table()?))).collect();
        let Some(tables) = tables.filter(|tables| !tables.is_empty()) else {
            return Err(ConfigError(format!("oidc in {} has to be tables like [oidc.NAME]", path.display())));
        };
        for (id, table) in tables {
            oidc::read_table(&mut self.config, path, id, table).map_err(ConfigError)?;
        }
        Ok(())
    }

    fn set(&mut self, setting: &Setting, value: &str, source: String) -> Result<(), ConfigError> {
        (setting.set)(&mut self.config, value).map_err(|why| {
            // What may have a password in it is not repeated.
            let value = if setting.key == "smtp_url" { String::new() } else { format!(", not {value:?}") };
            ConfigError(format!("{source} {why}{value}"))
        })?;
        self.sources.insert(setting.key, source);
        Ok(())
    }

    /// A setting's value as text.
    pub fn show(&self, setting: &Setting) -> String {
        (setting.show)(&self.config)
    }

    /// Every setting with its value and, as a comment, its source, as TOML.
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

/// A value of the file as a flag would have it; None for a table and for a list of anything but texts.
pub(super) fn text_of(value: &toml::Value) -> Option<String> {
    Some(match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(toml::Value::as_str).collect();
            texts?.join(",")
        }
        toml::Value::Table(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::MAX_DOMAINS;

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
    fn flags_override_variables_override_the_file_overrides_defaults() {
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
    fn listen_defaults_to_port_443_with_a_certificate() {
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
        assert_eq!(config.redirect_from(), None, "there is no HTTPS to redirect to");
        assert_eq!(config.base_url(), "http://127.0.0.1:3000");
        for half in [&pair[..1], &pair[1..], &[pair[0], pair[1], ("domain", "a.example")]] {
            let refused = load(half, None, &[]).err().unwrap().0;
            assert!(refused.contains("tls_cert") && refused.contains("set"), "{refused}");
        }
    }

    #[test]
    fn domains_are_normalized_as_in_a_certificate() {
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
    fn acme_directory_is_one_of_lets_encrypt_or_a_url() {
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
    fn errors_name_the_setting_and_the_reason() {
        let refused = |flags: &[(&str, &str)], file: Option<&str>| load(flags, file, &[]).err().unwrap().0;
        assert_eq!(
            refused(&[("post_limit", "many")], None),
            "--post-limit has to be a whole number from 0 to 1000000, not \"many\""
        );
        assert!(refused(&[("listen", "here")], None).starts_with("--listen has to be an address and a port"));
        assert!(refused(&[], Some("colour = \"red\"")).contains("colour, which is no setting"));
        assert!(refused(&[], Some("listen =")).contains("is not TOML"));
        assert!(refused(&[], Some("durability = true")).contains("has to be full or normal, not \"true\""));
        assert!(refused(&[], Some("post_limit = 2.5")).contains("has to be a whole number from 0 to"));
        assert!(refused(&[], Some("[post_limit]")).contains("has to be one value, not a table"));
        assert!(refused(&[], Some("link_previews = 1")).contains("has to be on or off, not \"1\""));
    }

    /// 34.
    #[test]
    fn on_and_off_may_be_toml_booleans() {
        let previews = |file: &str| load(&[], Some(file), &[]).unwrap().config.link_previews;
        for (file, wanted) in [
            ("link_previews = true", true),
            ("link_previews = false", false),
            ("link_previews = \"on\"", true),
            ("link_previews = \"off\"", false),
        ] {
            assert_eq!(previews(file), wanted, "{file}");
        }
        let config = load(&[], Some("http_listen = false\npost_limit = \"7\""), &[]).unwrap().config;
        assert_eq!((config.http_listen, config.post_limit), (crate::config::HttpListen::Off, 7));
    }
}
