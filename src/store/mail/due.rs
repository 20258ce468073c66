//! When a mail tells a person of what they have not read. A person is told of each message at most once: `told_id` only
//! grows, and what comes while a mail is being sent lies beyond it.

use jiff::civil::Time;
use rusqlite::OptionalExtension;

use super::{forget, make_row};
use crate::{
    store::{
        Reader,
        command::{Command, NewJob, Refusal, Tx},
    },
    types::event::Change,
    types::{JobKind, MailWish, MessageId, Role, Status, Timestamp, UserId},
};

/// What comes at once is gathered for so long, and there is so much time between two such mails to a person.
const BURST_MS: i64 = 10_000;
const GAP_MS: i64 = 300_000;

const DAY_MS: i64 = 86_400_000;

/// Jobs that one command queues.
const MOST_AT_ONCE: usize = 100;

/// The settings on when mails are sent.
#[derive(Clone, Copy, Debug)]
pub struct MailTimes {
    /// How long somebody has to be away.
    pub after_ms: i64,
    /// When the daily mail is due, in UTC.
    pub daily_at: Time,
}

impl MailTimes {
    /// When a mail is due for what came at `now`. Who is here waits as if they were to leave.
    fn due(&self, wish: MailWish, now: Timestamp, is_here: bool, sent_at: Option<Timestamp>) -> Timestamp {
        let wait = match wish {
            MailWish::AtOnce if !is_here => BURST_MS.min(self.after_ms),
            MailWish::AtOnce | MailWish::Away | MailWish::Never => self.after_ms,
            MailWish::Daily => return self.next_day(now),
        };
        let gap = GAP_MS.min(self.after_ms);
        Timestamp((now.0 + wait).max(sent_at.map_or(0, |sent_at| sent_at.0 + gap)))
    }

    fn next_day(&self, now: Timestamp) -> Timestamp {
        let minutes = i64::from(self.daily_at.hour()) * 60 + i64::from(self.daily_at.minute());
        let today = now.0 - now.0.rem_euclid(DAY_MS) + minutes * 60_000;
        Timestamp(if today > now.0 { today } else { today + DAY_MS })
    }
}

/// Somebody whom a message addresses, and whether they had the page open when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaiting {
    pub user: UserId,
    pub is_here: bool,
}

/// Notes that people are to be told of a message, unless they want none or their address takes none.
#[derive(Debug)]
pub struct AwaitMail {
    pub message: MessageId,
    pub people: Vec<Awaiting>,
    pub times: MailTimes,
}

impl Command for AwaitMail {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        for person in self.people {
            await_mail(tx, person, self.message, &self.times)?;
        }
        Ok(())
    }
}

fn await_mail(
    tx: &mut Tx<'_>,
    Awaiting { user, is_here }: Awaiting,
    message: MessageId,
    times: &MailTimes,
) -> rusqlite::Result<()> {
    let can = tx
        .statement("select 1 from users where id = ? and status = ? and role <> ? and email is not null")?
        .exists((user, Status::Active, Role::Bot))?;
    if !can {
        return Ok(());
    }
    make_row(tx, user)?;
    let (wish, is_refused, told, first, sent_at): (
        Option<MailWish>,
        Option<bool>,
        MessageId,
        Option<MessageId>,
        _,
    ) = tx
        .statement(
            "select wanted, refused_address = email, told_id, first_id, sent_at
             from mail join users on users.id = user_id where user_id = ?",
        )?
        .query_row((user,), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    let wish = wish.unwrap_or(MailWish::USUAL);
    if wish == MailWish::Never || is_refused == Some(true) || message <= told {
        return Ok(());
    }
    if first.is_some() {
        tx.statement(
            "update mail set first_id = min(first_id, ?1), last_id = max(last_id, ?1) where user_id = ?2",
        )?
        .execute((message, user))?;
        return Ok(());
    }
    let due = times.due(wish, tx.now, is_here, sent_at);
    tx.statement("update mail set first_id = ?1, last_id = ?1, due_at = ?2 where user_id = ?3")?
        .execute((message, due, user))?;
    tx.notify(Change::MailWaits { user, on: true });
    // The runner of jobs also works by this clock.
    tx.notify(Change::JobsWaiting);
    Ok(())
}

/// Sets anew when a mail is due for somebody who wants it otherwise now.
pub(super) fn set_again(tx: &mut Tx<'_>, user: UserId, times: &MailTimes) -> rusqlite::Result<()> {
    let waits: Option<(MailWish, Option<Timestamp>)> = tx
        .statement("select wanted, sent_at from mail where user_id = ? and due_at is not null")?
        .query_row((user,), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((wish, sent_at)) = waits {
        let due = times.due(wish, tx.now, true, sent_at);
        tx.statement("update mail set due_at = ? where user_id = ?")?.execute((due, user))?;
        tx.notify(Change::JobsWaiting);
    }
    Ok(())
}

/// Queues jobs for those to whom a mail is due. True if there may be more.
#[derive(Debug)]
pub struct QueueDueMail;

impl Command for QueueDueMail {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let due: Vec<UserId> = tx
            .statement(
                "update mail set due_at = null where user_id in
                   (select user_id from mail where due_at <= ? order by due_at limit ?) returning user_id",
            )?
            .query_map((tx.now, MOST_AT_ONCE), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for user in &due {
            tx.add_job(&NewJob { kind: JobKind::MailUnread, target: Some(user.0), payload: None }, None)?;
        }
        Ok(due.len() == MOST_AT_ONCE)
    }
}

/// Makes mails due again whose job is gone, as after mail was switched off for a while.
#[derive(Debug)]
pub struct ResumeMail;

impl Command for ResumeMail {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.statement(
            "update mail set due_at = ? where last_id is not null and due_at is null and not exists
               (select 1 from jobs where kind = ? and target_id = user_id and dead_at is null)",
        )?
        .execute((tx.now, JobKind::MailUnread))?;
        Ok(())
    }
}

/// Notes that a person was here: what came before they know of, or do not want to.
#[derive(Debug)]
pub struct WasHere {
    pub user: UserId,
}

impl Command for WasHere {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let seq = MessageId(tx.seq.0);
        let waited = tx
            .statement("update mail set told_id = max(told_id, ?) where user_id = ? and last_id is not null")?
            .execute((seq, self.user))?;
        if waited > 0 {
            forget(tx, self.user)?;
        }
        Ok(())
    }
}

/// Notes that a person was told of everything up to a message, or need not be.
#[derive(Debug)]
pub struct Told {
    pub user: UserId,
    pub up_to: MessageId,
    pub is_sent: bool,
    pub times: MailTimes,
}

impl Command for Told {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let found: Option<(Option<MessageId>, Option<MailWish>)> = tx
            .statement(
                "update mail set told_id = max(told_id, ?), sent_at = iif(?, ?, sent_at) where user_id = ?
                 returning last_id, wanted",
            )?
            .query_row((self.up_to, self.is_sent, tx.now, self.user), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((last, wish)) = found else { return Ok(()) };
        if last.is_some_and(|last| last > self.up_to) {
            // What came meanwhile is for the next one.
            let due = self.times.due(wish.unwrap_or(MailWish::USUAL), tx.now, false, Some(tx.now));
            tx.statement("update mail set first_id = ? + 1, due_at = ? where user_id = ?")?
                .execute((self.up_to, due, self.user))?;
            tx.notify(Change::JobsWaiting);
        } else {
            tx.statement("update mail set first_id = null, last_id = null, due_at = null where user_id = ?")?
                .execute((self.user,))?;
            tx.notify(Change::MailWaits { user: self.user, on: false });
        }
        Ok(())
    }
}

/// Tries to tell a person later.
#[derive(Debug)]
pub struct PutOffMail {
    pub user: UserId,
    pub by_ms: i64,
}

impl Command for PutOffMail {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.statement("update mail set due_at = ? where user_id = ? and last_id is not null")?
            .execute((tx.now.0 + self.by_ms, self.user))?;
        Ok(())
    }
}

impl Reader {
    /// When the next mail to tell somebody is due.
    pub fn next_mail_due(&self) -> rusqlite::Result<Option<Timestamp>> {
        self.statement("select min(due_at) from mail where due_at is not null")?
            .query_row((), |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: i64 = 1_795_510_800_000; // 2026-11-24T09:00:00Z

    #[test]
    fn mails_are_due_as_people_want_them() {
        let times = MailTimes { after_ms: 900_000, daily_at: jiff::civil::time(7, 0, 0, 0) };
        let due = |wish, is_here, sent_ago: Option<i64>| {
            times.due(wish, Timestamp(NINE), is_here, sent_ago.map(|ago| Timestamp(NINE - ago))).0 - NINE
        };
        assert_eq!(due(MailWish::AtOnce, false, None), 10_000);
        assert_eq!(due(MailWish::AtOnce, false, Some(60_000)), 240_000, "five minutes lie between two mails");
        assert_eq!(due(MailWish::AtOnce, true, None), 900_000);
        assert_eq!(due(MailWish::Away, false, None), 900_000);
        assert_eq!(due(MailWish::Away, false, Some(3_600_000)), 900_000);
        assert_eq!(due(MailWish::Daily, true, None), 22 * 3_600_000);
        let at_seven = Timestamp(NINE - 2 * 3_600_000);
        assert_eq!(times.next_day(at_seven).0 - at_seven.0, 24 * 3_600_000);
        assert_eq!(times.next_day(Timestamp(at_seven.0 - 1)), at_seven);
    }
}
