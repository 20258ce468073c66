//! Sessions: authentication by a secret, signing in and out, single-use links, personal API tokens.

use std::net::IpAddr;

use super::{
    Viewer,
    passwords::{self, check_passwords, check_passwords_of, is_administrator},
    second_factors::{self, Challenge},
};
use crate::{
    store::{
        CreateToken, EndOtherSessions, EndSession, NewSession, NextStep, RecordFailedSignIn, Refusal,
        ResetPassword, SignIn, StartTransfer, TouchSession, Transfer, WriteError,
    },
    types::{
        Scope, SessionId, SessionKind, SignInMethod, Timestamp, TokenHash, UserId, event::Session,
        random_token,
    },
    wire::{Problem, looks_like_email},
    worker::Worker,
};

/// `last_active_at` of a session is updated at most once in so many milliseconds.
const TOUCH_AFTER: i64 = 3_600_000;

/// Characters of a secret made by `random_token`.
const TOKEN_LENGTH: usize = 43;

/// Characters of `User-Agent` that are stored.
const MAX_USER_AGENT: usize = 256;

/// The client that asks for a session.
pub(crate) struct Device<'a> {
    pub(crate) user_agent: &'a str,
    pub(crate) address: IpAddr,
}

impl Device<'_> {
    /// Its `User-Agent`, truncated.
    pub(crate) fn name(&self) -> String {
        self.user_agent.chars().take(MAX_USER_AGENT).collect()
    }

    /// A new session on this device, and its token.
    pub(crate) fn new_session(&self) -> (String, NewSession) {
        let token = random_token();
        let session = NewSession {
            token: TokenHash::of(&token),
            user_agent: self.name(),
            ip_address: self.address.to_string(),
        };
        (token, session)
    }
}

/// A user who has just signed in, and the session's token.
pub(crate) type SignedIn = (UserId, String);

/// Where somebody is whose password or link was right.
pub(crate) enum Entered {
    In(SignedIn),
    /// A second step is asked of them.
    Asked(Challenge),
}

/// Authenticates by the token of a session, a personal API token or the key of a bot.
pub(crate) fn by_token(worker: &Worker, token: &str, address: IpAddr) -> Option<Viewer> {
    let hash = TokenHash::of(secret_of(token));
    let state = worker.state.borrow();
    let session = state.session(&hash)?;
    let user = state.users.get(&session.user_id).filter(|user| user.is_active())?;
    touch(worker, session, hash, address);
    Some(Viewer {
        user: user.id,
        is_admin: user.is_admin() && session.scope == Scope::Admin,
        is_guest: user.is_guest(),
        may_write: session.scope != Scope::Read,
        session: session.id,
        kind: session.kind,
        address,
    })
}

/// The secret in a token: all of it, or SECRET of a bot's key `ID-SECRET`.
fn secret_of(key: &str) -> &str {
    match key.split_once('-') {
        Some((id, secret))
            if secret.len() == TOKEN_LENGTH && id.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            secret
        }
        _ => key,
    }
}

fn touch(worker: &Worker, session: &Session, token: TokenHash, address: IpAddr) {
    let now = Timestamp::now();
    if now.0 - session.last_active_at.0 > TOUCH_AFTER {
        let touch = TouchSession { session: session.id, token, ip_address: address.to_string() };
        worker.writer.submit_later(touch);
    }
}

/// Signs in by e-mail address and password. 401 if either is wrong, after the same time and with the same text; 403 where
/// there are no passwords; 429 after too many attempts.
pub(crate) async fn sign_in(
    worker: &Worker,
    device: &Device<'_>,
    email: &str,
    password: String,
) -> Result<Entered, Problem> {
    // Whether it is an administrator is said only once the password is right.
    check_passwords(worker, true)?;
    let limits = &worker.shared.limits;
    limits.try_sign_in(device.address, email).map_err(Problem::rate_limited)?;
    let credentials = if looks_like_email(email) { worker.reader.credentials(email)? } else { None };
    let hash = credentials.as_ref().map(|found| found.password_hash.clone());
    let verified = passwords::verify(worker, password, hash).await;
    // Refused unverified, it was no guess.
    let verified = verified.inspect_err(|_| limits.give_back(device.address, email))?;
    let user = credentials.as_ref().map(|found| found.user);
    let (Some(found), Some(new_hash)) = (credentials, verified) else {
        let address = device.address;
        worker.writer.submit_later(RecordFailedSignIn { user, address, method: SignInMethod::Password });
        return Err(Problem::wrong_password());
    };
    let (user, verified_hash) = (found.user, found.password_hash);
    check_passwords_of(worker, user)?;
    let (token, session) = device.new_session();
    let current_hash = new_hash.clone().unwrap_or_else(|| verified_hash.clone());
    let next = match worker.writer.write(SignIn { user, session, verified_hash, new_hash }).await {
        // The password was replaced meanwhile.
        Err(WriteError::Refused(Refusal::NotFound)) => return Err(Problem::wrong_password()),
        done => done?,
    };
    limits.give_back(device.address, email);
    entered(worker, (user, token), current_hash, SignInMethod::Password, next)
}

/// Signed in, unless a second step is asked.
fn entered(
    worker: &Worker,
    (user, token): SignedIn,
    verified_hash: String,
    method: SignInMethod,
    next: NextStep,
) -> Result<Entered, Problem> {
    Ok(match next {
        NextStep::None => Entered::In((user, token)),
        NextStep::Code | NextStep::SetUp => {
            Entered::Asked(second_factors::challenge(worker, user, verified_hash, method, next)?)
        }
    })
}

/// 404 unless a link for choosing a new password is valid; 429 after too many that are not.
pub(crate) fn check_reset(worker: &Worker, address: IpAddr, link: &TokenHash) -> Result<(), Problem> {
    check_link(worker, address, link, "reset")
}

/// The same for a link with this purpose.
fn check_link(worker: &Worker, address: IpAddr, link: &TokenHash, purpose: &str) -> Result<(), Problem> {
    let mut read = Ok(false);
    let is_open = || {
        read = worker.reader.link_is_open(link, purpose, Timestamp::now());
        // A failed read is no guess.
        read.as_ref().is_ok_and(|is_open| *is_open) || read.is_err()
    };
    worker.shared.limits.guess(address, is_open).map_err(Problem::rate_limited)?;
    if read? { Ok(()) } else { Err(Problem::not_found()) }
}

/// Sets the password by such a link, and signs in. Where there are no passwords an administrator's link works all the same: it
/// is made on the command line, and is the way in when the provider is not.
pub(crate) async fn reset_password(
    worker: &Worker,
    device: &Device<'_>,
    link: TokenHash,
    password: String,
) -> Result<Entered, Problem> {
    let owner =
        worker.reader.owner_of_link(&link, "reset", Timestamp::now())?.ok_or_else(Problem::not_found)?;
    if !is_administrator(worker, owner)? {
        check_passwords(worker, false)?;
    }
    let password_hash = passwords::hash(worker, password).await?;
    let (token, session) = device.new_session();
    let current_hash = password_hash.clone();
    let (user, next) = worker.writer.write(ResetPassword { token: link, password_hash, session }).await?;
    entered(worker, (user, token), current_hash, SignInMethod::Reset, next)
}

/// Creates a single-use link that signs another device in. Returns its token and when it expires. 403 unless by a device.
pub(crate) async fn start_transfer(worker: &Worker, viewer: &Viewer) -> Result<(String, Timestamp), Problem> {
    check_may_make_secrets(viewer)?;
    let token = random_token();
    let command = StartTransfer { user: viewer.user, session: viewer.session, token: TokenHash::of(&token) };
    let expires_at = worker.writer.write(command).await?;
    Ok((token, expires_at))
}

/// Signs in by such a link. 404 if it is used or expired; 429 after too many of these.
pub(crate) async fn transfer(
    worker: &Worker,
    device: &Device<'_>,
    link: TokenHash,
) -> Result<SignedIn, Problem> {
    check_link(worker, device.address, &link, "transfer")?;
    let (token, session) = device.new_session();
    let user = worker.writer.write(Transfer { token: link, session }).await?;
    Ok((user, token))
}

/// Ends the viewer's own session. 403 for a bot.
pub(crate) async fn sign_out(worker: &Worker, viewer: &Viewer) -> Result<(), Problem> {
    if viewer.kind == SessionKind::Bot {
        return Err(Problem::forbidden("A bot cannot sign out: an administrator can replace its key."));
    }
    end(worker, viewer, viewer.session, viewer.kind).await
}

/// 403 unless the viewer is signed in on a device: a secret made by a token or a bot's key would outlive it.
pub(crate) fn check_may_make_secrets(viewer: &Viewer) -> Result<(), Problem> {
    match viewer.kind {
        SessionKind::Device => Ok(()),
        SessionKind::Token => {
            Err(Problem::forbidden("A token cannot make tokens or links: sign in for that."))
        }
        SessionKind::Bot => Err(Problem::forbidden("A bot cannot make tokens or links: it has its key.")),
    }
}

/// Creates a personal API token. Returns its id and the secret, which cannot be shown again. 403 unless by a device.
pub(crate) async fn create_token(
    worker: &Worker,
    viewer: &Viewer,
    device: &Device<'_>,
    name: String,
    scope: Scope,
) -> Result<(SessionId, String), Problem> {
    check_may_make_secrets(viewer)?;
    let (token, session) = device.new_session();
    let id = worker
        .writer
        .write(CreateToken { user: viewer.user, by: viewer.session, name, scope, session })
        .await?;
    Ok((id, token))
}

/// Ends one of the viewer's sessions, or revokes one of the tokens. 404 if there is none of that kind.
pub(crate) async fn end(
    worker: &Worker,
    viewer: &Viewer,
    session: SessionId,
    kind: SessionKind,
) -> Result<(), Problem> {
    Ok(worker.writer.write(EndSession { user: viewer.user, session, kind }).await?)
}

/// Ends all of the viewer's other sessions on devices.
pub(crate) async fn end_others(worker: &Worker, viewer: &Viewer) -> Result<(), Problem> {
    Ok(worker.writer.write(EndOtherSessions { user: viewer.user, but: viewer.session }).await?)
}
