//! Texts of Telegram's messages, which are pieces with a kind each, and what a message may have beside a text.

use serde_json::Value;

use crate::{
    import::{
        json::{list, number, text},
        markup,
    },
    text::{Block, Inline},
    types::UserId,
};

/// Answers of a poll and entries of a list.
const MAX_ENTRIES: usize = 100;

/// A text as blocks. `person` gives the id and the name of somebody by their number.
pub(super) fn blocks(
    message: &Value,
    mut person: impl FnMut(i64, &str) -> Option<(UserId, String)>,
) -> Vec<Block> {
    let mut found = Vec::new();
    let mut line: Vec<Inline> = Vec::new();
    for piece in pieces(message) {
        let (kind, words) = match piece {
            Value::String(words) => ("plain", words.as_str()),
            piece => (piece["type"].as_str().unwrap_or("plain"), piece["text"].as_str().unwrap_or_default()),
        };
        let words = markup::tidy(words);
        match kind {
            "pre" => {
                found.append(&mut markup::paragraphs(std::mem::take(&mut line)));
                let language = text(&piece["language"])
                    .filter(|name| name.len() <= 30 && !name.contains(['`', '\n', ' ']));
                found.push(Block::Code { language: language.unwrap_or_default().to_owned(), text: words });
            }
            "blockquote" => {
                found.append(&mut markup::paragraphs(std::mem::take(&mut line)));
                found.push(Block::Quote(markup::paragraphs(markup::plain(&words))));
            }
            "mention_name" => {
                match number(&piece["user_id"]).and_then(|id| person(id, words.trim_start_matches('@'))) {
                    Some((id, name)) => line.push(Inline::User { id, name }),
                    None => line.push(Inline::Text(words)),
                }
            }
            _ => styled(&mut line, kind, &words, piece),
        }
    }
    found.append(&mut markup::paragraphs(line));
    found
}

/// The text as it was typed.
pub(super) fn typed(message: &Value) -> String {
    pieces(message)
        .iter()
        .map(|piece| piece.as_str().or_else(|| piece["text"].as_str()).unwrap_or_default())
        .collect()
}

/// `text_entities` is a list always, and empty if something went wrong; `text` is a text or a list.
fn pieces(message: &Value) -> &[Value] {
    match (list(&message["text_entities"]), &message["text"]) {
        ([], Value::Array(pieces)) => pieces,
        ([], whole @ Value::String(_)) => std::slice::from_ref(whole),
        (pieces, _) => pieces,
    }
}

/// Appends a piece, a line at a time: a mark ends with its line.
fn styled(line: &mut Vec<Inline>, kind: &str, words: &str, piece: &Value) {
    for (place, part) in words.split('\n').enumerate() {
        if place > 0 {
            line.push(Inline::Break);
        }
        if part.is_empty() {
            continue;
        }
        let inner = vec![Inline::Text(part.to_owned())];
        match (kind, line.last_mut()) {
            ("bold", Some(Inline::Strong(before))) => before.extend(inner),
            ("italic" | "underline", Some(Inline::Emphasis(before))) => before.extend(inner),
            ("strikethrough", Some(Inline::Struck(before))) => before.extend(inner),
            ("bold", _) => line.push(Inline::Strong(inner)),
            ("italic" | "underline", _) => line.push(Inline::Emphasis(inner)),
            ("strikethrough", _) => line.push(Inline::Struck(inner)),
            ("code", _) => line.push(Inline::Code(part.to_owned())),
            ("spoiler", _) => line.push(Inline::Text(format!("||{part}||"))),
            ("text_link", _) => {
                let label = part.trim();
                // Blanks within a link would be lost.
                let (before, behind) =
                    part.split_once(label).filter(|_| !label.is_empty()).unwrap_or((part, ""));
                markup::push_text(line, before);
                if !label.is_empty() {
                    let label = vec![Inline::Text(label.to_owned())];
                    line.extend(markup::link(piece["href"].as_str().unwrap_or_default(), label));
                }
                markup::push_text(line, behind);
            }
            _ => markup::push_text(line, part),
        }
    }
}

/// What a message has beside its text and its file: a place, a contact, a poll, a list.
pub(super) fn extras(message: &Value) -> Vec<Block> {
    let mut found = Vec::new();
    let paragraph = |words: String| Block::Paragraph(markup::plain(&words));
    let place = &message["location_information"];
    if let (Some(latitude), Some(longitude)) = (place["latitude"].as_f64(), place["longitude"].as_f64()) {
        let names = [&message["place_name"], &message["address"]]
            .map(|name| text(name).map(|name| format!("{name}, ")));
        let [name, address] = names.map(Option::unwrap_or_default);
        found.push(paragraph(format!("📍 {name}{address}{latitude}, {longitude}")));
    }
    let contact = &message["contact_information"];
    let parts = ["first_name", "last_name", "phone_number"].map(|name| text(&contact[name]));
    if parts.iter().any(Option::is_some) {
        found.push(paragraph(format!("👤 {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" "))));
    }
    if let Some(title) = text(&message["game_title"]) {
        found.push(paragraph(format!("🎮 {title}")));
    }
    if let Some(title) = text(&message["invoice_information"]["title"]) {
        found.push(paragraph(format!("🧾 {title}")));
    }
    let item = |inlines| vec![Block::Paragraph(inlines)];
    let titled = |title: String, items: Vec<Vec<Block>>| {
        [
            Block::Paragraph(vec![Inline::Strong(vec![Inline::Text(title)])]),
            Block::List { first: None, items },
        ]
    };
    if let Some(question) = words(&message["poll"]["question"]) {
        let answers = list(&message["poll"]["answers"]).iter().take(MAX_ENTRIES).filter_map(|answer| {
            let votes = number(&answer["voters"]).unwrap_or_default();
            Some(item(vec![Inline::Text(format!("{} ({votes})", words(&answer["text"])?))]))
        });
        found.extend(titled(format!("📊 {question}"), answers.collect()));
    }
    if let Some(title) = words(&message["todo_list"]["title"]) {
        let entries = list(&message["todo_list"]["answers"])
            .iter()
            .take(MAX_ENTRIES)
            .filter_map(|entry| Some(item(vec![Inline::Text(words(&entry["text"])?)])));
        found.extend(titled(title, entries.collect()));
    }
    found
}

/// One line of words, which may be pieces too.
fn words(value: &Value) -> Option<String> {
    let whole = match value {
        Value::Array(pieces) => pieces
            .iter()
            .map(|piece| piece.as_str().or_else(|| piece["text"].as_str()).unwrap_or_default())
            .collect(),
        value => value.as_str()?.to_owned(),
    };
    let line = markup::tidy(&whole).split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}
