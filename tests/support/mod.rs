//! Fixtures of the black-box tests: the real binary as a child process with its own data directory, an HTTP client, a
//! WebSocket client, and users.
//!
//! Nothing here sleeps for a fixed time: it waits for a condition, up to [`DEADLINE`].
#![allow(dead_code, unused_imports, unreachable_pub)] // each test binary uses its own part of this

pub mod disk;
pub mod fetched;
pub mod http;
pub mod memory;
pub mod receiver;
pub mod server;
pub mod systemd;
pub mod team;
pub mod tls;
pub mod totp;
pub mod ws;

pub use disk::SmallDisk;
pub use http::{Client, Reply, raw_exchange};
pub use memory::MemoryGroup;
pub use receiver::Receiver;
pub use serde_json::{Value, json};
pub use server::Server;
pub use systemd::Systemd;
pub use team::{PASSWORD, Person, Team};
pub use ws::Socket;

use std::process::Command;
use std::time::Duration;

/// How long a test waits for something that must happen. Generous, because machines that run tests are busy.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A command that runs a program. If this machine lacks it, the test fails with one line that says how to get it.
pub fn program(name: &str) -> Command {
    require(&[name]);
    Command::new(name)
}

/// Fails, with one line and no backtrace, if one of these programs is missing.
pub fn require(programs: &[&str]) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&&str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    if let Some(missing) = programs.iter().find(|name| !is_there(name)) {
        eprintln!("{missing} is missing; `tests/run` installs what the tests need, and runs them");
        std::panic::resume_unwind(Box::new(()));
    }
}

/// The value of the future; fails the test if it takes longer than [`DEADLINE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} in vain for {what}"),
    }
}

/// The `id` of an object.
#[track_caller]
pub fn id(object: &Value) -> i64 {
    object["id"].as_i64().unwrap_or_else(|| panic!("no id in {object}"))
}

/// The ids of an array of objects, in order.
#[track_caller]
pub fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap_or_else(|| panic!("not a list: {list}")).iter().map(id).collect()
}

/// The element of an array that has this id.
#[track_caller]
pub fn find(list: &Value, wanted: i64) -> &Value {
    list.as_array()
        .and_then(|list| list.iter().find(|it| it["id"] == wanted))
        .unwrap_or_else(|| panic!("no {wanted} in {list}"))
}

/// Asserts a time in the API's format: `2026-11-24T08:00:00.123Z`.
#[track_caller]
pub fn assert_time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("not a time: {value}"));
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "not RFC 3339 in UTC with milliseconds: {text}");
}

/// Asserts that the object has exactly these keys.
#[track_caller]
pub fn assert_keys(object: &Value, keys: &[&str]) {
    let mut found: Vec<&str> = object
        .as_object()
        .unwrap_or_else(|| panic!("not an object: {object}"))
        .keys()
        .map(String::as_str)
        .collect();
    let mut wanted = keys.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "the keys of {object}");
}
