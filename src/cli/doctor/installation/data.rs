//! The data directory and its backups: room on the disk, the clock, who may read what, and the newest backup.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Finding, NOW};
use crate::{cli::doctor::host::Host, config::Config, store::CERTIFICATES};

/// Room on the disk. A new version copies the database before it changes it, so as much again has to be free.
pub(super) fn disk_room(host: &Host, _: &Config) -> Finding {
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
pub(super) fn clock(host: &Host, _: &Config) -> Finding {
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
pub(super) fn permissions(_: &Host, config: &Config) -> Finding {
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
pub(super) fn last_backup(_: &Host, config: &Config) -> Finding {
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
    use crate::cli::doctor::installation::tests::house;

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
}
