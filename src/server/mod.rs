//! The process: start and stop, listeners, TLS and certificates, the worker threads, and the service manager.

mod acme;
mod alerts;
pub(crate) mod certificate;
mod connection;
mod connections;
mod error;
mod fanout;
mod listener;
mod redirect;
mod refusal;
mod security;
mod service;
mod signals;
mod start;
mod tls;
mod worker_thread;

pub(crate) use self::fanout::NoWorkers;
pub use self::{
    acme::AcmeError,
    error::ServeError,
    start::{adapt_process, say_where, serve, serve_from},
    tls::TlsError,
};
