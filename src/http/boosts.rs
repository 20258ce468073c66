//! Boosts.

use hyper::StatusCode;

use super::{request::Call, response::Reply, router::ResponseFuture};
use crate::{
    chat::{MessageAccess, Viewer, messages},
    types::{BoostId, MessageId},
};

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let message = MessageAccess::of(&call.worker, MessageId(call.id(0)?), viewer.user)?;
        let mut form = call.form()?;
        let content = messages::take_boost(&mut form);
        form.finish()?;
        let boosted = messages::boost(&call.worker, viewer.user, &message, content).await?;
        let status = if boosted.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written(status, &boosted.boost))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let boost = BoostId(call.id(0)?);
        messages::remove_boost(&call.worker, viewer.user, boost, None).await?;
        Ok(Reply::no_content())
    })
}
