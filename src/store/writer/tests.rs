use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::{config::Durability, store::KeepSecret};

pub(in crate::store) struct NoFanout;

impl Fanout for NoFanout {
    fn events(&self, _: &Batch, _: Instant) {}
    fn completions(&self, _: usize, _: Vec<Box<dyn Completion>>) {}
    fn notify(&self) {}
}

/// Blocks the writer, so that the commands submitted meanwhile are one batch.
struct Hold(Sender<()>, Receiver<()>);

impl Command for Hold {
    type Output = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), Refusal> {
        let _ = self.0.send(());
        let _ = self.1.recv();
        Ok(())
    }
}

/// Writes a row, then is refused, or panics without a refusal.
struct Half<const FIRST: bool>(Option<Refusal>);

impl<const FIRST: bool> Command for Half<FIRST> {
    type Output = ();

    const CHECKS_FIRST: bool = FIRST;

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.statement("insert into secrets (name, value) values ('half', x'00')")?.execute(())?;
        Err(self.0.expect("this one has a bug"))
    }
}

/// Runs a command in one batch with another that stores a secret. Returns whether that secret was stored, and whether
/// the row of [`Half`] was.
fn outcomes_beside<C: Command>(command: C) -> (bool, bool) {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
    let (_writer, handle) = Writer::start(&data, 16, Box::new(NoFanout)).unwrap();
    let (begun, has_begun) = channel();
    let (go, held) = channel();
    let store = |name| KeepSecret { name, value: vec![1] };
    let first = handle.submit(Hold(begun, held)).unwrap();
    has_begun.recv().unwrap();
    let good = handle.submit(store("good")).unwrap();
    let bad = handle.submit(command).unwrap();
    go.send(()).unwrap();
    first.blocking_recv().unwrap().unwrap();
    let good = good.blocking_recv().unwrap().is_ok();
    assert!(bad.blocking_recv().unwrap().is_err());
    handle.write_blocking(store("later")).expect("the writer goes on");
    let reader = crate::store::Reader::open(&data).unwrap();
    let is_stored = |name| reader.secret(name).unwrap().is_some();
    assert_eq!(is_stored("good"), good, "the answer is what happened");
    (good, is_stored("half"))
}

#[test]
fn refused_command_leaves_its_batch_alone() {
    assert_eq!(outcomes_beside(Half::<false>(Some(Refusal::NotFound))), (true, false));
    assert_eq!(outcomes_beside(Half::<false>(None)), (true, false), "a bug neither");
}

#[test]
fn failed_command_without_a_savepoint_fails_its_batch() {
    assert_eq!(
        outcomes_beside(Half::<true>(Some(Refusal::Database(rusqlite::Error::InvalidQuery)))),
        (false, false)
    );
    assert_eq!(outcomes_beside(Half::<true>(None)), (false, false));
}
