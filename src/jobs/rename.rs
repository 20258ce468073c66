//! Puts a person's new name into the messages that mention them.

use std::rc::Rc;

use super::{Done, Runner};
use crate::{
    store::{Job, RenameMentions},
    types::UserId,
};

/// In small transactions, so that posts do not wait. A job that is run again goes over the messages again, and changes only
/// those that still have another name.
pub(super) async fn rename_mentions(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(user) = job.target.map(UserId) else { return Ok(Vec::new()) };
    let mut before = None;
    loop {
        before = runner.writer.write(RenameMentions { user, before }).await?;
        if before.is_none() {
            return Ok(Vec::new());
        }
        tokio::task::yield_now().await;
    }
}
