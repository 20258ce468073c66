//! Secrets that the server generated for itself.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};

/// Stores a secret, unless there is one of this name. Returns the stored one.
#[derive(Debug)]
pub struct KeepSecret {
    pub name: &'static str,
    pub value: Vec<u8>,
}

impl Command for KeepSecret {
    type Output = Vec<u8>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Refusal> {
        tx.statement("insert or ignore into secrets (name, value) values (?, ?)")?
            .execute((self.name, &self.value))?;
        Ok(tx
            .statement("select value from secrets where name = ?")?
            .query_row((self.name,), |row| row.get(0))?)
    }
}

impl Reader {
    /// A stored secret.
    pub fn secret(&self, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        self.statement("select value from secrets where name = ?")?
            .query_row((name,), |row| row.get(0))
            .optional()
    }
}
