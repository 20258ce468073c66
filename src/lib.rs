//! A team chat in one binary. The map of the house is in the README; a file imports from its own floor downwards:
//! `cli` → `server` → `http`, `live` (with `worker`, what both of them work with) → `backup` → `store` →
//! `text`, `frame`, `cache`, `limits`, `state`, `inbox`, `stream` → `config`, `metrics`, `log` → `types`, `event`, `backoff`.

pub mod backoff;
pub mod backup;
pub mod cache;
pub mod cli;
pub mod config;
pub mod event;
pub mod frame;
mod http;
pub mod inbox;
mod jobs;
pub mod limits;
mod live;
pub mod log;
pub mod metrics;
pub mod outside;
pub mod picture;
pub mod server;
pub mod sounds;
pub mod state;
pub mod store;
mod stream;
pub mod text;
pub mod types;
pub mod worker;
