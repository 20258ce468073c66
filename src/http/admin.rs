//! The audit log and the background jobs, for administrators.

use serde_json::json;

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{self, Admin},
    types::JobId,
    wire::Problem,
};

pub(crate) fn audit(call: &Call, _: &Admin) -> Response {
    let query = call.query();
    let (before, limit) = (query.id("before")?, query.limit()?);
    let (lines, has_before) = call.worker.reader.audit(before, limit)?;
    Ok(Reply::json(&json!({ "entries": lines, "has_before": has_before })))
}

/// The dead jobs, or with `state=waiting` the queued ones.
pub(crate) fn jobs(call: &Call, _: &Admin) -> Response {
    let query = call.query();
    let dead = match query.text("state") {
        None | Some("dead") => true,
        Some("waiting") => false,
        Some(_) => return Err(Problem::malformed("`state` must be `dead` or `waiting`.")),
    };
    Ok(Reply::json(&json!({ "jobs": call.worker.reader.jobs(dead, query.limit()?)? })))
}

pub(crate) fn retry_job(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        chat::jobs::retry(&call.worker, &admin, JobId(call.id(0)?)).await?;
        Ok(Reply::no_content())
    })
}

pub(crate) fn drop_job(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        chat::jobs::drop(&call.worker, &admin, JobId(call.id(0)?)).await?;
        Ok(Reply::no_content())
    })
}
