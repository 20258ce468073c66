use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::{
    config::Durability,
    store::{KeepSecret, NotCommitted, WriteError},
};

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

/// Submits commands while the writer is held, so that they are one batch: returns what `submit` does.
fn in_one_batch<T>(handle: &WriterHandle, submit: impl FnOnce() -> T) -> T {
    let (begun, has_begun) = channel();
    let (go, held) = channel();
    let first = handle.submit(Hold(begun, held)).unwrap();
    has_begun.recv().unwrap();
    let submitted = submit();
    go.send(()).unwrap();
    first.blocking_recv().unwrap().unwrap();
    submitted
}

fn store(name: &'static str) -> KeepSecret {
    KeepSecret { name, value: vec![1] }
}

fn start(fanout: Box<dyn Fanout>) -> (tempfile::TempDir, DataDir, Writer, WriterHandle) {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
    let (writer, handle) = Writer::start(&data, 16, fanout).unwrap();
    (dir, data, writer, handle)
}

/// Runs a command in one batch with another that stores a secret. Returns the command's error, that of the other if it
/// was not applied, and whether the row of [`Half`] was stored.
fn outcomes_beside<C: Command>(command: C) -> (WriteError, Option<WriteError>, bool) {
    let (_dir, data, _writer, handle) = start(Box::new(NoFanout));
    let (good, bad) =
        in_one_batch(&handle, || (handle.submit(store("good")).unwrap(), handle.submit(command).unwrap()));
    let good = good.blocking_recv().unwrap().err();
    let bad = bad.blocking_recv().unwrap().err().expect("an error");
    handle.write_blocking(store("later")).expect("the writer goes on");
    let reader = crate::store::Reader::open(&data).unwrap();
    let is_stored = |name| reader.secret(name).unwrap().is_some();
    assert_eq!(is_stored("good"), good.is_none(), "the answer is what happened");
    (bad, good, is_stored("half"))
}

#[test]
fn refused_command_leaves_its_batch_alone() {
    let refused = outcomes_beside(Half::<false>(Some(Refusal::NotFound)));
    assert!(matches!(refused, (WriteError::Refused(Refusal::NotFound), None, false)), "{refused:?}");
    let bug = outcomes_beside(Half::<false>(None));
    assert!(matches!(bug, (WriteError::Refused(Refusal::Database(_)), None, false)), "{bug:?}");
}

/// B11.
#[test]
fn failed_command_without_a_savepoint_gets_its_error_and_the_others_may_try_again() {
    for half in [Half::<true>(Some(Refusal::Database(rusqlite::Error::InvalidQuery))), Half::<true>(None)] {
        let (bad, good, is_stored) = outcomes_beside(half);
        assert!(matches!(bad, WriteError::Refused(Refusal::Database(_))), "{bad:?}");
        assert!(matches!(good, Some(WriteError::NotCommitted(NotCommitted::OtherFailed))), "{good:?}");
        assert!(!is_stored);
    }
}

/// B11.
#[test]
fn command_that_fails_again_fails_alone() {
    let (_dir, _data, _writer, handle) = start(Box::new(NoFanout));
    let mut outcomes = Vec::new();
    for name in ["first", "second"] {
        let (good, bad) = in_one_batch(&handle, || {
            (handle.submit(store(name)).unwrap(), handle.submit(Half::<true>(None)).unwrap())
        });
        assert!(bad.blocking_recv().unwrap().is_err());
        outcomes.push(good.blocking_recv().unwrap().is_ok());
    }
    assert_eq!(outcomes, [false, true]);
}

/// Lets the database grow no further, and then writes more than it has room for.
struct Fill;

impl Command for Fill {
    type Output = ();

    const CHECKS_FIRST: bool = true;

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let pages: i64 = tx.db.query_row("pragma page_count", (), |row| row.get(0))?;
        tx.db.query_row(&format!("pragma max_page_count = {pages}"), (), |_| Ok(()))?;
        tx.statement("insert into secrets (name, value) values ('half', zeroblob(1000000))")?.execute(())?;
        Ok(())
    }
}

/// B11.
#[test]
fn full_disk_fails_the_batch_as_a_full_disk() {
    let (_dir, _data, _writer, handle) = start(Box::new(NoFanout));
    let (good, full) =
        in_one_batch(&handle, || (handle.submit(store("good")).unwrap(), handle.submit(Fill).unwrap()));
    let error = full.blocking_recv().unwrap().unwrap_err();
    let WriteError::Refused(Refusal::Database(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    let error = good.blocking_recv().unwrap().unwrap_err();
    assert!(matches!(error, WriteError::NotCommitted(NotCommitted::Full)), "{error:?}");
}

/// Panics at the first event, outside of any command.
struct Faulty;

impl Fanout for Faulty {
    fn events(&self, _: &Batch, _: Instant) {
        panic!("a fault");
    }
    fn completions(&self, _: usize, _: Vec<Box<dyn Completion>>) {}
    fn notify(&self) {}
}

/// Causes an event.
struct Notice;

impl Command for Notice {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.notify(crate::types::event::Change::JobsWaiting);
        Ok(())
    }
}

/// B23.
#[test]
fn panic_of_the_thread_leaves_nobody_waiting() {
    let (_dir, _data, _writer, handle) = start(Box::new(Faulty));
    let (notice, beside) =
        in_one_batch(&handle, || (handle.submit(Notice).unwrap(), handle.submit(store("beside")).unwrap()));
    assert!(notice.blocking_recv().is_err() && beside.blocking_recv().is_err(), "the callers are told");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(handle.died());
    assert!(matches!(handle.write_blocking(Barrier), Err(WriteError::Stopped)));
    assert_eq!(handle.depth(), 0);
}
