//! Scheduled backups, once a day, on a thread of low priority. One that was due while the server was stopped is made
//! soon after the start.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Runner;
use crate::{
    backup::{self, BackupError, Made, Pace, Schedule, Target},
    outbound::backoff,
};

/// How long a missed backup waits after the start, so that clients reconnect first.
const CATCH_UP_AFTER: Duration = Duration::from_secs(5);

/// How often the clock is checked, since it may be set.
const POLL_EVERY: Duration = Duration::from_secs(600);

/// The delay before the first retry; it triples with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(60);

/// A backup under way. Dropping it stops the thread and waits for it, so that no partial file is left when the server
/// stops.
struct UnderWay {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread sends its result; a panic is reported by its hook.
            let _ = thread.join();
        }
    }
}

/// Makes scheduled backups until the server stops.
pub(super) async fn run_schedule(runner: Rc<Runner>) {
    let config = &runner.shared.config;
    let Some(directory) = config.backup_dir.clone() else { return };
    let schedule =
        Schedule { at: config.backup_at, daily: config.backup_daily, weekly: config.backup_weekly };
    let metrics = &runner.shared.backups;
    let newest = backup::newest(&directory, Timestamp::now()).ok().flatten();
    let seconds = |moment: Timestamp| u64::try_from(moment.as_second()).unwrap_or(0);
    metrics.last_success.store(newest.map_or(0, seconds), Ordering::Relaxed);
    let mut failures = 0;
    tokio::time::sleep(CATCH_UP_AFTER).await;
    loop {
        let now = Timestamp::now();
        let newest = backup::newest(&directory, now).ok().flatten();
        if newest.is_some_and(|newest| newest >= schedule.due_since(now)) {
            // What failed before has been made, or its disk is mounted again.
            failures = 0;
            metrics.failing.store(0, Ordering::Relaxed);
            let delay = now.duration_until(schedule.due_next(now)).unsigned_abs();
            tokio::time::sleep(delay.min(POLL_EVERY)).await;
            continue;
        }
        match make(&runner, &directory, &schedule, now).await {
            Ok(made) => {
                failures = 0;
                metrics.failing.store(0, Ordering::Relaxed);
                metrics.last_success.store(seconds(now), Ordering::Relaxed);
                tracing::info!(size = made.size, files = made.files, missing = made.missing, "made a backup");
            }
            Err(error) => {
                metrics.failures.fetch_add(1, Ordering::Relaxed);
                metrics.failing.fetch_add(1, Ordering::Relaxed);
                let delay = backoff::delay(FIRST_DELAY, failures + 1);
                let again_in_s = delay.as_secs();
                // Only the first failure of a series is logged as an error; the metrics count all of them.
                match failures {
                    0 => tracing::error!(%error, again_in_s, "the backup failed"),
                    _ => tracing::debug!(%error, again_in_s, "the backup failed again"),
                }
                failures += 1;
                tokio::time::sleep(delay).await;
            }
        }
    }
}

async fn make(
    runner: &Runner,
    directory: &Path,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<Made, BackupError> {
    let stop = Arc::new(AtomicBool::new(false));
    let (reply, answer) = oneshot::channel();
    let (data, directory, schedule) = (runner.shared.config.data.clone(), directory.to_owned(), *schedule);
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("backup".into()).spawn(move || {
        // Fails if the server stops and nobody waits any more.
        let _ = reply.send(make_and_prune(&data, &directory, &schedule, now, &stopped));
    });
    let thread = thread.map_err(|error| BackupError::Read(PathBuf::from("a new thread"), error))?;
    let _under_way = UnderWay { stop, thread: Some(thread) };
    answer.await.unwrap_or(Err(BackupError::Stopped))
}

fn make_and_prune(
    data: &Path,
    directory: &Path,
    schedule: &Schedule,
    now: Timestamp,
    stop: &AtomicBool,
) -> Result<Made, BackupError> {
    backup::check_place(data, directory)?;
    let path = directory.join(backup::scheduled_name(now));
    let target = Target::File { path: &path, replace: true };
    let made = backup::make(data, target, &mut Pace::new(stop, |_, _| {}))?;
    // The backup is made, so failing to mark its place or to remove old ones must not cause a retry.
    if let Err(error) = backup::mark_place(data, directory) {
        tracing::warn!(%error, directory = %directory.display(), "the backup directory could not be marked");
    }
    match backup::prune(directory, schedule) {
        Ok(count) => tracing::debug!(count, "removed old backups"),
        Err(error) => {
            tracing::warn!(%error, directory = %directory.display(), "old backups could not be removed");
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{config::Durability, store::DataDir};

    /// B20.
    #[test]
    fn backup_whose_place_cannot_be_marked_is_made_and_old_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let (data, usb) = (dir.path().join("data"), dir.path().join("usb"));
        let _data = DataDir::claim(&data, Durability::Normal).unwrap();
        fs::create_dir(&usb).unwrap();
        // A directory in the place of the marker cannot be written, not even by root.
        fs::create_dir(usb.join(".campfire-backups")).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let named = |moment| usb.join(backup::scheduled_name(moment));
        let (old, now) = (at("2026-11-20T03:00:00Z"), at("2026-11-24T03:00:00Z"));
        fs::write(named(old), "old").unwrap();
        let schedule = Schedule { at: "03:00".parse().unwrap(), daily: 1, weekly: 0 };
        make_and_prune(&data, &usb, &schedule, now, &AtomicBool::new(false)).unwrap();
        assert!(named(now).exists() && !named(old).exists());
    }
}
