//! A team chat server in one binary.
//!
//! Modules import only from the layers below their own; `http`, `live` and `jobs` never import one another. A test at the
//! end of this file reads every `use crate::…` and fails on an import that goes up or sideways. `docs/architecture.md`
//! follows a message through these modules and says where a new route, event or setting goes.
//!
//! | layer | modules |
//! | --- | --- |
//! | command line | [`cli`]: every command of `campfire`, from `serve` to `doctor` |
//! | process | [`server`]: listeners, TLS and ACME, worker threads, start and stop, the service manager, alerts |
//! | edges | `http`: routes, requests and responses · `live`: WebSocket connections and their protocol · `jobs`: background work off the durable list |
//! | application | `chat`: what a person, a bot or a job may do, and what follows from it |
//! | worker | [`worker`]: what one core owns: its inbox, caches, limits, its reader and its hub |
//! | hub | `hub`: the sockets of one worker: who hears an event, queues, heartbeat, presence, draining |
//! | archives | [`backup`]: make, verify, restore and expire backups |
//! | storage | [`store`]: the writer, readers, state in memory; every line of SQL |
//! | wire | [`wire`]: everything a client sees: events, views, problems, forms, frames |
//! | leaves | [`text`]: Markdown, mentions, search queries, Slack's markup · [`media`]: pictures and sounds · [`config`]: settings · [`outbound`]: calls to other servers · [`log`], [`metrics`], `transport`: TCP or TLS below a connection |
//! | types | [`types`]: ids, the model, secrets, committed events |

pub mod backup;
mod chat;
pub mod cli;
pub mod config;
mod http;
mod hub;
mod jobs;
mod live;
pub mod log;
pub mod media;
pub mod metrics;
pub mod outbound;
pub mod server;
pub mod store;
pub mod text;
mod transport;
pub mod types;
pub mod wire;
pub mod worker;
