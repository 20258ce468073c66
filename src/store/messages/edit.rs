//! Changing a message: its text, and the previews of its links.

use bytes::Bytes;

use super::{Text, mention, rewrite, stored, unmention};
use crate::{
    store::{
        command::{Command, Entry, Indexing, NewJob, Refusal, Tx},
        files::{Image, put_image, tags_of},
    },
    text::{self, previewed_links},
    types::event::{ChangedMentions, Mentions},
    types::{Embed, MessageId, MessageKind, UserId},
};

/// Changes a message's text, and returns its JSON. Refused with `NotFound`, with `Forbidden` unless the editor is the author,
/// and with `Conflict` for sounds and the system user's messages.
#[derive(Debug)]
pub struct EditMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub text: Text,
    /// The job that makes previews of its links.
    pub preview: Option<NewJob>,
}

impl Command for EditMessage {
    type Output = Bytes;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Bytes, Refusal> {
        let (mut message, before) = stored(tx, self.message)?;
        if message.creator_id != self.editor {
            return Err(Refusal::Forbidden("Only its author may change a message."));
        }
        if message.kind == MessageKind::Sound || message.kind == MessageKind::System {
            return Err(Refusal::Conflict("Sounds and messages of the server cannot be edited."));
        }
        unmention(tx, message.id)?;
        let mentioned = Mentions { users: message.mentions.into(), everyone: message.everyone };
        message.content = self.text.content;
        let addresses = text::addresses(&self.text.html);
        let before_html = std::mem::replace(&mut message.html, self.text.html);
        message.mentions = self.text.mentions.to_vec();
        message.everyone = self.text.everyone;
        message.is_emoji_only = self.text.is_emoji_only;
        message.edited_at = Some(tx.now);
        mention(tx.db, message.room_id, message.id, &message.mentions, self.text.everyone)?;
        let mentions = ChangedMentions {
            creator: message.creator_id,
            before: mentioned,
            after: Mentions { users: self.text.mentions, everyone: self.text.everyone },
        };
        let mentions = (mentions.before != mentions.after).then(|| Box::new(mentions));
        let (mut plain, mut tags) = (self.text.plain, self.text.tags);
        if let Some(attachment) = &message.attachment {
            plain = [&*plain, &attachment.filename].join(" ").trim_start().to_owned();
            tags = [&*tags, &tags_of(&attachment.content_type)].join(" ").trim_start().to_owned();
        }
        // The previews of the same links stay, and what the author removed stays away.
        if previewed_links(&message.html) != previewed_links(&before_html) {
            message.embeds.clear();
            tx.statement("delete from images where message_id = ?")?.execute((message.id,))?;
            if let Some(job) = &self.preview {
                tx.add_job(job, Some(message.id))?;
            }
        }
        let json = rewrite(tx, &message)?;
        tx.statement("update messages set plain = ?, addresses = ?, tags = ? where id = ?")?
            .execute((&plain, &addresses, &tags, message.id))?;
        let (room, creator) = (message.room_id, message.creator_id);
        tx.indexing.push(Indexing::Remove(before));
        tx.indexing.push(Indexing::Add(Entry { message: message.id, room, creator, plain, addresses, tags }));
        tx.record_update(room, message.id, mentions, json.clone())?;
        Ok(json)
    }
}

/// Sets the previews of a message's links. Does nothing if it has other links by now, or was deleted.
#[derive(Debug)]
pub struct SetEmbeds {
    pub message: MessageId,
    /// The message's links when the previews were made.
    pub links: Vec<String>,
    pub embeds: Vec<Embed>,
    /// The previews' pictures, by key.
    pub images: Vec<(String, Image)>,
}

impl Command for SetEmbeds {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (mut message, _) = match stored(tx, self.message) {
            Err(Refusal::NotFound) => return Ok(()),
            found => found?,
        };
        if previewed_links(&message.html) != self.links {
            return Ok(());
        }
        tx.statement("delete from images where message_id = ?")?.execute((message.id,))?;
        for (key, image) in &self.images {
            put_image(tx.db, key, Some(message.id), Some(image))?;
        }
        message.embeds = self.embeds;
        let json = rewrite(tx, &message)?;
        Ok(tx.record_update(message.room_id, message.id, None, json)?)
    }
}

/// Removes the preview of a link for good. Refused with `NotFound`, and with `Forbidden` unless by the message's author.
#[derive(Debug)]
pub struct RemoveEmbed {
    pub message: MessageId,
    pub editor: UserId,
    /// Its place among the previews, from 0.
    pub place: usize,
}

impl Command for RemoveEmbed {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (mut message, _) = stored(tx, self.message)?;
        if message.creator_id != self.editor {
            return Err(Refusal::Forbidden("Only its author may remove a preview."));
        }
        if self.place >= message.embeds.len() {
            return Err(Refusal::NotFound);
        }
        let embed = message.embeds.remove(self.place);
        if let Some(key) = embed.image_url.as_deref().and_then(|url| url.strip_prefix("/embeds/")) {
            put_image(tx.db, key, None, None)?;
        }
        let json = rewrite(tx, &message)?;
        Ok(tx.record_update(message.room_id, message.id, None, json)?)
    }
}
