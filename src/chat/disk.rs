//! A full disk: nothing is added any more, and what is deleted may use the reserve.

use std::sync::Arc;

use crate::{
    store::{Command, WriteError, WriterHandle},
    wire::Problem,
    worker::{Shared, Worker},
};

/// 507 while the reserve is spent: what is left of the disk is for deletions.
pub(crate) fn check_room(worker: &Worker) -> Result<(), Problem> {
    if worker.shared.reserve.is_spent() { Err(Problem::no_space()) } else { Ok(()) }
}

/// Writes a deletion. If the disk is full, the reserve is released for it.
pub(crate) async fn write_deletion<C: Command>(
    writer: &WriterHandle,
    shared: &Arc<Shared>,
    deletion: impl Fn() -> C,
) -> Result<C::Output, WriteError> {
    let refused = match writer.write(deletion()).await {
        Err(error) if error.is_full() => error,
        answer => return answer,
    };
    let shared = Arc::clone(shared);
    if !tokio::task::spawn_blocking(move || shared.reserve.release()).await.unwrap_or(false) {
        return Err(refused);
    }
    writer.write(deletion()).await
}
