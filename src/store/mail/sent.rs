//! How many mails were sent within the last hour.

use crate::{
    store::command::{Command, Refusal, Tx},
    types::{Timestamp, TokenHash},
};

const HOUR_MS: i64 = 3_600_000;

/// Counts a mail that is about to be sent, if the bounds allow one more.
#[derive(Debug)]
pub struct TakeMailTurn {
    /// A hash of the address.
    pub recipient: TokenHash,
    pub per_hour: usize,
    /// To this address.
    pub per_recipient: usize,
}

/// The answer to [`TakeMailTurn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may be sent; the number is for [`GiveMailBack`].
    Now(i64),
    /// So many were sent that it has to wait.
    At(Timestamp),
}

impl Command for TakeMailTurn {
    type Output = Turn;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Turn, Refusal> {
        tx.statement("delete from mail_sent where at <= ?")?.execute((tx.now.0 - HOUR_MS,))?;
        // A mail may go when the one that is so many before it is an hour old.
        let full = |sql: &str, recipient: Option<TokenHash>, most: usize| {
            let mut statement = tx.statement(sql)?;
            let mut rows = statement.query((recipient, most.saturating_sub(1)))?;
            rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()
        };
        let of_all = full(
            "select at from mail_sent where ?1 is null order by at desc limit 1 offset ?2",
            None,
            self.per_hour,
        )?;
        let of_one = full(
            "select at from mail_sent where recipient = ?1 order by at desc limit 1 offset ?2",
            Some(self.recipient),
            self.per_recipient,
        )?;
        if let Some(at) = of_all.max(of_one) {
            return Ok(Turn::At(Timestamp(at + HOUR_MS + 1)));
        }
        tx.statement("insert into mail_sent (at, recipient) values (?, ?)")?
            .execute((tx.now, self.recipient))?;
        Ok(Turn::Now(tx.db.last_insert_rowid()))
    }
}

/// Takes a mail back that was not sent after all.
#[derive(Debug)]
pub struct GiveMailBack(pub i64);

impl Command for GiveMailBack {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.statement("delete from mail_sent where id = ?")?.execute((self.0,))?;
        Ok(())
    }
}
