//! The figures of the server from `/metrics`, every second.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::timeout;

use super::{
    http::{Connection, request},
    target::Target,
};

/// The timeout of a request, shorter than the interval of a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// The figures at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Sample {
    pub(super) memory_bytes: f64,
    /// Cores that it used since the sample before.
    pub(super) cpu: f64,
    pub(super) sockets: f64,
    pub(super) queue: f64,
    pub(super) open_files: f64,
}

/// Reads `/metrics` over one connection.
pub(super) struct Metrics<'a> {
    target: &'a Target,
    request: String,
    connection: Option<Connection>,
    /// CPU seconds at the sample before.
    last: Option<(Instant, f64)>,
    /// Why `/metrics` could not be read, if that happened.
    pub(super) refusal: Option<String>,
}

impl<'a> Metrics<'a> {
    pub(super) fn new(target: &'a Target, token: &str) -> Self {
        let request = request("GET", "/metrics", &target.host, token, "");
        Self { target, request, connection: None, last: None, refusal: None }
    }

    /// A sample; None if there is no response in time, and the first time, which only starts the measurement of CPU time.
    pub(super) async fn read(&mut self) -> Option<Sample> {
        match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(text)) => self.sample(&text),
            Ok(Err(why)) => {
                self.connection = None;
                self.refusal = Some(why);
                None
            }
            Err(_) => {
                self.connection = None;
                None
            }
        }
    }

    async fn ask(&mut self) -> Result<String, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.target).await.map_err(|error| error.to_string())?,
        };
        let reply =
            connection.ask(self.request.as_bytes()).await.map_err(|_| "the connection broke".to_owned())?;
        if reply.status != 200 {
            return Err(format!("GET /metrics is answered with {}", reply.status));
        }
        let text = String::from_utf8_lossy(reply.body).into_owned();
        self.connection = Some(connection);
        Ok(text)
    }

    fn sample(&mut self, text: &str) -> Option<Sample> {
        let cpu = value(text, "process_cpu_seconds_total")?;
        let now = Instant::now();
        let (then, before) = self.last.replace((now, cpu))?;
        Some(Sample {
            memory_bytes: value(text, "process_resident_memory_bytes")?,
            cpu: (cpu - before).max(0.0) / now.duration_since(then).as_secs_f64().max(1e-3),
            sockets: value(text, "campfire_sockets").unwrap_or_default(),
            queue: value(text, "campfire_writer_queue_depth").unwrap_or_default(),
            open_files: value(text, "process_open_fds").unwrap_or_default(),
        })
    }
}

/// The value of a metric without labels.
fn value(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_is_found_by_its_whole_name() {
        let text = "# HELP campfire_sockets Open.\ncampfire_sockets_total 5\ncampfire_sockets{a=\"b\"} 6\ncampfire_sockets 7\n";
        assert_eq!(value(text, "campfire_sockets"), Some(7.0));
        assert_eq!(value(text, "campfire"), None);
    }
}
