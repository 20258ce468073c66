//! The binary is static and runs without any other file; only a few of its crates contain C.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::start::text;
use crate::support::http::Credentials;
use crate::support::server::{Address, put_binary, spawn_until_ready, wait_for};
use crate::support::*;

const BUILT: &str = env!("CARGO_BIN_EXE_campfire");

/// As much of the ELF format (elf(5)) as is needed here, for little-endian files.
mod elf {
    pub(super) const ET_DYN: u64 = 3;
    pub(super) const PT_DYNAMIC: u64 = 2;
    pub(super) const PT_INTERP: u64 = 3;
    pub(super) const DT_NEEDED: u64 = 1;
    pub(super) const DT_FLAGS_1: u64 = 0x6fff_fffb;
    pub(super) const DF_1_PIE: u64 = 0x0800_0000;

    pub(super) struct Image<'a>(pub(super) &'a [u8]);

    impl Image<'_> {
        pub(super) fn number(&self, at: u64, size: usize) -> u64 {
            let bytes = &self.0[at as usize..at as usize + size];
            bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
        }

        /// Whether addresses have 64 bits rather than 32.
        pub(super) fn is_wide(&self) -> bool {
            self.0[4] == 2
        }

        pub(super) fn word(&self, at: u64) -> u64 {
            self.number(at, if self.is_wide() { 8 } else { 4 })
        }

        /// Type, offset and size of each segment.
        pub(super) fn segments(&self) -> Vec<(u64, u64, u64)> {
            let (table, size, count, place, length) =
                if self.is_wide() { (32, 54, 56, 8, 32) } else { (28, 42, 44, 4, 16) };
            let headers = (0..self.number(count, 2)).map(|n| self.word(table) + n * self.number(size, 2));
            headers.map(|at| (self.number(at, 4), self.word(at + place), self.word(at + length))).collect()
        }

        /// Tag and value of each entry of the dynamic section.
        pub(super) fn dynamic(&self) -> Vec<(u64, u64)> {
            let width = if self.is_wide() { 8 } else { 4 };
            let segments = self.segments();
            let of = segments.iter().filter(|(kind, ..)| *kind == PT_DYNAMIC);
            let entries = of.flat_map(|(_, place, size)| (*place..place + size).step_by(2 * width));
            entries.map(|at| (self.word(at), self.word(at + width as u64))).collect()
        }
    }
}

#[test]
fn binary_is_static_and_position_independent() {
    let content = fs::read(BUILT).unwrap();
    assert_eq!(&content[..4], b"\x7fELF");
    assert_eq!(content[5], 1, "read here as little-endian");
    let image = elf::Image(&content);
    assert_eq!(image.number(16, 2), elf::ET_DYN, "position-independent");
    assert!(
        image.segments().iter().all(|(kind, ..)| *kind != elf::PT_INTERP),
        "it asks for a dynamic linker"
    );
    let dynamic = image.dynamic();
    assert!(!dynamic.is_empty());
    assert!(dynamic.iter().all(|(tag, _)| *tag != elf::DT_NEEDED), "it needs a library");
    let flags = dynamic.iter().find(|(tag, _)| *tag == elf::DT_FLAGS_1).map_or(0, |(_, flags)| *flags);
    assert_ne!(flags & elf::DF_1_PIE, 0, "an executable, not a library");
    // ldd agrees, where it exists.
    if let Ok(output) = Command::new("ldd").arg(BUILT).output() {
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("statically linked") || said.contains("not a dynamic"), "{said}");
    }
}

/// A root directory that contains only the binary and a data directory.
struct EmptyRoot(tempfile::TempDir);

impl EmptyRoot {
    fn new() -> EmptyRoot {
        let dir = tempfile::tempdir().unwrap();
        put_binary(&dir.path().join("campfire"));
        fs::create_dir(dir.path().join("data")).unwrap();
        EmptyRoot(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// chroot needs root. Other users are root in a user namespace; where the system does not allow that, the test fails
    /// rather than pass without a check.
    fn campfire(&self, arguments: &[&str]) -> Command {
        let mut command = if rustix::process::geteuid().is_root() {
            Command::new("chroot")
        } else {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "chroot"]);
            let tried = Command::new("unshare").args(["--map-root-user", "true"]).output();
            assert!(
                tried.is_ok_and(|output| output.status.success()),
                "this test needs root or a user namespace: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
            );
            command
        };
        command.arg(self.path()).arg("/campfire").args(arguments);
        // PATH is for chroot itself only.
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn binary_serves_from_an_empty_root_directory() {
    let root = EmptyRoot::new();
    let (log, data) = (Arc::default(), ["--data", "/data"]);
    let serve = root.campfire(&[&["serve", "--listen", "127.0.0.1:0"][..], &data].concat());
    let (child, address): (_, SocketAddr) = spawn_until_ready(serve, &log);
    let mut running = Running(child);
    let nobody = Client::new(Address::fixed(address), Credentials::None);
    assert_eq!(nobody.get("/health").await.expect(200)["status"], "ok");
    let reply = nobody.post("/api/setup", team::setup_form()).await;
    let room = id(&reply.expect(201)["room"]);
    let ada = Person::from_reply(&nobody, &reply, "ada@example.com");
    ada.say(room, "nobody else is here").await;
    nobody.get("/").await;
    let asked = root.campfire(&["healthcheck", "--listen", &address.to_string()]).output().unwrap();
    assert!(asked.status.success(), "{}", text(&asked.stderr));
    let names =
        fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(["campfire", "data"].map(String::from)));
    assert!(root.path().join("data/campfire.db").exists());
    let pid = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(wait_for(&mut running.0).expect("an end").success(), "{:?}", log.lock().unwrap());
    let log = log.lock().unwrap().join("\n");
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn binary_serves_from_the_volume_of_a_container_of_once() {
    let root = EmptyRoot::new();
    fs::create_dir(root.path().join("storage")).unwrap();
    let given = |arguments: &[&str]| {
        let mut command = root.campfire(arguments);
        command.envs([("SECRET_KEY_BASE", "0a1b"), ("DISABLE_SSL", "true"), ("NUM_CPUS", "1")]);
        command
    };
    let printed = text(&given(&["serve", "--print-config"]).output().unwrap().stdout);
    for line in ["data = \"/storage\"", "listen = \"0.0.0.0:80\"", "domain = \"\""] {
        assert!(printed.lines().any(|it| it.starts_with(line)), "{line} in {printed}");
    }
    // The port may be taken here.
    let (child, address) = spawn_until_ready(given(&["--listen", "127.0.0.1:0"]), &Arc::default());
    let mut running = Running(child);
    let nobody = Client::new(Address::fixed(address), Credentials::None);
    assert_eq!(nobody.get("/up").await.status, 200);
    let pid = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(wait_for(&mut running.0).expect("an end").success());
    assert!(root.path().join("storage/campfire.db").exists());
    // A volume whose data was not moved yet.
    fs::create_dir(root.path().join("storage/db")).unwrap();
    fs::write(root.path().join("storage/db/production.sqlite3"), "").unwrap();
    let refused = given(&["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    let words = ["was not moved yet", "campfire import once /storage --data /storage/campfire"];
    super::start::refused(&refused, 1, &words);
    assert!(!root.path().join("storage/campfire").exists());
}

/// The crates that compile C: the allocator, SQLite, the cryptography of TLS, and Zstandard.
const IN_C: [&str; 4] = ["libmimalloc-sys", "libsqlite3-sys", "ring", "zstd-sys"];

/// Crates with which a build script compiles C or looks for a C library.
const C_BUILDERS: [&str; 9] =
    ["autotools", "bindgen", "cc", "cmake", "meson", "nasm-rs", "pkg-config", "system-deps", "vcpkg"];

#[test]
fn crates_with_c_code_are_the_four_named_ones() {
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-musl", "armv7-unknown-linux-musleabihf"]
    {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--locked", "--offline", "--format-version=1", "--filter-platform", target])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let packages: BTreeMap<String, Value> = list(&metadata["packages"])
            .into_iter()
            .map(|it| (it["id"].as_str().unwrap().into(), it))
            .collect();
        let nodes: BTreeMap<String, Vec<Value>> = list(&metadata["resolve"]["nodes"])
            .into_iter()
            .map(|it| (it["id"].as_str().unwrap().into(), list(&it["deps"])))
            .collect();
        let name = |id: &str| packages[id]["name"].as_str().unwrap().to_owned();
        let is_of = |dep: &Value, kinds: &[Value]| {
            list(&dep["dep_kinds"]).iter().any(|it| kinds.contains(&it["kind"]))
        };
        // Normal and build dependencies; those of tests do not count.
        let (mut met, mut ahead) =
            (BTreeSet::new(), vec![metadata["resolve"]["root"].as_str().unwrap().to_owned()]);
        let (mut in_c, mut linking) = (BTreeSet::new(), BTreeSet::new());
        while let Some(id) = ahead.pop() {
            if !met.insert(id.clone()) {
                continue;
            }
            for dep in &nodes[&id] {
                let other = dep["pkg"].as_str().unwrap();
                if is_of(dep, &[json!("build")]) && C_BUILDERS.contains(&name(other).as_str()) {
                    in_c.insert(name(&id));
                }
                if is_of(dep, &[Value::Null, json!("build")]) {
                    ahead.push(other.to_owned());
                }
            }
            if packages[&id]["links"].is_string() {
                linking.insert(name(&id));
            }
        }
        assert!(met.len() > 100, "{target}: {} crates are not all", met.len());
        assert_eq!(in_c, BTreeSet::from(IN_C.map(String::from)), "{target}");
        assert_eq!(linking, in_c, "{target}: what links to code in C is what brings it along");
        for unwanted in ["openssl-sys", "aws-lc-sys", "native-tls"] {
            assert!(met.iter().all(|id| name(id) != unwanted), "{target}: {unwanted}");
        }
    }
}
