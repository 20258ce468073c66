//! Health and metrics.

use std::sync::atomic::Ordering;

use hyper::header;

use super::{
    request::Call,
    response::Reply,
    router::{ROUTES, Response},
};
use crate::{
    metrics::{Exposition, ProcessFigures},
    types::TokenHash,
    wire::Problem,
};

#[derive(serde::Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    uptime_s: u64,
}

pub(crate) fn show(call: &Call) -> Response {
    if !call.worker.is_healthy() || call.worker.shared.is_draining() {
        return Err(Problem::overloaded());
    }
    let uptime = call.worker.shared.started.elapsed().as_secs();
    let health = Health { status: "ok", version: env!("CARGO_PKG_VERSION"), uptime_s: uptime };
    Ok(Reply::written(hyper::StatusCode::OK, &health))
}

/// Health as Rails tells it: a green page. ONCE and other proxies of Rails applications ask for it.
pub(crate) fn up(call: &Call) -> Response {
    show(call)?;
    let page = r#"<!DOCTYPE html><html><body style="background-color: green"></body></html>"#;
    Ok(Reply::text(page, "text/html; charset=utf-8"))
}

/// The metrics in Prometheus' text format; 403 unless from loopback or with the metrics token.
pub(crate) fn metrics(call: &Call) -> Response {
    let token = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let knows_token = call.worker.config().metrics_token.as_deref().is_some_and(|expected| {
        // Compared by hash, so that the time does not depend on the token.
        token.is_some_and(|token| TokenHash::of(token) == TokenHash::of(expected))
    });
    if !call.is_from_here() && !knows_token {
        return Err(Problem::forbidden("Metrics require a connection from loopback or the metrics token."));
    }
    Ok(Reply::text(exposition(call)?, "text/plain; version=0.0.4; charset=utf-8"))
}

fn exposition(call: &Call) -> Result<String, Problem> {
    let shared = &call.worker.shared;
    let workers: Vec<_> = shared.metrics.iter().map(AsRef::as_ref).collect();
    let all = || workers.iter().copied();
    let mut out = Exposition::default();
    out.single(
        "campfire_uptime_seconds",
        "gauge",
        "Seconds since the start.",
        shared.started.elapsed().as_secs(),
    );
    let mut routes: Vec<_> =
        ROUTES.iter().map(|route| format!("method=\"{}\",route=\"{}\"", route.method, route.path)).collect();
    routes.push("method=\"any\",route=\"none\"".into());
    out.requests(&routes, &workers);
    out.total("campfire_http_connections", "gauge", "Open HTTP connections.", all(), |w| &w.connections);
    out.total(
        "campfire_connections_refused_total",
        "counter",
        "Connections that were refused since max_connections or max_per_address were open.",
        all(),
        |w| &w.refused_connections,
    );
    out.total("campfire_http_panics_total", "counter", "Handlers that panicked.", all(), |w| &w.panics);
    out.total("campfire_sockets", "gauge", "Open WebSockets.", all(), |w| &w.sockets);
    out.total(
        "campfire_rooms_joined",
        "gauge",
        "Rooms that sockets have joined, summed over the workers.",
        all(),
        |w| &w.rooms,
    );
    out.total("campfire_deliveries_total", "counter", "Frames put on the queues of sockets.", all(), |w| {
        &w.deliveries
    });
    out.total(
        "campfire_socket_writes_total",
        "counter",
        "Writes to sockets; fewer than deliveries, since frames are written together.",
        all(),
        |w| &w.writes,
    );
    out.total("campfire_socket_written_bytes_total", "counter", "Bytes written to sockets.", all(), |w| {
        &w.written_bytes
    });
    out.total(
        "campfire_resyncs_total",
        "counter",
        "Times that a socket lagged and got a resync.",
        all(),
        |w| &w.resyncs,
    );
    out.total(
        "campfire_slow_closes_total",
        "counter",
        "Sockets closed because the client was too slow.",
        all(),
        |w| &w.slow_closes,
    );
    out.total(
        "campfire_page_cache_hits_total",
        "counter",
        "Newest pages of messages answered from the cache.",
        all(),
        |w| &w.page_hits,
    );
    out.total(
        "campfire_page_cache_misses_total",
        "counter",
        "Newest pages of messages read from the database.",
        all(),
        |w| &w.page_misses,
    );
    out.total(
        "campfire_search_cache_hits_total",
        "counter",
        "Searches answered from the cache.",
        all(),
        |w| &w.search_hits,
    );
    out.total(
        "campfire_search_cache_misses_total",
        "counter",
        "Searches answered from the index.",
        all(),
        |w| &w.search_misses,
    );
    out.total("campfire_cache_bytes", "gauge", "Bytes of cached responses.", all(), |w| &w.body_bytes);
    out.single(
        "campfire_backup_last_success_timestamp_seconds",
        "gauge",
        "Time of the newest scheduled backup, in seconds since the Unix epoch; 0 for none.",
        shared.backups.last_success.load(Ordering::Relaxed),
    );
    out.single(
        "campfire_backup_failures_total",
        "counter",
        "Scheduled backups that failed.",
        shared.backups.failures.load(Ordering::Relaxed),
    );
    let writer = call.worker.writer.metrics();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    out.single(
        "campfire_writer_queue_depth",
        "gauge",
        "Commands queued or in progress.",
        call.worker.writer.depth(),
    );
    out.single("campfire_writer_batches_total", "counter", "Transactions.", count(&writer.batches));
    out.single(
        "campfire_writer_commands_total",
        "counter",
        "Commands; divided by the batches, the mean size of a batch.",
        count(&writer.commands),
    );
    out.single(
        "campfire_writer_refused_total",
        "counter",
        "Commands that were refused.",
        count(&writer.refused),
    );
    out.single(
        "campfire_writer_overloaded_total",
        "counter",
        "Commands that found the queue full.",
        count(&writer.overloaded),
    );
    out.single(
        "campfire_writer_failed_commits_total",
        "counter",
        "Batches that could not be committed.",
        count(&writer.failed_commits),
    );
    out.single(
        "campfire_writer_commit_seconds_total",
        "counter",
        "Time spent in COMMIT.",
        count(&writer.commit_nanos) as f64 / 1e9,
    );
    out.single(
        "campfire_writer_batch_seconds_total",
        "counter",
        "Time spent in transactions.",
        count(&writer.batch_nanos) as f64 / 1e9,
    );
    let (waiting, dead) = call.worker.reader.job_counts()?;
    out.single("campfire_jobs_waiting", "gauge", "Jobs queued or in progress.", waiting);
    out.single("campfire_jobs_dead", "gauge", "Jobs that failed for good.", dead);
    out.single("campfire_database_bytes", "gauge", "Size of the database.", call.worker.reader.size()?);
    let process = ProcessFigures::read();
    out.single("process_resident_memory_bytes", "gauge", "Resident memory.", process.resident_bytes);
    out.single("process_cpu_seconds_total", "counter", "User and system CPU time.", process.cpu_seconds);
    out.single("process_open_fds", "gauge", "Open file descriptors.", process.open_files);
    Ok(out.finish())
}
