//! The settings of mail: the address of the relay with how to sign in there, and the sender.

use std::{path::Path, time::Duration};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::{
    Config, ConfigError, Setting,
    values::{is_email, number, seconds, set_path, shown_path, time_of_day},
};
use crate::outbound::smtp::{Credentials, Encryption, Relay, Sender, roots};

/// Bytes of a file with a password.
const MAX_PASSWORD_FILE: u64 = 4 << 10;

/// Ports by the way of encryption: RFC 8314, RFC 6409, and that of mail servers among themselves.
const IMPLICIT_TLS: u16 = 465;
const SUBMISSION: u16 = 587;
const RELAY: u16 = 25;

pub(super) const SMTP_URL: Setting = Setting {
    key: "smtp_url",
    value: "URL",
    help: "the server that takes mails, like smtp://USER:PASSWORD@HOST:587; none: no mail",
    set: |config, text| match text {
        "" => {
            config.smtp_url = None;
            Ok(())
        }
        url => relay(url).map(|relay| config.smtp_url = Some(relay)),
    },
    show: |config| config.smtp_url.as_ref().map_or_else(String::new, shown_relay),
};

pub(super) const SMTP_PASSWORD_FILE: Setting = Setting {
    key: "smtp_password_file",
    value: "F",
    help: "a file whose first line is the password for it",
    set: |config, text| set_path(&mut config.smtp_password_file, text),
    show: |config| shown_path(&config.smtp_password_file),
};

pub(super) const SMTP_CA: Setting = Setting {
    key: "smtp_ca",
    value: "FILE",
    help: "roots (PEM) to trust for it, besides the usual ones",
    set: |config, text| set_path(&mut config.smtp_ca, text),
    show: |config| shown_path(&config.smtp_ca),
};

pub(super) const SMTP_TIMEOUT: Setting = Setting {
    key: "smtp_timeout",
    value: "SECONDS",
    help: "how long it may take for each answer, at most 50",
    set: |config, text| {
        number(text, 1, 50).map(|value| config.smtp_timeout = Duration::from_secs(value as u64))
    },
    show: |config| config.smtp_timeout.as_secs().to_string(),
};

pub(super) const MAIL_FROM: Setting = Setting {
    key: "mail_from",
    value: "ADDRESS",
    help: "the sender of mails, an address like chat@example.org, with or without a name",
    set: |config, text| match text {
        "" => {
            config.mail_from = None;
            Ok(())
        }
        text => sender(text).map(|sender| config.mail_from = Some(sender)),
    },
    show: |config| config.mail_from.as_ref().map_or_else(String::new, ToString::to_string),
};

pub(super) const MAIL_PER_HOUR: Setting = Setting {
    key: "mail_per_hour",
    value: "N",
    help: "mails in an hour, in all; further ones wait",
    set: |config, text| number(text, 1, 100_000).map(|value| config.mail_per_hour = value),
    show: |config| config.mail_per_hour.to_string(),
};

pub(super) const MAIL_AFTER: Setting = Setting {
    key: "mail_after",
    value: "SECONDS",
    help: "how long one has to be away before unread mentions are mailed",
    set: |config, text| seconds(text).map(|value| config.mail_after = value),
    show: |config| config.mail_after.as_secs().to_string(),
};

pub(super) const MAIL_DAILY_AT: Setting = Setting {
    key: "mail_daily_at",
    value: "HH:MM",
    help: "the time of the daily mail of those who want one, in UTC",
    set: |config, text| time_of_day(text).map(|time| config.mail_daily_at = time),
    show: |config| config.mail_daily_at.strftime("%H:%M").to_string(),
};

/// A relay by its URL. The error never repeats the password.
fn relay(text: &str) -> Result<Relay, String> {
    let url = Url::parse(text).map_err(|_| "has to be a URL like smtp://USER:PASSWORD@HOST:587")?;
    let is_implicit = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err("has to start with smtp:// or smtps://".into()),
    };
    // Of other schemes than http, `url` leaves hosts as they are.
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("names no host")?;
    let host = decoded(host)?;
    let host = Host::parse(&host).map_err(|_| "names a host that is no name and no address")?;
    let is_here = match &host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err("has something behind the host and the port".into());
    }
    let mut encryption = match (is_implicit, is_here) {
        (true, _) => Encryption::Implicit,
        // What stays on this machine needs none, and its certificate would be nobody's.
        (false, true) => Encryption::None,
        (false, false) => Encryption::Required,
    };
    for (name, value) in url.query_pairs() {
        encryption = match (&*name, &*value) {
            ("tls", _) if is_implicit => {
                return Err("has tls, which is for smtp:// only; smtps:// is encrypted from the start".into());
            }
            ("tls", "required") => Encryption::Required,
            ("tls", "opportunistic") => Encryption::Opportunistic,
            ("tls", "none") => Encryption::None,
            ("tls", _) => return Err("has to have tls=required, tls=opportunistic or tls=none".into()),
            _ => return Err("has a parameter behind the question mark that is not tls".into()),
        };
    }
    let port = url.port().unwrap_or(match (is_implicit, is_here) {
        (true, _) => IMPLICIT_TLS,
        (false, false) => SUBMISSION,
        (false, true) => RELAY,
    });
    let credentials = match (decoded(url.username())?, url.password()) {
        (user, None) if user.is_empty() => None,
        (user, _) if user.is_empty() => return Err("has a password and no user".into()),
        (user, password) => Some(Credentials { user, password: decoded(password.unwrap_or_default())? }),
    };
    if credentials.is_some() && encryption == Encryption::None && !is_here {
        return Err("has a password and tls=none: it would go over the network for everybody to read".into());
    }
    Ok(Relay { host, port, encryption, credentials, is_here })
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| "has a part that is not UTF-8")?;
    match text.chars().any(char::is_control) {
        true => Err("has a control character in it".into()),
        false => Ok(text.into_owned()),
    }
}

/// The relay as it may be shown.
fn shown_relay(relay: &Relay) -> String {
    let scheme = if relay.encryption == Encryption::Implicit { "smtps" } else { "smtp" };
    let user = relay.credentials.as_ref().map_or("", |_| "(hidden)@");
    let tls = match relay.encryption {
        Encryption::Implicit => "",
        Encryption::Required => "?tls=required",
        Encryption::Opportunistic => "?tls=opportunistic",
        Encryption::None => "?tls=none",
    };
    format!("{scheme}://{user}{}:{}{tls}", relay.host, relay.port)
}

/// `chat@example.org`, or `A name <chat@example.org>`.
fn sender(text: &str) -> Result<Sender, String> {
    let wanted = "has to be an address like chat@example.org, or Campfire <chat@example.org>";
    let (name, address) = match text.trim().strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
        None => ("", text.trim()),
    };
    if !is_email(address) || address.chars().any(|c| "\"()[]\\;".contains(c)) {
        return Err(wanted.into());
    }
    if let Some(fault) = crate::text::line_fault(name).filter(|_| !name.is_empty()) {
        return Err(format!("has a name that {fault}"));
    }
    Ok(Sender { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() })
}

/// Checks and completes the settings of mail, which depend on each other.
pub(super) fn finish(config: &mut Config) -> Result<(), ConfigError> {
    let failed = |why: String| Err(ConfigError(why));
    let has_address = config.public_url.is_some() || !config.domain.is_empty();
    let Some(relay) = &mut config.smtp_url else {
        return match &config.smtp_password_file {
            Some(_) => failed("smtp_password_file is set and smtp_url is not".into()),
            None => Ok(()),
        };
    };
    if let Some(path) = &config.smtp_password_file {
        let credentials = match &mut relay.credentials {
            Some(credentials) if credentials.password.is_empty() => credentials,
            Some(_) => return failed("smtp_password_file is set and smtp_url has a password too".into()),
            None => {
                return failed(
                    "smtp_password_file is set and smtp_url has no user; write smtp://USER@HOST".into(),
                );
            }
        };
        credentials.password = password(path).map_err(ConfigError)?;
    }
    if relay.credentials.as_ref().is_some_and(|credentials| credentials.password.is_empty()) {
        return failed(
            "smtp_url has a user and no password; give one there, or in a file with smtp_password_file"
                .into(),
        );
    }
    if let Some(file) = &config.smtp_ca {
        roots(file).map_err(ConfigError)?;
    }
    if config.mail_from.is_none() {
        return failed(
            "smtp_url is set and mail_from is not; mails need a sender like chat@example.org".into(),
        );
    }
    if !has_address {
        return failed(
            "smtp_url is set and neither public_url nor domain is; links in mails need the address of this server"
                .into(),
        );
    }
    Ok(())
}

/// The first line of a file.
fn password(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot = |error: std::io::Error| format!("cannot read smtp_password_file {shown} ({error})");
    if std::fs::metadata(path).map_err(cannot)?.len() > MAX_PASSWORD_FILE {
        return Err(format!("smtp_password_file {shown} has more than {MAX_PASSWORD_FILE} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(cannot)?;
    let password = text.lines().next().unwrap_or_default();
    match password.is_empty() || password.chars().any(char::is_control) {
        true => Err(format!("smtp_password_file {shown} has no password in its first line")),
        false => Ok(password.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relay_has_the_port_and_the_encryption_that_its_url_means() {
        for (url, host, port, encryption) in [
            ("smtp://mail.example.org", "mail.example.org", 587, Encryption::Required),
            (
                "smtp://mail.example.org:25?tls=opportunistic",
                "mail.example.org",
                25,
                Encryption::Opportunistic,
            ),
            ("smtps://Mail.Example.org", "mail.example.org", 465, Encryption::Implicit),
            ("smtp://localhost", "localhost", 25, Encryption::None),
            ("smtp://127.0.0.1:2525/?tls=none", "127.0.0.1", 2525, Encryption::None),
            ("smtp://[::1]?tls=required", "[::1]", 25, Encryption::Required),
            ("smtp://10.0.0.2?tls=none", "10.0.0.2", 587, Encryption::None),
        ] {
            let relay = relay(url).unwrap_or_else(|why| panic!("{url} {why}"));
            assert_eq!((&*relay.host.to_string(), relay.port, relay.encryption), (host, port, encryption));
        }
        let relay = relay("smtp://ana%40example.org:p%3Ass@mail.example.org").unwrap();
        let credentials = relay.credentials.as_ref().unwrap();
        assert_eq!((&*credentials.user, &*credentials.password), ("ana@example.org", "p:ss"));
        let shown = shown_relay(&relay);
        assert_eq!(shown, "smtp://(hidden)@mail.example.org:587?tls=required");
        assert!(!format!("{relay:?}").contains("p:ss"), "a password is not printed for debugging");
    }

    #[test]
    fn wrong_relays_are_refused_with_a_reason() {
        for (url, why) in [
            ("mail.example.org:587", "smtp:// or smtps://"),
            ("mail", "a URL like"),
            ("http://mail.example.org", "smtp:// or smtps://"),
            ("smtp://", "no host"),
            ("smtp://mail.example.org/inbox", "behind the host"),
            ("smtp://mail.example.org?tls=maybe", "tls=required"),
            ("smtp://mail.example.org?starttls=yes", "not tls"),
            ("smtps://mail.example.org?tls=none", "smtp:// only"),
            ("smtp://:secret@mail.example.org", "no user"),
            ("smtp://ana:secret@mail.example.org?tls=none", "for everybody to read"),
            ("smtp://a%0D%0Ab:secret@mail.example.org", "control character"),
        ] {
            let refused = relay(url).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("secret"), "{url}: {refused}");
        }
    }

    #[test]
    fn sender_is_an_address_with_or_without_a_name() {
        let parts = |text: &str| sender(text).map(|sender| (sender.name, sender.address));
        assert_eq!(parts("chat@example.org"), Ok((None, "chat@example.org".into())));
        assert_eq!(
            parts("\"Kontor, Bern\" <chat@example.org>"),
            Ok((Some("Kontor, Bern".into()), "chat@example.org".into()))
        );
        for wrong in ["", "chat", "Kontor <chat>", "a@b.example, c@d.example", "<chat@example.org> x"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
