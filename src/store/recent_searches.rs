//! What each person searched for lately.

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::types::{Timestamp, UserId};

/// Recent searches kept per person.
const RECENT: usize = 10;

#[derive(Debug, serde::Serialize)]
pub struct RecentSearch {
    pub id: i64,
    pub query: String,
    pub created_at: Timestamp,
}

/// Remembers what was searched for, or forgets it all.
#[derive(Debug)]
pub enum RememberSearch {
    Query(UserId, String),
    Forget(UserId),
}

impl Command for RememberSearch {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        match self {
            Self::Query(user, query) => {
                tx.statement(
                    // Replaced, not updated: its new id is its place, also among searches of the same millisecond.
                    "insert or replace into searches (user_id, query, searched_at) values (?, ?, ?)",
                )?
                .execute((user, &query, tx.now))?;
                tx.statement(
                    "delete from searches where user_id = ?1 and id not in
                       (select id from searches where user_id = ?1 order by id desc limit ?2)",
                )?
                .execute((user, RECENT))?;
            }
            Self::Forget(user) => {
                tx.statement("delete from searches where user_id = ?")?.execute((user,))?;
            }
        }
        Ok(())
    }
}

impl Reader {
    /// A person's recent searches, newest first.
    pub fn recent_searches(&self, user: UserId) -> rusqlite::Result<Vec<RecentSearch>> {
        self.statement(
            "select id, query, searched_at from searches where user_id = ? order by id desc limit ?",
        )?
        .query_map((user, RECENT), |row| {
            Ok(RecentSearch { id: row.get(0)?, query: row.get(1)?, created_at: row.get(2)? })
        })?
        .collect()
    }
}
