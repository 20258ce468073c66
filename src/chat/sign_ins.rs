//! Sessions and sign-in links of others, for administrators.

use super::{Admin, sessions::check_may_make_secrets};
use crate::{
    store::{Act, Audited, EndAllSessions, EndSession, StartSignIn},
    types::{SessionId, SessionKind, Timestamp, TokenHash, User, random_token},
    wire::Problem,
    worker::Worker,
};

/// Ends a session of somebody, or revokes one of their tokens. 404 if there is none.
pub(crate) async fn end(
    worker: &Worker,
    admin: &Admin,
    user: &User,
    session: SessionId,
) -> Result<(), Problem> {
    let kind = worker.reader.session_kind(user.id, session)?.ok_or_else(Problem::not_found)?;
    let detail = match kind {
        SessionKind::Token => format!("token {session}"),
        SessionKind::Device | SessionKind::Bot => format!("session {session}"),
    };
    let act = Act { detail, ..admin.act("user.end_session", format_args!("user {}", user.id)) };
    let command = EndSession { user: user.id, session, kind };
    Ok(worker.writer.write(Audited { command, act }).await?)
}

/// Ends all sessions of somebody, their tokens and links.
pub(crate) async fn end_all(worker: &Worker, admin: &Admin, user: &User) -> Result<(), Problem> {
    let act = admin.act("user.end_sessions", format_args!("user {}", user.id));
    Ok(worker.writer.write(Audited { command: EndAllSessions { user: user.id }, act }).await?)
}

/// Makes a link by which somebody who lost the password chooses a new one and signs in. Returns its token and when it
/// expires. 403 unless by a device; 409 for a bot, and for somebody who may not sign in or has not signed in yet.
pub(crate) async fn start(
    worker: &Worker,
    admin: &Admin,
    user: &User,
) -> Result<(String, Timestamp), Problem> {
    check_may_make_secrets(&admin.0)?;
    let token = random_token();
    let act = admin.act("user.sign_in_link", format_args!("user {}", user.id));
    let command = StartSignIn { user: user.id, token: TokenHash::of(&token) };
    let expires_at = worker.writer.write(Audited { command, act }).await?;
    Ok((token, expires_at))
}
