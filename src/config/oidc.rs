//! The settings of identity providers: those of the first one as settings of their own, further ones in the file as
//! `[oidc.NAME]`, with the same keys.

use std::path::Path;

use url::{Host, Url};

use super::{
    Config, Setting,
    values::{domains, on_or_off, set_path, shown_path},
};
use crate::outbound::oidc::{MAIN, Provider, Secret};

/// Bytes of a file with a secret.
const MAX_SECRET: u64 = 64 << 10;

/// Providers that are accepted.
const MAX_PROVIDERS: usize = 20;

/// Issuers where anybody can make an account.
const OPEN_TO_ALL: [&str; 4] = [
    "https://accounts.google.com",
    "https://gitlab.com",
    "https://appleid.apple.com",
    // Personal accounts of Microsoft.
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
];

type Set = fn(&mut Provider, &str) -> Result<(), String>;

macro_rules! settings {
    ($($key:literal, $flat:literal, $value:literal, $help:literal, $set:expr, $show:expr;)*) => {
        /// The keys of a provider.
        const KEYS: &[(&str, Set)] = &[$(($key, $set)),*];

        /// The same as settings of the first provider.
        pub(super) const OIDC: &[Setting] = &[$(
            Setting {
                key: $flat,
                value: $value,
                help: $help,
                set: |config, text| {
                    let set: Set = $set;
                    set(main_of(config), text)
                },
                show: |config| {
                    let show: fn(&Provider) -> String = $show;
                    config.oidc.iter().find(|it| it.id == MAIN).map_or_else(|| show(&Provider::new(MAIN)), show)
                },
            }
        ),*];
    };
}

settings! {
    "issuer", "oidc_issuer", "URL",
    "an identity provider to sign in by (OpenID Connect): the address of its issuer",
    |provider, text| issuer(text).map(|issuer| provider.issuer = issuer),
    |provider| provider.issuer.clone();

    "client_id", "oidc_client_id", "ID",
    "the name of this server as a client there",
    |provider, text| printable(text).map(|id| provider.client_id = id),
    |provider| provider.client_id.clone();

    "secret", "oidc_secret", "TEXT",
    "the client's secret; none for a public client",
    |provider, text| {
        // Checked later: what is said about a wrong value names it.
        provider.secret = Secret((!text.is_empty()).then(|| text.to_owned()));
        Ok(())
    },
    |provider| provider.secret.0.as_ref().map_or_else(String::new, |_| "(hidden)".into());

    "secret_file", "oidc_secret_file", "FILE",
    "a file with that secret, instead",
    |provider, text| set_path(&mut provider.secret_file, text),
    |provider| shown_path(&provider.secret_file);

    "name", "oidc_name", "NAME",
    "the provider's name for people, on the button",
    |provider, text| printable(text).map(|name| provider.name = name),
    |provider| provider.name.clone();

    "scopes", "oidc_scopes", "WORDS",
    "what the provider is asked for; openid always",
    |provider, text| scopes(text).map(|scopes| provider.scopes = scopes),
    |provider| provider.scopes.join(" ");

    "groups_claim", "oidc_groups_claim", "NAME",
    "the claim with a person's groups, or a path to it",
    |provider, text| {
        if text.trim().is_empty() {
            return Err("has to name a claim".into());
        }
        provider.groups_claim = text.trim().to_owned();
        Ok(())
    },
    |provider| provider.groups_claim.clone();

    "admin_group", "oidc_admin_group", "GROUP",
    "people in this group are administrators, and no others; empty: by hand",
    |provider, text| {
        provider.admin_group = (!text.trim().is_empty()).then(|| text.trim().to_owned());
        Ok(())
    },
    |provider| provider.admin_group.clone().unwrap_or_default();

    "allowed_domains", "oidc_allowed_domains", "N,…",
    "only people with verified e-mail addresses of these domains may sign in",
    |provider, text| domains(text).map(|names| provider.allowed_domains = names),
    |provider| provider.allowed_domains.join(",");

    "allowed_groups", "oidc_allowed_groups", "G,…",
    "only people in one of these groups may sign in",
    |provider, text| {
        let groups = text.split(',').map(str::trim).filter(|group| !group.is_empty());
        provider.allowed_groups = groups.map(str::to_owned).collect();
        Ok(())
    },
    |provider| provider.allowed_groups.join(",");

    "trust_email", "oidc_trust_email", "on|off",
    "take e-mail addresses for verified of which the provider does not say so",
    |provider, text| on_or_off(text).map(|on| provider.trust_email = on),
    |provider| shown_flag(provider.trust_email);

    "new_accounts", "oidc_new_accounts", "on|off",
    "whether who signs in for the first time gets an account",
    |provider, text| on_or_off(text).map(|on| provider.new_accounts = on),
    |provider| shown_flag(provider.new_accounts);

    "sign_out", "oidc_sign_out", "on|off",
    "whether signing out leads on to the provider, to sign out there",
    |provider, text| on_or_off(text).map(|on| provider.sign_out = on),
    |provider| shown_flag(provider.sign_out);
}

pub(super) const PASSWORD_SIGN_IN: Setting = Setting {
    key: "password_sign_in",
    value: "on|off",
    help: "whether people sign in by a password; off needs an identity provider",
    set: |config, text| on_or_off(text).map(|on| config.password_sign_in = on),
    show: |config| shown_flag(config.password_sign_in),
};

fn shown_flag(on: bool) -> String {
    if on { "on".into() } else { "off".into() }
}

/// The provider without a name, which is the first.
fn main_of(config: &mut Config) -> &mut Provider {
    if config.oidc.first().is_none_or(|first| first.id != MAIN) {
        config.oidc.insert(0, Provider::new(MAIN));
    }
    &mut config.oidc[0]
}

fn printable(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) || text.chars().count() > 200 {
        return Err("has to be one line of at most 200 characters".into());
    }
    Ok(text.to_owned())
}

fn scopes(text: &str) -> Result<Vec<String>, String> {
    // The characters of RFC 6749, section 3.3.
    let is_scope = |word: &str| word.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    if let Some(wrong) = words.iter().find(|word| !is_scope(word)) {
        return Err(format!("has {wrong:?}, which is no scope like profile"));
    }
    let others = words.into_iter().filter(|word| *word != "openid");
    Ok(std::iter::once("openid").chain(others).map(str::to_owned).collect())
}

fn issuer(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let not = || "has to be an address like https://id.example.org".to_owned();
    let url = Url::parse(text).map_err(|_| not())?;
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !is_here {
        return Err("has to start with https://; http:// only to a provider on this machine".into());
    }
    if !["http", "https"].contains(&url.scheme()) || !url.username().is_empty() || url.password().is_some() {
        return Err(not());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has to be an address without ? and #".into());
    }
    if url.path().contains("/.well-known/") {
        return Err("has to be the issuer alone, without /.well-known/openid-configuration".into());
    }
    let tenant = url.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if url.host_str() == Some("login.microsoftonline.com")
        && ["common", "organizations", "consumers", "{tenantid}"].contains(&tenant)
    {
        return Err(
            "has to name one tenant of Entra by its id, as people of any could sign in otherwise".into()
        );
    }
    Ok(text.to_owned())
}

/// Takes a provider's table of the file in.
pub(super) fn read_table(
    config: &mut Config,
    file: &Path,
    id: &str,
    table: &toml::Table,
) -> Result<(), String> {
    let shown = format!("[oidc.{id}] in {}", file.display());
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id == MAIN || id.is_empty() || id.len() > 30 || !id.chars().all(is_name) {
        return Err(format!(
            "{shown} needs another name: up to 30 small letters, digits and -, but not {MAIN}; it is part of an address"
        ));
    }
    let mut provider = Provider::new(id);
    for (key, value) in table {
        let Some((_, set)) = KEYS.iter().find(|(known, _)| known == key) else {
            let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
            return Err(format!(
                "{shown} has {key}, which is no setting of it; they are {}",
                known.join(", ")
            ));
        };
        let value = super::load::text_of(value)
            .ok_or_else(|| format!("{key} of {shown} has to be one value or a list of texts"))?;
        set(&mut provider, &value).map_err(|why| format!("{key} of {shown} {why}, not {value:?}"))?;
    }
    config.oidc.push(provider);
    Ok(())
}

/// Checks and completes what depends on each other.
pub(super) fn finish(config: &mut Config) -> Result<(), String> {
    // Settings without a name that are empty are none.
    config.oidc.retain(|provider| *provider != Provider::new(MAIN));
    if config.oidc.len() > MAX_PROVIDERS {
        return Err(format!(
            "there are {} identity providers; at most {MAX_PROVIDERS} are accepted",
            config.oidc.len()
        ));
    }
    for provider in &mut config.oidc {
        let (issuer, client_id) = (provider.setting("issuer"), provider.setting("client_id"));
        if provider.issuer.is_empty() {
            return Err(format!("{issuer} is missing; the other settings of that provider need it"));
        }
        if provider.client_id.is_empty() {
            return Err(format!(
                "{issuer} is set and {client_id} is not; the provider knows this server by it"
            ));
        }
        read_secret(provider)?;
        let bare = provider.issuer.trim_end_matches('/');
        let is_limited = !provider.allowed_domains.is_empty() || !provider.allowed_groups.is_empty();
        if OPEN_TO_ALL.contains(&bare) && provider.new_accounts && !is_limited {
            return Err(format!(
                "{issuer} is {}, where anybody can sign in: set {} too, or {} to off",
                provider.issuer,
                provider.setting("allowed_domains"),
                provider.setting("new_accounts"),
            ));
        }
    }
    let mut issuers: Vec<&str> = config.oidc.iter().map(|it| it.issuer.trim_end_matches('/')).collect();
    issuers.sort_unstable();
    if let Some(twice) = issuers.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two identity providers have the issuer {}; one of them is enough", twice[0]));
    }
    if !config.password_sign_in && config.oidc.is_empty() {
        return Err("password_sign_in is off and there is no oidc_issuer; nobody could sign in".into());
    }
    Ok(())
}

fn read_secret(provider: &mut Provider) -> Result<(), String> {
    let (setting, of_file) = (provider.setting("secret"), provider.setting("secret_file"));
    if let Some(path) = &provider.secret_file {
        if provider.secret.0.is_some() {
            return Err(format!("{setting} and {of_file} are both set; one of them is enough"));
        }
        let shown = path.display();
        let is_small = std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_SECRET);
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{of_file} names {shown}, which cannot be read ({error})"))?;
        if !is_small || text.trim().is_empty() {
            return Err(format!("{of_file} names {shown}, which is empty or no file with a secret"));
        }
        provider.secret = Secret(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let is_printable = |secret: &String| !secret.chars().any(char::is_control);
    if !provider.secret.0.as_ref().is_none_or(is_printable) {
        return Err(format!("{setting} has to be one line"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, Loaded};

    fn load(flags: &[(&str, &str)], file: &str) -> Result<Loaded, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("campfire.toml");
        std::fs::write(&path, file).unwrap();
        let flags: Vec<_> = flags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Loaded::load(&flags, Some(&path), |_| None)
    }

    const ONE: [(&str, &str); 2] =
        [("oidc_issuer", "https://id.example/realms/r"), ("oidc_client_id", "chat")];

    #[test]
    fn providers_are_settings_and_tables_of_the_file() {
        assert_eq!(load(&[], "").unwrap().config.oidc, []);
        assert_eq!(load(&[("oidc_name", ""), ("oidc_issuer", "")], "").unwrap().config.oidc, []);
        let file = "[oidc.partner]\nissuer = \"https://other.example/\"\nclient_id = \"c\"\nallowed_groups = [\"a\", \"/b\"]\ntrust_email = true\n";
        let loaded =
            load(&[&ONE[..], &[("oidc_scopes", "groups email"), ("oidc_secret", "s3cret")]].concat(), file);
        let loaded = loaded.unwrap();
        let [main, partner] = &loaded.config.oidc[..] else { panic!("{:?}", loaded.config.oidc) };
        assert_eq!((main.id.as_str(), main.scopes.join(" ").as_str()), (MAIN, "openid groups email"));
        assert_eq!((partner.label(), partner.issuer.as_str()), ("partner", "https://other.example/"));
        assert!(partner.trust_email && !main.trust_email);
        assert_eq!(partner.allowed_groups, ["a", "/b"]);
        assert_eq!(
            main.redirect_uri("https://chat.example"),
            "https://chat.example/signin/oidc/main/callback"
        );
        let printed = loaded.print();
        assert!(printed.contains("(hidden)") && !printed.contains("s3cret"), "{printed}");
        assert!(!format!("{:?}", loaded.config).contains("s3cret"));
    }

    #[test]
    fn wrong_providers_are_refused_with_the_setting_and_the_reason() {
        let refused =
            |more: &[(&str, &str)], file: &str| load(&[&ONE[..], more].concat(), file).err().unwrap().0;
        for (value, why) in [
            ("http://id.example", "has to start with https://"),
            ("id.example", "has to be an address like"),
            ("https://id.example/?a=b", "without ? and #"),
            ("https://id.example/.well-known/openid-configuration", "the issuer alone"),
            ("https://login.microsoftonline.com/common/v2.0", "one tenant"),
            ("https://me@id.example", "has to be an address like"),
            ("https://accounts.google.com", "anybody can sign in: set oidc_allowed_domains too"),
        ] {
            let text = refused(&[("oidc_issuer", value)], "");
            assert!(text.contains("oidc") && text.contains(why), "{text}");
        }
        assert!(refused(&[("oidc_client_id", "")], "").contains("oidc_client_id is not"));
        assert!(refused(&[("oidc_scopes", "a\"b")], "").contains("which is no scope"));
        assert!(refused(&[("oidc_trust_email", "yes")], "").contains("has to be on or off"));
        assert!(refused(&[("oidc_secret_file", "/nowhere/at/all")], "").contains("cannot be read"));
        let secret = refused(&[("oidc_secret", "two\nlines")], "");
        assert!(secret.contains("one line") && !secret.contains("two"), "{secret}");
        let both = refused(&[("oidc_secret", "a"), ("oidc_secret_file", "b")], "");
        assert!(both.contains("both set"), "{both}");
        assert!(refused(&[], "[oidc.Main]\n").contains("needs another name"));
        assert!(refused(&[], "[oidc.b]\ncolour = \"red\"\n").contains("colour, which is no setting of it"));
        assert!(refused(&[], "[oidc.b]\nclient_id = \"c\"\n").contains("issuer in [oidc.b] is missing"));
        assert!(refused(&[], "oidc = \"x\"\n").contains("has to be tables"));
        let twice = "[oidc.b]\nclient_id = \"c\"\nissuer = \"https://id.example/realms/r/\"\n";
        assert!(refused(&[], twice).contains("two identity providers have the issuer"));
        let only = load(&[("oidc_name", "Corp")], "").err().unwrap().0;
        assert!(only.contains("oidc_issuer is missing"), "{only}");
        let nobody = load(&[("password_sign_in", "off")], "").err().unwrap().0;
        assert!(nobody.contains("nobody could sign in"), "{nobody}");
        for (more, is_limited) in [
            (("oidc_allowed_domains", "example.org"), true),
            (("oidc_new_accounts", "off"), true),
            (("oidc_name", "G"), false),
        ] {
            let google = load(&[("oidc_issuer", "https://accounts.google.com"), ONE[1], more], "");
            assert_eq!(google.is_ok(), is_limited, "{more:?}");
        }
    }

    #[test]
    fn secret_may_be_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "s3cret\n").unwrap();
        let with =
            |path: &Path| load(&[&ONE[..], &[("oidc_secret_file", path.to_str().unwrap())]].concat(), "");
        assert_eq!(with(&path).unwrap().config.oidc[0].secret.0.as_deref(), Some("s3cret"));
        std::fs::write(&path, "\n").unwrap();
        assert!(with(&path).err().unwrap().0.contains("is empty"));
        assert!(with(dir.path()).err().unwrap().0.contains("cannot be read"));
    }
}
