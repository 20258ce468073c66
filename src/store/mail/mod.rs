//! Mail: what each person wants of it, whether their address takes any, what they are to be told of, and how many mails
//! were sent.

mod due;
mod sent;
mod untold;

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::{
    types::event::Change,
    types::{JobKind, Language, MailWish, Status, Timestamp, UserId, random_token},
};

pub use due::{AwaitMail, Awaiting, MailTimes, PutOffMail, QueueDueMail, ResumeMail, Told, WasHere};
pub use sent::{GiveMailBack, TakeMailTurn, Turn};
pub use untold::Untold;

/// What a person wants of mail, and how that goes.
#[derive(Clone, Debug)]
pub struct MailOf {
    /// None: the default.
    pub wish: Option<MailWish>,
    pub language: Option<Language>,
    /// Ends this person's mails.
    pub token: String,
    /// Unless they have another address by now.
    pub refusal: Option<MailRefusal>,
}

/// Why nothing is sent to an address.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MailRefusal {
    pub reason: String,
    pub at: Timestamp,
}

/// Makes the row of a person who has none yet.
fn make_row(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.statement("insert or ignore into mail (user_id, token) values (?, ?)")?
        .execute((user, random_token()))
        .map(drop)
}

/// Forgets what a person was to be told of, with the job that waits for that.
fn forget(tx: &mut Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.statement("update mail set first_id = null, last_id = null, due_at = null where user_id = ?")?
        .execute((user,))?;
    tx.statement(
        "delete from jobs where kind = ? and target_id = ? and dead_at is null and leased_until <= ?",
    )?
    .execute((JobKind::MailUnread, user, tx.now))?;
    tx.notify(Change::MailWaits { user, on: false });
    Ok(())
}

/// Removes all that is on record of a person's mail.
pub(super) fn remove(tx: &mut Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    forget(tx, user)?;
    tx.statement("delete from mail where user_id = ?")?.execute((user,)).map(drop)
}

/// Removes what is on record of an address that a person had.
pub(super) fn remove_refusal(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.statement(
        "update mail set refused_address = null, refused_reason = null, refused_at = null where user_id = ?",
    )?
    .execute((user,))
    .map(drop)
}

/// Sets what a person wants.
#[derive(Debug)]
pub struct WishMail {
    pub user: UserId,
    pub wish: MailWish,
    pub times: MailTimes,
}

impl Command for WishMail {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        make_row(tx, self.user)?;
        tx.statement("update mail set wanted = ? where user_id = ?")?.execute((self.wish, self.user))?;
        if self.wish == MailWish::Never {
            return Ok(forget(tx, self.user)?);
        }
        Ok(due::set_again(tx, self.user, &self.times)?)
    }
}

/// Ends the mails of the person whom a token stands for, once or again. `NotFound` for an unknown one.
#[derive(Debug)]
pub struct EndMail {
    pub token: String,
}

impl Command for EndMail {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let user: UserId = tx
            .statement("update mail set wanted = ? where token = ? returning user_id")?
            .query_row((MailWish::Never, &self.token), |row| row.get(0))?;
        Ok(forget(tx, user)?)
    }
}

/// Notes the language of the page that a person has open.
#[derive(Debug)]
pub struct NoteLanguage {
    pub user: UserId,
    pub language: Language,
}

impl Command for NoteLanguage {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        make_row(tx, self.user)?;
        tx.statement("update mail set language = ? where user_id = ?")?
            .execute((self.language, self.user))?;
        tx.notify(Change::LanguageNoted { user: self.user, language: self.language });
        Ok(())
    }
}

/// Notes that an address takes no mails. Nothing more is sent to it until the person has another one, or says that it is
/// right.
#[derive(Debug)]
pub struct RefuseAddress {
    pub user: UserId,
    pub address: String,
    pub reason: String,
}

impl Command for RefuseAddress {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        make_row(tx, self.user)?;
        tx.statement(
            "update mail set refused_address = ?, refused_reason = ?, refused_at = ? where user_id = ?",
        )?
        .execute((&self.address, &self.reason, tx.now, self.user))?;
        Ok(forget(tx, self.user)?)
    }
}

/// Sends to a person's address again.
#[derive(Debug)]
pub struct TrustAddress {
    pub user: UserId,
}

impl Command for TrustAddress {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(remove_refusal(tx, self.user)?)
    }
}

impl Reader {
    /// What a person wants of mail; None if there is nothing on record.
    pub fn mail_of(&self, user: UserId) -> rusqlite::Result<Option<MailOf>> {
        self.statement(
            "select wanted, language, token, refused_reason, refused_at, refused_address = email
             from mail join users on users.id = user_id where user_id = ?",
        )?
        .query_row((user,), |row| {
            let is_of_this_address = row.get::<_, Option<bool>>(5)?.unwrap_or_default();
            let refusal = match is_of_this_address {
                true => Some(MailRefusal { reason: row.get(3)?, at: row.get(4)? }),
                false => None,
            };
            Ok(MailOf { wish: row.get(0)?, language: row.get(1)?, token: row.get(2)?, refusal })
        })
        .optional()
    }

    /// Whether a token ends somebody's mails, and the language of that person.
    pub fn mail_token(&self, token: &str) -> rusqlite::Result<Option<Option<Language>>> {
        self.statement("select language from mail where token = ?")?
            .query_row((token,), |row| row.get(0))
            .optional()
    }

    /// The active person with an e-mail address.
    pub fn person_at(&self, email: &str) -> rusqlite::Result<Option<UserId>> {
        self.statement("select id from users where email = ? and status = ?")?
            .query_row((email, Status::Active), |row| row.get(0))
            .optional()
    }

    /// Those whom a mail is to tell of something.
    pub(super) fn mail_waits(&self) -> rusqlite::Result<Vec<UserId>> {
        self.statement("select user_id from mail where last_id is not null")?
            .query_map((), |row| row.get(0))?
            .collect()
    }

    /// The languages that are known.
    pub(super) fn languages(&self) -> rusqlite::Result<Vec<(UserId, Language)>> {
        self.statement("select user_id, language from mail where language is not null")?
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }
}
