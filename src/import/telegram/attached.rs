//! Files and reactions of a message.

use serde_json::Value;

use super::{
    super::{
        Error,
        archive::Archive,
        json,
        model::{Boost, FileRef, Place},
        report::Kind,
    },
    Reader,
};

const NO_PICTURES: &str = "custom emoji have no pictures here yet: the emoji that each stands for is shown";

impl Reader<'_, '_> {
    pub(super) fn custom_emoji(&mut self, piece: &Value) {
        if let Some(document) = json::id(&piece["document_id"])
            && self.emoji.insert(document)
        {
            self.staging.leave_out(Kind::Emoji, NO_PICTURES, piece["text"].as_str().unwrap_or_default());
        }
    }

    pub(super) fn files(&mut self, record: &Value) -> Vec<FileRef> {
        let mut files = Vec::new();
        for (member, what) in [("photo", "photo"), ("file", "file"), ("contact_vcard", "contact.vcf")] {
            let Some(value) = json::text(&record[member]) else { continue };
            // A sentence in parentheses stands for a file that was not taken.
            let is_there = !value.starts_with('(');
            let path = Archive::beside(&self.folder, value);
            let media = record["media_type"].as_str().map(|kind| kind.replace('_', " "));
            let name = match json::text(&record["file_name"]).filter(|_| member == "file") {
                Some(name) => name.to_owned(),
                None if is_there => path.rsplit('/').next().unwrap_or(what).to_owned(),
                None if member == "file" => media.unwrap_or_else(|| what.to_owned()),
                None => what.to_owned(),
            };
            if member == "contact_vcard" && !self.archive.has(&path) {
                // What it says is in the text.
                continue;
            }
            if name.ends_with(".tgs") {
                self.staging.leave_out(
                    Kind::Files,
                    "animated stickers: the emoji that each stands for is shown",
                    &name,
                );
                continue;
            }
            files.push(FileRef { place: Place::Archive(path), name });
        }
        files
    }

    /// The reactions, of which the export names the last few people only.
    pub(super) fn boosts(&mut self, record: &Value) -> Result<Vec<Boost>, Error> {
        let mut boosts = Vec::new();
        for reaction in json::list(&record["reactions"]) {
            let emoji = json::text(&reaction["emoji"]);
            let content = match (reaction["type"].as_str(), emoji) {
                (_, Some(emoji)) => emoji.to_owned(),
                (Some("paid"), None) => "⭐".to_owned(),
                _ => {
                    self.custom_emoji(reaction);
                    let count = count(reaction);
                    self.staging.leave_out_some(Kind::Boosts, count, "custom emoji without a name", "");
                    continue;
                }
            };
            let recent = json::list(&reaction["recent"]);
            for person in recent {
                let person = self.who(person)?;
                self.chat.authors.insert(person.clone());
                boosts.push(Boost { person, content: content.clone(), at: None });
            }
            self.staging.leave_out_unnamed(count(reaction), recent.len(), &content);
        }
        Ok(boosts)
    }
}

/// How many reactions one stands for. A wrong number must not spoil the sums.
fn count(reaction: &Value) -> u64 {
    const MOST: u64 = 10_000_000;
    json::number(&reaction["count"]).and_then(|count| count.try_into().ok()).unwrap_or(0).min(MOST)
}
