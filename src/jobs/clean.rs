//! Deleting in the background: files of deleted messages, messages of banned users, messages past the retention time.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Done, Failure, Runner};
use crate::{
    chat::disk::write_deletion,
    store::{Job, RemoveMessagesOf, RetireMessages},
    types::UserId,
};

const RETENTION_EVERY: Duration = Duration::from_secs(3600);

/// How often it is checked whether the disk has room again for the reserve.
const RESERVE_EVERY: Duration = Duration::from_secs(5);

/// Deletes the files whose keys the job lists.
pub(super) async fn remove_files(runner: &Rc<Runner>, job: &Job) -> Done {
    let folder = runner.shared.folder.clone();
    let keys = job.payload.clone().unwrap_or_default();
    let removed =
        tokio::task::spawn_blocking(move || keys.split_whitespace().try_for_each(|key| folder.remove(key)))
            .await;
    match removed {
        Ok(Ok(())) => Ok(Vec::new()),
        Ok(Err(error)) => Err(Failure::Retry(error.to_string())),
        Err(error) => Err(Failure::Retry(error.to_string())),
    }
}

/// Deletes the messages of a banned user in small transactions, so that posts do not wait.
pub(super) async fn remove_messages(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(user) = job.target.map(UserId) else { return Ok(Vec::new()) };
    while write_deletion(&runner.writer, &runner.shared, || RemoveMessagesOf { user }).await? {
        tokio::task::yield_now().await;
    }
    Ok(Vec::new())
}

/// Deletes files that no row refers to, once after the start. Files newer than `started` may belong to uploads.
pub(super) async fn remove_orphans(runner: Rc<Runner>, started: SystemTime) {
    match runner.shared.folder.remove_orphans(&runner.reader, started) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed files that no attachment refers to"),
        Err(error) => tracing::warn!(%error, "could not remove orphaned files"),
    }
}

/// Deletes messages past the retention time, every hour and when the setting changes.
pub(super) async fn retire_old_messages(runner: Rc<Runner>) {
    loop {
        while let Ok(true) = write_deletion(&runner.writer, &runner.shared, || RetireMessages).await {
            tokio::task::yield_now().await;
        }
        tokio::select! {
            () = tokio::time::sleep(RETENTION_EVERY) => {}
            () = runner.shared.retention_changed.notified() => {}
        }
    }
}

/// Makes the reserve again after it was given up, once there is room.
pub(super) async fn restore_reserve(runner: Rc<Runner>) {
    loop {
        tokio::time::sleep(RESERVE_EVERY).await;
        if runner.shared.reserve.is_spent() {
            let shared = Arc::clone(&runner.shared);
            // A panic was logged by its thread.
            let _ = tokio::task::spawn_blocking(move || shared.reserve.restore()).await;
        }
    }
}
