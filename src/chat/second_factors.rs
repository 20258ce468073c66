//! The second step of signing in: a code of an app, or a recovery code.

use std::time::Instant;

use serde::Serialize;

use super::{
    Admin, Viewer,
    people::check_password,
    sessions::{Device, SignedIn},
    totp::{self, SECRET_BYTES},
};
use crate::{
    store::{
        Act, Audited, Command, FinishSignIn, NewSecondFactor, NextStep, Proof, ProveSecondFactor,
        PutSecondFactor, RecordFailedSignIn, Refusal, RemoveSecondFactor, RenewRecoveryCodes,
        ResetSecondFactor, SecondStep, Verified, WriteError,
    },
    types::{SessionKind, SignInMethod, Timestamp, TokenHash, User, UserId, random_bytes, random_token},
    wire::Problem,
    worker::{
        Worker,
        second_steps::{Asked, MAX_STEP, Purpose},
    },
};

/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 10;

/// Letters of a recovery code: 60 bits.
const RECOVERY_LETTERS: usize = 12;

/// What somebody is asked whose password was right.
pub(crate) struct Challenge {
    /// A secret that belongs to the code.
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
    /// What an app needs of somebody who has no second step yet and has to set one up.
    pub(crate) set_up: Option<NewApp>,
}

/// What an app needs to make codes.
pub(crate) struct NewApp {
    /// In groups of four.
    pub(crate) key: String,
    pub(crate) uri: String,
}

/// One's own second step.
#[derive(Serialize)]
pub(crate) struct Status {
    is_on: bool,
    since: Option<Timestamp>,
    /// Recovery codes that were not used yet.
    recovery_codes: i64,
    /// Whether it is required here of whoever signs in by a password.
    is_required: bool,
    has_password: bool,
}

fn user(worker: &Worker, id: UserId) -> Result<User, Problem> {
    worker.state.borrow().users.get(&id).cloned().ok_or_else(Problem::not_found)
}

impl NewApp {
    fn of(worker: &Worker, user: &User, secret: &[u8]) -> Result<Self, Problem> {
        let key = totp::base32(secret);
        let groups: Vec<&str> = key
            .as_bytes()
            .chunks(4)
            .map(|group| std::str::from_utf8(group).expect("base32 is ASCII"))
            .collect();
        let account = super::account::account(worker)?;
        let email = user.email.as_deref().unwrap_or(&user.name);
        Ok(Self { key: groups.join(" "), uri: totp::uri(&account.name, email, secret) })
    }
}

fn ask(worker: &Worker, asked: Asked) -> (String, Timestamp) {
    let token = random_token();
    worker.shared.second_steps.add(TokenHash::of(&token), asked, Instant::now());
    (token, Timestamp(Timestamp::now().0 + MAX_STEP.as_millis() as i64))
}

/// Asks somebody for the second step whose password was right.
pub(crate) fn challenge(
    worker: &Worker,
    id: UserId,
    verified_hash: String,
    method: SignInMethod,
    next: NextStep,
) -> Result<Challenge, Problem> {
    let new_secret = (next == NextStep::SetUp).then(|| random_bytes::<SECRET_BYTES>().to_vec());
    let set_up = match &new_secret {
        Some(secret) => Some(NewApp::of(worker, &user(worker, id)?, secret)?),
        None => None,
    };
    let purpose = Purpose::SignIn { verified_hash, method, new_secret };
    let (token, expires_at) = ask(worker, Asked { user: id, purpose });
    Ok(Challenge { token, expires_at, set_up })
}

fn expired() -> Problem {
    Problem::gone("This took longer than five minutes, or there were too many wrong codes: begin again.")
}

fn wrong_code() -> Problem {
    Problem::invalid_field("code", "is wrong")
}

/// Ten codes for when the app is lost, and their hashes.
fn recovery_codes() -> (Vec<String>, Vec<TokenHash>) {
    let code = |_| {
        let letters = totp::base32(&random_bytes::<8>()).to_lowercase();
        format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..RECOVERY_LETTERS])
    };
    let codes: Vec<String> = (0..RECOVERY_CODES).map(code).collect();
    let hashes = codes.iter().filter_map(|code| recovery_hash(code)).collect();
    (codes, hashes)
}

/// The hash of a recovery code as somebody types it; None for what cannot be one.
fn recovery_hash(text: &str) -> Option<TokenHash> {
    let letters: String = text
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| match letter.to_ascii_lowercase() {
            // Misread: the alphabet has no such digits.
            '0' => 'o',
            '1' => 'l',
            '8' => 'b',
            letter => letter,
        })
        .collect();
    (letters.len() == RECOVERY_LETTERS).then(|| TokenHash::of(&letters))
}

/// What a code of a person proves; None if it is wrong. Whether it was used before is checked in the command.
fn proof(worker: &Worker, user: UserId, code: &str) -> Result<Option<Proof>, Problem> {
    let Some(factor) = worker.reader.second_factor(user)? else { return Ok(None) };
    if let Some(step) = totp::step_of(&factor.secret, code, Timestamp::now()) {
        let is_new = step > factor.last_step;
        return Ok(is_new.then_some(Proof::Code { secret: factor.secret, step }));
    }
    let Some(hash) = recovery_hash(code) else { return Ok(None) };
    Ok(worker.reader.has_recovery_code(user, &hash)?.then_some(Proof::Recovery(hash)))
}

/// A code of somebody, as it counts against the limits while it is checked.
struct Try<'a> {
    worker: &'a Worker,
    address: std::net::IpAddr,
    user: UserId,
}

impl<'a> Try<'a> {
    /// 429 after too many wrong ones.
    fn begin(worker: &'a Worker, address: std::net::IpAddr, user: UserId) -> Result<Self, Problem> {
        worker.shared.limits.try_code(address, user).map_err(Problem::rate_limited)?;
        Ok(Self { worker, address, user })
    }

    /// It was wrong: it counts, and administrators see it.
    fn failed(self) -> Problem {
        let (user, address) = (Some(self.user), self.address);
        self.worker.writer.submit_later(RecordFailedSignIn { user, address, method: SignInMethod::Code });
        wrong_code()
    }

    /// Writes what the code was for. One that was used by somebody else at the same time counts as wrong.
    async fn write<C: Command>(self, command: C) -> Result<C::Output, WriteError> {
        let written = self.worker.writer.write(command).await;
        match &written {
            Err(WriteError::Refused(Refusal::Invalid("code", _))) => drop(self.failed()),
            _ => self.worker.shared.limits.give_code_back(self.address, self.user),
        }
        written
    }
}

/// Signs in by the second step. Returns the recovery codes too if it was set up by it. 410 for a sign-in that has ended, 422
/// for a wrong code.
pub(crate) async fn finish(
    worker: &Worker,
    device: &Device<'_>,
    token: &str,
    code: &str,
) -> Result<(SignedIn, Option<Vec<String>>), Problem> {
    let hash = TokenHash::of(token);
    let steps = &worker.shared.second_steps;
    let (Asked { user, purpose }, left) = steps.attempt(&hash, Instant::now()).ok_or_else(expired)?;
    let Purpose::SignIn { verified_hash, method, new_secret } = purpose else { return Err(expired()) };
    let counted = Try::begin(worker, device.address, user)?;
    let mut made = None;
    let step = match new_secret {
        None => proof(worker, user, code)?.map(SecondStep::Proof),
        Some(secret) => totp::step_of(&secret, code, Timestamp::now()).map(|step| {
            let (codes, recovery_codes) = recovery_codes();
            made = Some(codes);
            SecondStep::SetUp(NewSecondFactor { secret, step, recovery_codes })
        }),
    };
    let Some(step) = step else {
        let problem = counted.failed();
        return Err(if left == 0 { expired() } else { problem });
    };
    let (session_token, session) = device.new_session();
    let is_new = made.is_some();
    let command = FinishSignIn { user, session, verified_hash, method, step };
    let written = match is_new {
        true => counted.write(Audited { command, act: turned_on(user, device) }).await,
        false => counted.write(command).await,
    };
    match written {
        // The password was replaced meanwhile, or somebody else has set the second step up.
        Err(WriteError::Refused(Refusal::NotFound)) => {
            steps.remove(&hash);
            return Err(expired());
        }
        done => done?,
    }
    steps.remove(&hash);
    Ok(((user, session_token), made))
}

fn turned_on(user: UserId, device: &Device<'_>) -> Act {
    Act {
        actor: Some(user),
        ip_address: Some(device.address.to_string()),
        action: "second_factor.on",
        subject: format!("user {user}"),
        detail: "at sign-in".into(),
    }
}

pub(crate) fn status(worker: &Worker, viewer: &Viewer) -> Result<Status, Problem> {
    let factor = worker.reader.second_factor(viewer.user)?;
    let state = worker.state.borrow();
    let role = state.users.get(&viewer.user).map(|user| user.role);
    let wanted = state.account.as_ref().map(|account| account.settings.second_factor).unwrap_or_default();
    Ok(Status {
        is_on: factor.is_some(),
        since: factor.as_ref().map(|factor| factor.since),
        recovery_codes: factor.map_or(0, |factor| factor.recovery_codes),
        is_required: role.is_some_and(|role| wanted.is_required_of(role)),
        has_password: worker.reader.password_hash(viewer.user)?.is_some(),
    })
}

/// 403 unless the viewer is signed in on a device.
fn check_device(viewer: &Viewer) -> Result<(), Problem> {
    match viewer.kind {
        SessionKind::Device => Ok(()),
        SessionKind::Token | SessionKind::Bot => {
            Err(Problem::forbidden("Only who is signed in on a device may change the second step."))
        }
    }
}

/// Verifies the password and then the code of somebody who has a second step. Returns the hash of the password, and what the
/// code proves. 409 without a second step.
async fn check_both<'a>(
    worker: &'a Worker,
    viewer: &Viewer,
    current_password: Option<String>,
    code: Option<&str>,
) -> Result<(Option<String>, Proof, Try<'a>), Problem> {
    check_device(viewer)?;
    if worker.reader.second_factor(viewer.user)?.is_none() {
        return Err(Problem::conflict("You have no second step."));
    }
    let verified_hash = check_password(worker, viewer, &user(worker, viewer.user)?, current_password).await?;
    let Some(code) = code else { return Err(Problem::invalid_field("code", "is missing")) };
    let counted = Try::begin(worker, viewer.address, viewer.user)?;
    match proof(worker, viewer.user, code)? {
        Some(proof) => Ok((verified_hash, proof, counted)),
        None => Err(counted.failed()),
    }
}

/// Begins to turn the second step on, or to set it up anew with another app, for which the code is needed too. It is on once a
/// first code of the new app is given.
pub(crate) async fn begin(
    worker: &Worker,
    viewer: &Viewer,
    current_password: Option<String>,
    code: Option<&str>,
) -> Result<Challenge, Problem> {
    check_device(viewer)?;
    let me = user(worker, viewer.user)?;
    let replaces = worker.reader.second_factor(viewer.user)?.is_some();
    if replaces {
        let (verified_hash, proof, counted) = check_both(worker, viewer, current_password, code).await?;
        let command = ProveSecondFactor { user: viewer.user, proof };
        counted.write(Verified { user: viewer.user, verified_hash, command }).await?;
    } else {
        check_password(worker, viewer, &me, current_password).await?;
    }
    let secret = random_bytes::<SECRET_BYTES>().to_vec();
    let app = NewApp::of(worker, &me, &secret)?;
    let purpose = Purpose::TurnOn { session: viewer.session, secret, replaces };
    let (token, expires_at) = ask(worker, Asked { user: viewer.user, purpose });
    Ok(Challenge { token, expires_at, set_up: Some(app) })
}

/// Turns the second step on by a first code, and returns the recovery codes, which cannot be shown again.
pub(crate) async fn turn_on(
    worker: &Worker,
    viewer: &Viewer,
    token: &str,
    code: &str,
) -> Result<Vec<String>, Problem> {
    check_device(viewer)?;
    let hash = TokenHash::of(token);
    let steps = &worker.shared.second_steps;
    let (asked, left) = steps.attempt(&hash, Instant::now()).ok_or_else(expired)?;
    let Purpose::TurnOn { session, secret, replaces } = asked.purpose else { return Err(expired()) };
    if (asked.user, session) != (viewer.user, viewer.session) {
        return Err(expired());
    }
    // No guess of a secret: whoever asks was shown it.
    let Some(step) = totp::step_of(&secret, code, Timestamp::now()) else {
        return Err(if left == 0 { expired() } else { wrong_code() });
    };
    let (codes, recovery_codes) = recovery_codes();
    let new = NewSecondFactor { secret, step, recovery_codes };
    let command = PutSecondFactor { user: viewer.user, new, replaces };
    let act = viewer.act("second_factor.on", format_args!("user {}", viewer.user));
    worker.writer.write(Audited { command, act }).await?;
    steps.remove(&hash);
    Ok(codes)
}

/// Turns one's own second step off. 403 where it is required.
pub(crate) async fn turn_off(
    worker: &Worker,
    viewer: &Viewer,
    current_password: Option<String>,
    code: Option<&str>,
) -> Result<(), Problem> {
    let (verified_hash, proof, counted) = check_both(worker, viewer, current_password, code).await?;
    let command = RemoveSecondFactor { user: viewer.user, proof };
    let command = Verified { user: viewer.user, verified_hash, command };
    let act = viewer.act("second_factor.off", format_args!("user {}", viewer.user));
    Ok(counted.write(Audited { command, act }).await?)
}

/// Makes new recovery codes; those of before stop working.
pub(crate) async fn renew_codes(
    worker: &Worker,
    viewer: &Viewer,
    current_password: Option<String>,
    code: Option<&str>,
) -> Result<Vec<String>, Problem> {
    let (verified_hash, proof, counted) = check_both(worker, viewer, current_password, code).await?;
    let (made, codes) = recovery_codes();
    let command = RenewRecoveryCodes { user: viewer.user, proof, codes };
    let command = Verified { user: viewer.user, verified_hash, command };
    let act = viewer.act("second_factor.recovery_codes", format_args!("user {}", viewer.user));
    counted.write(Audited { command, act }).await?;
    Ok(made)
}

/// Removes the second step of somebody who has lost it, and ends their devices.
pub(crate) async fn remove_of(worker: &Worker, admin: &Admin, user: &User) -> Result<(), Problem> {
    check_device(&admin.0)?;
    let act = admin.act("second_factor.reset", format_args!("user {}", user.id));
    Ok(worker.writer.write(Audited { command: ResetSecondFactor { user: user.id }, act }).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_ten_and_different_and_may_be_misread() {
        let (codes, hashes) = recovery_codes();
        assert_eq!((codes.len(), hashes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for (code, hash) in codes.iter().zip(&hashes) {
            assert_eq!(code.len(), RECOVERY_LETTERS + 2, "{code}");
            let typed = code.to_uppercase().replace('-', " ").replace('O', "0").replace('L', "1");
            assert_eq!(recovery_hash(&typed).as_ref(), Some(hash));
        }
        let different: std::collections::HashSet<_> = hashes.into_iter().collect();
        assert_eq!(different.len(), RECOVERY_CODES);
        for text in ["", "123456", "abcd-efgh-ijk", "abcd-efgh-ijkl-m"] {
            assert_eq!(recovery_hash(text), None, "{text}");
        }
    }
}
