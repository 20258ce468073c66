//! Each person's recent searches.

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::types::{Timestamp, UserId};

/// Recent searches retained for each person.
const RECENT: usize = 10;

/// A recent search.
#[derive(Debug, serde::Serialize)]
pub struct RecentSearch {
    pub id: i64,
    pub query: String,
    pub created_at: Timestamp,
}

/// Adds a recent search, or removes all of a person's.
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
                    // Replaced, not updated: the new id gives its order, also within one millisecond.
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
