//! Messages and boosts: checking, rendering, posting, editing, deleting.

use bytes::Bytes;
use unicode_segmentation::UnicodeSegmentation;

use super::{
    MessageAccess, RoomAccess, Viewer, bots, disk,
    notifications::{self, Calls},
};
use crate::{
    media::sounds,
    store::{
        AddBoost, Boosted, DeleteMessage, EditMessage, NewFile, PostMessage, Posted, RemoveBoost,
        RemoveEmbed, Text,
    },
    text::{self, Everyone},
    types::{BoostId, MessageId, MessageKind, RoomId, UserId},
    wire::{Form, Problem},
    worker::Worker,
};

/// Bytes of Markdown in a message, without the empty lines around it.
pub(crate) const MAX_CONTENT: usize = 64 << 10;

/// Bytes of a `client_message_id`.
const MAX_CLIENT_MESSAGE_ID: usize = 128;

/// Characters of a boost, counted as grapheme clusters.
const MAX_BOOST: usize = 16;

/// Bytes of a boost, since a grapheme cluster may have any number of them.
const MAX_BOOST_BYTES: usize = 1024;

/// A message to post, as the client sent it.
pub(crate) struct Draft {
    pub(crate) content: String,
    pub(crate) client_message_id: Option<String>,
    pub(crate) reply_to: Option<MessageId>,
}

impl Draft {
    /// Takes the fields of a message out of a form. Errors are recorded in the form.
    pub(crate) fn take(form: &mut Form) -> Self {
        let content = take_content(form);
        Self::with(form, content)
    }

    /// The same for a message with a file, which may have no text.
    pub(crate) fn take_beside_file(form: &mut Form) -> Self {
        let has_no_text = !form.has("content") || form.is_blank("content");
        let content = if has_no_text { String::new() } else { take_content(form) };
        Self::with(form, content)
    }

    fn with(form: &mut Form, content: String) -> Self {
        let client_message_id = form.text("client_message_id");
        if client_message_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > MAX_CLIENT_MESSAGE_ID) {
            form.refuse("client_message_id", "must have 1 to 128 bytes");
        }
        let reply_to = form.id("reply_to_id").map(MessageId);
        Self { content, client_message_id, reply_to }
    }
}

fn take_content(form: &mut Form) -> String {
    if !form.has("content") {
        form.refuse("content", "is missing");
        return String::new();
    }
    let Some(content) = form.text("content") else { return String::new() };
    match checked_content(&content) {
        Ok(trimmed) if trimmed.len() == content.len() => content,
        Ok(trimmed) => trimmed.to_owned(),
        Err(reason) => {
            form.refuse("content", reason);
            content
        }
    }
}

/// The text of a message without the empty lines around it, or what is wrong with it. The first line keeps its indent, which
/// may mean a list's level or code.
pub(crate) fn checked_content(content: &str) -> Result<&str, String> {
    let blank: usize =
        content.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    let trimmed = content[blank..].trim_end();
    if !text::has_visible(trimmed) {
        Err("cannot be blank".to_owned())
    } else if trimmed.len() > MAX_CONTENT {
        Err(format!("must have at most {MAX_CONTENT} bytes"))
    } else {
        Ok(trimmed)
    }
}

/// Renders a text with mentions of a room's members. Also returns the kind of `@here` or `@room` in it.
pub(crate) fn render(worker: &Worker, room: RoomId, content: String) -> (Text, Option<Everyone>) {
    let state = worker.state.borrow();
    render_with(content, |id| {
        state.involvement(room, id)?;
        state.users.get(&id).map(|user| &*user.name)
    })
}

/// The same, with names from the caller.
pub(crate) fn render_with<'a>(
    content: String,
    name_of: impl Fn(UserId) -> Option<&'a str>,
) -> (Text, Option<Everyone>) {
    let rendered = text::render(&content, name_of);
    text_of(content, rendered)
}

/// A message's text from what was rendered. Also returns the kind of `@here` or `@room` in it.
pub(crate) fn text_of(content: String, rendered: text::Rendered) -> (Text, Option<Everyone>) {
    let text::Rendered { html, plain, mentions, everyone, is_emoji_only } = rendered;
    let tags = if notifications::has_link(&html) { "link".to_owned() } else { String::new() };
    let text = Text { content, html, plain, tags, mentions, everyone: everyone.is_some(), is_emoji_only };
    (text, everyone)
}

/// The text of a message that plays a sound; None unless it is `/play NAME` with a known name.
pub(crate) fn sound(content: &str) -> Option<Text> {
    let sound =
        sounds::find(content.trim_start().strip_prefix("/play")?.strip_prefix(char::is_whitespace)?.trim())?;
    let html = format!("<p>{} <em>{}</em></p>", sound.emoji, sound.title);
    let (plain, tags) = (sound.title.to_owned(), "sound".to_owned());
    Some(Text { content: content.to_owned(), html, plain, tags, ..Text::default() })
}

/// Checks membership (404), the rate limit (429) and the disk (507), and renders the draft to a command for the writer.
pub(crate) fn checked_post(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    draft: Draft,
) -> Result<PostMessage, Problem> {
    RoomAccess::of(worker, room, user)?;
    disk::check_room(worker)?;
    bots::count_post(worker, user)?;
    Ok(post(worker, user, room, draft))
}

/// Posts a message; returns once it is durable. Errors are those of [`checked_post`].
pub(crate) async fn send(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    draft: Draft,
) -> Result<Posted, Problem> {
    let command = checked_post(worker, user, room, draft)?;
    Ok(worker.writer.write(command).await?)
}

/// Renders a draft of a user who may post. The command also queues the jobs that follow.
pub(crate) fn post(worker: &Worker, user: UserId, room: RoomId, draft: Draft) -> PostMessage {
    let Draft { content, client_message_id, reply_to } = draft;
    if let Some(text) = sound(&content) {
        return PostMessage::new(room, user, client_message_id, reply_to, MessageKind::Sound, text);
    }
    let (text, everyone) = render(worker, room, content);
    let jobs = notifications::jobs(worker, user, room, &text, everyone, Calls::Bots);
    let message = PostMessage::new(room, user, client_message_id, reply_to, MessageKind::Text, text);
    jobs.into_iter().fold(message, PostMessage::with_job)
}

/// The same for a message with a file.
pub(crate) fn post_file(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    draft: Draft,
    file: NewFile,
) -> PostMessage {
    let (text, everyone) = match draft.content.is_empty() {
        true => (Text::default(), None),
        false => render(worker, room, draft.content),
    };
    let jobs = notifications::jobs(worker, user, room, &text, everyone, Calls::Bots);
    let message =
        PostMessage::new(room, user, draft.client_message_id, draft.reply_to, MessageKind::Attachment, text);
    jobs.into_iter().fold(message.with_file(file), PostMessage::with_job)
}

/// Takes the new text of a message out of a form. The text of a message with a file may become empty.
pub(crate) fn take_edit(form: &mut Form, MessageAccess(message): &MessageAccess) -> String {
    if message.kind == MessageKind::Attachment && form.is_blank("content") {
        return String::new();
    }
    take_content(form)
}

/// Changes the text of a message; 403 unless by its author. Returns the JSON of the message.
/// `previews` says whether link previews are made.
pub(crate) async fn edit(
    worker: &Worker,
    viewer: &Viewer,
    MessageAccess(message): &MessageAccess,
    content: String,
    previews: bool,
) -> Result<Bytes, Problem> {
    let text = match content.is_empty() {
        true => Text::default(),
        false => render(worker, message.room, content).0,
    };
    let preview = notifications::preview(worker.config(), &text.html).filter(|_| previews);
    let command = EditMessage { message: message.id, editor: viewer.user, text, preview };
    Ok(worker.writer.write(command).await?)
}

/// Deletes a message with its file; 403 unless by its author or an administrator.
pub(crate) async fn delete(
    worker: &Worker,
    viewer: &Viewer,
    MessageAccess(message): &MessageAccess,
) -> Result<(), Problem> {
    let deletion = || DeleteMessage { message: message.id, editor: viewer.user, is_admin: viewer.is_admin };
    Ok(disk::write_deletion(&worker.writer, &worker.shared, deletion).await?)
}

/// Removes a preview by its place, from 0. 404 unless there is one; 403 unless by the message's author.
pub(crate) async fn remove_embed(
    worker: &Worker,
    user: UserId,
    MessageAccess(message): &MessageAccess,
    place: usize,
) -> Result<(), Problem> {
    Ok(worker.writer.write(RemoveEmbed { message: message.id, editor: user, place }).await?)
}

/// Takes the content of a boost out of a form, in the one form that equal ones have.
pub(crate) fn take_boost(form: &mut Form) -> String {
    let content = form.required_line("content", 1..=MAX_BOOST_BYTES);
    let is_long = content.graphemes(true).count() > MAX_BOOST || content.len() > MAX_BOOST_BYTES;
    if is_long && !text::is_emoji_boost(&content) {
        form.refuse("content", format!("must have at most {MAX_BOOST} characters"));
    }
    text::same_boost(&content)
}

pub(crate) async fn boost(
    worker: &Worker,
    user: UserId,
    MessageAccess(message): &MessageAccess,
    content: String,
) -> Result<Boosted, Problem> {
    Ok(worker.writer.write(AddBoost { message: message.id, user, content }).await?)
}

/// Removes a boost of the user. 404 unless it exists and, if `message` is given, belongs to it; 403 if it is another
/// user's.
pub(crate) async fn remove_boost(
    worker: &Worker,
    user: UserId,
    boost: BoostId,
    message: Option<MessageId>,
) -> Result<(), Problem> {
    Ok(worker.writer.write(RemoveBoost { boost, user, message }).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boost_characters_are_counted_as_people_see_them() {
        let check = |text: &str| {
            let fields = serde_json::json!({ "content": text });
            let serde_json::Value::Object(fields) = fields else { unreachable!() };
            let mut form = Form::of(fields);
            take_boost(&mut form);
            form.finish().map_err(|problem: Problem| problem.status)
        };
        assert_eq!(check("👨‍👩‍👧‍👦"), Ok(()));
        assert_eq!(check("sixteen letters!"), Ok(()));
        assert_eq!(check("seventeen letters"), Err(422));
        assert_eq!(check(":an_emoji_of_the_team:"), Ok(()));
        assert_eq!(check(&"👨‍👩‍👧‍👦".repeat(16)), Ok(()));
        assert_eq!(check(&"👨‍👩‍👧‍👦".repeat(17)), Err(422));
        assert_eq!(check(" "), Err(422));
        assert_eq!(check("\u{200D}"), Err(422));
        assert_eq!(check("\u{2800}"), Err(422));
        assert_eq!(check(&format!("e{}", "\u{301}".repeat(300))), Err(422));
    }

    #[test]
    fn only_empty_lines_around_a_text_are_taken_away() {
        assert_eq!(checked_content("\n \t\n  - a\n  - b \n\n"), Ok("  - a\n  - b"));
        assert_eq!(checked_content("    code"), Ok("    code"));
        assert_eq!(checked_content("\u{3000}字"), Ok("\u{3000}字"));
        for nothing in
            ["", " \n", "\u{200B}", "\u{2800}", "\u{3164}\n", "\u{FE0F}", "\u{AD}", "\u{E0041}", "\u{301}"]
        {
            assert_eq!(checked_content(nothing), Err("cannot be blank".to_owned()), "{nothing:?}");
        }
    }
}
