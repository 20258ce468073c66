//! Personal API tokens.

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    sessions::NewSession,
};
use crate::types::{Scope, SessionId, SessionKind, Timestamp, UserId};

/// Personal API tokens of one person, at most.
const MAX_TOKENS: i64 = 100;

/// A line of the list of personal API tokens.
#[derive(Debug, serde::Serialize)]
pub struct TokenRow {
    pub id: SessionId,
    pub name: String,
    pub scope: Scope,
    pub created_at: Timestamp,
    pub last_active_at: Timestamp,
}

/// Makes a personal API token, which works until it is revoked. Refused with `Conflict` beyond 100 tokens, and with
/// `NotFound` if the session that makes it has ended.
#[derive(Debug)]
pub struct CreateToken {
    pub user: UserId,
    /// The session that makes it.
    pub by: SessionId,
    pub name: String,
    pub scope: Scope,
    pub session: NewSession,
}

impl Command for CreateToken {
    type Output = SessionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SessionId, Refusal> {
        if !tx
            .statement("select 1 from sessions where id = ? and user_id = ?")?
            .exists((self.by, self.user))?
        {
            return Err(Refusal::NotFound);
        }
        let count: i64 = tx
            .statement("select count(*) from sessions where user_id = ? and kind = 'token'")?
            .query_row((self.user,), |row| row.get(0))?;
        if count >= MAX_TOKENS {
            return Err(Refusal::Conflict("One person can have 100 tokens at most: revoke one first."));
        }
        self.session.start_as(tx, self.user, SessionKind::Token, self.scope, Some(&self.name))
    }
}

impl Reader {
    /// A person's personal API tokens, the newest first.
    pub fn tokens(&self, user: UserId) -> rusqlite::Result<Vec<TokenRow>> {
        self.statement(
            "select id, ifnull(name, ''), scope, created_at, last_active_at from sessions
             where user_id = ? and kind = 'token' order by id desc",
        )?
        .query_map((user,), |row| {
            Ok(TokenRow {
                id: row.get(0)?,
                name: row.get(1)?,
                scope: row.get(2)?,
                created_at: row.get(3)?,
                last_active_at: row.get(4)?,
            })
        })?
        .collect()
    }
}
