//! What administrators look at: who did what, and what could not be done.

use serde_json::json;

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::Admin,
    store::{Audited, DropJob, RetryJob},
    types::JobId,
    wire::Problem,
};

pub(crate) fn audit(call: &Call, _: &Admin) -> Response {
    let query = call.query();
    let (before, limit) = (query.id("before")?, query.limit()?);
    let (lines, has_before) = call.worker.reader.audit(before, limit)?;
    Ok(Reply::json(&json!({ "entries": lines, "has_before": has_before })))
}

/// The dead letters, or with `state=waiting` those that wait.
pub(crate) fn jobs(call: &Call, _: &Admin) -> Response {
    let query = call.query();
    let dead = match query.text("state") {
        None | Some("dead") => true,
        Some("waiting") => false,
        Some(_) => return Err(Problem::malformed("`state` has to be dead or waiting.")),
    };
    Ok(Reply::json(&json!({ "jobs": call.worker.reader.jobs(dead, query.limit()?)? })))
}

pub(crate) fn retry_job(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let job = JobId(call.id(0)?);
        let act = admin.act("job.retry", format_args!("job {job}"));
        call.worker.writer.write(Audited { command: RetryJob { job }, act }).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn drop_job(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let job = JobId(call.id(0)?);
        let act = admin.act("job.drop", format_args!("job {job}"));
        call.worker.writer.write(Audited { command: DropJob { job }, act }).await?;
        Ok(Reply::no_content())
    })
}
