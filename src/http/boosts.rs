//! Boosts.

use hyper::StatusCode;

use super::{request::Call, response::Reply, router::ResponseFuture};
use crate::{
    chat::{Viewer, messages},
    store::RemoveBoost,
    types::{BoostId, MessageId},
};

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let message = MessageId(call.id(0)?);
        messages::visible(&call.worker, viewer.user, message)?;
        let mut form = call.form()?;
        let content = messages::take_boost(&mut form);
        form.finish()?;
        let boosted = messages::boost(&call.worker, viewer.user, message, content).await?;
        let status = if boosted.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written(status, &boosted.boost))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let boost = BoostId(call.id(0)?);
        call.worker.writer.write(RemoveBoost { boost, user: viewer.user, message: None }).await?;
        Ok(Reply::no_content())
    })
}
