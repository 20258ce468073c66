//! Clearing away: files whose messages are gone, what somebody who was banned said, and what is older than the
//! account keeps.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use super::{Done, Failure, Runner};
use crate::{
    store::{Job, RemoveMessagesOf, RetireMessages},
    types::UserId,
};

const RETIRE_EVERY: Duration = Duration::from_secs(3600);

pub(super) async fn remove_files(runner: &Rc<Runner>, job: &Job) -> Done {
    let folder = runner.shared.folder.clone();
    let keys = job.payload.clone().unwrap_or_default();
    let removed =
        tokio::task::spawn_blocking(move || keys.split_whitespace().try_for_each(|key| folder.remove(key)))
            .await;
    match removed {
        Ok(Ok(())) => Ok(Vec::new()),
        Ok(Err(error)) => Err(Failure::Later(error.to_string())),
        Err(error) => Err(Failure::Later(error.to_string())),
    }
}

/// In small steps, so that nobody's post waits for it.
pub(super) async fn remove_messages(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(user) = job.target.map(UserId) else { return Ok(Vec::new()) };
    while runner.writer.write(RemoveMessagesOf { user }).await? {
        tokio::task::yield_now().await;
    }
    Ok(Vec::new())
}

/// Once, after the start: files that no row knows.
pub(super) async fn remove_orphans(runner: Rc<Runner>, started: SystemTime) {
    match runner.shared.folder.remove_orphans(&runner.reader, started) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed files that no attachment refers to"),
        Err(error) => tracing::warn!(%error, "could not remove orphaned files"),
    }
}

pub(super) async fn retire_old_messages(runner: Rc<Runner>) {
    loop {
        while let Ok(true) = runner.writer.write(RetireMessages).await {
            tokio::task::yield_now().await;
        }
        tokio::select! {
            () = tokio::time::sleep(RETIRE_EVERY) => {}
            // A new setting counts at once.
            () = runner.shared.retention_changed.notified() => {}
        }
    }
}
