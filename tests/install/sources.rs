//! Sources of a release and the tools to fetch it, for a user who is not root.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::machine::{Outcome, SCRIPT, binary, put, release, sha256};
use crate::support::require;

/// A home directory, a release, and a PATH with only these tools.
struct Home {
    dir: tempfile::TempDir,
}

const TOOLS: &str = "sh cat chmod cmp cp cut dirname grep head hostname id ln mkdir mktemp mv rm rmdir sed \
    sha256sum sleep uname";

impl Home {
    fn new(more: &[&str]) -> Home {
        require(&["dash", "busybox", "bash", "curl", "wget"]);
        let dir = tempfile::tempdir().unwrap();
        let home = Home { dir };
        let path = home.at("path");
        fs::create_dir(&path).unwrap();
        for tool in TOOLS.split_whitespace().chain(more.iter().copied()) {
            if let Some(found) = which(tool) {
                symlink(found, path.join(tool)).unwrap();
            }
        }
        release(&home.at("release"), binary());
        home
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn run(&self, shell: &[&str], arguments: &[&str], base: &str) -> Outcome {
        let mut command = Command::new(which(shell[0]).unwrap());
        command.args(&shell[1..]).args(arguments).env_clear();
        command.env("PATH", self.at("path")).env("HOME", self.at("home"));
        if !base.is_empty() {
            command.env("CAMPFIRE_BASE_URL", base);
        }
        // The script, for shells that read it from standard input.
        command.stdin(fs::File::open(SCRIPT).unwrap());
        Outcome::of(&command.output().unwrap())
    }

    fn installed(&self) -> String {
        let path = self.at("home/.local/bin/campfire");
        if path.exists() { sha256(&path) } else { "nothing".into() }
    }
}

fn which(tool: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(tool))
        .find(|path| path.exists())
}

const PIPED: [&str; 3] = ["sh", "-s", "--"];

/// Serves a directory over HTTP until the test process ends.
fn serve(root: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|count| count > 2) {}
            let path = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
            let mut body = Vec::new();
            let found = fs::File::open(root.join(path)).and_then(|mut file| file.read_to_end(&mut body));
            let status = if found.is_ok() { "200 OK" } else { "404 Not Found" };
            // The client may close early.
            let _ = write!(stream, "HTTP/1.0 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&body);
        }
    });
    format!("http://{address}")
}

#[test]
fn user_install_goes_below_the_home_directory() {
    let home = Home::new(&[]);
    let base = home.at("release").display().to_string();
    let said = home.run(&PIPED, &["--user"], &base).success();
    assert_eq!(home.installed(), sha256(binary()));
    for part in
        ["No service was started", "campfire serve --config", "http://127.0.0.1:3000", "campfire doctor"]
    {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let config = fs::read_to_string(home.at("home/.config/campfire/campfire.toml")).unwrap();
    assert!(
        config.contains(&format!("data = \"{}\"", home.at("home/.local/share/campfire").display())),
        "{config}"
    );
    // The binary accepts the settings.
    let shown = Command::new(home.at("home/.local/bin/campfire"))
        .args(["serve", "--print-config", "--config"])
        .arg(home.at("home/.config/campfire/campfire.toml"))
        .output()
        .unwrap();
    assert!(Outcome::of(&shown).success().contains("127.0.0.1:3000"));
    let again = home.run(&PIPED, &["--user"], &base).success();
    assert!(again.contains("already") && again.contains("stay as they are"), "{again}");
    home.run(&PIPED, &["--user", "--uninstall"], &base).success();
    assert_eq!(home.installed(), "nothing");
    assert!(home.at("home/.config/campfire/campfire.toml").exists());
}

#[test]
fn download_uses_curl_or_wget() {
    for tools in [&["curl"][..], &["wget"], &["curl", "wget"]] {
        let home = Home::new(tools);
        let base = serve(home.at("release"));
        home.run(&PIPED, &["--user"], &base).success();
        assert_eq!(home.installed(), sha256(binary()), "with {tools:?}");
        let said = home.run(&PIPED, &["--user"], &format!("{base}/nowhere")).failure();
        assert!(said.contains("cannot download") && said.contains("/nowhere/SHA256SUMS"), "{said}");
    }
    // The wget of busybox has fewer options.
    let home = Home::new(&[]);
    symlink(which("busybox").expect("busybox"), home.at("path/wget")).unwrap();
    home.run(&PIPED, &["--user"], &serve(home.at("release"))).success();
    assert_eq!(home.installed(), sha256(binary()));
    let home = Home::new(&[]);
    let said = home.run(&PIPED, &["--user"], &serve(home.at("release"))).failure();
    assert!(said.contains("neither curl nor wget") && said.contains("install one of them"), "{said}");
    assert_eq!(home.installed(), "nothing");
}

#[test]
fn script_runs_in_dash_busybox_and_bash() {
    for shell in [&["dash", "-s", "--"][..], &["busybox", "sh", "-s", "--"], &["bash", "--posix", "-s", "--"]]
    {
        let home = Home::new(&["busybox"]);
        let base = format!("file://{}", home.at("release").display());
        home.run(shell, &["--user"], &base).success();
        assert_eq!(home.installed(), sha256(binary()), "{shell:?}");
    }
}

#[test]
fn prefix_gets_only_the_binary() {
    let home = Home::new(&[]);
    let base = home.at("release").display().to_string();
    let prefix = home.at("elsewhere").display().to_string();
    let said = home.run(&PIPED, &["--prefix", &prefix], &base).success();
    assert!(said.contains("elsewhere/bin is not in your PATH") && said.contains("campfire demo"), "{said}");
    assert!(home.at("elsewhere/bin/campfire").exists() && !home.at("home").exists());
    let versions = home.run(&PIPED, &["--prefix", &prefix, "--version"], &base).success();
    let version = concat!("campfire ", env!("CARGO_PKG_VERSION"));
    assert!(versions.contains(&format!("installed: {version}, in {prefix}/bin")), "{versions}");
    assert!(versions.contains(&format!("newest: {version}\n")), "{versions}");
}

#[test]
fn machine_type_selects_the_binary_or_is_refused() {
    let home = Home::new(&[]);
    let base = home.at("release").display().to_string();
    fs::remove_file(home.at("path/uname")).unwrap();
    for (kernel, machine, why) in [
        ("Linux", "riscv64", "no binary for riscv64; build it from a checkout"),
        ("Linux", "armv6l", "ARMv7 or later is needed"),
        ("Darwin", "arm64", "binaries for Linux only, and this is Darwin"),
    ] {
        let stub = format!("#!/bin/sh\ncase $1 in -s) echo {kernel} ;; -m) echo {machine} ;; esac\n");
        put(&home.at("path/uname"), &stub, 0o755);
        let said = home.run(&PIPED, &["--user"], &base).failure();
        assert!(said.contains(why), "{said}");
    }
    for (machine, name) in [("armv7l", "armv7"), ("aarch64", "aarch64"), ("amd64", "x86_64")] {
        let stub = format!("#!/bin/sh\ncase $1 in -s) echo Linux ;; -m) echo {machine} ;; esac\n");
        put(&home.at("path/uname"), &stub, 0o755);
        let said = home.run(&PIPED, &["--user"], &base).success();
        assert!(said.contains(&format!("Taking campfire-{name}-linux")), "{said}");
    }
}

#[test]
fn checkout_is_built() {
    let home = Home::new(&["tr"]);
    let checkout = home.at("checkout");
    put(&checkout.join("Cargo.toml"), "[package]\nname = \"campfire\"\nversion = \"1.2.3\"\n", 0o644);
    fs::copy(SCRIPT, checkout.join("install.sh")).unwrap();
    // Stubs in place of a real build.
    let cargo = format!(
        "#!/bin/sh\necho \"cargo $*\"\ncase $1 in release-native) profile=release-native ;; *) profile=release ;; esac\nmkdir -p target/here/$profile\ncp {} target/here/$profile/campfire\n",
        binary().display()
    );
    put(&home.at("path/cargo"), &cargo, 0o755);
    put(&home.at("path/rustc"), "#!/bin/sh\necho 'host: here'\n", 0o755);
    put(&home.at("path/cc"), "#!/bin/sh\n", 0o755);
    let script = checkout.join("install.sh").display().to_string();
    let shell = ["sh", &script];
    let said = home.run(&shell, &["--user"], "").success();
    assert!(said.contains("cargo build --release --locked\n"), "{said}");
    assert_eq!(home.installed(), sha256(binary()));
    let said = home.run(&shell, &["--user", "--native"], "").success();
    assert!(said.contains("cargo release-native --locked\n"), "{said}");
    assert!(
        home.run(&shell, &["--user", "--version"], "").success().contains("in this checkout: campfire 1.2.3")
    );
    // A named release takes precedence over the checkout.
    let base = home.at("release").display().to_string();
    assert!(home.run(&shell, &["--user"], &base).success().contains("Taking campfire-"));
    let said = home.run(&shell, &["--user", "--native"], &base).failure();
    assert!(said.contains("takes a checkout"), "{said}");
    fs::remove_file(home.at("path/cc")).unwrap();
    assert!(home.run(&shell, &["--user"], "").failure().contains("a C compiler is missing"));
    fs::remove_file(home.at("path/cargo")).unwrap();
    assert!(home.run(&shell, &["--user"], "").failure().contains("cargo is missing"));
}

/// 37.
#[test]
fn bench_that_fails_ends_a_guided_build() {
    let home = Home::new(&[]);
    let checkout = home.at("checkout");
    put(&checkout.join("Cargo.toml"), "[package]\nname = \"campfire\"\nversion = \"1.2.3\"\n", 0o644);
    fs::copy(SCRIPT, checkout.join("install.sh")).unwrap();
    // What is built serves, and its bench says why it fails.
    let built = "#!/bin/sh\ncase $1 in demo) echo 'listening on http://127.0.0.1:1' >&2; exec sleep 60 ;; bench) echo '3 answers were wrong'; exit 1 ;; esac\n";
    put(&home.at("built"), built, 0o755);
    let cargo = format!(
        "#!/bin/sh\nmkdir -p target/pgo/here/release\ncp {} target/pgo/here/release/campfire\n",
        home.at("built").display()
    );
    put(&home.at("path/cargo"), &cargo, 0o755);
    put(&home.at("path/rustc"), "#!/bin/sh\necho 'host: here'\n", 0o755);
    put(&home.at("path/cc"), "#!/bin/sh\n", 0o755);
    let script = checkout.join("install.sh").display().to_string();
    let said = home.run(&["sh", &script], &["--user", "--pgo"], "").failure();
    assert!(said.contains("3 answers were wrong") && said.contains("the bench of mixed failed"), "{said}");
    assert_eq!(home.installed(), "nothing");
}

#[test]
fn usage_errors_are_reported_and_nothing_is_done() {
    let home = Home::new(&[]);
    let base = home.at("release").display().to_string();
    for (arguments, why) in [
        (&["--frobnicate"][..], "there is no option --frobnicate"),
        (&["--prefix"], "--prefix needs a value"),
        (&["--user", "--domain", "a\"b"], "take a name and an address"),
        (&["--user", "--from", "ftp://example.org"], "has to be an https address or a directory"),
        // 37.
        (
            &["--user", "--from", "http://example.org/x"],
            "by http can be replaced on its way, with its SHA256SUMS",
        ),
        (&["--user", "--from", "http://127.example.org"], "by http can be replaced on its way"),
        (&["--user", "--from", "http://localhost.example"], "by http can be replaced on its way"),
    ] {
        let said = home.run(&PIPED, arguments, &base).failure();
        assert!(said.contains(why), "{said}");
    }
    assert!(home.run(&PIPED, &["--help"], &base).success().contains("Usage: curl"));
    assert_eq!(home.installed(), "nothing");
}

#[test]
fn script_that_is_cut_off_does_nothing() {
    let home = Home::new(&[]);
    let whole = fs::read(SCRIPT).unwrap();
    for length in [whole.len() / 3, whole.len() / 2, whole.len() - 12] {
        let mut child = Command::new("sh")
            .args(["-s", "--", "--user"])
            .env("PATH", home.at("path"))
            .env("HOME", home.at("home"))
            .env("CAMPFIRE_BASE_URL", home.at("release"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The shell may stop reading at a syntax error.
        let _ = child.stdin.take().unwrap().write_all(&whole[..length]);
        child.wait().unwrap();
        assert!(!home.at("home").exists(), "{length} of {} bytes did something", whole.len());
    }
}
