//! A machine to install on, and releases.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::support::{program, require};

pub(super) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh");

/// The binary without debug information: a tenth of the size, because it is copied often.
pub(super) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("campfire-stripped");
        let _ = fs::remove_file(&path);
        let built = env!("CARGO_BIN_EXE_campfire");
        let stripped = Command::new("strip").arg("-o").arg(&path).arg(built).status();
        if !stripped.is_ok_and(|status| status.success()) {
            fs::copy(built, &path).unwrap();
        }
        path
    })
}

pub(super) fn put(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes a release directory with this binary for every architecture.
pub(super) fn release(dir: &Path, binary: &Path) {
    fs::create_dir_all(dir).unwrap();
    let mut sums = String::new();
    for architecture in ["x86_64", "aarch64", "armv7"] {
        let name = format!("campfire-{architecture}-linux");
        let path = dir.join(&name);
        let _ = fs::remove_file(&path);
        fs::hard_link(binary, &path).or_else(|_| fs::copy(binary, &path).map(drop)).unwrap();
        sums += &format!("{}  {name}\n", sha256(&path));
    }
    fs::write(dir.join("SHA256SUMS"), sums).unwrap();
    fs::write(dir.join("VERSION"), concat!(env!("CARGO_PKG_VERSION"), "\n")).unwrap();
}

pub(super) fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// Whether a command succeeded, and its output.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) ok: bool,
    pub(super) said: String,
}

impl Outcome {
    pub(super) fn of(output: &Output) -> Outcome {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        Outcome { ok: output.status.success(), said: String::from_utf8_lossy(&said).into_owned() }
    }

    #[track_caller]
    pub(super) fn success(self) -> String {
        assert!(self.ok, "{}", self.said);
        self.said
    }

    #[track_caller]
    pub(super) fn failure(self) -> String {
        assert!(!self.ok, "{}", self.said);
        self.said
    }
}

/// A stub of `systemctl`: it logs its calls and runs the server as the unit says. A start succeeds once the server
/// listens, as with `Type=notify`.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >>/run/systemctl.log
[ "$1" != --user ] || shift
stop() { if [ -e /run/pid ]; then kill "$(cat /run/pid)" 2>/dev/null; while kill -0 "$(cat /run/pid)" 2>/dev/null; do sleep 0.05; done; rm -f /run/pid; fi; }
start() {
    rm -f /run/server.log
    $(sed -n 's/^ExecStart=//p' /etc/systemd/system/campfire.service) >/run/server.log 2>&1 &
    echo $! >/run/pid
    while kill -0 "$(cat /run/pid)" 2>/dev/null; do
        if grep -qs 'listening on' /run/server.log; then return 0; fi
        sleep 0.05
    done
    rm -f /run/pid
    return 1
}
case $1 in
    is-active) [ -e /run/pid ] ;;
    start) start ;;
    restart) stop; start ;;
    disable) case $* in *--now*) stop ;; esac ;;
esac
"#;

/// A stub of `useradd`: giving files to a real user would need real root.
const USERADD: &str = r#"#!/bin/sh
echo "useradd $*" >>/run/systemctl.log
for name; do :; done
echo "$name:x:990:990::/var/lib/campfire:/usr/sbin/nologin" >>/etc/passwd
echo "$name:x:990:" >>/etc/group
"#;

/// A machine on which we are root and systemd seems to run.
pub(super) struct Machine {
    pub(super) root: tempfile::TempDir,
}

impl Machine {
    pub(super) fn new() -> Machine {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for path in ["etc", "usr/local/bin", "var/lib", "run/systemd/system", "stubs", "release"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        put(&at("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n", 0o644);
        put(&at("etc/group"), "root:x:0:\n", 0o644);
        for file in ["ld.so.cache", "nsswitch.conf"] {
            let _ = fs::copy(Path::new("/etc").join(file), at("etc").join(file));
        }
        let _ = Command::new("cp").args(["-a", "/etc/alternatives"]).arg(at("etc")).status();
        put(&at("stubs/systemctl"), SYSTEMCTL, 0o755);
        put(&at("stubs/useradd"), USERADD, 0o755);
        put(&at("stubs/userdel"), "#!/bin/sh\nsed -i \"/^$1:/d\" /etc/passwd\n", 0o755);
        put(&at("stubs/chgrp"), "#!/bin/sh\necho \"chgrp $*\" >>/run/systemctl.log\n", 0o755);
        release(&at("release"), binary());
        Machine { root }
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    /// Runs shell lines in the namespace. `$INSTALL` is the script, `CAMPFIRE_BASE_URL` the release. Processes that they
    /// start end with them.
    pub(super) fn run(&self, lines: &str) -> Outcome {
        let root = self.root.path().display();
        let enter = format!(
            "set -e
ip link set lo up
for place in etc usr/local var/lib run; do mount --bind {root}/$place /$place; done
export PATH={root}/stubs:/usr/bin:/bin:/usr/sbin:/sbin INSTALL={SCRIPT} CAMPFIRE_BASE_URL={root}/release
{lines}"
        );
        require(&["ip", "systemd-analyze"]);
        let output = program("unshare")
            .args(["--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", &enter])
            .stdin(Stdio::null())
            .output()
            .expect("unshare starts");
        Outcome::of(&output)
    }
}
