//! Epochs of the history. One begins at each start of the server. A position in the history means the same events as before
//! if the epoch in which it was reached is known, and no later one began before it. A database that was put back, or that
//! lost its last commits with the power, fails that: what its clients have seen is not its history.

use std::sync::Arc;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::types::{Seq, random_token};

/// Epochs retained; the oldest are removed.
const MAX_EPOCHS: i64 = 1_000;

/// Characters of a name: 96 random bits.
const NAME_LENGTH: usize = 16;

/// Characters of a name in an entity tag.
const TAG_LENGTH: usize = 6;

#[derive(Debug)]
struct Epoch {
    name: Box<str>,
    /// The last event before it.
    after: Seq,
}

/// The epochs, in order.
#[derive(Clone, Debug, Default)]
pub struct Epochs(Arc<[Epoch]>);

impl Epochs {
    /// The name of the present epoch; empty before the first.
    pub fn current(&self) -> &str {
        self.0.last().map_or("", |epoch| &epoch.name)
    }

    /// Whether a client that has reached `seq` in the epoch of this name has seen events of this history.
    pub fn contain(&self, name: &str, seq: Seq) -> bool {
        let place = self.0.iter().position(|epoch| *epoch.name == *name);
        place.is_some_and(|place| self.0.get(place + 1).is_none_or(|next| seq <= next.after))
    }

    /// Distinguishes the event with this `seq` from those with the same one in other histories.
    pub fn tag(&self, seq: Seq) -> &str {
        let begun = self.0.partition_point(|epoch| epoch.after < seq);
        begun.checked_sub(1).map_or("0", |place| &self.0[place].name[..TAG_LENGTH])
    }
}

/// Begins an epoch after the last event.
#[derive(Debug)]
pub struct BeginEpoch;

impl Command for BeginEpoch {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let name = &random_token()[..NAME_LENGTH];
        tx.statement("insert into epochs (name, seq) values (?, ?)")?.execute((name, *tx.seq))?;
        let newest = tx.db.last_insert_rowid();
        tx.statement("delete from epochs where id <= ?")?.execute((newest - MAX_EPOCHS,))?;
        Ok(())
    }
}

impl Reader {
    pub(super) fn epochs(&self) -> rusqlite::Result<Epochs> {
        let mut statement = self.statement("select name, seq from epochs order by id")?;
        let epochs = statement.query_map((), |row| Ok(Epoch { name: row.get(0)?, after: row.get(1)? }))?;
        epochs.collect::<rusqlite::Result<Vec<_>>>().map(|epochs| Epochs(epochs.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(all: &[(&str, i64)]) -> Epochs {
        let epoch = |(name, after): &(&str, i64)| Epoch { name: (*name).into(), after: Seq(*after) };
        Epochs(all.iter().map(epoch).collect())
    }

    /// B12
    #[test]
    fn epochs_tell_a_history_from_one_that_was_put_back() {
        let first = epochs(&[("aaaaaaaa", 0), ("bbbbbbbb", 10)]);
        assert_eq!(first.current(), "bbbbbbbb");
        assert!(first.contain("aaaaaaaa", Seq(10)) && first.contain("bbbbbbbb", Seq(900)));
        assert!(!first.contain("aaaaaaaa", Seq(11)), "no client of the first epoch has seen event 11");
        // Put back as of event 20, and started again.
        let back = epochs(&[("aaaaaaaa", 0), ("bbbbbbbb", 10), ("cccccccc", 20)]);
        assert!(back.contain("bbbbbbbb", Seq(20)), "up to there nothing has changed");
        assert!(!back.contain("bbbbbbbb", Seq(21)) && !back.contain("dddddddd", Seq(1)));
        assert_eq!(
            [Seq(0), Seq(1), Seq(10), Seq(11), Seq(21)].map(|seq| back.tag(seq)),
            ["0", "aaaaaa", "aaaaaa", "bbbbbb", "cccccc"]
        );
        assert_eq!(Epochs::default().current(), "");
    }
}
