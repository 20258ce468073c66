//! Connections that are not admitted, since too many are open.

use std::{
    cell::Cell,
    net::IpAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::spawn_local,
    time::timeout,
};

use crate::{admission::Refused, config::Config, types::network_of, wire::Problem, worker::Worker};

/// Refused connections of a worker that are answered at once; further ones are closed without an answer.
const MAX_ANSWERED: usize = 32;

/// How long an answered connection may last. What the client has sent is read meanwhile: closing before would reset the
/// connection, and the answer could be lost.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
const MAX_DISCARDED: u64 = 64 << 10;

/// How often refusals are logged.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// For which network a connection from this address counts: None for this machine and for trusted proxies, through
/// which many clients come.
pub(super) fn counted(config: &Config, address: IpAddr) -> Option<IpAddr> {
    let is_proxy = config.trusted_proxy.iter().any(|network| network.contains(address));
    (!address.is_loopback() && !is_proxy).then(|| network_of(address))
}

/// The refused connections of one worker.
#[derive(Default)]
pub(super) struct Refusals {
    answered: Rc<Cell<usize>>,
    logged: Option<Instant>,
}

impl Refusals {
    /// Answers 503 and closes; over TLS it only closes, since a handshake costs more than is saved.
    pub(super) fn refuse(
        &mut self,
        worker: &Worker,
        stream: TcpStream,
        address: IpAddr,
        why: Refused,
        is_tls: bool,
    ) {
        worker.metrics.refused_connections.add(1);
        if self.logged.is_none_or(|logged| logged.elapsed() > LOG_EVERY) {
            self.logged = Some(Instant::now());
            match why {
                Refused::Full => tracing::warn!("connections are refused: max_connections are open"),
                Refused::FullForNetwork => {
                    // Behind a proxy that is not trusted, everybody is this one address.
                    tracing::warn!(
                        %address,
                        "connections are refused: max_per_address are open from one; if it is a proxy, set trusted_proxy"
                    );
                }
            }
        }
        if is_tls || self.answered.get() >= MAX_ANSWERED {
            return;
        }
        self.answered.set(self.answered.get() + 1);
        let answered = Rc::clone(&self.answered);
        spawn_local(async move {
            // Errors are the client's, which may have gone.
            let _ = timeout(ANSWERED_WITHIN, answer(stream)).await;
            answered.set(answered.get() - 1);
        });
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let problem = Problem::too_many_connections();
    let body = String::from_utf8_lossy(&problem.json()).into_owned();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n\
         retry-after: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        problem.retry_after_s().unwrap_or(1),
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut (&mut stream).take(MAX_DISCARDED), &mut tokio::io::sink()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B22.
    #[test]
    fn connections_from_here_and_from_proxies_count_for_no_address() {
        let config = Config { trusted_proxy: vec!["10.0.0.0/8".parse().unwrap()], ..Config::default() };
        let is_counted = |address: &str| counted(&config, address.parse().unwrap()).is_some();
        assert!(!is_counted("127.0.0.1") && !is_counted("::1") && !is_counted("10.1.2.3"));
        assert!(is_counted("192.168.1.1") && is_counted("2001:db8::1"));
    }
}
