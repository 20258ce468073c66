//! The SMTP server, and a team whose server hands its mails to it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use crate::support::*;

const AIOSMTPD: &str = "aiosmtpd==1.4.6";

/// The address at which people reach the server, by its settings.
pub(super) const URL: &str = "https://chat.example";

/// A Python that has it.
fn python() -> PathBuf {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
        let folder = target.join("mail");
        let mark = folder.join("version");
        if !std::fs::read_to_string(&mark).is_ok_and(|made| made == AIOSMTPD) {
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).expect("a folder");
            run(program("python3").args(["-m", "venv", "."]).current_dir(&folder));
            let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", AIOSMTPD];
            run(Command::new("bin/python").args(pip).current_dir(&folder));
            std::fs::write(mark, AIOSMTPD).expect("a mark");
        }
        folder.join("bin/python")
    });
    MADE.clone()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(super) struct Relay {
    child: Child,
    pub(super) port: u16,
    folder: tempfile::TempDir,
}

impl Relay {
    /// One that takes everything.
    pub(super) fn start() -> Relay {
        Relay::with(json!({}))
    }

    pub(super) fn with(config: Value) -> Relay {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/relay.py");
        let relay = |folder: tempfile::TempDir| {
            let mut child = Command::new(python())
                .arg("-W")
                .arg("ignore")
                .arg(script)
                .arg(folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .expect("Python");
            let mut line = String::new();
            let mut output = BufReader::new(child.stdout.take().expect("piped"));
            output.read_line(&mut line).expect("a port");
            let port = line.trim().parse().unwrap_or_else(|_| panic!("no port but {line:?}"));
            Relay { child, port, folder }
        };
        set_rules(folder.path(), json!({}));
        relay(folder)
    }

    /// What it refuses from now on.
    pub(super) fn rules(&self, rules: Value) {
        set_rules(self.folder.path(), rules);
    }

    /// The settings of a server that hands its mails to it, and sends them after a second.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CAMPFIRE_SMTP_URL", format!("smtp://127.0.0.1:{}", self.port)),
            ("CAMPFIRE_MAIL_FROM", "chat@example.org".into()),
            ("CAMPFIRE_PUBLIC_URL", URL.into()),
            ("CAMPFIRE_MAIL_AFTER", "1".into()),
        ]
    }

    pub(super) async fn team(&self) -> Team {
        self.team_with(&[]).await
    }

    /// The same with other settings, too.
    pub(super) async fn team_with(&self, more: &[(&str, &str)]) -> Team {
        let mut settings = self.settings();
        settings.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let own = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let workers = ("CAMPFIRE_WORKERS", "3");
        Team::with(&own.chain(more.iter().copied()).chain([workers]).collect::<Vec<_>>()).await
    }

    /// The mails that it took so far, in order.
    pub(super) fn mails(&self) -> Vec<Value> {
        let read = |number: usize| std::fs::read(self.folder.path().join(format!("{number}.json"))).ok();
        (1..).map_while(read).map(|mail| serde_json::from_slice(&mail).expect("JSON")).collect()
    }

    /// Waits for so many mails, and returns them.
    pub(super) async fn take(&self, count: usize) -> Vec<Value> {
        within(&format!("{count} mails"), async {
            loop {
                let mails = self.mails();
                if mails.len() >= count {
                    return mails;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    /// How often a recipient was named.
    pub(super) fn attempts(&self, address: &str) -> u64 {
        let attempts = std::fs::read(self.folder.path().join("attempts.json")).unwrap_or_default();
        let attempts: Value = serde_json::from_slice(&attempts).unwrap_or_default();
        attempts[address].as_u64().unwrap_or_default()
    }
}

fn set_rules(folder: &Path, rules: Value) {
    let unfinished = folder.join("rules");
    std::fs::write(&unfinished, rules.to_string()).unwrap();
    std::fs::rename(unfinished, folder.join("rules.json")).unwrap();
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The token at the end of the first link in a mail that has this path in front of it.
#[track_caller]
pub(super) fn token(mail: &Value, path: &str) -> String {
    let text = mail["text"].as_str().expect("a text");
    let rest = text.split_once(&format!("{URL}/{path}/")).unwrap_or_else(|| panic!("no link: {text}")).1;
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// Whom a mail went to.
pub(super) fn to(mail: &Value) -> &str {
    mail["to"][0].as_str().expect("a recipient")
}

/// A message that mentions somebody.
pub(super) async fn mention(by: &Person, room: i64, whom: &Person, words: &str) -> Value {
    by.say(room, &format!("@[{}](user:{}) {words}", whom.name, whom.id)).await
}

/// Waits until the server has no job left but dead ones.
pub(super) async fn jobs_done(team: &Team) {
    within("the jobs", async {
        loop {
            let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200);
            if jobs["jobs"].as_array().is_some_and(Vec::is_empty) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Waits for the first job that was given up, and returns it.
pub(super) async fn given_up(team: &Team) -> Value {
    within("a job that is given up", async {
        loop {
            let jobs = team.ada.get("/api/jobs").await.expect(200);
            if let Some(job) = jobs["jobs"].as_array().and_then(|jobs| jobs.first()) {
                return job.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// Asserts that the log has nothing that belongs to a person.
#[track_caller]
pub(super) fn assert_discreet(team: &Team, secrets: &[&str]) {
    let log = team.server.log();
    for secret in ["@example.com", "s3cret word"].iter().chain(secrets) {
        assert!(!log.contains(secret), "the log has {secret:?}:\n{log}");
    }
}
