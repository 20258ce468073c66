//! What a connection runs over: TCP, or TLS above it. hyper drives a [`Stream`]. After a WebSocket upgrade the hub
//! and the socket's task share a [`Transport`], which reads and writes without waiting.

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

use crate::admission::Permit;

/// What a connection is doing, and since when. Atomic only because hyper requires an upgraded connection to be
/// `Send`; all accesses are from one thread.
pub(crate) struct Progress {
    phase: AtomicU8,
    since: AtomicU32,
    clock: Arc<AtomicU32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Accepted; nothing has been received.
    Fresh,
    /// Waits for the next request, or for the client to receive a response.
    Idle,
    /// Receives a TLS handshake or the head of a request.
    Head,
    /// A request is being handled; its own timeouts apply.
    Busy,
    /// It is answered, and what is left of its body is read, which has a timeout of its own.
    Discarding,
}

impl Progress {
    /// `clock` counts seconds; the worker advances it.
    pub(crate) fn new(clock: Arc<AtomicU32>, phase: Phase) -> Self {
        let since = AtomicU32::new(clock.load(Ordering::Relaxed));
        Self { phase: AtomicU8::new(phase as u8), since, clock }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.touch();
    }

    /// Restarts the age: a client that receives what is sent is not idle.
    fn touch(&self) {
        self.since.store(self.clock.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Fresh,
            1 => Phase::Idle,
            2 => Phase::Head,
            3 => Phase::Busy,
            _ => Phase::Discarding,
        }
    }

    /// Seconds in the current phase since the last byte was sent.
    pub(crate) fn age(&self) -> u32 {
        self.clock.load(Ordering::Relaxed).saturating_sub(self.since.load(Ordering::Relaxed))
    }
}

/// An accepted connection.
pub(crate) enum Accepted {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What hyper reads and writes. Records in its [`Progress`] when a request begins to arrive and when bytes are sent.
pub(crate) struct Stream {
    connection: Accepted,
    progress: Arc<Progress>,
    /// Whether bytes received between requests are the head of the next one: true for HTTP/1, not known for HTTP/2.
    marks_heads: bool,
    permit: Permit,
}

impl Stream {
    pub(crate) fn new(
        connection: Accepted,
        progress: Arc<Progress>,
        marks_heads: bool,
        permit: Permit,
    ) -> Self {
        Self { connection, progress, marks_heads, permit }
    }

    pub(crate) fn into_transport(self) -> Transport {
        match self.connection {
            Accepted::Plain(stream) => Transport::Plain(stream, self.permit.of_socket()),
            Accepted::Tls(stream) => {
                let (tcp, session) = stream.into_inner();
                // Bytes received with the handshake may be decrypted already.
                Transport::Tls(Box::new(TlsTransport {
                    tcp,
                    session: RefCell::new(session),
                    may_have_more: Cell::new(true),
                    _permit: self.permit.of_socket(),
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
    fn touch_if_ready(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
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
        self.touch_if_ready(polled)
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
        self.touch_if_ready(polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// The connection of a WebSocket. Reads and writes never wait; readiness is polled separately.
pub(crate) enum Transport {
    Plain(TcpStream, #[expect(dead_code, reason = "held while the connection is open")] Permit),
    Tls(Box<TlsTransport>),
}

pub(crate) struct TlsTransport {
    tcp: TcpStream,
    session: RefCell<ServerConnection>,
    /// The session may hold decrypted bytes, for which the kernel reports no readiness.
    may_have_more: Cell<bool>,
    _permit: Permit,
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream, _) => stream,
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

    /// Reads what is available; `WouldBlock` if nothing is.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream, _) => stream.try_read(buffer),
            Self::Tls(tls) => tls.try_read(buffer),
        }
    }

    /// Writes what the kernel accepts now; `WouldBlock` if nothing.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream, _) => stream.try_write(bytes),
            Self::Tls(tls) => tls.try_write_with(|writer| writer.write(bytes)),
        }
    }

    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream, _) => stream.try_write_vectored(slices),
            Self::Tls(tls) => tls.try_write_with(|writer| writer.write_vectored(slices)),
        }
    }

    /// Passes encrypted bytes on to the kernel; `WouldBlock` if it does not accept all of them now.
    pub(crate) fn try_flush(&self) -> io::Result<()> {
        match self {
            Self::Plain(..) => Ok(()),
            Self::Tls(tls) => tls.send(&mut tls.session.borrow_mut()),
        }
    }

    /// Ends the sending direction; the other one can still be read.
    pub(crate) fn end(&self) {
        if let Self::Tls(tls) = self {
            tls.close_notify(&mut tls.session.borrow_mut());
        }
        // An error means that the peer has closed the connection already.
        let _ = socket2::SockRef::from(self.tcp()).shutdown(std::net::Shutdown::Write);
    }
}

impl TlsTransport {
    /// Sends `close_notify` (RFC 8446, section 6.1), which tells an orderly end from a truncation, if the kernel
    /// accepts it.
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
            if session.read_tls(&mut Socket(&self.tcp))? == 0 {
                return Ok(0);
            }
            let processed = session.process_new_packets();
            // Sends alerts and key updates; what the kernel does not accept now goes with the next write.
            let _ = self.send(&mut session);
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// rustls buffers at most 64 KiB, which bounds what waits here.
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
            session.write_tls(&mut Socket(&self.tcp))?;
        }
        Ok(())
    }
}

impl Drop for TlsTransport {
    fn drop(&mut self) {
        self.close_notify(&mut self.session.borrow_mut());
    }
}

/// Adapts a non-blocking TCP stream to the `Read` and `Write` that rustls takes.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Socket<'_> {
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
