//! The WebSocket API, tested from outside.

mod support;

mod live {
    mod backpressure;
    mod events;
    mod fanout;
    mod fuzz;
    mod handshake;
    mod hostile;
    mod presence;
    mod sessions;
}
