//! Whether people reach the server by its name and over HTTPS.

use std::{
    fs,
    io::{self, Write},
    net::IpAddr,
    path::Path,
    time::{Duration, SystemTime},
};

use tokio::net::UdpSocket;
use url::{Host as Named, Url};

use super::{Finding, NOW};
use crate::{
    cli::doctor::host::Host,
    config::Config,
    outbound::{Outside, Policy, is_public},
    server::certificate::{self, Validity},
};

/// Whether connections are encrypted.
pub(super) fn encryption(_: &Host, config: &Config) -> Finding {
    let what = "encryption";
    if config.has_tls() {
        return Finding::ok(what, "HTTPS");
    }
    if config.base_url().starts_with("https://") {
        return Finding::ok(what, format!("HTTPS by a proxy, as {}", config.base_url()));
    }
    if config.listen.ip().is_loopback() {
        return Finding::ok(what, "plain HTTP, on this machine only");
    }
    if is_public(config.listen.ip()) {
        return Finding::failed(
            what,
            format!("plain HTTP on the public address {}", config.listen),
            "passwords can be read in transit",
        )
        .fix("with a name that points here", "campfire serve --domain chat.example.org");
    }
    Finding::unknown(
        what,
        "plain HTTP: passwords can be read in transit, and browsers allow no notifications",
    )
    .fix("with a name that points here", "campfire serve --domain chat.example.org")
}

/// Whether the certificate is valid, renewed in time, and for the name of the server.
pub(super) fn certificate_time(_: &Host, config: &Config) -> Finding {
    let what = "certificate";
    let by_acme = config.domain.first().map(|domain| certificate::path(&config.data, domain));
    let Some(path) = config.tls_cert.clone().or(by_acme) else {
        return Finding::unknown(what, "there is none");
    };
    let log = "journalctl -u campfire | grep -i certificate";
    if config.tls_cert.is_none()
        && let Err(error) = can_store(&path)
    {
        return Finding::failed(
            what,
            format!("{} cannot be written ({error})", path.display()),
            "the server cannot store it, and orders another one after each restart",
        )
        .fix("to see why", log);
    }
    if config.tls_cert.is_none() && !path.exists() {
        return Finding::failed(
            what,
            format!("there is none yet for {}", config.domain[0]),
            "nobody can connect by HTTPS",
        )
        .fix("to see why", log);
    }
    let found = match Validity::read(&path) {
        Ok(found) => found,
        Err(error) => {
            return Finding::failed(what, error.to_string(), "nobody can connect by HTTPS")
                .fix("to see why", log);
        }
    };
    let now = SystemTime::now();
    let until = jiff::Timestamp::try_from(found.not_after)
        .map_or_else(|_| "long ago".into(), |at| format!("{at:.0}"));
    let shown = format!("valid for {} until {until}", found.names.join(", "));
    if now < found.not_before {
        return Finding::failed(what, format!("{shown}, but not yet valid"), "check the clock")
            .fix(NOW, "sudo timedatectl set-ntp true");
    }
    let left = found.not_after.duration_since(now).unwrap_or_default();
    let lifetime = found.not_after.duration_since(found.not_before).unwrap_or_default();
    // Renewal is due when a third of the lifetime is left; at a sixth it has failed for long.
    if left < lifetime / 6 {
        return Finding::failed(what, shown, "it should have been renewed by now").fix("to see why", log);
    }
    let wanted: Vec<String> = match Url::parse(&config.base_url()) {
        Ok(url) => url.host_str().map(str::to_owned).into_iter().collect(),
        Err(_) => Vec::new(),
    };
    let is_named = |name: &String| {
        found.names.iter().any(|known| {
            known == name
                || known
                    .strip_prefix("*.")
                    .is_some_and(|tail| name.split_once('.').is_some_and(|(_, rest)| rest == tail))
        })
    };
    let is_name = |name: &&String| name.parse::<IpAddr>().is_err() && !name.starts_with('[');
    if let Some(missing) = wanted.iter().filter(is_name).find(|name| !is_named(name)) {
        return Finding::failed(what, shown, format!("it is not for {missing}, so browsers warn"))
            .fix("with a name of the certificate", "--public-url https://NAME");
    }
    Finding::ok(what, shown)
}

/// Tries to write beside a certificate, as the server does: to a file that then takes its place.
fn can_store(certificate: &Path) -> io::Result<()> {
    let fresh = certificate.with_extension("new");
    let Some(directory) = certificate.parent().filter(|directory| directory.is_dir()) else { return Ok(()) };
    if fresh.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let path = directory.join(format!(".campfire-doctor-{}", std::process::id()));
    let written = fs::File::create_new(&path).and_then(|mut file| {
        file.write_all(&[0; 16 << 10])?;
        file.sync_all()
    });
    // Fails if the file could not be created.
    let _ = fs::remove_file(&path);
    written
}

/// Whether the name of the server resolves to this host.
pub(super) fn name(_: &Host, config: &Config) -> Finding {
    let what = "name";
    let base = config.base_url();
    let Ok(url) = Url::parse(&base) else {
        return Finding::failed(what, format!("{base} is not a URL"), "nobody can connect by this name")
            .fix(NOW, "--public-url https://chat.example.org");
    };
    let Some(Named::Domain(host)) = url.host() else {
        return Finding::unknown(what, format!("people use an address, {base}"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Finding::unknown(what, "the name cannot be resolved here") };
    let outside = Outside::new(Policy { name_servers: config.name_servers.clone(), ..Policy::default() });
    let found = runtime.block_on(async {
        let addresses = match tokio::time::timeout(LOOK_UP_WITHIN, outside.locate(&url)).await {
            Ok(addresses) => addresses.map_err(|error| error.to_string())?,
            Err(_) => return Err("no name server answers".to_owned()),
        };
        for address in &addresses {
            if is_own(*address).await {
                return Ok((*address, true));
            }
        }
        Ok((addresses[0], false))
    });
    match found {
        Ok((address, true)) => Finding::ok(what, format!("{host} resolves to {address}, which is this host")),
        Ok((address, false)) => Finding::unknown(
            what,
            format!(
                "{host} resolves to {address}, which is not this host; it has to be a router or a proxy that forwards ports 80 and 443 to it"
            ),
        ),
        Err(why) => {
            Finding::failed(what, format!("{host} is not found ({why})"), "nobody can connect by this name")
                .fix(NOW, format!("add a record of type A or AAAA for {host} where the domain is managed"))
        }
    }
}

/// How long resolving the name may take.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);

/// Whether this host has the address, which only then can be bound.
async fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::installation::tests::installation;

    #[test]
    fn plain_http_fails_on_a_public_address() {
        let ok = |settings: fn(&mut Config)| {
            let (_dir, host, config) = installation(settings);
            encryption(&host, &config).ok
        };
        assert_eq!(ok(|_| {}), Some(true));
        assert_eq!(ok(|config| config.listen = "192.168.1.4:3000".parse().unwrap()), None);
        assert_eq!(ok(|config| config.listen = "0.0.0.0:3000".parse().unwrap()), None);
        assert_eq!(ok(|config| config.listen = "9.9.9.9:80".parse().unwrap()), Some(false));
        assert_eq!(
            ok(|config| {
                config.listen = "9.9.9.9:443".parse().unwrap();
                config.domain = vec!["chat.example".into()];
            }),
            Some(true)
        );
        let proxied = |config: &mut Config| config.public_url = Some("https://chat.example".into());
        assert_eq!(ok(proxied), Some(true));
    }

    #[test]
    fn certificate_that_is_missing_expiring_or_for_another_name_fails() {
        let (dir, host, mut config) = installation(|_| {});
        assert_eq!(certificate_time(&host, &config).ok, None);
        config.domain = vec!["chat.example".into()];
        assert_eq!(certificate_time(&host, &config).ok, Some(false), "there is none yet");
        config.domain.clear();
        let path = dir.path().join("chain.pem");
        config.tls_cert = Some(path.clone());
        config.tls_key = Some(dir.path().join("key.pem"));
        config.public_url = Some("https://chat.example".into());
        let day = std::time::Duration::from_secs(86_400);
        let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
        let now = rcgen::date_time_ymd(today.year().into(), today.month() as u8, today.day() as u8);
        let found = |names: &[&str], from, until| {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            let mut params = rcgen::CertificateParams::new(names).unwrap();
            (params.not_before, params.not_after) = (from, until);
            let key = rcgen::KeyPair::generate().unwrap();
            fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
            certificate_time(&host, &config)
        };
        assert_eq!(found(&["chat.example"], now - day, now + 89 * day).ok, Some(true));
        assert_eq!(found(&["*.example", "b.example"], now - day, now + 89 * day).ok, Some(true));
        let other = found(&["talk.example"], now - day, now + 89 * day);
        assert!(other.ok == Some(false) && other.needs.contains("not for chat.example"), "{}", other.needs);
        let old = found(&["chat.example"], now - 80 * day, now + 10 * day);
        assert!(old.ok == Some(false) && old.needs.contains("renewed by now"), "{}", old.needs);
        let early = found(&["chat.example"], now + day, now + 90 * day);
        assert!(early.ok == Some(false) && early.needs.contains("clock"), "{}", early.needs);
    }

    #[test]
    fn name_that_does_not_resolve_fails() {
        let (_dir, host, config) = installation(|_| {});
        assert_eq!(name(&host, &config).ok, None, "an address is no name");
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (_dir, host, config) = installation(|config| {
            config.domain = vec!["chat.invalid".into()];
            config.name_servers = vec![silent.local_addr().unwrap()];
        });
        drop(silent);
        let found = name(&host, &config);
        assert!(
            found.ok == Some(false) && found.found.contains("chat.invalid is not found"),
            "{}",
            found.found
        );
    }
}
