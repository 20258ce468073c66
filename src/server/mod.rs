//! Start and stop: the data directory, the writer, the workers, and the signals that end them.

mod acme;
mod alerts;
pub(crate) mod certificate;
mod connection;
mod connections;
mod error;
mod fanout;
mod listener;
mod redirect;
mod security;
mod service;
mod signals;
mod start;
mod tls;
mod worker_thread;

pub(crate) use self::fanout::Nobody;
pub use self::{
    acme::AcmeError,
    error::ServeError,
    start::{adapt_process, say_where, serve, serve_from},
    tls::TlsError,
};
