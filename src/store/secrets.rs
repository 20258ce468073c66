//! Keys that the server made for itself.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};

/// Keeps a secret of the server's own, unless there is one already. Answers which it is now.
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
    /// A secret of the server's own.
    pub fn secret(&self, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        self.statement("select value from secrets where name = ?")?
            .query_row((name,), |row| row.get(0))
            .optional()
    }
}
