//! Answers to posts on sockets. They come in the order of the posts: the writer keeps it, and one task of each worker
//! passes its answers on.

use std::rc::Rc;

use super::protocol::refuse;
use crate::{
    store::{Posted, WriteError},
    wire::event::ack_json,
    worker::{PendingPost, Worker, survive_each},
};

/// Answers a post once the writer has.
pub(super) fn answer_later(worker: &Rc<Worker>, post: PendingPost) {
    if let Some(socket) = worker.hub.borrow_mut().socket(post.socket) {
        socket.under_way += 1;
    }
    let mut posts = worker.posts.borrow_mut();
    posts.waiting.push_back(post);
    if !std::mem::replace(&mut posts.are_answered, true) {
        let worker = Rc::clone(worker);
        tokio::task::spawn_local(async move {
            while let Some(mut post) = next(&worker) {
                let answer = (&mut post.answer).await.unwrap_or(Err(WriteError::Stopped));
                // A fault must not keep the others from their answers.
                survive_each([answer], |answer| pass_on(&worker, &post, answer));
            }
        });
    }
}

fn next(worker: &Worker) -> Option<PendingPost> {
    let mut posts = worker.posts.borrow_mut();
    let next = posts.waiting.pop_front();
    posts.are_answered = next.is_some();
    next
}

fn pass_on(worker: &Worker, post: &PendingPost, answer: Result<Posted, WriteError>) {
    let (id, client_id) = (post.socket, post.client_message_id.as_deref());
    if let Some(socket) = worker.hub.borrow_mut().socket(id) {
        socket.under_way -= 1;
        if let Some(waker) = &socket.waker {
            waker.wake_by_ref();
        }
    }
    match answer {
        Ok(posted) => worker.hub.borrow_mut().answer(id, &ack_json(client_id, &posted.json)),
        Err(error) => refuse(worker, id, &error.into(), client_id),
    }
    worker.flush_if_needed();
}
