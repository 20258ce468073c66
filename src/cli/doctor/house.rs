//! What is around the server, whatever it is to carry: its name, its disk, the clock, who may read what it keeps.

use std::{
    fs,
    net::IpAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::net::UdpSocket;
use url::{Host as Named, Url};

use super::{checks::NOW, host::Host};
use crate::{
    config::Config,
    outbound::{Outside, Policy, is_public},
    server::certificate::{self, Validity},
    store::CERTIFICATES,
};

pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) found: String,
    /// None if it cannot be told here, or is the owner's to judge.
    pub(super) fit: Option<bool>,
    /// Why it is not, and what would help.
    pub(super) needs: String,
    pub(super) mend: Vec<(&'static str, String)>,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: found.into(), fit: Some(true), needs: String::new(), mend: Vec::new() }
    }

    fn untold(what: &'static str, found: impl Into<String>) -> Self {
        Self { fit: None, ..Self::fine(what, found) }
    }

    fn unfit(what: &'static str, found: impl Into<String>, needs: impl Into<String>) -> Self {
        Self { fit: Some(false), needs: needs.into(), ..Self::fine(what, found) }
    }

    fn mend(mut self, when: &'static str, command: impl Into<String>) -> Self {
        self.mend.push((when, command.into()));
        self
    }
}

pub(super) static FINDINGS: &[fn(&Host, &Config) -> Finding] =
    &[encryption, certificate_time, name, disk_room, clock, permissions, last_backup];

/// Whether what people type can be read on its way.
fn encryption(_: &Host, config: &Config) -> Finding {
    let what = "encryption";
    if config.has_tls() {
        return Finding::fine(what, "HTTPS");
    }
    if config.base_url().starts_with("https://") {
        return Finding::fine(what, format!("HTTPS by a proxy, as {}", config.base_url()));
    }
    if config.listen.ip().is_loopback() {
        return Finding::fine(what, "plain HTTP, which does not leave this machine");
    }
    if is_public(config.listen.ip()) {
        return Finding::unfit(
            what,
            format!("plain HTTP on the public address {}", config.listen),
            "passwords can be read on their way",
        )
        .mend("with a name that points here", "campfire serve --domain chat.example.org");
    }
    Finding::untold(
        what,
        "plain HTTP: fine within a house, but passwords can be read on their way, and browsers allow no notifications",
    )
    .mend("with a name that points here", "campfire serve --domain chat.example.org")
}

/// Until when the certificate is good. One that is renewed in time never comes near its end.
fn certificate_time(_: &Host, config: &Config) -> Finding {
    let what = "certificate";
    let by_acme = config.domain.first().map(|domain| certificate::place(&config.data, domain));
    let Some(path) = config.tls_cert.clone().or(by_acme) else {
        return Finding::untold(what, "there is none to look after");
    };
    let log = "journalctl -u campfire | grep -i certificate";
    if config.tls_cert.is_none() && !path.exists() {
        return Finding::unfit(
            what,
            format!("there is none yet for {}", config.domain[0]),
            "nobody gets in by HTTPS",
        )
        .mend("to see why", log);
    }
    let found = match Validity::read(&path) {
        Ok(found) => found,
        Err(error) => {
            return Finding::unfit(what, error.to_string(), "nobody gets in by HTTPS")
                .mend("to see why", log);
        }
    };
    let now = SystemTime::now();
    let until = jiff::Timestamp::try_from(found.not_after)
        .map_or_else(|_| "long ago".into(), |at| format!("{at:.0}"));
    let shown = format!("good for {} until {until}", found.names.join(", "));
    if now < found.not_before {
        return Finding::unfit(what, format!("{shown}, but not yet"), "check the clock")
            .mend(NOW, "sudo timedatectl set-ntp true");
    }
    let left = found.not_after.duration_since(now).unwrap_or_default();
    let lifetime = found.not_after.duration_since(found.not_before).unwrap_or_default();
    // A third is left when it is due; with a sixth, renewing has failed for long.
    if left < lifetime / 6 {
        return Finding::unfit(what, shown, "it should have been renewed by now").mend("to see why", log);
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
        return Finding::unfit(
            what,
            shown,
            format!("people come by {missing}, and their browsers will warn them"),
        )
        .mend("with a name of the certificate", "--public-url https://NAME");
    }
    Finding::fine(what, shown)
}

/// Where people are sent, and whether that name leads anywhere.
fn name(_: &Host, config: &Config) -> Finding {
    let what = "name";
    let base = config.base_url();
    let Ok(url) = Url::parse(&base) else {
        return Finding::unfit(what, format!("{base} is no address"), "nobody finds the way")
            .mend(NOW, "--public-url https://chat.example.org");
    };
    let Some(Named::Domain(host)) = url.host() else {
        return Finding::untold(what, format!("people come by an address, {base}"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Finding::untold(what, "the name cannot be looked up here") };
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
        Ok((address, true)) => Finding::fine(what, format!("{host} is {address}, which is this host")),
        Ok((address, false)) => Finding::untold(
            what,
            format!(
                "{host} is {address}, which is not this host itself: right if that is a router or a proxy that passes ports 80 and 443 on to it"
            ),
        ),
        Err(why) => Finding::unfit(what, format!("{host} is not found ({why})"), "nobody finds the way")
            .mend(NOW, format!("add a record of type A or AAAA for {host} where the domain is managed")),
    }
}

/// How long a name server may take.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);

/// Whether an address is one of this host's own: only such a one can be bound.
async fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).await.is_ok()
}

/// Room on the disk. A new version copies the database before it changes it, so as much again has to be free.
fn disk_room(host: &Host, _: &Config) -> Finding {
    const SPARE: u64 = 256 << 20;
    const FILES: u64 = 10_000;
    let what = "disk room";
    let directory = host.data_directory();
    let Ok(disk) = rustix::fs::statvfs(&directory) else {
        return Finding::untold(what, format!("{} tells nothing", directory.display()));
    };
    let free = disk.f_bavail * disk.f_frsize;
    let database = fs::metadata(host.data.join("campfire.db")).map_or(0, |file| file.len());
    let found = format!("{} MB free in {}", free >> 20, directory.display());
    if free < database + SPARE {
        return Finding::unfit(
            what,
            found,
            format!("the next version needs {} MB, for a copy of the database", (database + SPARE) >> 20),
        )
        .mend(
            "to see what is large",
            format!("du -xh --max-depth=2 {} | sort -h | tail", directory.display()),
        );
    }
    // Some file systems make them as they are needed, and count none.
    if disk.f_files > 0 && disk.f_favail < FILES {
        return Finding::unfit(
            what,
            format!("{found}, in at most {} files", disk.f_favail),
            format!("each upload is a file, and {FILES} should be free"),
        )
        .mend("to see", format!("df -i {}", directory.display()));
    }
    Finding::fine(what, found)
}

/// The clock: a board without a battery wakes up in the past, and then certificates are not valid yet, and messages are
/// older than those before them.
fn clock(host: &Host, _: &Config) -> Finding {
    let what = "clock";
    let now = SystemTime::now();
    let shown = jiff::Timestamp::try_from(now).map_or_else(|_| "none".into(), |now| format!("{now:.0}"));
    let newest = newest_change(&host.data);
    if newest.is_some_and(|newest| newest > now + CLOCK_SLACK) {
        return Finding::unfit(what, format!("it is {shown}"), "the data is from later than that")
            .mend(NOW, "sudo timedatectl set-ntp true");
    }
    // What systemd-timesyncd and chrony leave when they have the time from the network.
    let synced = [
        "run/systemd/timesync/synchronized",
        "var/lib/chrony/drift",
        "run/chrony/chronyd.pid",
        "var/lib/ntp/ntp.drift",
    ];
    if synced.iter().any(|path| host.root.join(path).exists()) {
        return Finding::fine(what, format!("it is {shown}, kept by the network"));
    }
    Finding::untold(what, format!("it is {shown}; nothing tells whether it is kept by the network"))
        .mend("with systemd", "sudo timedatectl set-ntp true")
}

const CLOCK_SLACK: Duration = Duration::from_secs(60);

fn newest_change(data: &Path) -> Option<SystemTime> {
    ["campfire.db", "campfire.db-wal"]
        .iter()
        .filter_map(|name| fs::metadata(data.join(name)).ok()?.modified().ok())
        .max()
}

/// Who may read and write the data: its owner and nobody else, and all of it the same one. `sudo campfire admin …`
/// leaves files of root's behind, on which the service then fails.
fn permissions(_: &Host, config: &Config) -> Finding {
    let what = "permissions";
    let data = &config.data;
    let Ok(directory) = fs::metadata(data) else {
        return Finding::untold(what, format!("there is no {} yet", data.display()));
    };
    let shown = data.display();
    let keep = |wrong: Finding| {
        let owner = directory.uid();
        wrong.mend(NOW, format!("sudo chown -R {owner} {shown} && sudo chmod 700 {shown}"))
    };
    if directory.mode() & 0o007 != 0 {
        let found = format!("{shown} has the mode {:03o}", directory.mode() & 0o777);
        return keep(Finding::unfit(what, found, "everybody on this machine can read what people say"));
    }
    for path in owned(data) {
        let Ok(file) = fs::metadata(&path) else { continue };
        if file.uid() != directory.uid() {
            let found =
                format!("{} is of user {}, {shown} of user {}", path.display(), file.uid(), directory.uid());
            return keep(Finding::unfit(what, found, "the server cannot write to it"));
        }
    }
    let secrets = config.tls_key.iter().cloned().chain(keys(&data.join(CERTIFICATES)));
    for key in secrets {
        if fs::metadata(&key).is_ok_and(|file| file.mode() & 0o007 != 0) {
            let found = format!("{} can be read by everybody", key.display());
            return Finding::unfit(what, found, "whoever has it can pass for this server")
                .mend(NOW, format!("sudo chmod 640 {}", key.display()));
        }
    }
    Finding::fine(what, format!("{shown} is for user {} alone", directory.uid()))
}

/// The files that the server writes to.
fn owned(data: &Path) -> Vec<PathBuf> {
    [
        "campfire.db",
        "campfire.db-wal",
        "campfire.db-shm",
        "campfire.lock",
        "files",
        "files/incoming",
        CERTIFICATES,
    ]
    .iter()
    .map(|name| data.join(name))
    .collect()
}

fn keys(certificates: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(certificates) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// Whether there is a backup of late. Without a schedule it is the owner's to know.
fn last_backup(_: &Host, config: &Config) -> Finding {
    const LATE: Duration = Duration::from_secs(2 * 86_400);
    let what = "backups";
    let Some(directory) = &config.backup_dir else {
        return Finding::untold(what, "none are made by themselves")
            .mend("in the settings", "backup_dir = \"/mnt/another-disk/campfire\"");
    };
    let log = "journalctl -u campfire | grep -i backup";
    let now = jiff::Timestamp::now();
    match crate::backup::newest(directory, now) {
        Err(error) => Finding::unfit(
            what,
            format!("cannot look into {} ({error})", directory.display()),
            "no backup is made",
        )
        .mend("to see why", log),
        Ok(None) => Finding::unfit(
            what,
            format!("none in {} yet", directory.display()),
            "the first one follows the start",
        )
        .mend("to make one", format!("campfire backup {}/first.tar.zst", directory.display())),
        Ok(Some(newest)) => {
            let age = Duration::try_from(now.duration_since(newest)).unwrap_or_default();
            let shown = format!("the newest is of {newest:.0}, in {}", directory.display());
            if age > LATE {
                return Finding::unfit(what, shown, "that is more than two days ago").mend("to see why", log);
            }
            Finding::fine(what, shown)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn house(settings: impl FnOnce(&mut Config)) -> (tempfile::TempDir, Host, Config) {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        let mut config = Config { data: data.clone(), ..Config::default() };
        settings(&mut config);
        let host = Host { root: dir.path().to_owned(), data };
        (dir, host, config)
    }

    #[test]
    fn passwords_in_the_clear_are_told_of_where_strangers_pass() {
        let fit = |settings: fn(&mut Config)| {
            let (_dir, host, config) = house(settings);
            encryption(&host, &config).fit
        };
        assert_eq!(fit(|_| {}), Some(true));
        assert_eq!(fit(|config| config.listen = "192.168.1.4:3000".parse().unwrap()), None);
        assert_eq!(fit(|config| config.listen = "0.0.0.0:3000".parse().unwrap()), None);
        assert_eq!(fit(|config| config.listen = "9.9.9.9:80".parse().unwrap()), Some(false));
        assert_eq!(
            fit(|config| {
                config.listen = "9.9.9.9:443".parse().unwrap();
                config.domain = vec!["chat.example".into()];
            }),
            Some(true)
        );
        let proxied = |config: &mut Config| config.public_url = Some("https://chat.example".into());
        assert_eq!(fit(proxied), Some(true));
    }

    #[test]
    fn data_that_others_can_read_or_the_server_cannot_write_is_told_of() {
        let (_dir, host, mut config) = house(|_| {});
        assert_eq!(permissions(&host, &config).fit, Some(true));
        fs::create_dir(config.data.join("certificates")).unwrap();
        let key = config.data.join("certificates/chat.example.key");
        fs::write(&key, "").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let found = permissions(&host, &config);
        assert!(found.fit == Some(false) && found.found.contains("chat.example.key"), "{}", found.found);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(permissions(&host, &config).fit, Some(true));
        fs::set_permissions(&config.data, fs::Permissions::from_mode(0o755)).unwrap();
        let found = permissions(&host, &config);
        assert!(found.fit == Some(false) && found.mend[0].1.contains("chmod 700"), "{}", found.found);
        config.data = config.data.join("missing");
        assert_eq!(permissions(&host, &config).fit, None);
    }

    #[test]
    fn a_certificate_that_is_missing_old_or_for_others_is_told_of() {
        let (dir, host, mut config) = house(|_| {});
        assert_eq!(certificate_time(&host, &config).fit, None);
        config.domain = vec!["chat.example".into()];
        assert_eq!(certificate_time(&host, &config).fit, Some(false), "there is none yet");
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
        assert_eq!(found(&["chat.example"], now - day, now + 89 * day).fit, Some(true));
        assert_eq!(found(&["*.example", "b.example"], now - day, now + 89 * day).fit, Some(true));
        let other = found(&["talk.example"], now - day, now + 89 * day);
        assert!(other.fit == Some(false) && other.needs.contains("come by chat.example"), "{}", other.needs);
        let old = found(&["chat.example"], now - 80 * day, now + 10 * day);
        assert!(old.fit == Some(false) && old.needs.contains("renewed by now"), "{}", old.needs);
        let early = found(&["chat.example"], now + day, now + 90 * day);
        assert!(early.fit == Some(false) && early.needs.contains("clock"), "{}", early.needs);
    }

    #[test]
    fn a_backup_that_is_missing_or_old_is_told_of() {
        let (dir, host, mut config) = house(|_| {});
        assert_eq!(last_backup(&host, &config).fit, None);
        let backups = dir.path().join("backups");
        config.backup_dir = Some(backups.clone());
        assert_eq!(last_backup(&host, &config).fit, Some(false), "there is no such directory");
        fs::create_dir(&backups).unwrap();
        let found = last_backup(&host, &config);
        assert!(found.fit == Some(false) && found.found.contains("none in"), "{}", found.found);
        let put = |hours| {
            let moment = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
            fs::write(backups.join(crate::backup::scheduled_name(moment)), "").unwrap();
        };
        put(50);
        assert_eq!(last_backup(&host, &config).fit, Some(false));
        put(20);
        assert_eq!(last_backup(&host, &config).fit, Some(true));
    }

    #[test]
    fn a_clock_that_is_behind_the_data_is_wrong() {
        let (dir, host, config) = house(|_| {});
        assert_eq!(clock(&host, &config).fit, None);
        fs::create_dir_all(dir.path().join("run/systemd/timesync")).unwrap();
        fs::write(dir.path().join("run/systemd/timesync/synchronized"), "").unwrap();
        assert_eq!(clock(&host, &config).fit, Some(true));
        let database = fs::File::create(config.data.join("campfire.db")).unwrap();
        database.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        assert_eq!(clock(&host, &config).fit, Some(false));
    }

    #[test]
    fn room_for_a_copy_of_the_database_is_asked_for() {
        let (_dir, host, config) = house(|_| {});
        let found = disk_room(&host, &config);
        assert!(found.fit.is_some() && found.found.contains("MB free in"), "{}", found.found);
        // A hole takes no room, and is as large as any database.
        fs::File::create(config.data.join("campfire.db")).unwrap().set_len(1 << 42).unwrap();
        let found = disk_room(&host, &config);
        assert!(found.fit == Some(false) && found.needs.contains("4194560 MB"), "{}", found.needs);
    }

    #[test]
    fn a_name_that_leads_nowhere_is_told_of() {
        let (_dir, host, config) = house(|_| {});
        assert_eq!(name(&host, &config).fit, None, "an address is no name");
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (_dir, host, config) = house(|config| {
            config.domain = vec!["chat.invalid".into()];
            config.name_servers = vec![silent.local_addr().unwrap()];
        });
        drop(silent);
        let found = name(&host, &config);
        assert!(
            found.fit == Some(false) && found.found.contains("chat.invalid is not found"),
            "{}",
            found.found
        );
    }
}
