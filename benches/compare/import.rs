//! Moving histories of other chats in: the same words, of 300 people in 60 rooms, as each chat's export has them.

#[path = "import/dumps.rs"]
mod dumps;
#[path = "import/files.rs"]
mod files;
#[path = "import/once.rs"]
mod once;

use std::{path::Path, process::Stdio, time::Instant};

use rusqlite::Connection;

use crate::{
    Options, Report, sentence,
    table::{Row, grouped},
};

const PEOPLE: usize = 300;
const ROOMS: usize = 60;

/// When a message was written, in seconds since the Unix epoch: one each half minute from 2020 on.
fn second(n: usize) -> i64 {
    1_577_836_800 + n as i64 * 30
}

/// Makes an export with so many messages in a directory, and returns the path to import.
type Export = fn(&Path, usize) -> std::path::PathBuf;

const EXPORTS: [(&str, &str, Export); 7] = [
    ("once", "ONCE Campfire", once::volume),
    ("slack", "Slack", files::slack),
    ("mattermost", "Mattermost", files::mattermost),
    ("telegram", "Telegram", files::telegram),
    ("discord", "Discord", files::discord),
    ("zulip", "Zulip", dumps::zulip),
    ("rocketchat", "Rocket.Chat", dumps::rocketchat),
];

/// Every one; `CAMPFIRE_BENCH_IMPORTS=slack,zulip` takes some.
pub(crate) fn import(options: &Options, report: &mut Report) {
    let wanted = std::env::var("CAMPFIRE_BENCH_IMPORTS").unwrap_or_default();
    for (word, name, export) in EXPORTS {
        if wanted.is_empty() || wanted.split(',').any(|it| it == word) {
            run(word, name, export, options.messages.min(MOST), report);
        }
    }
}

/// Messages of each export, unless `--messages` and this variable say otherwise.
const MOST: usize = 200_000;

fn run(word: &str, name: &str, export: Export, messages: usize, report: &mut Report) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = export(dir.path(), messages);
    let began = Instant::now();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_campfire"))
        .args(["import", word])
        .arg(path)
        .arg("--data")
        .arg(dir.path().join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let (mut most, mut indexing) = (0.0_f64, None);
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        most = most.max(peak.unwrap_or_default() / 1_024.0);
        // The index is begun once all messages are there.
        if indexing.is_none() && is_written(&dir.path().join("data/campfire.db"), messages) {
            indexing = Some(began.elapsed());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert!(status.success(), "the import fails");
    let all = began.elapsed();
    let written = indexing.unwrap_or(all);
    let rate = messages as f64 / written.as_secs_f64();
    report.rows.push(
        Row::new(
            format!("import of {} messages of {name}", grouped(messages as f64)),
            format!(
                "{}/s, then the index in {:.1} s; {most:.0} MB",
                grouped(rate),
                (all - written).as_secs_f64()
            ),
        )
        .target("≥ 20,000/s, ≤ 100 MB", rate >= 20_000.0 && most <= 100.0),
    );
}

fn is_written(database: &Path, messages: usize) -> bool {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(database, flags)
        .and_then(|db| {
            db.query_row("select ifnull(max(id), 0) from messages", (), |row| row.get::<_, i64>(0))
        })
        .is_ok_and(|newest| newest >= messages as i64)
}
