//! Pebble with what it needs: a name server that resolves every name to this machine, and TCP forwarders in place of ports
//! 80 and 443, which lead to the server under test.

use std::io::{BufRead, BufReader, Read, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::server::wait_for;
use crate::support::tls::{Authority, NAME};
use crate::support::*;

/// A port on which Pebble checks a challenge, and which is forwarded to the server.
pub(super) struct Forwarder {
    pub(super) port: u16,
    state: Arc<(Mutex<Target>, Condvar)>,
    connections: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Target {
    /// Connections wait.
    Wait,
    To(SocketAddr),
    Closed,
}

impl Forwarder {
    fn new() -> Forwarder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let forwarder = Forwarder {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new((Mutex::new(Target::Wait), Condvar::new())),
            connections: Arc::default(),
        };
        let (state, connections) = (Arc::clone(&forwarder.state), Arc::clone(&forwarder.connections));
        // The thread runs until the test process ends.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::Relaxed);
                let state = Arc::clone(&state);
                thread::spawn(move || forward(&client, &state));
            }
        });
        forwarder
    }

    pub(super) fn forward_to(&self, address: SocketAddr) {
        self.set(Target::To(address));
    }

    /// Lets new connections wait.
    pub(super) fn hold(&self) {
        self.set(Target::Wait);
    }

    pub(super) fn close(&self) {
        self.set(Target::Closed);
    }

    fn set(&self, target: Target) {
        *self.state.0.lock().unwrap() = target;
        self.state.1.notify_all();
    }

    /// How many connections there were so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn forward(client: &TcpStream, state: &(Mutex<Target>, Condvar)) {
    let target = *state.1.wait_while(state.0.lock().unwrap(), |target| *target == Target::Wait).unwrap();
    let Target::To(address) = target else { return };
    let Ok(server) = TcpStream::connect(address) else { return };
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = copy(&mut &*client, &mut &server);
            let _ = server.shutdown(Shutdown::Write);
        });
        let _ = copy(&mut &server, &mut &*client);
        let _ = client.shutdown(Shutdown::Both);
    });
}

/// A name server that answers 127.0.0.1 for every name.
fn name_server() -> SocketAddr {
    const A: &[u8] = &[0, 1];
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut packet = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut packet) {
            let question = &packet[12..length];
            let Some(end) = question.iter().position(|byte| *byte == 0) else { continue };
            // The name, its type and its class.
            let question = &question[..end + 5];
            let is_a = &question[end + 1..end + 3] == A;
            let mut answer = packet[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend(question);
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, client);
        }
    });
    address
}

/// Settings of Pebble.
pub(super) struct Behaviour {
    /// For how many seconds its certificates are valid.
    pub(super) validity: u32,
    /// The percentage of good nonces that it refuses.
    pub(super) refuse_nonces: u32,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour { validity: 86_400, refuse_nonces: 0 }
    }
}

pub(super) struct Pebble {
    child: Child,
    behaviour: Behaviour,
    names: SocketAddr,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// In place of port 443.
    pub(super) https: Forwarder,
    /// In place of port 80.
    pub(super) http: Forwarder,
    dir: tempfile::TempDir,
}

impl Pebble {
    pub(super) fn start() -> Pebble {
        Pebble::with(Behaviour::default())
    }

    pub(super) fn with(behaviour: Behaviour) -> Pebble {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.issue_into(dir.path());
        std::fs::write(dir.path().join("roots.pem"), &authority.pem).unwrap();
        let (https, http) = (Forwarder::new(), Forwarder::new());
        let names = name_server();
        let log = Arc::default();
        // Pebble cannot choose a port by itself. Another process may take the free one first, so several are tried.
        for _ in 0..8 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let config = json!({ "pebble": {
                "listenAddress": address.to_string(),
                "managementListenAddress": "",
                "certificate": dir.path().join("chain.pem"),
                "privateKey": dir.path().join("key.pem"),
                "httpPort": http.port,
                "tlsPort": https.port,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": false,
                "certificateValidityPeriod": behaviour.validity,
            }});
            std::fs::write(dir.path().join("pebble.json"), config.to_string()).unwrap();
            if let Some(child) = run(dir.path(), names, address, &behaviour, &log) {
                return Pebble { child, behaviour, names, address, log, https, http, dir };
            }
        }
        panic!("pebble does not start; it said:\n{}", log.lock().unwrap().join("\n"));
    }

    /// Restarts it on the same address; its state is in memory, so it is lost.
    pub(super) fn restart(&mut self) {
        self.stop();
        let again = run(self.dir.path(), self.names, self.address, &self.behaviour, &self.log);
        self.child = again.expect("its port is free again");
    }

    pub(super) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// How many certificates it has issued.
    pub(super) fn issued(&self) -> usize {
        self.log().matches("Issued certificate serial").count()
    }

    /// How many requests were refused for their nonce and repeated, as far as the log shows.
    pub(super) fn refused_nonces(&self) -> usize {
        let said = self.log();
        let count = |words: &str| said.matches(words).count();
        let pairs = [
            ("POST /order-plz", "Added order "),
            ("POST /authZ/", " authorizations in the db"),
            ("POST /chalZ/", "Pulled a task from the Tasks queue"),
            ("POST /finalize-order/", "Processing finalization"),
        ];
        // One request may be under way: asked for and not yet done.
        pairs.iter().map(|(asked, done)| count(asked).saturating_sub(count(done) + 1)).sum()
    }

    pub(super) fn directory(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    /// The settings of a server that gets its certificate from here.
    pub(super) fn settings(&self, domains: &str) -> Vec<(&'static str, String)> {
        vec![
            ("CAMPFIRE_DOMAIN", domains.to_owned()),
            ("CAMPFIRE_ACME_DIRECTORY", self.directory()),
            ("CAMPFIRE_ACME_CA", self.dir.path().join("roots.pem").display().to_string()),
            ("CAMPFIRE_HTTP_LISTEN", "127.0.0.1:0".to_owned()),
        ]
    }

    /// A server on this directory that gets its certificate from here; nothing is forwarded to it yet.
    pub(super) fn serve_on(&self, data: &Path, domains: &str, more: &[(&str, &str)]) -> Server {
        let own = self.settings(domains);
        let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        Server::on(data, &all)
    }

    /// The same, with both ports forwarded to it.
    pub(super) fn serve(&self, data: &Path, domains: &str, more: &[(&str, &str)]) -> Server {
        let server = self.serve_on(data, domains, more);
        self.forward_all_to(&server);
        server
    }

    pub(super) fn forward_all_to(&self, server: &Server) {
        self.https.forward_to(server.address().get());
        self.http.forward_to(plain_address(server));
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            let log = self.log.lock().unwrap();
            let from = log.len().saturating_sub(40);
            eprintln!("--- the end of pebble's log\n{}\n---", log[from..].join("\n"));
        }
    }
}

/// Starts Pebble and waits until it accepts connections; none if it ends before that.
fn run(
    dir: &Path,
    names: SocketAddr,
    address: SocketAddr,
    behaviour: &Behaviour,
    log: &Arc<Mutex<Vec<String>>>,
) -> Option<Child> {
    let mut child = program("pebble")
        .arg("-config")
        .arg(dir.join("pebble.json"))
        .args(["-strict", "-dnsserver", &names.to_string()])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_AUTHZREUSE", "0")
        .env("PEBBLE_WFE_NONCEREJECT", behaviour.refuse_nonces.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pebble starts");
    collect_lines(child.stdout.take().expect("piped"), log);
    collect_lines(child.stderr.take().expect("piped"), log);
    let end = std::time::Instant::now() + DEADLINE;
    while std::time::Instant::now() < end {
        if child.try_wait().expect("wait").is_some() {
            return None;
        }
        if TcpStream::connect(address).is_ok() {
            return Some(child);
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    wait_for(&mut child);
    None
}

/// Collects output in the log, line by line.
fn collect_lines(said: impl Read + Send + 'static, log: &Arc<Mutex<Vec<String>>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            log.lock().unwrap().push(line);
        }
    });
}

/// Where a server listens for plain HTTP.
pub(super) fn plain_address(server: &Server) -> SocketAddr {
    let said = server.log();
    let line = said.lines().rev().find(|line| line.contains("sends everybody on")).expect("it says where");
    line.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap()
}

/// The chain that a server has stored, its own certificate first.
pub(super) fn stored_chain(server: &Server) -> Vec<CertificateDer<'static>> {
    let path = server.data().join(format!("certificates/{NAME}.pem"));
    let Ok(chain) = CertificateDer::pem_file_iter(path) else { return Vec::new() };
    chain.map(|certificate| certificate.unwrap()).collect()
}

/// A connection to the server under this name, by a client that trusts the issuer of the stored certificate.
pub(super) async fn connect(server: &Server, name: &str) -> std::io::Result<TlsStream<TcpStreamOfTokio>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(stored_chain(server).into_iter().skip(1));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStreamOfTokio::connect(server.address().get()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    within("the TLS handshake", TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

type TcpStreamOfTokio = tokio::net::TcpStream;

/// The certificate that is served for this name, if it is valid for it.
pub(super) async fn served_certificate(server: &Server, name: &str) -> Option<CertificateDer<'static>> {
    let stream = connect(server, name).await.ok()?;
    Some(stream.get_ref().1.peer_certificates()?.first()?.clone().into_owned())
}

/// Waits until the condition is true.
pub(super) async fn until(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

pub(super) async fn until_logged(server: &Server, words: &str) {
    until(&format!("the server to say {words:?}"), async || server.log().contains(words)).await;
}
