//! What is done in the background, off the list in the database: each job at least once, whatever happens in between.
//! One thread of its own; jobs wait for the network side by side, so many of each kind that a slow bot holds up no push.

mod backup;
mod clean;
mod preview;
mod push;
mod webhook;

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Notify, oneshot, watch},
    task::spawn_local,
};

use crate::{
    outbound::backoff,
    outbound::{Outside, Policy, push::VapidKey},
    store::{FinishJob, Job, LeaseJobs, NewJob, Outcome, Reader, ReleaseLeases, WriterHandle},
    types::{JobKind, MessageId, Timestamp},
    worker::{Shared, Worker},
};

/// Longer than any job may take: who holds a lease beyond it is not coming back.
const LEASE_MS: i64 = 120_000;

/// The list is looked at this often even if nobody rings.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Before the first try again; each further one waits three times as long, give or take a half.
const FIRST_DELAY: Duration = Duration::from_secs(5);

/// How many jobs of a kind are under way at once.
fn concurrency(kind: JobKind) -> usize {
    match kind {
        JobKind::Webhook => 16,
        JobKind::Push => 32,
        JobKind::Preview => 4,
        JobKind::Notify => 2,
        JobKind::RemoveFiles | JobKind::RemoveMessages => 1,
    }
}

/// Why a job is not done.
#[derive(Debug)]
enum Failure {
    /// Try again.
    Later(String),
    Never(String),
}

/// What a job leads to.
type Done = Result<Vec<(NewJob, Option<MessageId>)>, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Later(error.to_string())
    }
}

impl From<crate::store::WriteError> for Failure {
    fn from(error: crate::store::WriteError) -> Self {
        use crate::store::{Refusal, WriteError};
        match error {
            WriteError::Refused(Refusal::Database(error)) => error.into(),
            WriteError::Refused(refusal) => Self::Never(format!("{refusal:?}")),
            error => Self::Later(format!("{error:?}")),
        }
    }
}

impl From<crate::outbound::CallError> for Failure {
    fn from(error: crate::outbound::CallError) -> Self {
        match error {
            crate::outbound::CallError::Refused(why) => Self::Never(why.to_owned()),
            error => Self::Later(error.to_string()),
        }
    }
}

/// What jobs work with.
struct Runner {
    shared: Arc<Shared>,
    writer: WriterHandle,
    reader: Reader,
    outside: Outside,
    vapid: Arc<VapidKey>,
    under_way: RefCell<HashMap<JobKind, usize>>,
    finished: Notify,
}

/// Starts the thread. It ends when `stopped` says so; what was under way then is done at the next start.
pub(crate) fn start(
    shared: Arc<Shared>,
    writer: WriterHandle,
    reader: Reader,
    stopped: watch::Receiver<bool>,
) -> io::Result<JoinHandle<()>> {
    let policy = Policy {
        name_servers: shared.config.name_servers.clone(),
        allowed: shared.config.outgoing_allow.clone(),
    };
    std::thread::Builder::new().name("jobs".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .thread_keep_alive(Duration::from_secs(1))
            .build_local(Default::default());
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "the job runner did not start"),
        };
        let runner = Rc::new(Runner {
            vapid: Arc::clone(&shared.vapid),
            shared,
            writer,
            reader,
            outside: Outside::new(policy),
            under_way: RefCell::default(),
            finished: Notify::new(),
        });
        runtime.block_on(run(runner, stopped));
    })
}

async fn run(runner: Rc<Runner>, mut stopped: watch::Receiver<bool>) {
    if let Err(error) = runner.writer.write(ReleaseLeases).await {
        tracing::warn!(?error, "could not take jobs back from an earlier run");
    }
    spawn_local(clean::remove_orphans(Rc::clone(&runner), SystemTime::now()));
    spawn_local(clean::retire_old_messages(Rc::clone(&runner)));
    spawn_local(backup::keep(Rc::clone(&runner)));
    loop {
        let delay = runner.lease().await.unwrap_or(LOOK_EVERY);
        tokio::select! {
            _ = stopped.changed() => return,
            () = runner.shared.jobs.notified() => {}
            () = runner.finished.notified() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

impl Runner {
    /// Starts what is due, as far as there is room for it. Answers how long until the next is; None for long.
    async fn lease(self: &Rc<Self>) -> Option<Duration> {
        let due = match self.reader.next_due() {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "could not read the list of jobs");
                return None;
            }
        };
        let now = Timestamp::now();
        let mut next: Option<i64> = None;
        for (kind, at) in due {
            if at > now {
                next = Some(next.map_or(at.0, |next| next.min(at.0)));
                continue;
            }
            let busy = self.under_way.borrow().get(&kind).copied().unwrap_or(0);
            let room = concurrency(kind).saturating_sub(busy);
            if room == 0 {
                // Whoever finishes rings.
                continue;
            }
            match self.writer.write(LeaseJobs { kind, count: room, lease_ms: LEASE_MS }).await {
                Ok(jobs) => jobs.into_iter().for_each(|job| self.begin(job)),
                Err(error) => {
                    tracing::warn!(?error, "could not lease jobs");
                    next = Some(now.0 + 1_000);
                }
            }
        }
        next.map(|at| Duration::from_millis(at.saturating_sub(now.0).max(1) as u64).min(LOOK_EVERY))
    }

    fn begin(self: &Rc<Self>, job: Job) {
        *self.under_way.borrow_mut().entry(job.kind).or_default() += 1;
        let runner = Rc::clone(self);
        spawn_local(async move {
            let work = tokio::time::timeout(Duration::from_millis(LEASE_MS as u64 / 2), runner.perform(&job));
            let done = work.await.unwrap_or_else(|_| Err(Failure::Later("it took too long".into())));
            let outcome = match done {
                Ok(next) => Outcome::Done(next),
                Err(Failure::Never(why)) => Outcome::Hopeless(why),
                Err(Failure::Later(why)) => Outcome::Failed { why, again_in_ms: delay(job.attempts) },
            };
            if !matches!(outcome, Outcome::Done(_)) {
                tracing::info!(job = job.id.0, kind = job.kind.into_str(), ?outcome, "a job is not done");
            }
            if let Err(error) = runner.writer.write(FinishJob { job: job.id, outcome }).await {
                tracing::warn!(?error, job = job.id.0, "could not note how a job ended");
            }
            if let Some(count) = runner.under_way.borrow_mut().get_mut(&job.kind) {
                *count -= 1;
            }
            runner.finished.notify_one();
        });
    }

    async fn perform(self: &Rc<Self>, job: &Job) -> Done {
        match job.kind {
            JobKind::Webhook => webhook::deliver(self, job).await,
            JobKind::Notify => push::spread(self, job),
            JobKind::Push => push::send(self, job).await,
            JobKind::Preview => preview::look(self, job).await,
            JobKind::RemoveFiles => clean::remove_files(self, job).await,
            JobKind::RemoveMessages => clean::remove_messages(self, job).await,
        }
    }

    /// Has a worker do something, with all that it knows, and waits for what comes of it.
    async fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Rc<Worker>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.shared.send_task(Box::new(move |worker| {
            // Whoever asked may have given up.
            let _ = reply.send(task(worker));
        }));
        answer.await.map_err(|_| Failure::Later("the server is stopping".into()))
    }
}

/// Milliseconds to wait before the next try.
fn delay(attempts: i64) -> i64 {
    let failures = u32::try_from(attempts).unwrap_or(0);
    backoff::with_jitter(backoff::delay(FIRST_DELAY, failures), backoff::random()).as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_try_waits_longer_than_the_one_before_up_to_a_bound() {
        for (attempt, least, most) in [(1, 2_500, 7_500), (2, 7_500, 22_500), (40, 10_800_000, 32_400_000)] {
            let delay = delay(attempt);
            assert!((least..=most).contains(&delay), "{attempt}: {delay}");
        }
    }
}
