//! Second steps of signing in, and of whom one is asked.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    account::settings,
    command::{Command, Refusal, Tx},
    links::remove_links,
    people::{load, record_user_update},
    sessions::{NewSession, end_sessions},
};
use crate::{
    types::event::SessionEnd,
    types::{SessionKind, SignInMethod, Status, Timestamp, TokenHash, UserId},
};

/// A secret of an app for codes that was proved by a first code, and the hashes of the recovery codes.
#[derive(Debug)]
pub struct NewSecondFactor {
    pub secret: Vec<u8>,
    /// The time step of the code that proved it.
    pub step: i64,
    pub recovery_codes: Vec<TokenHash>,
}

/// What shows that somebody has their second step at hand.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A code by this secret for this time step.
    Code {
        secret: Vec<u8>,
        step: i64,
    },
    Recovery(TokenHash),
}

/// What somebody is asked whose password or link was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing: the session has begun.
    None,
    Code,
    /// They have no second step, and have to set one up.
    SetUp,
}

/// What is asked of a person after the password.
pub(super) fn next_step(tx: &Tx<'_>, user: UserId) -> Result<NextStep, Refusal> {
    if has_factor(tx, user)? {
        return Ok(NextStep::Code);
    }
    let is_required = settings(tx)?.second_factor.is_required_of(load(tx, user)?.role);
    Ok(if is_required { NextStep::SetUp } else { NextStep::None })
}

fn has_factor(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<bool> {
    tx.statement("select 1 from second_factors where user_id = ?")?.exists((user,))
}

/// Uses a code up. Refused with `Invalid` if it was used before, or the secret is another by now.
fn prove(tx: &Tx<'_>, user: UserId, proof: &Proof) -> Result<(), Refusal> {
    let used = match proof {
        Proof::Code { secret, step } => tx
            .statement(
                "update second_factors set last_step = ?1 where user_id = ?2 and secret = ?3 and last_step < ?1",
            )?
            .execute((step, user, secret))?,
        Proof::Recovery(hash) => tx
            .statement("delete from recovery_codes where user_id = ? and code_hash = ?")?
            .execute((user, hash))?,
    };
    if used == 0 {
        return Err(Refusal::Invalid("code", "is wrong"));
    }
    Ok(())
}

fn put(tx: &Tx<'_>, user: UserId, new: &NewSecondFactor) -> Result<(), Refusal> {
    tx.statement(
        "insert into second_factors (user_id, secret, last_step, created_at) values (?, ?, ?, ?)
         on conflict do update set secret = excluded.secret, last_step = excluded.last_step, created_at = excluded.created_at",
    )?
    .execute((user, &new.secret, new.step, tx.now))?;
    put_codes(tx, user, &new.recovery_codes)
}

/// Replaces the recovery codes.
fn put_codes(tx: &Tx<'_>, user: UserId, hashes: &[TokenHash]) -> Result<(), Refusal> {
    tx.statement("delete from recovery_codes where user_id = ?")?.execute((user,))?;
    for hash in hashes {
        tx.statement("insert into recovery_codes (user_id, code_hash) values (?, ?)")?
            .execute((user, hash))?;
    }
    Ok(())
}

/// Removes the second step of a person; false if there was none.
pub(super) fn remove_factor(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<bool> {
    tx.statement("delete from recovery_codes where user_id = ?")?.execute((user,))?;
    let removed = tx.statement("delete from second_factors where user_id = ?")?.execute((user,))?;
    Ok(removed > 0)
}

/// The second step of a sign-in: its code, or the second step that is set up by it.
#[derive(Debug)]
pub enum SecondStep {
    Proof(Proof),
    SetUp(NewSecondFactor),
}

/// Signs in whoever was asked for a second step. `NotFound` unless they are active and the password is still the same.
#[derive(Debug)]
pub struct FinishSignIn {
    pub user: UserId,
    pub session: NewSession,
    /// The hash of the password by which the sign-in began.
    pub verified_hash: String,
    pub method: SignInMethod,
    pub step: SecondStep,
}

impl Command for FinishSignIn {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let is_current = tx
            .statement("select 1 from users where id = ? and status = ? and password_hash = ?")?
            .exists((self.user, Status::Active, &self.verified_hash))?;
        if !is_current {
            return Err(Refusal::NotFound);
        }
        match self.step {
            SecondStep::Proof(proof) => prove(tx, self.user, &proof)?,
            // Set up meanwhile, perhaps by somebody else who knows the password: this one has to show it.
            SecondStep::SetUp(_) if has_factor(tx, self.user)? => return Err(Refusal::NotFound),
            SecondStep::SetUp(new) => put(tx, self.user, &new)?,
        }
        self.session.start_by(tx, self.user, self.method)?;
        Ok(())
    }
}

/// Uses a code up, to show that one has it.
#[derive(Debug)]
pub struct ProveSecondFactor {
    pub user: UserId,
    pub proof: Proof,
}

impl Command for ProveSecondFactor {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        prove(tx, self.user, &self.proof)
    }
}

/// Turns the second step on. Refused with `Conflict` if there is one meanwhile and it is not to be replaced.
#[derive(Debug)]
pub struct PutSecondFactor {
    pub user: UserId,
    pub new: NewSecondFactor,
    pub replaces: bool,
}

impl Command for PutSecondFactor {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        if has_factor(tx, self.user)? != self.replaces {
            return Err(Refusal::Conflict("The second step was changed meanwhile: begin again."));
        }
        put(tx, self.user, &self.new)
    }
}

/// Makes new recovery codes; the old ones stop working.
#[derive(Debug)]
pub struct RenewRecoveryCodes {
    pub user: UserId,
    pub proof: Proof,
    pub codes: Vec<TokenHash>,
}

impl Command for RenewRecoveryCodes {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        prove(tx, self.user, &self.proof)?;
        put_codes(tx, self.user, &self.codes)
    }
}

/// Turns one's own second step off. Refused with `Forbidden` where it is required.
#[derive(Debug)]
pub struct RemoveSecondFactor {
    pub user: UserId,
    pub proof: Proof,
}

impl Command for RemoveSecondFactor {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        if settings(tx)?.second_factor.is_required_of(load(tx, self.user)?.role) {
            return Err(Refusal::Forbidden(
                "A second step is required of you here: it can only be set up anew.",
            ));
        }
        prove(tx, self.user, &self.proof)?;
        remove_factor(tx, self.user)?;
        Ok(())
    }
}

/// Removes the second step of somebody who has lost it, and ends their devices and links: whoever asked for it may have been
/// somebody else. Refused with `Conflict` if there is none.
#[derive(Debug)]
pub struct ResetSecondFactor {
    pub user: UserId,
}

impl Command for ResetSecondFactor {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        if !remove_factor(tx, self.user)? {
            return Err(Refusal::Conflict("This person has no second step."));
        }
        remove_links(tx, self.user)?;
        end_sessions(tx, self.user, Some(SessionKind::Device), None, SessionEnd::SignedOut)?;
        // A server that runs beside the command line looks only at what has moved the history on.
        record_user_update(tx, self.user, Vec::new()).map(drop)
    }
}

/// A person's second step.
#[derive(Debug)]
pub struct SecondFactor {
    pub secret: Vec<u8>,
    pub last_step: i64,
    pub since: Timestamp,
    /// Recovery codes that were not used yet.
    pub recovery_codes: i64,
}

impl Reader {
    /// A person's second step, if they have one.
    pub fn second_factor(&self, user: UserId) -> rusqlite::Result<Option<SecondFactor>> {
        self.statement(
            "select secret, last_step, created_at, (select count(*) from recovery_codes where user_id = ?1)
             from second_factors where user_id = ?1",
        )?
        .query_row((user,), |row| {
            Ok(SecondFactor {
                secret: row.get(0)?,
                last_step: row.get(1)?,
                since: row.get(2)?,
                recovery_codes: row.get(3)?,
            })
        })
        .optional()
    }

    /// Whether a person has a recovery code that was not used yet.
    pub fn has_recovery_code(&self, user: UserId, hash: &TokenHash) -> rusqlite::Result<bool> {
        self.statement("select 1 from recovery_codes where user_id = ? and code_hash = ?")?
            .exists((user, hash))
    }
}
