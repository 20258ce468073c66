//! The durable queue of background jobs. Each runs at least once, also after a crash.

use super::{
    Reader,
    command::{Command, NewJob, Refusal, Tx},
};
use crate::types::{JobId, JobKind, MessageId, Timestamp};

/// Attempts before a job is marked dead.
pub const MAX_ATTEMPTS: i64 = 8;

/// Dead jobs retained for administrators to look at; the oldest are removed.
const MAX_DEAD: i64 = 1_000;

/// A leased job.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub message: Option<MessageId>,
    pub target: Option<i64>,
    pub payload: Option<String>,
    /// The same at every attempt, so that a receiver can recognise duplicates.
    pub key: String,
    /// The number of attempts, this one included.
    pub attempts: i64,
}

/// Leases up to `count` due jobs of a kind: they are not leased again for `lease_ms` milliseconds.
#[derive(Debug)]
pub struct LeaseJobs {
    pub kind: JobKind,
    pub count: usize,
    pub lease_ms: i64,
}

impl Command for LeaseJobs {
    type Output = Vec<Job>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Vec<Job>, Refusal> {
        let jobs = tx
            .statement(
                "update jobs set attempts = attempts + 1, leased_until = ?1 where id in (
                   select id from jobs where kind = ?2 and dead_at is null and run_at <= ?3 and leased_until <= ?3
                   order by run_at, id limit ?4)
                 returning id, kind, message_id, target_id, payload, key, attempts",
            )?
            .query_map((tx.now.0 + self.lease_ms, self.kind, tx.now, self.count), |row| {
                Ok(Job {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    message: row.get(2)?,
                    target: row.get(3)?,
                    payload: row.get(4)?,
                    key: row.get(5)?,
                    attempts: row.get(6)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(jobs)
    }
}

/// How a job ended.
#[derive(Debug)]
pub enum Outcome {
    /// Done. The jobs that follow from it are queued in the same transaction.
    Done(Vec<(NewJob, Option<MessageId>)>),
    /// To be retried after `again_in_ms` milliseconds, unless this was the last attempt.
    Failed { why: String, again_in_ms: i64 },
    /// Not tried, since it has to wait for so many milliseconds. That counts as no attempt.
    Later(i64),
    /// It would fail again: marked dead at once.
    Hopeless(String),
}

/// Records how a job ended. A mail that is given up loses its content: there may be a link in it.
#[derive(Debug)]
pub struct FinishJob {
    pub job: JobId,
    pub outcome: Outcome,
}

impl Command for FinishJob {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (why, again_in_ms) = match self.outcome {
            Outcome::Done(next) => {
                tx.statement("delete from jobs where id = ?")?.execute((self.job,))?;
                for (job, message) in &next {
                    tx.add_job(job, *message)?;
                }
                return Ok(());
            }
            Outcome::Later(wait) => {
                tx.statement(
                    "update jobs set attempts = attempts - 1, leased_until = 0, run_at = ? where id = ?",
                )?
                .execute((tx.now.0 + wait, self.job))?;
                return Ok(());
            }
            Outcome::Failed { why, again_in_ms } => (why, Some(again_in_ms)),
            Outcome::Hopeless(why) => (why, None),
        };
        let again = again_in_ms.map(|wait| tx.now.0 + wait);
        tx.statement(
            "update jobs set error = ?1, leased_until = 0, run_at = ifnull(?2, run_at),
               dead_at = case when ?2 is null or attempts >= ?3 then ?4 end,
               payload = case when kind = 'mail' and (?2 is null or attempts >= ?3) then null else payload end
             where id = ?5",
        )?
        .execute((&why, again, MAX_ATTEMPTS, tx.now, self.job))?;
        tx.statement(
            "delete from jobs where dead_at is not null and id not in
               (select id from jobs where dead_at is not null order by dead_at desc, id desc limit ?)",
        )?
        .execute((MAX_DEAD,))?;
        Ok(())
    }
}

/// Queues a job without anything else.
#[derive(Debug)]
pub struct QueueJob(pub NewJob);

impl Command for QueueJob {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(tx.add_job(&self.0, None)?)
    }
}

/// Ends all leases. Used at start, when every lease is that of a process that has ended.
#[derive(Debug)]
pub struct ReleaseLeases;

impl Command for ReleaseLeases {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        tx.statement("update jobs set leased_until = 0 where leased_until > 0")?.execute(())?;
        Ok(())
    }
}

/// Queues a dead job again, with all its attempts. `NotFound` if it is not dead.
#[derive(Debug)]
pub struct RetryJob {
    pub job: JobId,
}

impl Command for RetryJob {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let changed = tx
            .statement("update jobs set dead_at = null, attempts = 0, run_at = ? where id = ? and dead_at is not null")?
            .execute((tx.now, self.job))?;
        if changed == 0 {
            return Err(Refusal::NotFound);
        }
        tx.notify(crate::types::event::Change::JobsWaiting);
        Ok(())
    }
}

/// Deletes a dead job. `NotFound` if it is not dead.
#[derive(Debug)]
pub struct DropJob {
    pub job: JobId,
}

impl Command for DropJob {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let dropped =
            tx.statement("delete from jobs where id = ? and dead_at is not null")?.execute((self.job,))?;
        if dropped == 0 { Err(Refusal::NotFound) } else { Ok(()) }
    }
}

/// A job as an administrator sees it.
#[derive(Debug, serde::Serialize)]
pub struct JobRow {
    pub id: JobId,
    pub kind: JobKind,
    pub message_id: Option<MessageId>,
    pub attempts: i64,
    pub created_at: Timestamp,
    pub run_at: Timestamp,
    pub dead_at: Option<Timestamp>,
    pub error: Option<String>,
}

impl Reader {
    /// When the next job of each kind is due. A leased job is due when its lease ends.
    pub fn next_due(&self) -> rusqlite::Result<Vec<(JobKind, Timestamp)>> {
        self.statement(
            "select kind, min(max(run_at, leased_until)) from jobs where dead_at is null group by kind",
        )?
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    }

    /// The number of queued jobs, and of dead ones.
    pub fn job_counts(&self) -> rusqlite::Result<(i64, i64)> {
        self.statement("select count(*) - count(dead_at), count(dead_at) from jobs")?
            .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Dead jobs, or queued ones; the newest first.
    pub fn jobs(&self, dead: bool, limit: usize) -> rusqlite::Result<Vec<JobRow>> {
        self.statement(
            "select id, kind, message_id, attempts, created_at, run_at, dead_at, error from jobs
             where (dead_at is not null) = ? order by id desc limit ?",
        )?
        .query_map((dead, limit), |row| {
            Ok(JobRow {
                id: row.get(0)?,
                kind: row.get(1)?,
                message_id: row.get(2)?,
                attempts: row.get(3)?,
                created_at: row.get(4)?,
                run_at: row.get(5)?,
                dead_at: row.get(6)?,
                error: row.get(7)?,
            })
        })?
        .collect()
    }
}
