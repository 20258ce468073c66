//! Marking rooms as read on a socket. These messages have no answer, so that a client may send any number of them:
//! there is at most one command under way for a user, with the newest mark of each room.

use std::{rc::Rc, time::Duration};

use super::protocol::refuse;
use crate::{
    hub::SocketId,
    store::{MarkRead, NotCommitted, WriteError},
    types::{MessageId, RoomId, UserId},
    worker::Worker,
};

/// Marks in one command; bounds how long other commands wait.
const MAX_MARKS: usize = 100;

/// How long marks wait if the writer's queue is full.
const RETRY_DELAY: Duration = Duration::from_millis(250);

/// Marks a room as read up to a message, soon.
pub(super) fn mark(worker: &Rc<Worker>, id: SocketId, user: UserId, room: RoomId, message: MessageId) {
    let mut reads = worker.reads.borrow_mut();
    if let Some(marks) = reads.get_mut(&user) {
        return add(marks, room, message);
    }
    reads.insert(user, vec![(room, message)]);
    drop(reads);
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        while let Some(marks) = next(&worker, user) {
            write(&worker, id, user, marks).await;
        }
    });
}

/// Adds a mark to those that wait, which are at most one for each room of the user.
fn add(marks: &mut Vec<(RoomId, MessageId)>, room: RoomId, message: MessageId) {
    match marks.iter_mut().find(|(known, _)| *known == room) {
        Some((_, newest)) => *newest = message.max(*newest),
        None => marks.push((room, message)),
    }
}

/// The marks for the next command; None, and no entry for the user, once there are no more.
fn next(worker: &Worker, user: UserId) -> Option<Vec<(RoomId, MessageId)>> {
    let mut reads = worker.reads.borrow_mut();
    let marks = reads.get_mut(&user)?;
    if marks.is_empty() {
        reads.remove(&user);
        return None;
    }
    let count = marks.len().min(MAX_MARKS);
    Some(marks.drain(..count).collect())
}

/// Writes marks. They wait for as long as the writer's queue is full.
async fn write(worker: &Worker, id: SocketId, user: UserId, marks: Vec<(RoomId, MessageId)>) {
    loop {
        match worker.writer.write(MarkRead { user, marks: marks.clone() }).await {
            Err(WriteError::Overloaded | WriteError::NotCommitted(NotCommitted::OtherFailed)) => {
                tokio::time::sleep(RETRY_DELAY).await;
            }
            Err(error) => {
                refuse(worker, id, &error.into(), None);
                return worker.flush_if_needed();
            }
            Ok(()) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B10.
    #[test]
    fn waiting_marks_are_one_for_each_room_and_the_newest() {
        let mut marks = Vec::new();
        for (room, message) in [(1, 5), (2, 7), (1, 9), (1, 6), (2, 7)] {
            add(&mut marks, RoomId(room), MessageId(message));
        }
        assert_eq!(marks, [(RoomId(1), MessageId(9)), (RoomId(2), MessageId(7))]);
    }
}
