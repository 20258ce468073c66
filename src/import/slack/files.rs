//! Files of messages. Slack's own export has none, but programs that fetch them put them beside it.

use serde_json::Value;

use crate::{
    import::{
        archive::Archive,
        json,
        model::{FileRef, Place},
        report::Kind,
        staging::Staging,
        write::MISSING,
    },
    text::{Block, Inline},
};

/// Bytes of a file that are looked at.
const HEAD: u64 = 256;

/// The files of a message that are there, and words for the others.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) there: Vec<FileRef>,
    pub(super) words: Vec<Block>,
}

impl Files {
    /// `folders` are those beside which files may stand.
    pub(super) fn of(record: &Value, archive: &Archive, folders: &[&str], staging: &mut Staging<'_>) -> Self {
        let mut files = Self::default();
        // Before 2018 a message had one file.
        let single = Some(&record["file"]).filter(|file| file.is_object());
        for file in json::list(&record["files"]).iter().chain(single).filter(|file| file.is_object()) {
            files.add(file, archive, folders, staging);
        }
        files
    }

    fn add(&mut self, file: &Value, archive: &Archive, folders: &[&str], staging: &mut Staging<'_>) {
        let text = |name: &str| json::text(&file[name]);
        let name = text("name").or_else(|| text("title")).or_else(|| text("id")).unwrap_or("file");
        if let Some(path) = text("id").and_then(|id| find(archive, folders, id))
            && !is_sign_in_page(archive, &path, file)
        {
            let place = Place::Archive(path);
            return self.there.push(FileRef { place, name: name.to_owned() });
        }
        let closed = match (text("mode"), text("file_access")) {
            (Some("tombstone"), _) => Some("a file that was deleted"),
            (Some("hidden_by_limit"), _) => Some("a file that Slack hides beyond the limit of its free plan"),
            (Some("file_access"), _) | (_, Some("access_denied" | "file_not_found")) => {
                Some("a file that was closed to who made the export")
            }
            _ => None,
        };
        if let Some(closed) = closed {
            staging.leave_out(Kind::Files, "deleted, hidden or closed in Slack: the message says so", "");
            return self
                .say(vec![Inline::Text("📎 ".into()), Inline::Emphasis(vec![Inline::Text(closed.into())])]);
        }
        if (file["is_external"] == true || file["mode"] == "external")
            && let Some(address) = text("url_private").or_else(|| text("permalink"))
        {
            let title = text("title").unwrap_or(name).to_owned();
            let link = Inline::Link { address: address.to_owned(), label: vec![Inline::Text(title)] };
            return self.say(vec![Inline::Text("📎 ".into()), link]);
        }
        staging.leave_out(Kind::Files, MISSING, name);
        self.say(vec![
            Inline::Text("📎 ".into()),
            Inline::Code(name.to_owned()),
            Inline::Text(" ".into()),
            Inline::Emphasis(vec![Inline::Text("(not in the export)".into())]),
        ]);
        // The beginning of snippets, posts and mails is in the export.
        let preview = ["plain_text", "preview_plain_text", "preview"].into_iter().find_map(text);
        if let Some(preview) = preview {
            self.words.push(Block::Code { language: String::new(), text: preview.to_owned() });
        }
    }

    fn say(&mut self, words: Vec<Inline>) {
        self.words.push(Block::Paragraph(words));
    }
}

/// The path of a file by its id.
fn find(archive: &Archive, folders: &[&str], id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let mut beginnings = folders
        .iter()
        .flat_map(|folder| [format!("{folder}__uploads/{id}/"), format!("{folder}attachments/{id}-")]);
    beginnings.find_map(|beginning| Some(archive.files_below(&beginning).next()?.0.to_owned()))
}

/// Whether Slack answered with a page instead of the file, because a token was good no more.
fn is_sign_in_page(archive: &Archive, path: &str, file: &Value) -> bool {
    if file["mimetype"] == "text/html" || archive.size(path) == file["size"].as_u64() {
        return false;
    }
    let head = archive.read(path, |reader| {
        let mut head = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(reader, HEAD), &mut head)?;
        Ok(head)
    });
    let head = String::from_utf8_lossy(&head.unwrap_or_default()).trim_start().to_ascii_lowercase();
    head.starts_with("<!doctype html") || head.starts_with("<html")
}
