//! Who signs in how, and who failed to: for administrators.

use std::net::IpAddr;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::types::{Scope, SessionId, SessionKind, SignInMethod, Timestamp, UserId, network_of};

/// Days for which failed attempts are kept, and rows of them at most: the oldest go first.
const KEPT_DAYS: i64 = 30;
const MAX_ROWS: i64 = 10_000;

const DAY: i64 = 24 * 3_600_000;

/// Counts an attempt to sign in that failed. What was typed is not stored, since it may be a password: only the account, if it
/// named one.
#[derive(Debug)]
pub struct RecordFailedSignIn {
    pub user: Option<UserId>,
    pub address: IpAddr,
    pub method: SignInMethod,
}

impl Command for RecordFailedSignIn {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let today = tx.now.0 / DAY;
        let user = self.user.unwrap_or(UserId(0));
        let counted = tx
            .statement(
                "update failed_sign_ins set attempts = attempts + 1, last_at = ?
                 where day = ? and user_id = ? and network = ? and method = ?",
            )?
            .execute((tx.now, today, user, network_of(self.address).to_string(), self.method))?;
        if counted > 0 {
            return Ok(());
        }
        tx.statement(
            "insert into failed_sign_ins (day, user_id, network, method, attempts, last_at) values (?, ?, ?, ?, 1, ?)",
        )?
        .execute((today, user, network_of(self.address).to_string(), self.method, tx.now))?;
        let newest = tx.db.last_insert_rowid();
        tx.statement("delete from failed_sign_ins where day <= ? or id <= ?")?
            .execute((today - KEPT_DAYS, newest - MAX_ROWS))?;
        Ok(())
    }
}

/// Attempts of one day that failed, from one network for one account.
#[derive(Debug, serde::Serialize)]
pub struct FailedSignIn {
    pub id: i64,
    /// None if they named no account that exists.
    pub user_id: Option<UserId>,
    /// The IPv4 address, or the /64 of an IPv6 address.
    pub network: String,
    pub method: SignInMethod,
    pub attempts: i64,
    pub last_at: Timestamp,
}

/// How a person signs in.
#[derive(Debug, serde::Serialize)]
pub struct SignInRow {
    pub user_id: UserId,
    pub has_password: bool,
    pub has_second_factor: bool,
    /// When they were last seen on a device, to the hour.
    pub last_seen_at: Option<Timestamp>,
    /// How the device was signed in that was used last; None where that is not known.
    pub method: Option<SignInMethod>,
    pub devices: i64,
    pub tokens: i64,
}

/// A session of a person, for administrators.
#[derive(Debug, serde::Serialize)]
pub struct AnySession {
    pub id: SessionId,
    pub kind: SessionKind,
    pub scope: Scope,
    /// Of a token.
    pub name: Option<String>,
    pub user_agent: String,
    pub ip_address: String,
    pub method: Option<SignInMethod>,
    pub created_at: Timestamp,
    pub last_active_at: Timestamp,
}

impl Reader {
    /// The newest rows of failed attempts before an id, and whether there are more.
    pub fn failed_sign_ins(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> rusqlite::Result<(Vec<FailedSignIn>, bool)> {
        let mut rows = self
            .statement(
                "select id, nullif(user_id, 0), network, method, attempts, last_at from failed_sign_ins
                 where id < ? order by id desc limit ?",
            )?
            .query_map((before.unwrap_or(i64::MAX), limit + 1), |row| {
                Ok(FailedSignIn {
                    id: row.get(0)?,
                    user_id: row.get(1)?,
                    network: row.get(2)?,
                    method: row.get(3)?,
                    attempts: row.get(4)?,
                    last_at: row.get(5)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let has_before = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, has_before))
    }

    /// How each person signs in who is not a bot, by id.
    pub fn sign_ins(&self) -> rusqlite::Result<Vec<SignInRow>> {
        self.statement(
            "select id, password_hash is not null, last_seen_at,
               (select method from sessions where sessions.user_id = users.id and kind = 'device'
                order by last_active_at desc, sessions.id desc limit 1),
               (select count(*) from sessions where sessions.user_id = users.id and kind = 'device'),
               (select count(*) from sessions where sessions.user_id = users.id and kind = 'token'),
               exists (select 1 from second_factors where second_factors.user_id = users.id)
             from users where role <> 'bot' order by id",
        )?
        .query_map((), |row| {
            Ok(SignInRow {
                user_id: row.get(0)?,
                has_password: row.get(1)?,
                last_seen_at: row.get(2)?,
                method: row.get(3)?,
                devices: row.get(4)?,
                tokens: row.get(5)?,
                has_second_factor: row.get(6)?,
            })
        })?
        .collect()
    }

    /// A person's devices and tokens, the one used last first.
    pub fn all_sessions(&self, user: UserId) -> rusqlite::Result<Vec<AnySession>> {
        self.statement(
            "select id, kind, scope, name, user_agent, ip_address, method, created_at, last_active_at from sessions
             where user_id = ? and kind <> 'bot' order by last_active_at desc, id desc",
        )?
        .query_map((user,), |row| {
            Ok(AnySession {
                id: row.get(0)?,
                kind: row.get(1)?,
                scope: row.get(2)?,
                name: row.get(3)?,
                user_agent: row.get(4)?,
                ip_address: row.get(5)?,
                method: row.get(6)?,
                created_at: row.get(7)?,
                last_active_at: row.get(8)?,
            })
        })?
        .collect()
    }

    /// What a session of a person is; None if there is none with this id.
    pub fn session_kind(&self, user: UserId, session: SessionId) -> rusqlite::Result<Option<SessionKind>> {
        use rusqlite::OptionalExtension;
        self.statement("select kind from sessions where id = ? and user_id = ? and kind <> 'bot'")?
            .query_row((session, user), |row| row.get(0))
            .optional()
    }
}
