//! The audit log of administrative acts. A line is written in the same transaction as its act.

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::types::{Timestamp, UserId};

/// Lines retained; the oldest are removed.
const MAX_LINES: i64 = 100_000;

/// A command that writes a line to the audit log if it succeeds.
#[derive(Debug)]
pub struct Audited<C> {
    pub command: C,
    pub act: Act,
}

/// An administrative act.
#[derive(Clone, Debug)]
pub struct Act {
    /// None for the command line.
    pub actor: Option<UserId>,
    pub ip_address: Option<String>,
    /// A stable name, like `user.ban`.
    pub action: &'static str,
    /// What it was done to, like `user 5`.
    pub subject: String,
    /// Further detail, without secrets.
    pub detail: String,
}

impl<C: Command> Command for Audited<C> {
    type Output = C::Output;

    fn apply(self, tx: &mut Tx<'_>) -> Result<C::Output, Refusal> {
        let output = self.command.apply(tx)?;
        record_act(tx, &self.act)?;
        Ok(output)
    }
}

/// Writes a line about something that was refused, and so has changed nothing else.
#[derive(Debug)]
pub struct NoteAct(pub Act);

impl Command for NoteAct {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(record_act(tx, &self.0)?)
    }
}

/// Writes a line to the audit log.
pub(super) fn record_act(tx: &Tx<'_>, act: &Act) -> rusqlite::Result<()> {
    let Act { actor, ip_address, action, subject, detail } = act;
    tx.statement(
        "insert into audit (at, actor_id, ip_address, action, subject, detail) values (?, ?, ?, ?, ?, ?)",
    )?
    .execute((tx.now, actor, ip_address, action, subject, detail))?;
    let newest = tx.db.last_insert_rowid();
    tx.statement("delete from audit where id <= ?")?.execute((newest - MAX_LINES,))?;
    Ok(())
}

/// A line of the audit log.
#[derive(Debug, serde::Serialize)]
pub struct AuditLine {
    pub id: i64,
    pub at: Timestamp,
    pub actor_id: Option<UserId>,
    pub ip_address: Option<String>,
    pub action: String,
    pub subject: String,
    pub detail: String,
}

impl Reader {
    /// The newest lines before an id, and whether there are more.
    pub fn audit(&self, before: Option<i64>, limit: usize) -> rusqlite::Result<(Vec<AuditLine>, bool)> {
        let mut lines = self
            .statement(
                "select id, at, actor_id, ip_address, action, subject, detail from audit
                 where id < ? order by id desc limit ?",
            )?
            .query_map((before.unwrap_or(i64::MAX), limit + 1), |row| {
                Ok(AuditLine {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    actor_id: row.get(2)?,
                    ip_address: row.get(3)?,
                    action: row.get(4)?,
                    subject: row.get(5)?,
                    detail: row.get(6)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let has_before = lines.len() > limit;
        lines.truncate(limit);
        Ok((lines, has_before))
    }
}
