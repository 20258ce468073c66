//! What a connection runs over: TCP, or TLS above it. hyper drives a `Stream`; a socket, which reads and writes by itself
//! whenever the kernel is ready, has a `Transport`.

use std::{
    cell::{Cell, RefCell},
    io::{self, ErrorKind, IoSlice, Read, Write},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{rustls::ServerConnection, server::TlsStream};

/// What a connection is doing, and since when. Atomic only because hyper lets go of an upgraded connection through
/// a type that could go to another thread; no other thread ever looks.
pub(crate) struct Progress {
    phase: AtomicU8,
    since: AtomicU32,
    clock: Arc<AtomicU32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// It has just come, and nothing has been heard of it.
    Fresh,
    /// It waits for another request, or for its answer to be taken.
    Idle,
    /// The beginning of something arrives: a handshake, or a request's head.
    Head,
    /// A request is being answered; its own timeouts apply.
    Busy,
}

impl Progress {
    /// `clock` counts seconds, and is moved on by the worker.
    pub(crate) fn new(clock: Arc<AtomicU32>, phase: Phase) -> Self {
        let since = AtomicU32::new(clock.load(Ordering::Relaxed));
        Self { phase: AtomicU8::new(phase as u8), since, clock }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.touch();
    }

    /// Whoever takes what we send is not idle.
    fn touch(&self) {
        self.since.store(self.clock.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Fresh,
            1 => Phase::Idle,
            2 => Phase::Head,
            _ => Phase::Busy,
        }
    }

    /// Seconds that it has been in its phase, without a byte taken by the other side.
    pub(crate) fn age(&self) -> u32 {
        self.clock.load(Ordering::Relaxed).saturating_sub(self.since.load(Ordering::Relaxed))
    }
}

/// A connection as it was accepted.
pub(crate) enum Accepted {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What hyper reads and writes. Notes when a request begins to arrive, and that answers are taken.
pub(crate) struct Stream {
    connection: Accepted,
    progress: Arc<Progress>,
    /// Whether bytes that come in while nothing is asked are the head of a request (HTTP/1), or may be anything (HTTP/2).
    marks_heads: bool,
}

impl Stream {
    pub(crate) fn new(connection: Accepted, progress: Arc<Progress>, marks_heads: bool) -> Self {
        Self { connection, progress, marks_heads }
    }

    pub(crate) fn into_transport(self) -> Transport {
        match self.connection {
            Accepted::Plain(stream) => Transport::Plain(stream),
            Accepted::Tls(stream) => {
                let (tcp, session) = stream.into_inner();
                // What came along with the handshake may be decrypted already.
                Transport::Tls(Box::new(TlsTransport {
                    tcp,
                    session: RefCell::new(session),
                    may_have_more: Cell::new(true),
                }))
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = match &mut self.connection {
            Accepted::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Accepted::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        };
        if self.marks_heads
            && polled.is_ready()
            && matches!(self.progress.phase(), Phase::Fresh | Phase::Idle)
        {
            self.progress.enter(Phase::Head);
        }
        polled
    }
}

impl Stream {
    fn noted(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if polled.is_ready() {
            self.progress.touch();
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = match &mut self.connection {
            Accepted::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Accepted::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        };
        self.noted(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.connection {
            Accepted::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Accepted::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.connection {
            Accepted::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Accepted::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = match &mut self.connection {
            Accepted::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Accepted::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        };
        self.noted(polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// A connection that has become a socket: read and written without waiting, by whoever is woken when it is ready.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsTransport>),
}

pub(crate) struct TlsTransport {
    tcp: TcpStream,
    session: RefCell<ServerConnection>,
    /// Something may be decrypted and not yet read, of which the kernel knows nothing.
    may_have_more: Cell<bool>,
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => &tls.tcp,
        }
    }

    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(tls) if tls.may_have_more.get() => Poll::Ready(Ok(())),
            _ => self.tcp().poll_read_ready(cx),
        }
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_write_ready(cx)
    }

    /// Reads what there is; `WouldBlock` if nothing is.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_read(buffer),
            Self::Tls(tls) => tls.try_read(buffer),
        }
    }

    /// Writes what is taken now; `WouldBlock` if nothing is.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_write(bytes),
            Self::Tls(tls) => tls.try_write_with(|writer| writer.write(bytes)),
        }
    }

    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_write_vectored(slices),
            Self::Tls(tls) => tls.try_write_with(|writer| writer.write_vectored(slices)),
        }
    }

    /// Whether all that was written has gone to the kernel; `WouldBlock` if it takes no more now.
    pub(crate) fn try_flush(&self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.send(&mut tls.session.borrow_mut()),
        }
    }

    /// Says that nothing more is sent; what the other side sends can still be read.
    pub(crate) fn end(&self) {
        if let Self::Tls(tls) = self {
            tls.close_notify(&mut tls.session.borrow_mut());
        }
        // Whoever is gone need not hear it.
        let _ = socket2::SockRef::from(self.tcp()).shutdown(std::net::Shutdown::Write);
    }
}

impl TlsTransport {
    /// The other side is told that this is the end and no cut (RFC 8446, section 6.1), if the kernel takes it.
    fn close_notify(&self, session: &mut ServerConnection) {
        session.send_close_notify();
        let _ = self.send(session);
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut session = self.session.borrow_mut();
        loop {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.may_have_more.set(false),
                read => {
                    self.may_have_more.set(true);
                    return read;
                }
            }
            if session.read_tls(&mut Raw(&self.tcp))? == 0 {
                return Ok(0);
            }
            let processed = session.process_new_packets();
            // An alert, or new keys; what cannot leave now leaves with the next write.
            let _ = self.send(&mut session);
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// rustls takes at most 64 KiB before it has to be sent, so that is the most that waits here.
    fn try_write_with(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<usize>) -> io::Result<usize> {
        let mut session = self.session.borrow_mut();
        self.send(&mut session)?;
        let taken = write(&mut session.writer())?;
        match self.send(&mut session) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    fn send(&self, session: &mut ServerConnection) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut Raw(&self.tcp))?;
        }
        Ok(())
    }
}

impl Drop for TlsTransport {
    fn drop(&mut self) {
        self.close_notify(&mut self.session.borrow_mut());
    }
}

/// The kernel's side of a TLS session.
struct Raw<'a>(&'a TcpStream);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
