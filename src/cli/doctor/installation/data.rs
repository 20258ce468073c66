//! The data directory and its backups: free space, the clock, permissions, and the age of the newest backup.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Finding, NOW};
use crate::{
    cli::doctor::host::Host,
    config::Config,
    store::{CERTIFICATES, DataDir, Import},
};

/// Free space. A migration copies the database first, so as much again has to be free.
pub(super) fn free_space(host: &Host, _: &Config) -> Finding {
    const SPARE: u64 = 256 << 20;
    const FILES: u64 = 10_000;
    let what = "disk space";
    let directory = host.data_directory();
    let Ok(disk) = rustix::fs::statvfs(&directory) else {
        return Finding::unknown(what, format!("the file system of {} cannot be read", directory.display()));
    };
    let free = disk.f_bavail * disk.f_frsize;
    let database = fs::metadata(host.data.join("campfire.db")).map_or(0, |file| file.len());
    let found = format!("{} MB free in {}", free >> 20, directory.display());
    if free < database + SPARE {
        return Finding::failed(
            what,
            found,
            format!("an upgrade needs {} MB, for a copy of the database", (database + SPARE) >> 20),
        )
        .fix(
            "to see what is large",
            format!("du -xh --max-depth=2 {} | sort -h | tail", directory.display()),
        );
    }
    // File systems that create inodes on demand report none.
    if disk.f_files > 0 && disk.f_favail < FILES {
        return Finding::failed(
            what,
            format!("{found}, in at most {} files", disk.f_favail),
            format!("each upload is a file, and {FILES} should be free"),
        )
        .fix("to see", format!("df -i {}", directory.display()));
    }
    Finding::ok(what, found)
}

/// Whether the clock is right. A board without a battery starts in the past: certificates are then not valid yet, and new
/// messages are older than those before them.
pub(super) fn clock(host: &Host, _: &Config) -> Finding {
    let what = "clock";
    let now = SystemTime::now();
    let shown = jiff::Timestamp::try_from(now).map_or_else(|_| "none".into(), |now| format!("{now:.0}"));
    let newest = newest_change(&host.data);
    if newest.is_some_and(|newest| newest > now + CLOCK_SLACK) {
        return Finding::failed(what, format!("it is {shown}"), "the data is newer than that")
            .fix(NOW, "sudo timedatectl set-ntp true");
    }
    // Files of systemd-timesyncd, chrony and ntpd once they are synchronized.
    let synced = [
        "run/systemd/timesync/synchronized",
        "var/lib/chrony/drift",
        "run/chrony/chronyd.pid",
        "var/lib/ntp/ntp.drift",
    ];
    if synced.iter().any(|path| host.root.join(path).exists()) {
        return Finding::ok(what, format!("it is {shown}, synchronized over the network"));
    }
    Finding::unknown(what, format!("it is {shown}; whether it is synchronized over the network is unknown"))
        .fix("with systemd", "sudo timedatectl set-ntp true")
}

const CLOCK_SLACK: Duration = Duration::from_secs(60);

fn newest_change(data: &Path) -> Option<SystemTime> {
    ["campfire.db", "campfire.db-wal"]
        .iter()
        .filter_map(|name| fs::metadata(data.join(name)).ok()?.modified().ok())
        .max()
}

/// Whether the data belongs to one user, who alone can read it. `sudo campfire admin …` leaves files of root, on which the
/// service then fails.
pub(super) fn permissions(_: &Host, config: &Config) -> Finding {
    let what = "permissions";
    let data = &config.data;
    let Ok(directory) = fs::metadata(data) else {
        return Finding::unknown(what, format!("there is no {} yet", data.display()));
    };
    let shown = data.display();
    let with_chown = |wrong: Finding| {
        let owner = directory.uid();
        wrong.fix(NOW, format!("sudo chown -R {owner} {shown} && sudo chmod 700 {shown}"))
    };
    if directory.mode() & 0o007 != 0 {
        let found = format!("{shown} has the mode {:03o}", directory.mode() & 0o777);
        return with_chown(Finding::failed(what, found, "every user of this machine can read the messages"));
    }
    for path in owned(data) {
        let Ok(file) = fs::metadata(&path) else { continue };
        if file.uid() != directory.uid() {
            let found = format!(
                "{} belongs to user {}, {shown} to user {}",
                path.display(),
                file.uid(),
                directory.uid()
            );
            return with_chown(Finding::failed(what, found, "the server cannot write to it"));
        }
    }
    let secrets = config.tls_key.iter().cloned().chain(keys(&data.join(CERTIFICATES)));
    for key in secrets {
        if fs::metadata(&key).is_ok_and(|file| file.mode() & 0o007 != 0) {
            let found = format!("{} can be read by every user", key.display());
            return Finding::failed(what, found, "whoever has the key can impersonate this server")
                .fix(NOW, format!("sudo chmod 640 {}", key.display()));
        }
    }
    Finding::ok(what, format!("{shown} is accessible to user {} only", directory.uid()))
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

/// Whether an import was begun and not ended: the server does not start then.
pub(super) fn import(_: &Host, config: &Config) -> Finding {
    let what = "import";
    let unfinished = DataDir::look(&config.data).and_then(|data| Import::unfinished(&data));
    match unfinished {
        Ok(None) => Finding::ok(what, "none was left unfinished"),
        Ok(Some(source)) => Finding::failed(
            what,
            format!("one from {source} was begun and not finished"),
            "the server does not start before it is",
        )
        .fix("to go on with it", format!("campfire import {source} PATH --data {}", config.data.display())),
        Err(error) => Finding::unknown(what, error.to_string()),
    }
}

/// Whether the newest backup is less than two days old. Without a schedule it is unknown.
pub(super) fn last_backup(_: &Host, config: &Config) -> Finding {
    const LATE: Duration = Duration::from_secs(2 * 86_400);
    let what = "backups";
    let Some(directory) = &config.backup_dir else {
        return Finding::unknown(what, "the server makes none (backup_dir is not set)")
            .fix("in the settings", "backup_dir = \"/mnt/another-disk/campfire\"");
    };
    let log = "journalctl -u campfire | grep -i backup";
    if let Err(error) = crate::backup::check_place(&config.data, directory) {
        return Finding::failed(what, error.to_string(), "no backup is made")
            .fix("to see what is mounted", "findmnt");
    }
    let now = jiff::Timestamp::now();
    match crate::backup::newest(directory, now) {
        Err(error) => Finding::failed(
            what,
            format!("cannot read {} ({error})", directory.display()),
            "no backup is made",
        )
        .fix("to see why", log),
        Ok(None) => Finding::failed(
            what,
            format!("none in {} yet", directory.display()),
            "the server makes the first one after its start",
        )
        .fix("to make one", format!("campfire backup {}/first.tar.zst", directory.display())),
        Ok(Some(newest)) => {
            let age = Duration::try_from(now.duration_since(newest)).unwrap_or_default();
            let shown = format!("the newest is from {newest:.0}, in {}", directory.display());
            if age > LATE {
                return Finding::failed(what, shown, "that is more than two days ago").fix("to see why", log);
            }
            Finding::ok(what, shown)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::doctor::installation::tests::installation;

    #[test]
    fn permissions_of_others_on_data_and_keys_fail() {
        let (_dir, host, mut config) = installation(|_| {});
        assert_eq!(permissions(&host, &config).ok, Some(true));
        fs::create_dir(config.data.join("certificates")).unwrap();
        let key = config.data.join("certificates/chat.example.key");
        fs::write(&key, "").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let found = permissions(&host, &config);
        assert!(found.ok == Some(false) && found.found.contains("chat.example.key"), "{}", found.found);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(permissions(&host, &config).ok, Some(true));
        fs::set_permissions(&config.data, fs::Permissions::from_mode(0o755)).unwrap();
        let found = permissions(&host, &config);
        assert!(found.ok == Some(false) && found.fix[0].1.contains("chmod 700"), "{}", found.found);
        config.data = config.data.join("missing");
        assert_eq!(permissions(&host, &config).ok, None);
    }

    #[test]
    fn backup_that_is_missing_or_old_fails() {
        let (dir, host, mut config) = installation(|_| {});
        assert_eq!(last_backup(&host, &config).ok, None);
        let backups = dir.path().join("backups");
        config.backup_dir = Some(backups.clone());
        let found = last_backup(&host, &config);
        assert!(found.ok == Some(false) && found.found.contains("mkdir -p"), "{}", found.found);
        fs::create_dir(&backups).unwrap();
        let found = last_backup(&host, &config);
        assert!(found.ok == Some(false) && found.found.contains("none in"), "{}", found.found);
        let put = |hours| {
            let moment = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
            fs::write(backups.join(crate::backup::scheduled_name(moment)), "").unwrap();
        };
        put(50);
        assert_eq!(last_backup(&host, &config).ok, Some(false));
        put(20);
        assert_eq!(last_backup(&host, &config).ok, Some(true));
        // B20: the disk of the backups is not mounted any more.
        crate::backup::mark_place(&config.data, &backups).unwrap();
        assert_eq!(last_backup(&host, &config).ok, Some(true));
        fs::rename(&backups, dir.path().join("away")).unwrap();
        fs::create_dir(&backups).unwrap();
        let found = last_backup(&host, &config);
        assert!(found.ok == Some(false) && found.found.contains("mount its disk"), "{}", found.found);
    }

    #[test]
    fn clock_behind_the_data_fails() {
        let (dir, host, config) = installation(|_| {});
        assert_eq!(clock(&host, &config).ok, None);
        fs::create_dir_all(dir.path().join("run/systemd/timesync")).unwrap();
        fs::write(dir.path().join("run/systemd/timesync/synchronized"), "").unwrap();
        assert_eq!(clock(&host, &config).ok, Some(true));
        let database = fs::File::create(config.data.join("campfire.db")).unwrap();
        database.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        assert_eq!(clock(&host, &config).ok, Some(false));
    }

    #[test]
    fn disk_space_has_to_hold_a_copy_of_the_database() {
        let (_dir, host, config) = installation(|_| {});
        let found = free_space(&host, &config);
        assert!(found.ok.is_some() && found.found.contains("MB free in"), "{}", found.found);
        // A sparse file, as large as any database.
        fs::File::create(config.data.join("campfire.db")).unwrap().set_len(1 << 42).unwrap();
        let found = free_space(&host, &config);
        assert!(found.ok == Some(false) && found.needs.contains("4194560 MB"), "{}", found.needs);
    }
}
