//! `campfire import`: moves a history of another chat in.

mod page;
mod progress;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{Failure, Given, help, say};
use crate::import::{self, Chat, Order, Secrets};

/// Settings that can be given.
pub(super) const OWN: [&str; 1] = ["data"];

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let own = [("check", false), ("report", true), ("vapid-private-key-file", true)];
    let Some(given) = Given::parse(arguments, &help::import(), &own)? else { return Ok(()) };
    if let Some((key, _)) = given.settings.iter().find(|(key, _)| !OWN.contains(&key.as_str())) {
        return Err(Failure::Usage(format!("an import has no --{}", key.replace('_', "-"))));
    }
    let words: Vec<&str> = given.words.iter().map(String::as_str).collect();
    let (chat, path) = match words[..] {
        [word, path] => (chat_of(word)?, Path::new(path)),
        [word] => {
            chat_of(word)?;
            return Err(Failure::Usage(format!("the export is missing: campfire import {word} PATH")));
        }
        [] => {
            return Err(Failure::Usage(format!(
                "the chat is missing: campfire import CHAT PATH, with one of {}",
                chats()
            )));
        }
        [_, _, extra, ..] => return Err(Failure::Usage(format!("unexpected argument {extra:?}"))),
    };
    let secrets = Secrets { vapid_private_key: secret(&given, "vapid-private-key-file", chat)? };
    let config = given.config()?;
    let is_check = given.has("check");
    let report_file = given.option("report").map(PathBuf::from);
    // Before the work, not after hours of it.
    if let Some(file) = &report_file {
        std::fs::write(file, "").map_err(|error| unwritable(file, &error))?;
    }
    let mut progress = progress::Line::new();
    let order = Order { chat, path, data: &config.data, is_check, secrets };
    let outcome = import::run(&order, &mut |now| progress.show(now));
    let (took, stages) = progress.finish();
    let report = outcome.map_err(|error| Failure::Failed(error.0))?;
    let title = match is_check {
        true => format!("What an import from {} would do", chat.name()),
        false => format!("Import from {}", chat.name()),
    };
    if let Some(file) = &report_file {
        let page = page::write(&title, &path.display().to_string(), took, &report);
        std::fs::write(file, page).map_err(|error| unwritable(file, &error))?;
    }
    say(&format!("{title}, {} ({stages})\n\n{}", progress::duration(took), report.text()))
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot write the report to {} ({error})", file.display()))
}

fn chats() -> String {
    Chat::ALL.map(Chat::word).join(", ")
}

fn chat_of(word: &str) -> Result<Chat, Failure> {
    Chat::ALL
        .into_iter()
        .find(|chat| chat.word() == word)
        .ok_or_else(|| Failure::Usage(format!("there is no import from {word:?}, only from {}", chats())))
}

/// A secret of ONCE Campfire, from a file, so that no list of processes shows it.
fn secret(given: &Given, option: &str, chat: Chat) -> Result<Option<String>, Failure> {
    let Some(file) = given.option(option) else { return Ok(None) };
    if chat != Chat::Once {
        return Err(Failure::Usage(format!("--{option} is only for an import from ONCE Campfire")));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Failed(format!("cannot read {file} ({error})")))?;
    match text.trim() {
        "" => Err(Failure::Failed(format!("{file} is empty"))),
        secret => Ok(Some(secret.to_owned())),
    }
}
