//! What administrators may do with background jobs.

use super::Admin;
use crate::{
    store::{Audited, DropJob, RetryJob},
    types::JobId,
    wire::Problem,
    worker::Worker,
};

/// Queues a dead job again.
pub(crate) async fn retry(worker: &Worker, admin: &Admin, job: JobId) -> Result<(), Problem> {
    let act = admin.act("job.retry", format_args!("job {job}"));
    Ok(worker.writer.write(Audited { command: RetryJob { job }, act }).await?)
}

/// Removes a job from the queue.
pub(crate) async fn drop(worker: &Worker, admin: &Admin, job: JobId) -> Result<(), Problem> {
    let act = admin.act("job.drop", format_args!("job {job}"));
    Ok(worker.writer.write(Audited { command: DropJob { job }, act }).await?)
}
