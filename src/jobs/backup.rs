//! Backups that are made by themselves, once a day. The work is done by a thread of its own behind all others; what was
//! missed while the server was off is caught up soon after the start.

use std::{
    fs, io,
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

/// After the start, before a missed backup is caught up: people come back first.
const CATCH_UP_AFTER: Duration = Duration::from_secs(5);

/// The clock is looked at this often, since somebody may set it.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Before the first try again; each further one waits three times as long.
const FIRST_DELAY: Duration = Duration::from_secs(60);

/// A backup under way. It is told to stop, and waited for, when the value goes: so the server's end leaves nothing behind.
struct UnderWay {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It sends what came of it, or has panicked and said so.
            let _ = thread.join();
        }
    }
}

/// Makes them, for as long as the server runs.
pub(super) async fn keep(runner: Rc<Runner>) {
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
            let delay = now.duration_until(schedule.due_next(now)).unsigned_abs();
            tokio::time::sleep(delay.min(LOOK_EVERY)).await;
            continue;
        }
        match make(&runner, &directory, &schedule, now).await {
            Ok(made) => {
                failures = 0;
                metrics.last_success.store(seconds(now), Ordering::Relaxed);
                tracing::info!(size = made.size, files = made.files, missing = made.missing, "made a backup");
            }
            Err(error) => {
                metrics.failures.fetch_add(1, Ordering::Relaxed);
                let delay = backoff::delay(FIRST_DELAY, failures + 1);
                let again_in_s = delay.as_secs();
                // Once for a row of failures: what nobody has mended since is said already, and counted.
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
    let told = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("backup".into()).spawn(move || {
        // Whoever waited may be gone.
        let _ = reply.send(make_and_prune(&data, &directory, &schedule, now, &told));
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
    let unwritable = |error: io::Error| BackupError::Write(directory.to_owned(), error);
    fs::create_dir_all(directory).map_err(unwritable)?;
    let path = directory.join(backup::scheduled_name(now));
    let target = Target::File { path: &path, replace: true };
    let made = backup::make(data, target, &mut Pace::new(stop, |_, _| {}))?;
    // The new one is there: what cannot be removed is no reason to make another.
    match backup::prune(directory, schedule) {
        Ok(count) => tracing::debug!(count, "removed old backups"),
        Err(error) => {
            tracing::warn!(%error, directory = %directory.display(), "old backups could not be removed");
        }
    }
    Ok(made)
}
