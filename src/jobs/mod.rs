//! Background jobs from the queue in the database, on one thread. Each job is leased, run and finished: at least
//! once, even across a crash. Concurrency is bounded for each kind, so that slow webhooks do not delay pushes.

mod backup;
mod clean;
mod mail;
mod preview;
mod push;
mod rename;
mod webhook;

use std::{
    cell::RefCell,
    collections::HashMap,
    future::poll_fn,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Notify, oneshot, watch},
    task::spawn_local,
};

use crate::{
    outbound::{Outside, Policy, backoff},
    store::{
        FinishJob, Job, LeaseJobs, NewJob, Outcome, QueueDueMail, Reader, ReleaseLeases, ResumeMail,
        WriterHandle,
    },
    types::{JobKind, MessageId, Timestamp},
    worker::{Shared, Worker},
};

/// How long a job is leased: longer than it may take, so an expired lease means that its run was lost.
const LEASE_MS: i64 = 120_000;

/// How often the queue is polled without a notification.
const POLL_EVERY: Duration = Duration::from_secs(60);

/// No mail tells of unread messages in the first seconds after the start.
const AFTER_START_MS: i64 = 5_000;

/// The delay before the first retry; it triples with each further one, with a jitter of half of it.
const FIRST_DELAY: Duration = Duration::from_secs(5);

/// How many jobs of a kind run at once.
fn concurrency(kind: JobKind) -> usize {
    match kind {
        JobKind::Webhook => 16,
        JobKind::Push => 32,
        JobKind::Preview => 4,
        JobKind::Notify => 2,
        JobKind::Mail => 4,
        JobKind::MailUnread => 2,
        JobKind::AwaitMail => 4,
        JobKind::RemoveFiles | JobKind::RemoveMessages | JobKind::RenameMentions => 1,
    }
}

/// Why a job failed.
#[derive(Debug)]
enum Failure {
    /// It is tried again later.
    Retry(String),
    /// It was not tried, and has to wait for so many milliseconds.
    Later(i64),
    Permanent(String),
}

/// The jobs that follow from a finished one, each with its message.
type Done = Result<Vec<(NewJob, Option<MessageId>)>, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Retry(error.to_string())
    }
}

impl From<crate::store::WriteError> for Failure {
    fn from(error: crate::store::WriteError) -> Self {
        use crate::store::{Refusal, WriteError};
        match error {
            WriteError::Refused(Refusal::Database(error)) => error.into(),
            WriteError::Refused(refusal) => Self::Permanent(format!("{refusal:?}")),
            error => Self::Retry(format!("{error:?}")),
        }
    }
}

impl From<crate::outbound::CallError> for Failure {
    fn from(error: crate::outbound::CallError) -> Self {
        match error {
            crate::outbound::CallError::Refused(why) => Self::Permanent(why.to_owned()),
            error => Self::Retry(error.to_string()),
        }
    }
}

/// What jobs work with.
struct Runner {
    shared: Arc<Shared>,
    writer: WriterHandle,
    reader: Reader,
    outside: Outside,
    /// None where no mail is sent.
    post: Option<mail::Post>,
    slots: Rc<Slots>,
}

/// Starts the thread. It ends when `stopped` changes; unfinished jobs run again at the next start.
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
    let post = mail::Post::of(&shared.config).map_err(io::Error::other)?;
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
            shared,
            writer,
            reader,
            outside: Outside::new(policy),
            post,
            slots: Rc::default(),
        });
        runtime.block_on(run(runner, stopped));
    })
}

async fn run(runner: Rc<Runner>, mut stopped: watch::Receiver<bool>) {
    if let Err(error) = runner.writer.write(ReleaseLeases).await {
        tracing::warn!(?error, "could not release the leases of an earlier run");
    }
    if runner.post.is_some()
        && let Err(error) = runner.writer.write(ResumeMail).await
    {
        tracing::warn!(?error, "could not resume mails");
    }
    spawn_local(clean::remove_orphans(Rc::clone(&runner), SystemTime::now()));
    spawn_local(clean::retire_old_messages(Rc::clone(&runner)));
    spawn_local(clean::restore_reserve(Rc::clone(&runner)));
    spawn_local(backup::run_schedule(Rc::clone(&runner)));
    loop {
        let delay = runner.lease().await.unwrap_or(POLL_EVERY);
        tokio::select! {
            _ = stopped.changed() => return,
            () = runner.shared.jobs.notified() => {}
            () = runner.slots.freed.notified() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

impl Runner {
    /// Queues the mails that are due, and returns when the next one is.
    async fn queue_due_mail(&self, now: Timestamp) -> Option<i64> {
        self.post.as_ref()?;
        let due = match self.reader.next_mail_due() {
            Ok(due) => due?,
            Err(error) => {
                tracing::warn!(%error, "could not read which mails are due");
                return None;
            }
        };
        // Those who have the page open come back first, and need none.
        let first = self.shared.boot as i64 + AFTER_START_MS;
        if due > now || first > now.0 {
            return Some(due.0.max(first));
        }
        while let Ok(true) = self.writer.write(QueueDueMail).await {}
        Some(now.0 + 1_000)
    }

    /// Starts due jobs within the bounds of concurrency. Returns how long until the next one is due; None if unknown.
    async fn lease(self: &Rc<Self>) -> Option<Duration> {
        let due = match self.reader.next_due() {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "could not read the queue of jobs");
                return None;
            }
        };
        let now = Timestamp::now();
        let mut next: Option<i64> = self.queue_due_mail(now).await;
        for (kind, at) in due {
            if at > now {
                next = Some(next.map_or(at.0, |next| next.min(at.0)));
                continue;
            }
            let room = concurrency(kind).saturating_sub(self.slots.taken(kind));
            if room == 0 {
                // A job that finishes notifies.
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
        next.map(|at| Duration::from_millis(at.saturating_sub(now.0).max(1) as u64).min(POLL_EVERY))
    }

    fn begin(self: &Rc<Self>, job: Job) {
        let slot = self.slots.take(job.kind);
        let runner = Rc::clone(self);
        spawn_local(async move {
            let _slot = slot;
            let limit = Duration::from_millis(LEASE_MS as u64 / 2);
            let work = tokio::time::timeout(limit, catch_panic(runner.perform(&job)));
            let done = work.await.unwrap_or_else(|_| Err(Failure::Retry("it took too long".into())));
            let outcome = match done {
                Ok(next) => Outcome::Done(next),
                Err(Failure::Later(wait)) => Outcome::Later(wait),
                Err(Failure::Permanent(why)) => Outcome::Hopeless(why),
                Err(Failure::Retry(why)) => Outcome::Failed { why, again_in_ms: delay(job.attempts) },
            };
            if !matches!(outcome, Outcome::Done(_) | Outcome::Later(_)) {
                tracing::info!(job = job.id.0, kind = job.kind.into_str(), ?outcome, "a job failed");
            }
            if let Err(error) = runner.writer.write(FinishJob { job: job.id, outcome }).await {
                tracing::warn!(?error, job = job.id.0, "could not store the outcome of a job");
            }
        });
    }

    async fn perform(self: &Rc<Self>, job: &Job) -> Done {
        match job.kind {
            JobKind::Webhook => webhook::deliver(self, job).await,
            JobKind::Notify => push::fan_out(self, job),
            JobKind::Push => push::send(self, job).await,
            JobKind::Preview => preview::fetch(self, job).await,
            JobKind::AwaitMail => mail::await_mail(self, job).await,
            JobKind::MailUnread => mail::unread(self, job).await,
            JobKind::Mail => mail::letter(self, job).await,
            JobKind::RemoveFiles => clean::remove_files(self, job).await,
            JobKind::RemoveMessages => clean::remove_messages(self, job).await,
            JobKind::RenameMentions => rename::rename_mentions(self, job).await,
        }
    }

    /// Runs a task on the first worker and waits for its result.
    async fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Rc<Worker>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.shared.send_task(Box::new(move |worker| {
            // Fails if the job has timed out meanwhile.
            let _ = reply.send(task(worker));
        }));
        answer.await.map_err(|_| Failure::Retry("the server is stopping".into()))
    }
}

/// The jobs under way.
#[derive(Default)]
struct Slots {
    taken: RefCell<HashMap<JobKind, usize>>,
    freed: Notify,
}

impl Slots {
    fn taken(&self, kind: JobKind) -> usize {
        self.taken.borrow().get(&kind).copied().unwrap_or(0)
    }

    fn take(self: &Rc<Self>, kind: JobKind) -> Slot {
        *self.taken.borrow_mut().entry(kind).or_default() += 1;
        Slot { slots: Rc::clone(self), kind }
    }
}

/// A job under way, which counts against the bound of its kind until this is dropped.
struct Slot {
    slots: Rc<Slots>,
    kind: JobKind,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(count) = self.slots.taken.borrow_mut().get_mut(&self.kind) {
            *count -= 1;
        }
        self.slots.freed.notify_one();
    }
}

/// A job that panics has failed like any other: it is tried again, and is reported if that does not help.
async fn catch_panic(work: impl Future<Output = Done>) -> Done {
    let mut work = pin!(work);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))).unwrap_or_else(|_| {
            tracing::error!("a job panicked");
            Poll::Ready(Err(Failure::Retry("it panicked: see the log".into())))
        })
    })
    .await
}

/// Milliseconds before the next try.
fn delay(attempts: i64) -> i64 {
    let failures = u32::try_from(attempts).unwrap_or(0);
    backoff::with_jitter(backoff::delay(FIRST_DELAY, failures), backoff::random()).as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B4
    #[tokio::test]
    async fn job_that_panics_frees_its_slot_and_is_tried_again() {
        let slots: Rc<Slots> = Rc::default();
        let job = async {
            let _slot = slots.take(JobKind::RemoveFiles);
            assert_eq!(slots.taken(JobKind::RemoveFiles), 1);
            catch_panic(async {
                tokio::task::yield_now().await;
                panic!("a bug in a job")
            })
            .await
        };
        assert!(matches!(job.await, Err(Failure::Retry(why)) if why.contains("panicked")));
        assert_eq!(slots.taken(JobKind::RemoveFiles), 0);
        slots.freed.notified().await;
    }

    #[test]
    fn retry_delay_grows_up_to_a_bound() {
        for (attempt, least, most) in [(1, 2_500, 7_500), (2, 7_500, 22_500), (40, 10_800_000, 32_400_000)] {
            let delay = delay(attempt);
            assert!((least..=most).contains(&delay), "{attempt}: {delay}");
        }
    }
}
