//! The WebSocket API, tested from outside.

mod support;

mod live {
    mod backpressure;
    mod budgets;
    mod counts;
    mod events;
    mod fanout;
    mod fuzz;
    mod handshake;
    mod hostile;
    mod presence;
    mod replay;
    mod sessions;
}
