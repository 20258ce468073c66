//! Bots and incoming webhooks: managing them, posting by them, and the payload for a bot's own webhook.

use serde::Serialize;
use serde_json::Value;

use super::{
    Admin, disk,
    documents::{self, Body},
    notifications::Calls,
    sessions::Device,
};
use crate::{
    store::{
        Audited, Bot, ChangeBot, ChangeHook, CreateBot, CreateHook, Hook, Reader, RemoveBot, RemoveHook,
        RenewBotKey,
    },
    text,
    types::{HookFormat, HookId, MessageId, Role, RoomId, TokenHash, UserId, random_token},
    wire::{Problem, to_json},
    worker::Worker,
};

pub(crate) fn find(worker: &Worker, bot: UserId) -> Result<Bot, Problem> {
    worker.reader.bot(bot)?.ok_or_else(Problem::not_found)
}

/// Creates a bot. Returns it and its secret, which cannot be shown again.
pub(crate) async fn create(
    worker: &Worker,
    admin: &Admin,
    device: &Device<'_>,
    name: String,
    webhook_url: Option<String>,
) -> Result<(Bot, String), Problem> {
    let (secret, key) = device.new_session();
    let act = admin.act("bot.create", format_args!("bot {name}"));
    let command = CreateBot { name, webhook_url: webhook_url.clone(), secret: secret.clone(), key };
    let id = worker.writer.write(Audited { command, act }).await?;
    Ok((Bot { id, webhook_url }, secret))
}

/// Changes the given fields; a `webhook_url` of Some(None) removes it.
pub(crate) async fn change(
    worker: &Worker,
    admin: &Admin,
    bot: UserId,
    name: Option<String>,
    webhook_url: Option<Option<String>>,
) -> Result<Bot, Problem> {
    let act = admin.act("bot.change", format_args!("bot {bot}"));
    worker.writer.write(Audited { command: ChangeBot { bot, name, webhook_url }, act }).await?;
    find(worker, bot)
}

/// Replaces the secret of a bot, and returns the new one.
pub(crate) async fn renew_key(
    worker: &Worker,
    admin: &Admin,
    device: &Device<'_>,
    bot: UserId,
) -> Result<String, Problem> {
    let (secret, key) = device.new_session();
    let act = admin.act("bot.key", format_args!("bot {bot}"));
    let command = RenewBotKey { bot, secret: secret.clone(), key };
    worker.writer.write(Audited { command, act }).await?;
    Ok(secret)
}

pub(crate) async fn remove(worker: &Worker, admin: &Admin, bot: UserId) -> Result<(), Problem> {
    let act = admin.act("bot.remove", format_args!("bot {bot}"));
    Ok(worker.writer.write(Audited { command: RemoveBot { bot }, act }).await?)
}

/// Creates an incoming webhook for a room. Returns its id and its secret, which cannot be shown again.
pub(crate) async fn create_hook(
    worker: &Worker,
    admin: &Admin,
    name: String,
    room: RoomId,
    format: HookFormat,
) -> Result<(HookId, String), Problem> {
    let token = random_token();
    let act = admin.act("hook.create", format_args!("hook {name} in room {room}"));
    let command = CreateHook { name, room, creator: admin.0.user, token: TokenHash::of(&token), format };
    Ok((worker.writer.write(Audited { command, act }).await?, token))
}

/// Changes the given fields of an incoming webhook.
pub(crate) async fn change_hook(
    worker: &Worker,
    admin: &Admin,
    hook: HookId,
    name: Option<String>,
    format: Option<HookFormat>,
) -> Result<Hook, Problem> {
    let act = admin.act("hook.change", format_args!("hook {hook}"));
    worker.writer.write(Audited { command: ChangeHook { hook, name, format }, act }).await?;
    worker.reader.hook(hook)?.ok_or_else(Problem::not_found)
}

pub(crate) async fn remove_hook(worker: &Worker, admin: &Admin, hook: HookId) -> Result<(), Problem> {
    let act = admin.act("hook.remove", format_args!("hook {hook}"));
    Ok(worker.writer.write(Audited { command: RemoveHook { hook }, act }).await?)
}

/// The incoming webhook with this secret. 403 `invalid_token` if there is none, or if the bot that posts for it is no
/// longer in its room.
pub(crate) fn find_hook(worker: &Worker, token: &TokenHash) -> Result<Hook, Problem> {
    let hook = worker.reader.hook_of(token)?;
    let is_in = |hook: &Hook| worker.state.borrow().involvement(hook.room_id, hook.user_id).is_some();
    hook.filter(is_in).ok_or_else(|| Problem::of_hook(403, "invalid_token"))
}

/// Counts a post of a person or a program; 429 beyond the limit.
pub(crate) fn count_post(worker: &Worker, user: UserId) -> Result<(), Problem> {
    let is_bot = worker.state.borrow().users.get(&user).is_some_and(|user| user.role == Role::Bot);
    let limits = &worker.shared.limits;
    let counted = if is_bot { limits.post_by_program(user) } else { limits.post(user) };
    counted.map_err(Problem::rate_limited)
}

/// Posts a message that was sent to an incoming webhook. 400 `no_text` if there is none in it. Beyond the rate limit, or
/// with too many that wait to be stored, 503: senders take 429 for final, and few alerts are sent twice.
pub(crate) async fn post_by_hook(worker: &Worker, hook: &Hook, payload: &Value) -> Result<(), Problem> {
    disk::check_room(worker)?;
    let limits = &worker.shared.limits;
    let _waiting = limits.hooks.enter(hook.id).ok_or_else(Problem::overloaded)?;
    let document = {
        let state = worker.state.borrow();
        let sent = text::from_slack(payload, hook.format, |id| {
            state.involvement(hook.room_id, id)?;
            state.users.get(&id).map(|user| &*user.name)
        });
        // Slack lets a sender choose its name for each message. Here the author is the hook; such a name goes above the
        // text.
        sent.ok_or_else(|| Problem::of_hook(400, "no_text"))?.under_name(&hook.name)
    };
    limits.post_by_program(hook.user_id).map_err(Problem::overloaded_for)?;
    let body = Body::Document(document);
    let command = documents::post(worker, hook.user_id, hook.room_id, body, None, Calls::Bots);
    worker.writer.write(command).await?;
    Ok(())
}

/// A request to the webhook of a bot about a message.
pub(crate) struct Delivery {
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
    pub(crate) room: RoomId,
}

/// Members are in alphabetical order.
#[derive(Serialize)]
struct Payload<'a> {
    message: PayloadMessage<'a>,
    room: PayloadRoom<'a>,
    user: PayloadUser<'a>,
}

#[derive(Serialize)]
struct PayloadMessage<'a> {
    body: PayloadBody<'a>,
    id: MessageId,
    path: String,
}

#[derive(Serialize)]
struct PayloadBody<'a> {
    html: &'a str,
    plain: &'a str,
}

#[derive(Serialize)]
struct PayloadRoom<'a> {
    id: RoomId,
    name: Option<&'a str>,
    path: String,
}

#[derive(Serialize)]
struct PayloadUser<'a> {
    id: UserId,
    name: &'a str,
}

impl Delivery {
    /// None if the message, the bot, its webhook or its membership no longer exists.
    pub(crate) fn of(reader: &Reader, bot: UserId, message: MessageId) -> rusqlite::Result<Option<Self>> {
        let Some(url) = reader.bot(bot)?.and_then(|bot| bot.webhook_url) else { return Ok(None) };
        let key = reader.bot_key(bot)?.unwrap_or_default();
        let Some(row) = reader.message(message)? else { return Ok(None) };
        let (Some(creator), Some(room)) = (reader.user(row.creator)?, reader.room(row.room)?) else {
            return Ok(None);
        };
        if !reader.is_member(room.id, bot)? {
            return Ok(None);
        }
        let Some(words) = reader.words(message)? else { return Ok(None) };
        let names = reader.mentioned_names(message)?;
        let name_of = |id: UserId| names.iter().find(|(user, _)| *user == id).map(|(_, name)| &**name);
        let plain = text::from_html(&words.html).without_mention(bot).plain_lines(name_of);
        let body = Payload {
            message: PayloadMessage {
                body: PayloadBody { html: &words.html, plain: plain.trim() },
                id: message,
                path: format!("/rooms/{}/@{message}", room.id),
            },
            room: PayloadRoom {
                id: room.id,
                name: room.name.as_deref(),
                path: format!("/rooms/{}/{bot}-{key}/messages", room.id),
            },
            user: PayloadUser { id: creator.id, name: &creator.name },
        };
        Ok(Some(Self { url, body: to_json(&body), room: room.id }))
    }
}
