//! The OpenAPI 3.1 document: parameters, bodies and responses of every route. A test checks that it has all routes.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    request::Call,
    response::Reply,
    router::{Handler, ROUTES, Response, Route},
};

/// The schemas of bodies.
const SCHEMAS: &str = include_str!("schemas.json");

/// The request body of a route.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    Json(&'static str),
    Multipart,
    Image,
    /// Text, or multipart with a file: the bot API of ONCE Campfire.
    TextOrFile,
    Text,
    Slack,
    /// A form, which says nothing.
    OneClick,
}

/// The body of a successful response.
#[derive(Clone, Copy)]
enum Gives {
    Nothing,
    Json(&'static str),
    /// Bytes of a content type.
    Bytes(&'static str),
}

/// The documentation of a route, beside its entry in the router's table.
struct Doc {
    route: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    takes: Takes,
    gives: &'static [(u16, Gives)],
    /// Statuses of errors, beside those that follow from the handler and the request body.
    problems: &'static [u16],
}

use Gives::{Bytes as Raw, Json, Nothing as Empty};
use Takes::{Image, Json as Body, Multipart, Nothing, OneClick, Slack, Text, TextOrFile};

const fn doc(
    route: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    takes: Takes,
    gives: &'static [(u16, Gives)],
    problems: &'static [u16],
) -> Doc {
    Doc { route, summary, query, takes, gives, problems }
}

const PAGE: &[(u16, Gives)] = &[(200, Raw("text/html"))];
const DONE: &[(u16, Gives)] = &[(204, Empty)];
const MOVED: &[(u16, Gives)] = &[(302, Empty)];

#[rustfmt::skip]
static DOCS: &[Doc] = &[
    doc("GET /health", "Health of the process and its database", &[], Nothing, &[(200, Json("Health"))], &[503]),
    doc("GET /metrics", "Metrics in Prometheus' text format; from loopback to a loopback host, or with the metrics token", &[], Nothing, &[(200, Raw("text/plain"))], &[403]),
    doc("GET /api/openapi.json", "This document", &[], Nothing, &[(200, Json("OpenApi"))], &[]),
    doc("GET /api/setup", "Whether the account is still to be set up; with `with=account` also its name and logo, and whether the caller is signed in", &["with"], Nothing, &[(200, Json("SetupNeeded"))], &[]),
    doc("POST /api/setup", "First run: create the account, its administrator and a room, and sign in", &[], Body("NewAccount"), &[(201, Json("SetUpDone"))], &[409]),
    doc("POST /api/session", "Sign in", &[], Body("Credentials"), &[(201, Json("SignedIn")), (202, Json("SecondStep"))], &[401, 404, 429]),
    doc("POST /api/session/second_factor", "Sign in by the second step that was asked for: a code of the app, or a recovery code. 410 after five minutes or five wrong codes: the sign-in has to begin again", &[], Body("CodeOf"), &[(201, Json("SignedIn"))], &[410, 429]),
    doc("GET /api/second_factor", "My second step", &[], Nothing, &[(200, Json("SecondFactor"))], &[]),
    doc("POST /api/second_factor", "Begin to turn the second step on, or to set it up anew, with `current_password` and, if it is on, `code`", &[], Body("Proofs"), &[(201, Json("SecondStepOf"))], &[403, 429]),
    doc("PUT /api/second_factor", "Turn the second step on by a first code of the app: the recovery codes are shown once. 410 after five minutes or five wrong codes", &[], Body("CodeOf"), &[(200, Json("RecoveryCodes"))], &[403, 409, 410]),
    doc("DELETE /api/second_factor", "Turn the second step off, with `current_password` and `code`. 403 where it is required", &[], Body("Proofs"), DONE, &[403, 409, 429]),
    doc("POST /api/second_factor/recovery_codes", "Make new recovery codes, with `current_password` and `code`; the old ones stop working", &[], Body("Proofs"), &[(201, Json("RecoveryCodes"))], &[403, 409, 429]),
    doc("DELETE /api/users/{id}/second_factor", "Remove the second step of somebody who has lost it: their devices and links end. 409 if there is none", &[], Nothing, DONE, &[404, 409]),
    doc("GET /api/session", "The signed-in user, with the data that a client starts with", &[], Nothing, &[(200, Json("Start"))], &[]),
    doc("DELETE /api/session", "Sign out; 200 with the address where to sign out of the identity provider, if that is where the session comes from", &[], Nothing, &[(204, Empty), (200, Json("SignedOut"))], &[404]),
    doc("GET /api/sessions", "My sessions on devices", &[], Nothing, &[(200, Json("Devices"))], &[]),
    doc("DELETE /api/sessions", "Sign all my other devices out", &[], Nothing, DONE, &[]),
    doc("DELETE /api/sessions/{id}", "Sign one of my devices out", &[], Nothing, DONE, &[404]),
    doc("POST /api/session/reset", "Have a link to choose a new password mailed, if somebody has this address: the answer does not tell. It works once, within an hour. 409 where no mail is sent", &[], Body("ResetRequest"), &[(202, Empty)], &[409, 429]),
    doc("POST /api/session/reset/{token}", "Set a new password by a link that was mailed, or that `campfire admin reset-password` printed, and sign in", &[], Body("NewPassword"), &[(201, Json("SignedIn")), (202, Json("SecondStep"))], &[404, 429]),
    doc("POST /api/session/transfer", "Create a single-use link that signs another device in within 4 hours", &[], Nothing, &[(201, Json("TransferLink"))], &[]),
    doc("POST /api/session/transfer/{token}", "Sign in by such a link", &[], Nothing, &[(201, Json("SignedIn"))], &[404, 429]),
    doc("GET /api/invitations", "Invitations, the newest first: all for administrators, one's own for members who may invite. Those that ended are listed for 30 days", &[], Nothing, &[(200, Json("Invitations"))], &[403]),
    doc("POST /api/invitations", "Make an invitation: a link by which so many people may join within so many days, as members or as guests of some rooms; the link is shown once", &[], Body("NewInvitation"), &[(201, Json("MadeInvitation"))], &[409]),
    doc("GET /api/invitations/{invitation}", "What an invitation leads to, by its token; `name` and `email` are of whom an imported account waits for", &[], Nothing, &[(200, Json("Invited"))], &[404, 429]),
    doc("POST /api/invitations/{invitation}", "Join by an invitation, or take an account over that was imported, by its token, and sign in", &[], Body("Newcomer"), &[(201, Json("SignedIn"))], &[404, 409, 429]),
    doc("DELETE /api/invitations/{invitation}", "Revoke an invitation, by its id: one's own, or any as an administrator", &[], Nothing, DONE, &[404]),
    doc("GET /signin/oidc/{provider}", "Sign in by an identity provider: a redirect to it, or to the page with the reason why not. `to` is the path of this server where to go afterwards", &["to"], Nothing, MOVED, &[403, 404]),
    doc("GET /signin/oidc/{provider}/callback", "Where an identity provider leads back to: signs in and redirects, or redirects to the page with the reason why not", &["code", "state", "iss", "error"], Nothing, MOVED, &[403, 404]),
    doc("GET /api/identities", "My accounts at identity providers", &[], Nothing, &[(200, Json("Identities"))], &[]),
    doc("POST /api/identities/{provider}", "Begin to link an account at an identity provider, in a browser: it has to be led to the address", &[], Nothing, &[(201, Json("IdentityLink"))], &[404]),
    doc("DELETE /api/identities/{id}", "Unlink one of my accounts at identity providers: sessions that were started by it end, but this one", &[], Nothing, DONE, &[404, 409]),
    doc("GET /api/users/{id}/identities", "The accounts of a user at identity providers", &[], Nothing, &[(200, Json("UserIdentities"))], &[404]),
    doc("DELETE /api/users/{id}/identities/{identity_id}", "Unlink an account of a user: sessions that were started by it end, and who signs in by it next is a stranger", &[], Nothing, DONE, &[404, 409]),
    doc("GET /api/join/{code}", "Whether this is the join code of the account, with its name and logo", &[], Nothing, &[(200, Json("Invitation"))], &[404, 429]),
    doc("POST /api/join/{code}", "Create a user by the join code of the account, and sign in", &[], Body("NewPerson"), &[(201, Json("SignedIn"))], &[404, 409, 429]),
    doc("GET /api/account", "The account's name, styles and settings", &[], Nothing, &[(200, Json("Account"))], &[404]),
    doc("PATCH /api/account", "Change the name, the styles or the settings", &[], Body("AccountChange"), &[(200, Json("Account"))], &[404]),
    doc("POST /api/account/join_code", "Replace the join code", &[], Nothing, &[(201, Json("JoinCode"))], &[404]),
    doc("GET /api/account/logo", "The account's logo", &["v"], Nothing, &[(200, Raw("image/webp"))], &[404]),
    doc("PUT /api/account/logo", "Set the logo", &[], Image, &[(200, Json("Account"))], &[404]),
    doc("DELETE /api/account/logo", "Remove the logo", &[], Nothing, DONE, &[404]),
    doc("GET /api/users", "Users; `q` selects those with a word in their name that starts with it", &["q"], Nothing, &[(200, Json("Users"))], &[]),
    doc("GET /api/users/{id}", "The profile of a user", &[], Nothing, &[(200, Json("User"))], &[404]),
    doc("PATCH /api/users/{id}", "Change a profile: one's own, or any as an administrator", &[], Body("UserChange"), &[(200, Json("User"))], &[403, 404, 409, 429]),
    doc("DELETE /api/users/{id}", "Deactivate a user: sessions and memberships of shared rooms end, direct rooms and messages stay. Oneself: with `current_password`", &[], Body("Deactivation"), DONE, &[403, 404, 409, 429]),
    doc("PUT /api/users/{id}/avatar", "Set the picture of a user", &[], Image, &[(200, Json("User"))], &[403, 404]),
    doc("DELETE /api/users/{id}/avatar", "Remove the picture of a user", &[], Nothing, DONE, &[403, 404]),
    doc("GET /avatars/{id}", "The picture of a user, or the initials; `size=small` for lists", &["v", "size"], Nothing, &[(200, Raw("image/*"))], &[404]),
    doc("POST /api/users/{id}/invitation", "Create a single-use link by which somebody takes over the account that was imported for them, within 7 days; earlier ones stop working", &[], Nothing, &[(201, Json("TransferLink"))], &[404, 409]),
    doc("POST /api/users/{id}/sign_in_link", "Create a single-use link by which somebody who lost the password chooses a new one and signs in, within an hour", &[], Nothing, &[(201, Json("TransferLink"))], &[404, 409]),
    doc("GET /api/users/{id}/sessions", "The devices and tokens of somebody, the one used last first", &[], Nothing, &[(200, Json("AllSessions"))], &[404]),
    doc("DELETE /api/users/{id}/sessions", "End all sessions, tokens and links of somebody", &[], Nothing, DONE, &[404, 409]),
    doc("DELETE /api/users/{id}/sessions/{session_id}", "End a session of somebody, or revoke a token", &[], Nothing, DONE, &[404]),
    doc("GET /api/sign_ins", "How everybody signs in, and when they were last seen", &[], Nothing, &[(200, Json("SignIns"))], &[503]),
    doc("GET /api/sign_ins/failed", "Attempts to sign in that failed within 30 days, counted by day, account, network and way, the newest first", &["before", "limit"], Nothing, &[(200, Json("FailedSignIns"))], &[400]),
    doc("POST /api/users/{id}/invitation/mail", "Mail such a link to the e-mail address of the account. 409 without one, and where no mail is sent", &[], Nothing, &[(202, Json("MailedInvitation"))], &[404, 409]),
    doc("POST /api/users/{id}/ban", "Ban a user: sessions end, messages are deleted, addresses are blocked", &[], Nothing, DONE, &[404, 409]),
    doc("DELETE /api/users/{id}/ban", "Lift the ban of a user", &[], Nothing, DONE, &[404]),
    doc("GET /api/rooms", "My rooms", &[], Nothing, &[(200, Json("Rooms"))], &[]),
    doc("POST /api/rooms", "Create a room; 200 with the existing direct room of the same users", &[], Body("NewRoom"), &[(201, Json("Room")), (200, Json("Room"))], &[403]),
    doc("GET /api/rooms/{id}", "A room", &[], Nothing, &[(200, Json("Room"))], &[404]),
    doc("PATCH /api/rooms/{id}", "Change the name, the kind or the members of a room", &[], Body("RoomChange"), &[(200, Json("Room"))], &[403, 404, 409]),
    doc("DELETE /api/rooms/{id}", "Delete a room with its messages", &[], Nothing, DONE, &[403, 404]),
    doc("GET /api/rooms/{id}/members", "The members of a room", &[], Nothing, &[(200, Json("Members"))], &[404]),
    doc("PUT /api/rooms/{id}/members", "Set the members of a closed room; without oneself: leave it", &[], Body("NewMembers"), &[(200, Json("Members"))], &[403, 404, 409]),
    doc("POST /api/rooms/{id}/members/{user_id}", "Make an active user a member of a closed room: 201, or 200 for a member", &[], Nothing, &[(201, Json("User")), (200, Json("User"))], &[403, 404, 409]),
    doc("DELETE /api/rooms/{id}/members/{user_id}", "Remove a member of a closed room; `me` leaves it", &[], Nothing, DONE, &[403, 404, 409]),
    doc("PUT /api/rooms/{id}/involvement", "Set how much I am notified of in a room", &[], Body("NewInvolvement"), &[(200, Json("Membership"))], &[404]),
    doc("POST /api/rooms/{id}/read", "Mark a room as read up to a message", &[], Body("ReadMark"), DONE, &[404]),
    doc("GET /api/rooms/{id}/messages", "A page of messages, oldest first; with less than `limit` where more would be over 2 MiB, and then has_before or has_after", &["before", "after", "around", "limit"], Nothing, &[(200, Json("MessagePage"))], &[400, 404, 503]),
    doc("POST /api/messages", "Post a message; 200 with the existing one if its `client_message_id` was posted before", &[], Body("NewMessage"), &[(201, Json("Message")), (200, Json("Message"))], &[404, 429]),
    doc("GET /api/messages/{id}", "A message", &[], Nothing, &[(200, Json("Message"))], &[404]),
    doc("PATCH /api/messages/{id}", "Edit a message", &[], Body("MessageChange"), &[(200, Json("Message"))], &[403, 404, 409]),
    doc("DELETE /api/messages/{id}", "Delete a message with its file", &[], Nothing, DONE, &[403, 404]),
    doc("DELETE /api/messages/{id}/embeds/{place}", "Remove the preview of a link, by its place in `embeds` from 0: one's own messages; it stays away until the message has other links", &[], Nothing, DONE, &[403, 404]),
    doc("POST /api/messages/{id}/boosts", "Boost a message; 200 with the existing boost if it is the same", &[], Body("NewBoost"), &[(201, Json("Boost")), (200, Json("Boost"))], &[404, 409]),
    doc("DELETE /api/boosts/{id}", "Remove one of my boosts", &[], Nothing, DONE, &[403, 404]),
    doc("POST /api/rooms/{id}/attachments", "Post a message with a file", &[], Multipart, &[(201, Json("Message")), (200, Json("Message"))], &[404, 429, 507]),
    doc("GET /files/{id}/{filename}", "A file, whole or in ranges; its thumbnail if `filename` is `thumbnail`", &["download"], Nothing, &[(200, Raw("*/*")), (206, Raw("*/*"))], &[404, 416]),
    doc("GET /embeds/{key}", "The stored copy of the picture of a link preview", &[], Nothing, &[(200, Raw("image/*"))], &[404]),
    doc("GET /api/sounds", "The sounds that `/play NAME` plays", &[], Nothing, &[(200, Json("Sounds"))], &[]),
    doc("GET /sounds/{name}", "A sound", &[], Nothing, &[(200, Raw("audio/wav"))], &[404]),
    doc("GET /api/emoji", "Emoji of the team's own, for `:name:` in messages and boosts", &[], Nothing, &[(200, Json("EmojiList"))], &[]),
    doc("PUT /api/emoji/{name}", "Add an emoji, or replace its picture; one of 256 KiB and 512 pixels or less is kept as it is", &[], Image, &[(200, Json("Emoji"))], &[409, 422]),
    doc("DELETE /api/emoji/{name}", "Remove an emoji", &[], Nothing, DONE, &[404]),
    doc("GET /emoji/{name}", "The picture of an emoji", &["v"], Nothing, &[(200, Raw("image/*"))], &[404]),
    doc("GET /api/search", "Search the messages of my rooms: those that have the words as they were typed, but for case, accents and the like, the newest first; then those that have other forms of them (inflected, longer, parts of words), the newest first. `before` is the last result of the page before: what follows it in that order comes next; of any other message, what is older. If it was deleted meanwhile, results may repeat. With less than `limit` where more would be over 2 MiB, and then has_before. The days of the filters `before:`, `after:` and `on:` in `q` are days in UTC, unless `from` and `until` (RFC 3339) say what they are", &["q", "room_id", "creator_id", "before", "from", "until", "limit"], Nothing, &[(200, Json("SearchResults"))], &[400, 404, 503]),
    doc("GET /api/searches", "My recent searches", &[], Nothing, &[(200, Json("Searches"))], &[]),
    doc("DELETE /api/searches", "Delete my recent searches", &[], Nothing, DONE, &[]),
    doc("GET /api/sync", "The durable events after `since` that I may see: 1,000 or 2 MiB at most, up to `seq`, from which to ask again until it stays; `history` is that of the session or the socket's hello in which `since` was reached. With `with=rooms` the last page also has my rooms and who is online, as in the session", &["since", "history", "with"], Nothing, &[(200, Json("Sync"))], &[400, 410, 503]),
    doc("GET /api/bots", "Bots", &[], Nothing, &[(200, Json("Bots"))], &[]),
    doc("POST /api/bots", "Create a bot; its key is shown once", &[], Body("NewBot"), &[(201, Json("Bot"))], &[]),
    doc("GET /api/bots/{id}", "A bot", &[], Nothing, &[(200, Json("Bot"))], &[404]),
    doc("PATCH /api/bots/{id}", "Change a bot", &[], Body("BotChange"), &[(200, Json("Bot"))], &[404]),
    doc("DELETE /api/bots/{id}", "Remove a bot; its messages stay", &[], Nothing, DONE, &[404]),
    doc("POST /api/bots/{id}/key", "Replace the key of a bot", &[], Nothing, &[(201, Json("Bot"))], &[404]),
    doc("GET /api/hooks", "Incoming webhooks", &[], Nothing, &[(200, Json("Hooks"))], &[]),
    doc("POST /api/hooks", "Create an incoming webhook for a room; its URL is shown once", &[], Body("NewHook"), &[(201, Json("Hook"))], &[]),
    doc("PATCH /api/hooks/{id}", "Change an incoming webhook", &[], Body("HookChange"), &[(200, Json("Hook"))], &[404]),
    doc("DELETE /api/hooks/{id}", "Remove an incoming webhook", &[], Nothing, DONE, &[404]),
    doc("POST /hooks/{token}", "Post a message to the room of an incoming webhook, in Slack's format or Mattermost's; answers are bare words, as Slack's", &[], Slack, &[(200, Raw("text/plain"))], &[403]),
    doc("GET /rooms/{room_id}/{bot_key}/messages", "ONCE Campfire's bot API: a page of 40 messages", &["before", "after"], Nothing, &[(200, Json("OnceMessages"))], &[400, 401, 404, 503]),
    doc("POST /rooms/{room_id}/{bot_key}/messages", "ONCE Campfire's bot API: post a message", &[], TextOrFile, &[(201, Json("OnceMessage"))], &[401, 404, 429, 507]),
    doc("PUT /rooms/{room_id}/{bot_key}/messages/{message_id}", "ONCE Campfire's bot API: edit a message", &[], Text, &[(200, Json("OnceMessage"))], &[401, 403, 404, 409]),
    doc("PATCH /rooms/{room_id}/{bot_key}/messages/{message_id}", "ONCE Campfire's bot API: edit a message", &[], Text, &[(200, Json("OnceMessage"))], &[401, 403, 404, 409]),
    doc("DELETE /rooms/{room_id}/{bot_key}/messages/{message_id}", "ONCE Campfire's bot API: delete a message", &[], Nothing, DONE, &[401, 403, 404]),
    doc("POST /rooms/{room_id}/{bot_key}/messages/{message_id}/boosts", "ONCE Campfire's bot API: boost a message", &[], Text, &[(201, Json("OnceBoost"))], &[401, 404, 409]),
    doc("DELETE /rooms/{room_id}/{bot_key}/messages/{message_id}/boosts/{id}", "ONCE Campfire's bot API: remove a boost", &[], Nothing, DONE, &[401, 403, 404]),
    doc("GET /api/tokens", "My personal API tokens", &[], Nothing, &[(200, Json("Tokens"))], &[]),
    doc("POST /api/tokens", "Create a personal API token; its secret is shown once", &[], Body("NewToken"), &[(201, Json("Token"))], &[403, 409]),
    doc("DELETE /api/tokens/{id}", "Revoke a personal API token", &[], Nothing, DONE, &[404]),
    doc("GET /api/push/key", "The public key for subscribing (`applicationServerKey`)", &[], Nothing, &[(200, Json("PushKey"))], &[]),
    doc("GET /api/push/subscriptions", "My push subscriptions", &[], Nothing, &[(200, Json("PushSubscriptions"))], &[]),
    doc("POST /api/push/subscriptions", "Subscribe a device to pushes", &[], Body("NewSubscription"), &[(201, Json("PushSubscription"))], &[]),
    doc("DELETE /api/push/subscriptions/{id}", "Remove a push subscription", &[], Nothing, DONE, &[404]),
    doc("POST /api/push/subscriptions/{id}/test", "Send a test push to a device", &[], Nothing, &[(202, Empty)], &[404, 429]),
    doc("GET /api/mail", "When I am told by mail of unread mentions and direct messages, and whether my address takes mails. 409 where no mail is sent", &[], Nothing, &[(200, Json("MailSettings"))], &[409]),
    doc("PUT /api/mail", "Set when I am told by mail", &[], Body("MailChange"), &[(200, Json("MailSettings"))], &[409]),
    doc("DELETE /api/mail/refusal", "Have mails sent to my address again after it refused one", &[], Nothing, DONE, &[409]),
    doc("POST /api/mail/test", "Have a mail sent to me that shows that mails arrive", &[], Nothing, &[(202, Empty)], &[409, 429]),
    doc("GET /unsubscribe/{token}", "A page with a button that ends the mails of the person whom the address in a mail stands for", &[], Nothing, PAGE, &[404]),
    doc("POST /unsubscribe/{token}", "End these mails: one click of a mail program (RFC 8058), or the button. The same once or again, with any body", &[], OneClick, PAGE, &[404]),
    doc("GET /api/export", "All data of the account as newline-delimited JSON; the last line, of type `end`, says that it is complete", &[], Nothing, &[(200, Raw("application/x-ndjson"))], &[503]),
    doc("GET /api/audit", "The audit log, newest first", &["before", "limit"], Nothing, &[(200, Json("Audit"))], &[400]),
    doc("GET /api/jobs", "Dead background jobs, or with `state=waiting` the queued ones", &["state", "limit"], Nothing, &[(200, Json("Jobs"))], &[400]),
    doc("POST /api/jobs/{id}/retry", "Retry a dead job", &[], Nothing, DONE, &[404]),
    doc("DELETE /api/jobs/{id}", "Remove a job", &[], Nothing, DONE, &[404]),
    doc("GET /ws", "The WebSocket: subprotocols `campfire.json` and `campfire.msgpack`", &[], Nothing, &[(101, Empty)], &[401, 403, 426]),
    doc("GET /", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /setup", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /signin", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /join/{code}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /reset/{token}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /transfer/{token}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /invite/{token}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /rooms/{id}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /rooms/{id}/{message}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /messages/{id}", "The message on the page, as ONCE Campfire's bots know its address: a redirect", &[], Nothing, &[(302, Empty)], &[404]),
    doc("GET /search", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /settings", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /settings/{section}", "The page", &[], Nothing, PAGE, &[]),
    doc("GET /assets/{name}", "An asset of the page", &[], Nothing, &[(200, Raw("*/*"))], &[404]),
    doc("GET /favicon.ico", "The icon", &[], Nothing, &[(200, Raw("image/svg+xml"))], &[]),
    doc("GET /favicon.svg", "The icon", &[], Nothing, &[(200, Raw("image/svg+xml"))], &[]),
    doc("GET /apple-touch-icon.png", "The icon", &[], Nothing, &[(200, Raw("image/png"))], &[]),
    doc("GET /icons/{name}", "The icon in other sizes", &[], Nothing, &[(200, Raw("image/png"))], &[404]),
    doc("GET /manifest.webmanifest", "The web app manifest of the page", &[], Nothing, &[(200, Raw("application/manifest+json"))], &[]),
    doc("GET /sw.js", "The page's service worker", &[], Nothing, &[(200, Raw("text/javascript"))], &[]),
    doc("GET /up", "Health as a green page, as Rails has it", &[], Nothing, PAGE, &[503]),
    doc("GET /service-worker.js", "The page's service worker, where ONCE Campfire has its own", &[], Nothing, &[(200, Raw("text/javascript"))], &[]),
    doc("GET /service-worker", "The same", &[], Nothing, &[(200, Raw("text/javascript"))], &[]),
    doc("GET /webmanifest", "The web app manifest, where ONCE Campfire has its own", &[], Nothing, &[(200, Raw("application/manifest+json"))], &[]),
    doc("GET /webmanifest.json", "The same", &[], Nothing, &[(200, Raw("application/manifest+json"))], &[]),
    doc("GET /session/new", "An address of ONCE Campfire: leads to the page to sign in", &[], Nothing, MOVED, &[]),
    doc("GET /session/transfers/{id}", "An address of ONCE Campfire: leads to the page to sign in", &[], Nothing, MOVED, &[]),
    doc("GET /first_run", "An address of ONCE Campfire: leads to the page to set up", &[], Nothing, MOVED, &[]),
    doc("GET /searches", "An address of ONCE Campfire: leads to the search", &[], Nothing, MOVED, &[]),
    doc("GET /users/{id}", "An address of ONCE Campfire: leads to the page", &[], Nothing, MOVED, &[]),
    doc("GET /users/{id}/avatar", "An address of ONCE Campfire: leads to the picture of a user, by a signed id", &[], Nothing, MOVED, &[404]),
    doc("GET /users/{id}/{page}", "An address of ONCE Campfire: leads to one's own settings", &[], Nothing, MOVED, &[404]),
    doc("GET /rooms/{id}/messages/{message}", "An address of ONCE Campfire: leads to the message on the page", &[], Nothing, MOVED, &[404]),
    doc("GET /rooms/{kind}/{id}/edit", "An address of ONCE Campfire: leads to the room", &[], Nothing, MOVED, &[404]),
    doc("GET /account", "An address of ONCE Campfire: leads to the settings of the account", &[], Nothing, MOVED, &[]),
    doc("GET /account/{page}", "An address of ONCE Campfire: leads to the settings of the account", &[], Nothing, MOVED, &[404]),
    doc("GET /account/{page}/new", "An address of ONCE Campfire: leads to the settings of the account", &[], Nothing, MOVED, &[404]),
    doc("GET /account/{page}/edit", "An address of ONCE Campfire: leads to the settings of the account", &[], Nothing, MOVED, &[404]),
    doc("GET /account/{page}/{id}/edit", "An address of ONCE Campfire: leads to the settings of the account", &[], Nothing, MOVED, &[404]),
];

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// Whether a route can be called without signing in.
fn is_public(handler: Handler) -> bool {
    matches!(
        handler,
        Handler::Anybody(_)
            | Handler::AnybodyWaits(_)
            | Handler::AnybodyWrites(_)
            | Handler::AnybodyUpload(_)
    )
}

fn statuses(route: &Route, doc: &Doc) -> Vec<u16> {
    let mut all = doc.problems.to_vec();
    if !is_public(route.handler) {
        all.push(401);
    }
    if matches!(route.handler, Handler::Admin(_) | Handler::AdminWrites(_))
        || ["/logo", "/api/emoji/"].iter().any(|part| route.path.contains(part))
    {
        all.push(403);
    }
    if !route.method.is_safe() {
        // Another site or a blocked address; a full queue; a full disk.
        all.extend([403, 503, 507]);
    }
    match doc.takes {
        Nothing => {}
        Body(_) => all.extend([400, 408, 413, 415, 422]),
        Multipart | TextOrFile => all.extend([400, 408, 413, 415, 422]),
        Image => all.extend([400, 408, 413, 415]),
        Text => all.extend([400, 408, 413, 422]),
        Slack | OneClick => all.extend([400, 408, 413]),
    }
    if !route.method.is_safe() {
        // A body is read even if the route does not use it.
        all.extend([400, 408, 413]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn operation(route: &Route, doc: &Doc) -> Value {
    let schema = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let placeholders = route.path.split(['{', '}']).skip(1).step_by(2);
    let mut parameters: Vec<Value> = placeholders
        .map(|name| {
            let schema = match name {
                "id" | "room_id" | "message_id" | "session_id" | "identity_id" => schema("Id"),
                "user_id" => json!({ "oneOf": [schema("Id"), { "const": "me" }] }),
                _ => json!({ "type": "string" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    parameters.extend(doc.query.iter().map(|name| {
        let schema = match *name {
            "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }),
            "since" => json!({ "type": "integer", "format": "int64", "minimum": 0 }),
            "before" | "after" | "around" | "room_id" | "creator_id" => schema("Id"),
            "state" => json!({ "enum": ["dead", "waiting"] }),
            "with" => json!({ "enum": ["account", "rooms"] }),
            "from" | "until" => schema("Time"),
            "size" => json!({ "enum": ["small"] }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "query", "required": *name == "since", "schema": schema })
    }));
    let mut responses = Map::new();
    for (status, gives) in doc.gives {
        let response = match gives {
            Empty => json!({ "description": "Done." }),
            Json(name) => {
                json!({ "description": "Done.", "content": { "application/json": { "schema": schema(name) } } })
            }
            Raw(kind) => json!({ "description": "Done.", "content": { *kind: {} } }),
        };
        responses.insert(status.to_string(), response);
    }
    if doc.gives.iter().any(|(status, gives)| *status == 200 && !matches!(gives, Empty))
        && route.method.is_safe()
    {
        responses.insert("304".into(), json!({ "description": "Not modified (`If-None-Match`)." }));
    }
    for status in statuses(route, doc) {
        // Senders know Slack's words, which are codes of ours.
        let is_hook = matches!(doc.takes, Slack);
        let content = match is_hook {
            true => json!({ "text/plain": { "schema": { "type": "string" } } }),
            false => json!({ "application/problem+json": { "schema": schema("Problem") } }),
        };
        responses.insert(
            status.to_string(),
            json!({ "description": "A problem (RFC 9457).", "content": content }),
        );
    }
    let mut operation =
        json!({ "summary": doc.summary, "operationId": operation_id(route), "responses": responses });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let multipart = || json!({ "multipart/form-data": { "schema": schema("NewFile") } });
    let text = || json!({ "text/plain": { "schema": { "type": "string" } } });
    let content = match doc.takes {
        Nothing => None,
        Body(name) => Some(json!({ "application/json": { "schema": schema(name) } })),
        Multipart => Some(multipart()),
        Image => Some(json!({ "image/*": { "schema": { "type": "string", "format": "binary" } } })),
        TextOrFile => {
            let mut both = text();
            both["multipart/form-data"] = multipart()["multipart/form-data"].take();
            Some(both)
        }
        Text => Some(text()),
        Slack => Some(json!({ "application/json": { "schema": schema("SlackPayload") } })),
        OneClick => Some(json!({ "application/x-www-form-urlencoded": {}, "multipart/form-data": {} })),
    };
    if let Some(content) = content {
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if is_public(route.handler) {
        operation["security"] = json!([]);
    }
    operation
}

fn operation_id(route: &Route) -> String {
    let words = route.path.split(['/', '{', '}', '.', '_']).filter(|word| !word.is_empty());
    words.fold(route.method.as_str().to_ascii_lowercase(), |id, word| format!("{id}_{word}"))
}

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let mut paths = Map::new();
    for route in ROUTES {
        if let Some(doc) = DOCS.iter().find(|doc| doc.route == name(route)) {
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            path[route.method.as_str().to_ascii_lowercase()] = operation(route, doc);
        }
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).expect("a test parses it");
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Campfire",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Team chat in one binary. Errors are `application/problem+json` (RFC 9457) with a stable `code`.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A session's token, a personal API token or a bot's key." },
                "cookie": { "type": "apiKey", "in": "cookie", "name": super::request::COOKIE },
            },
        },
    });
    document.to_string().into()
});

pub(crate) fn show(_: &Call) -> Response {
    Ok(Reply::json_bytes(DOCUMENT.clone()))
}

/// The document, for `campfire openapi`.
pub(crate) fn document() -> &'static [u8] {
    &DOCUMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_has_every_route_and_no_other() {
        let mut routes: Vec<String> = ROUTES.iter().map(name).collect();
        let mut docs: Vec<String> = DOCS.iter().map(|doc| doc.route.to_owned()).collect();
        routes.sort_unstable();
        docs.sort_unstable();
        assert_eq!(routes, docs);
    }

    #[test]
    fn schemas_are_all_defined_and_all_used() {
        let document = String::from_utf8(document().to_vec()).unwrap();
        let schemas: Map<String, Value> = serde_json::from_str(SCHEMAS).unwrap();
        for part in document.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name} is missing");
        }
        for name in schemas.keys() {
            assert!(document.contains(&format!("#/components/schemas/{name}\"")), "{name} is not used");
        }
    }
}
