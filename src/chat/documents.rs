//! Messages of programs: HTML and Markdown of bots, payloads of incoming webhooks, answers of webhooks.

use bytes::Bytes;

use super::{
    MessageAccess, RoomAccess, Viewer, bots, disk,
    messages::{self, MAX_CONTENT},
    notifications::{self, Calls},
};
use crate::{
    store::{EditMessage, NewFile, PostMessage, Posted, Text},
    text::{self, Document, Everyone, Written},
    types::{MessageKind, RoomId, UserId},
    wire::Problem,
    worker::Worker,
};

/// What a program has sent.
#[derive(Debug)]
pub(crate) enum Body {
    Markdown(String),
    Document(Document),
}

impl Body {
    /// A text by its media type: HTML or Markdown if it says so, otherwise by what it holds.
    pub(crate) fn of(content_type: &str, text: String) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_html = match kind.as_str() {
            "text/html" => true,
            "text/markdown" => false,
            _ => text::is_html(&text),
        };
        if is_html { Self::Document(text::from_html(&text).with_links(true)) } else { Self::Markdown(text) }
    }

    /// The same, checked: 422 if there is nothing in it, or more than a message may have.
    pub(crate) fn checked(content_type: &str, text: &str) -> Result<Self, Problem> {
        let refused = |reason: String| Problem::invalid_field("content", reason);
        let text = messages::checked_content(text).map_err(refused)?;
        let body = Self::of(content_type, text.to_owned());
        if body.is_empty() { Err(refused("cannot be blank".into())) } else { Ok(body) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Markdown(text) => text.trim().is_empty(),
            Self::Document(document) => document.is_empty(),
        }
    }

    /// Cuts Markdown to what a message may have. A document is cut when it is written.
    pub(crate) fn cut(self) -> Self {
        match self {
            Self::Markdown(mut text) if text.len() > MAX_CONTENT => {
                text.truncate(text.floor_char_boundary(MAX_CONTENT - "…".len()));
                text.push('…');
                Self::Markdown(text)
            }
            body => body,
        }
    }

    /// Renders it with mentions of a room's members.
    fn render(self, worker: &Worker, room: RoomId) -> (Text, Option<Everyone>, MessageKind) {
        let (text, everyone) = match self {
            Self::Markdown(content) => match messages::sound(content.trim()) {
                Some(sound) => return (sound, None, MessageKind::Sound),
                None => messages::render(worker, room, content),
            },
            Self::Document(document) => {
                // The whole text of the message, whatever stands around it.
                if let Some(sound) = messages::sound(&document.plain_lines(|_| None)) {
                    return (sound, None, MessageKind::Sound);
                }
                let state = worker.state.borrow();
                let Written { content, rendered } = document.write(|id| {
                    state.involvement(room, id)?;
                    state.users.get(&id).map(|user| &*user.name)
                });
                messages::text_of(content, rendered)
            }
        };
        (text, everyone, MessageKind::Text)
    }
}

/// The message of a user who may post. The command also queues the jobs that follow.
pub(crate) fn post(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    body: Body,
    client_message_id: Option<String>,
    calls: Calls,
) -> PostMessage {
    let (text, everyone, kind) = body.render(worker, room);
    let jobs = match kind {
        MessageKind::Sound => Default::default(),
        _ => notifications::jobs(worker, user, room, &text, everyone, calls),
    };
    let message = PostMessage::new(room, user, client_message_id, None, kind, text);
    jobs.into_iter().fold(message, PostMessage::with_job)
}

/// The same for a file without text.
pub(crate) fn post_file(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    file: NewFile,
    client_message_id: Option<String>,
    calls: Calls,
) -> PostMessage {
    let text = Text::default();
    let jobs = notifications::jobs(worker, user, room, &text, None, calls);
    let message = PostMessage::new(room, user, client_message_id, None, MessageKind::Attachment, text);
    jobs.into_iter().fold(message.with_file(file), PostMessage::with_job)
}

/// Posts a message of a bot. 404 unless it is in the room, 429 beyond the rate limit, 507 if the disk is full.
pub(crate) async fn send(worker: &Worker, bot: UserId, room: RoomId, body: Body) -> Result<Posted, Problem> {
    RoomAccess::of(worker, room, bot)?;
    disk::check_room(worker)?;
    bots::count_post(worker, bot)?;
    Ok(worker.writer.write(post(worker, bot, room, body, None, Calls::Bots)).await?)
}

/// Changes the text of a message; 403 unless by its author. Returns the JSON of the message.
pub(crate) async fn edit(
    worker: &Worker,
    viewer: &Viewer,
    MessageAccess(message): &MessageAccess,
    body: Body,
) -> Result<Bytes, Problem> {
    let (text, ..) = body.render(worker, message.room);
    let command = EditMessage { message: message.id, editor: viewer.user, text, preview: None };
    Ok(worker.writer.write(command).await?)
}
