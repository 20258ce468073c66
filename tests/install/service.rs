//! Installation as a service: first run, second run, newer and broken versions, uninstall.

use std::fs;
use std::process::Command;

use super::machine::{Machine, binary, put, release, sha256};

/// Runs the script from standard input, as `curl … | sh` does.
const PIPED: &str = "sh -s -- --listen 127.0.0.1:3000 <$INSTALL";

#[test]
fn install_starts_the_service_and_a_second_run_changes_nothing() {
    let machine = Machine::new();
    let said = machine
        .run(&format!("{PIPED}\n/usr/local/bin/campfire healthcheck --config /etc/campfire/campfire.toml"))
        .success();
    for part in [
        "is in /usr/local/bin/campfire",
        "Campfire runs. Open http://127.0.0.1:3000\n",
        "journalctl -u campfire",
        "campfire backup",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire")), sha256(binary()));
    let config = machine.read("etc/campfire/campfire.toml");
    assert!(config.contains("data = \"/var/lib/campfire\"\nlisten = \"127.0.0.1:3000\"\n"), "{config}");
    let unit = machine.read("etc/systemd/system/campfire.service");
    assert!(unit.contains("ExecStart=/usr/local/bin/campfire serve --config /etc/campfire/campfire.toml"));
    let socket = machine.read("etc/systemd/system/campfire.socket");
    assert!(socket.contains("\nListenStream=127.0.0.1:3000\nFileDescriptorName=http\n"), "{socket}");
    assert!(!machine.has("etc/systemd/system/campfire-redirect.socket"));
    let calls = machine.read("run/systemctl.log");
    for part in [
        "useradd --system",
        "chgrp campfire /etc/campfire/",
        "daemon-reload\n",
        "enable campfire.socket campfire.service\n",
        "start campfire.socket campfire.service\n",
    ] {
        assert!(calls.contains(part), "no {part:?} in {calls}");
    }

    // The owner's changes and the data are kept.
    let mine = format!("{config}# mine\npost_limit = 30\n");
    fs::write(machine.at("etc/campfire/campfire.toml"), &mine).unwrap();
    let kept = machine.at("var/lib/campfire/files/kept");
    put(&kept, "what somebody sent", 0o600);
    let said = machine.run("sh $INSTALL --listen 0.0.0.0:80").success();
    for part in ["is in /usr/local/bin/campfire already", "stay as they are", "--listen are for new ones"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert_eq!(machine.read("etc/campfire/campfire.toml"), mine);
    assert_eq!(machine.read("etc/systemd/system/campfire.service"), unit);
    assert_eq!(machine.read("etc/systemd/system/campfire.socket"), socket);
    assert_eq!(machine.read("etc/passwd").matches("campfire").count(), 1 + 1, "one line, with its home");
    assert_eq!(fs::read_to_string(kept).unwrap(), "what somebody sent");
}

#[test]
fn install_replaces_the_old_version_but_not_by_a_broken_one() {
    let machine = Machine::new();
    machine.run(PIPED).success();
    // Bytes appended to an executable do not change what it does.
    let newer = machine.at("newer");
    let mut bytes = fs::read(binary()).unwrap();
    bytes.extend(b"newer");
    fs::write(&newer, bytes).unwrap();
    fs::set_permissions(&newer, fs::metadata(binary()).unwrap().permissions()).unwrap();
    release(&machine.at("release"), &newer);
    // Starts the old version before, so that it is running.
    let again = "systemctl start\nsh $INSTALL";
    machine.run(again).success();
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire")), sha256(&newer));
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire.previous")), sha256(binary()));
    assert!(machine.read("run/systemctl.log").ends_with("restart campfire.service\n"));
    // 37: the data is backed up before.
    let backup = machine.at(&format!("var/lib/campfire-before-{}.tar.zst", env!("CARGO_PKG_VERSION")));
    let verified = Command::new(binary()).args(["restore", "--verify"]).arg(&backup).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));

    // A version that prints its version and then does not serve.
    let broken = machine.at("broken");
    let script = "#!/bin/sh\ncase $1 in --version) echo campfire 9.9.9 ;; serve) case $* in *--print-config*) echo 'listen = \"127.0.0.1:3000\"' ;; *) exit 1 ;; esac ;; *) exit 1 ;; esac\n";
    put(&broken, script, 0o755);
    release(&machine.at("release"), &broken);
    let said = machine.run(again).failure();
    assert!(
        said.contains("did not come up, so the old one is back") && said.contains("journalctl"),
        "{said}"
    );
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire")), sha256(&newer));

    // 37: without a backup nothing is replaced, unless that is wanted.
    let count = || fs::read_dir(machine.at("var/lib")).unwrap().count();
    let backups = count();
    let missing = machine.read("etc/campfire/campfire.toml") + "backup_dir = \"/mnt/nowhere\"\n";
    fs::write(machine.at("etc/campfire/campfire.toml"), missing).unwrap();
    release(&machine.at("release"), binary());
    let said = machine.run(again).failure();
    assert!(said.contains("there is no backup; nothing was changed; --no-backup goes on"), "{said}");
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire")), sha256(&newer));
    machine.run("systemctl start\nsh $INSTALL --no-backup").success();
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire")), sha256(binary()));
    assert_eq!(count(), backups);
    release(&machine.at("release"), &newer);
    machine.run("systemctl start\nsh $INSTALL --no-backup").success();

    // A binary for another machine.
    put(&broken, "\x7fELF, but not really", 0o755);
    release(&machine.at("release"), &broken);
    let said = machine.run("sh $INSTALL").failure();
    assert!(said.contains("does not run on this machine; nothing was changed"), "{said}");
    assert_eq!(sha256(&machine.at("usr/local/bin/campfire")), sha256(&newer));
}

/// B20.
#[test]
fn install_replaces_nothing_if_the_old_version_cannot_say_where_the_data_is_or_the_backup_disk_is_away() {
    let machine = Machine::new();
    let settings =
        "data = \"/var/lib/campfire\"\nlisten = \"127.0.0.1:3000\"\nbackup_dir = \"/var/lib/usb\"\n";
    put(&machine.at("etc/campfire/campfire.toml"), settings, 0o644);
    put(&machine.at("var/lib/campfire/campfire.db"), "", 0o600);
    put(&machine.at("var/lib/campfire/campfire.backups"), "/var/lib/usb", 0o600);
    fs::create_dir(machine.at("var/lib/usb")).unwrap();
    let old = machine.at("usr/local/bin/campfire");
    let script = |serve: &str| format!("#!/bin/sh\ncase $1 in serve) {serve} ;; backup) : >\"$4\" ;; esac\n");
    let unchanged = |script: &str, why: &str| {
        put(&old, script, 0o755);
        let said = machine.run("sh $INSTALL --no-start").failure();
        let end = "there is no backup; nothing was changed; --no-backup goes on without one";
        assert!(said.contains(why) && said.contains(end), "{said}");
        assert_eq!(fs::read_to_string(&old).unwrap(), script);
        assert_eq!(fs::read_dir(machine.at("var/lib/usb")).unwrap().count(), 0);
    };
    unchanged(&script("echo 'there is no setting new_one' >&2; exit 2"), "there is no setting new_one");
    let knowing = script("cat /etc/campfire/campfire.toml");
    unchanged(&knowing, "/var/lib/usb is not the directory of the backups before; mount its disk");
    // The disk is mounted again.
    put(&machine.at("var/lib/usb/.campfire-backups"), "", 0o600);
    machine.run("sh $INSTALL --no-start").success();
    assert_eq!(sha256(&old), sha256(binary()));
    assert!(machine.has(&format!("var/lib/usb/campfire-before-{}.tar.zst", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn install_refuses_a_damaged_download_and_changes_nothing() {
    let machine = Machine::new();
    let sums = machine.read("release/SHA256SUMS");
    for (sums, why) in [
        (sums.replace(&sums[..4], "dead"), "it was damaged or tampered with on its way; nothing was changed"),
        (String::new(), "has no line for campfire-"),
        (sums.replace("  campfire-", "  ../campfire-"), "has no line for campfire-"),
    ] {
        fs::write(machine.at("release/SHA256SUMS"), sums).unwrap();
        let said = machine.run(PIPED).failure();
        assert!(said.contains(why), "{said}");
    }
    fs::remove_file(machine.at("release/SHA256SUMS")).unwrap();
    assert!(machine.run(PIPED).failure().contains("there is no SHA256SUMS in"));
    for path in
        ["usr/local/bin/campfire", "etc/campfire", "etc/systemd", "var/lib/campfire", "run/systemctl.log"]
    {
        assert!(!machine.has(path), "{path} was made");
    }
}

#[test]
fn uninstall_keeps_the_data_and_purge_removes_it() {
    let machine = Machine::new();
    machine.run(PIPED).success();
    let said = machine.run("systemctl start\nsh $INSTALL --uninstall\n[ ! -e /run/pid ]").success();
    assert!(said.contains("/var/lib/campfire has all data, and stays"), "{said}");
    for path in [
        "usr/local/bin/campfire",
        "etc/systemd/system/campfire.service",
        "etc/systemd/system/campfire.socket",
    ] {
        assert!(!machine.has(path), "{path} is still there");
    }
    assert!(machine.has("var/lib/campfire/campfire.db") && machine.has("etc/campfire/campfire.toml"));
    // Installing again finds the same data.
    let database = sha256(&machine.at("var/lib/campfire/campfire.db"));
    machine.run("sh $INSTALL --no-start").success();
    assert_eq!(sha256(&machine.at("var/lib/campfire/campfire.db")), database);
    let said = machine.run("sh $INSTALL --uninstall --purge").success();
    assert!(said.contains("are gone too"), "{said}");
    for path in
        ["usr/local/bin/campfire", "etc/campfire", "var/lib/campfire", "etc/systemd/system/campfire.service"]
    {
        assert!(!machine.has(path), "{path} is still there");
    }
    assert!(!machine.read("etc/passwd").contains("campfire"));
    // Uninstalling when nothing is installed succeeds.
    assert!(machine.run("sh $INSTALL --uninstall").success().contains("There is no /usr/local/bin/campfire"));
    assert!(machine.run("sh $INSTALL --purge").failure().contains("--purge goes with --uninstall"));
}

#[test]
fn unit_that_was_edited_is_not_overwritten() {
    let machine = Machine::new();
    machine.run(&format!("{PIPED} --no-start")).success();
    let path = "etc/systemd/system/campfire.service";
    let changed = machine.read(path).replace("RestartSec=2", "RestartSec=7");
    fs::write(machine.at(path), &changed).unwrap();
    let said = machine.run("sh $INSTALL --no-start").success();
    assert!(said.contains("campfire.service was changed by somebody and stays as it is"), "{said}");
    assert_eq!(machine.read(path), changed);
    // The socket unit, which was not edited, follows the settings.
    let config = machine.read("etc/campfire/campfire.toml").replace("127.0.0.1:3000", "127.0.0.1:3456");
    fs::write(machine.at("etc/campfire/campfire.toml"), config).unwrap();
    machine.run("sh $INSTALL --no-start").success();
    assert!(machine.read("etc/systemd/system/campfire.socket").contains("ListenStream=127.0.0.1:3456"));
}

#[test]
fn domain_adds_sockets_for_https_and_the_redirect() {
    let machine = Machine::new();
    let said = machine.run("sh $INSTALL --no-start --domain chat.example.org").success();
    assert!(said.contains("https://chat.example.org\n"), "{said}");
    let config = machine.read("etc/campfire/campfire.toml");
    assert!(config.ends_with("domain = \"chat.example.org\"\n"), "{config}");
    let units = "etc/systemd/system";
    assert!(machine.read(&format!("{units}/campfire.socket")).contains("\nListenStream=[::]:443\n"));
    let redirect = machine.read(&format!("{units}/campfire-redirect.socket"));
    assert!(
        redirect.contains("\nListenStream=[::]:80\nFileDescriptorName=redirect\nService=campfire.service\n")
    );
    assert!(
        machine
            .read(&format!("{units}/campfire.service"))
            .contains("\nSockets=campfire.socket campfire-redirect.socket\n")
    );
    // Without a domain the second socket is removed.
    let plain = config.replace("domain = \"chat.example.org\"", "listen = \"127.0.0.1:3000\"");
    fs::write(machine.at("etc/campfire/campfire.toml"), plain).unwrap();
    machine.run("sh $INSTALL --no-start").success();
    assert!(!machine.has(&format!("{units}/campfire-redirect.socket")));
}

#[test]
fn backup_dir_is_writable_for_the_service() {
    let machine = Machine::new();
    machine.run(&format!("{PIPED} --no-start")).success();
    let unit = "etc/systemd/system/campfire.service";
    assert!(!machine.read(unit).contains("ReadWritePaths"));
    let config = machine.read("etc/campfire/campfire.toml") + "backup_dir = \"/mnt/usb/campfire\"\n";
    fs::write(machine.at("etc/campfire/campfire.toml"), config).unwrap();
    machine.run("sh $INSTALL --no-start").success();
    assert!(machine.read(unit).contains("\nReadWritePaths=-/mnt/usb/campfire\n"), "{}", machine.read(unit));
}

#[test]
fn listen_default_is_open_on_private_networks_only() {
    let machine = Machine::new();
    let listens = |addresses: &str| {
        put(&machine.at("stubs/hostname"), &format!("#!/bin/sh\necho '{addresses}'\n"), 0o755);
        let lines =
            addresses.split(' ').map(|it| format!("2: eth0    inet {it}/24 brd 0.0.0.0 scope global"));
        let lines: Vec<String> = lines.collect();
        let real = "case $* in link*) PATH=/usr/sbin:/sbin:/usr/bin:/bin exec ip \"$@\" ;; esac";
        put(
            &machine.at("stubs/ip"),
            &format!("#!/bin/sh\n{real}\ncat <<'X'\n{}\nX\n", lines.join("\n")),
            0o755,
        );
        let _ = fs::remove_dir_all(machine.at("etc/campfire"));
        machine.run("sh $INSTALL --no-start").success();
        let config = machine.read("etc/campfire/campfire.toml");
        config.lines().find_map(|line| line.strip_prefix("listen = ")).unwrap().to_owned()
    };
    assert_eq!(listens("127.0.0.1 192.168.178.20"), "\"0.0.0.0:3000\"");
    assert_eq!(listens("127.0.0.1 10.1.2.3 172.17.0.1"), "\"0.0.0.0:3000\"");
    assert_eq!(listens("127.0.0.1 10.1.2.3 203.0.113.9"), "\"127.0.0.1:3000\"");
    assert_eq!(listens("127.0.0.1 172.32.0.1"), "\"127.0.0.1:3000\"");
    assert_eq!(listens("127.0.0.1"), "\"127.0.0.1:3000\"");
}
