//! Deleting in the background: files of deleted messages, messages of banned users, messages past the retention time.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use super::{Done, Failure, Runner};
use crate::{
    store::{Job, RemoveMessagesOf, RetireMessages},
    types::UserId,
};

const RETENTION_EVERY: Duration = Duration::from_secs(3600);

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
    while runner.writer.write(RemoveMessagesOf { user }).await? {
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
        while let Ok(true) = runner.writer.write(RetireMessages).await {
            tokio::task::yield_now().await;
        }
        tokio::select! {
            () = tokio::time::sleep(RETENTION_EVERY) => {}
            () = runner.shared.retention_changed.notified() => {}
        }
    }
}
