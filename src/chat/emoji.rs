//! Emoji of the team's own.

use super::Admin;
use crate::{
    store::{Audited, Image, PutEmoji, RemoveEmoji},
    wire::Problem,
    worker::Worker,
};

/// Adds an emoji, or replaces its picture. Returns its version.
pub(crate) async fn put(worker: &Worker, admin: &Admin, name: String, image: Image) -> Result<i64, Problem> {
    let act = admin.act("emoji.put", format_args!("emoji {name}"));
    Ok(worker.writer.write(Audited { command: PutEmoji { name, image }, act }).await?)
}

/// Removes an emoji.
pub(crate) async fn remove(worker: &Worker, admin: &Admin, name: String) -> Result<(), Problem> {
    let act = admin.act("emoji.remove", format_args!("emoji {name}"));
    Ok(worker.writer.write(Audited { command: RemoveEmoji { name }, act }).await?)
}
