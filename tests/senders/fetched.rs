//! Fetches what the tests start, once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::support::fetched::{self, folder, once, run, text};
use crate::support::*;

/// Packages of npm, each below its own folder.
const NPM: [(&str, &str); 2] = [("webhook7", "@slack/webhook@7.2.0"), ("webhook8", "@slack/webhook@8.0.2")];

const PYTHON: [&str; 5] =
    ["slack_sdk==3.48.0", "apprise==2.3.0", "requests==2.34.2", "httpx==0.28.1", "aiohttp==3.14.5"];

/// Packages of Debian, unpacked and not installed: they would start services.
const DEBIAN: [&str; 2] = ["prometheus-alertmanager", "netdata-plugins-bash"];

/// The folder in which Node finds `@slack/webhook` of this version, and undici.
pub(super) fn node(major: &str) -> PathBuf {
    static MADE: LazyLock<()> = LazyLock::new(|| {
        for (name, package) in NPM {
            once(name, package, |folder| {
                let npm = [
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--silent",
                    "--prefix",
                    ".",
                    package,
                    "undici@7.16.0",
                ];
                run("npm", Command::new("npm").args(npm).current_dir(folder));
            });
        }
    });
    *MADE;
    folder(&format!("webhook{major}"))
}

/// A Python that has the packages.
pub(super) fn python() -> PathBuf {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = once("python", &PYTHON.join(" "), |folder| {
            run("python3 -m venv", Command::new("python3").args(["-m", "venv", "."]).current_dir(folder));
            let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
            run("pip", Command::new("bin/python").args(pip).args(PYTHON).current_dir(folder));
        });
        folder.join("bin/python")
    });
    MADE.clone()
}

/// The root below which the packages of Debian are unpacked.
pub(super) fn debian() -> PathBuf {
    static MADE: LazyLock<PathBuf> =
        LazyLock::new(|| once("senders", &DEBIAN.join(" "), |folder| fetched::debian(folder, &DEBIAN)));
    MADE.clone()
}

/// Runs a script in a language, and returns what it prints.
pub(super) async fn script(program: &Path, folder: &Path, script: &str, args: &[&str]) -> String {
    let name = if program.ends_with("node") { "script.mjs" } else { "script.py" };
    let dir = tempfile::tempdir_in(folder).expect("a directory");
    let file = dir.path().join(name);
    std::fs::write(&file, script).expect("a script");
    let mut command = tokio::process::Command::new(program);
    command.arg(&file).args(args).current_dir(dir.path()).kill_on_drop(true);
    let output = within("a sender", command.output()).await.expect("the program");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// The address of a new webhook into "All Talk".
pub(super) async fn hook(team: &Team) -> String {
    let form = json!({"name": "Sender", "room_id": team.room});
    team.ada.post("/api/hooks", form).await.expect(201)["url"].as_str().unwrap().to_owned()
}

/// The HTML of the room's messages, oldest first.
pub(super) async fn messages(team: &Team) -> Vec<String> {
    let page = team.ada.get(&format!("/api/rooms/{}/messages?limit=200", team.room)).await.expect(200);
    page["messages"].as_array().unwrap().iter().map(|it| it["html"].as_str().unwrap().to_owned()).collect()
}
