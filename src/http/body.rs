//! The body of a response: bytes in memory, ranges of a file read while they are sent, or lines sent while they are
//! made. An error breaks the response off: the client can tell that it is not complete.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{sync::mpsc, task::JoinHandle};

use super::request::Call;
use crate::{
    memory::{Budget, Exhausted, Owner},
    wire::Problem,
    worker::Worker,
};

/// Bytes of a file that are read, and held in memory, at a time; the second while memory for responses is scarce, the third
/// once there is none. A client that stops reading, as for a video that is paused, holds one of them for as long as it likes.
const CHUNK: u64 = 256 << 10;
const SMALL_CHUNK: u64 = 32 << 10;
const LEAST_CHUNK: u64 = 16 << 10;

#[derive(Debug)]
pub(crate) enum Body {
    Whole(Option<Bytes>),
    File(Box<FileBody>),
    Lines(mpsc::Receiver<io::Result<Bytes>>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(None)
    }
}

/// Bytes of a body from which on it counts as large.
const LARGE: usize = 64 << 10;

impl Body {
    /// Counts large bytes among the responses that wait for their clients; an error if there are too many.
    pub(crate) fn counted(self, worker: &Worker) -> Result<Self, Exhausted> {
        match self {
            Self::Whole(Some(bytes)) if bytes.len() > LARGE => {
                let mut share = worker.shared.responses.share(None);
                share.grow(bytes.len())?;
                Ok(Self::Whole(Some(share.hold(bytes))))
            }
            body => Ok(body),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

/// Ranges of one file, with bytes between them if there are several (RFC 9110, section 14.6).
#[derive(Debug)]
pub(crate) struct FileBody {
    file: Arc<File>,
    parts: VecDeque<Part>,
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    budget: Arc<Budget>,
    owner: Owner,
}

#[derive(Debug)]
pub(crate) enum Part {
    Bytes(Bytes),
    /// Offset and length of a range of the file.
    Stretch(u64, u64),
}

impl FileBody {
    /// 503 if too many responses wait for their clients, or for this one.
    pub(crate) fn new(
        call: &Call,
        file: File,
        parts: impl IntoIterator<Item = Part>,
    ) -> Result<Self, Problem> {
        let parts: VecDeque<Part> = parts.into_iter().collect();
        let length = |part: &Part| match part {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Stretch(_, length) => *length,
        };
        let left: u64 = parts.iter().map(length).sum();
        let (budget, owner) = (Arc::clone(&call.worker.shared.responses), call.owner());
        // Given back at once: a chunk is counted when it is read.
        budget.share(Some(owner)).grow(left.min(SMALL_CHUNK) as usize).map_err(|_| Problem::overloaded())?;
        Ok(Self { file: Arc::new(file), parts, left, reading: None, budget, owner })
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(reading) = &mut self.reading {
            let read = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            return Poll::Ready(Some(match read {
                Ok(Ok(bytes)) => {
                    self.left -= bytes.len() as u64;
                    Ok(bytes)
                }
                Ok(Err(error)) => Err(error),
                Err(error) => Err(io::Error::other(error)),
            }));
        }
        match self.parts.pop_front() {
            None => Poll::Ready(None),
            Some(Part::Bytes(bytes)) => {
                self.left -= bytes.len() as u64;
                Poll::Ready(Some(Ok(bytes)))
            }
            Some(Part::Stretch(_, 0)) => self.poll_chunk(cx),
            Some(Part::Stretch(from, length)) => {
                let mut share = self.budget.share(Some(self.owner));
                let wanted = length.min(if self.budget.is_scarce() { SMALL_CHUNK } else { CHUNK });
                let size = match share.grow(wanted as usize) {
                    Ok(()) => wanted,
                    Err(Exhausted) => length.min(LEAST_CHUNK),
                };
                self.parts.push_front(Part::Stretch(from + size, length - size));
                let file = Arc::clone(&self.file);
                // One read at a time, and no thread between reads: a slow client holds one chunk.
                self.reading = Some(tokio::task::spawn_blocking(move || {
                    let mut chunk = vec![0; size as usize];
                    file.read_exact_at(&mut chunk, from)?;
                    Ok(share.hold(chunk.into()))
                }));
                self.poll_chunk(cx)
            }
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::File(file) => file.poll_chunk(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
            Self::Lines(lines) => lines.poll_recv(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::File(file) => file.left == 0,
            Self::Lines(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::File(file) => SizeHint::with_exact(file.left),
            Self::Lines(_) => SizeHint::default(),
        }
    }
}
