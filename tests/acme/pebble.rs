//! Pebble with all that it needs: a name server that sends it to this machine, and doors in the place of ports 80 and
//! 443, which lead to the server once there is one.

use std::io::{BufRead, BufReader, Read, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

/// Where Pebble looks for an answer to a challenge.
pub(super) struct Door {
    pub(super) port: u16,
    state: Arc<(Mutex<Way>, Condvar)>,
    knocks: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Whoever comes waits.
    Unknown,
    To(SocketAddr),
    Shut,
}

impl Door {
    fn new() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = Door {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new((Mutex::new(Way::Unknown), Condvar::new())),
            knocks: Arc::default(),
        };
        let (state, knocks) = (Arc::clone(&door.state), Arc::clone(&door.knocks));
        // It lives as long as the tests do.
        thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                knocks.fetch_add(1, Ordering::Relaxed);
                let state = Arc::clone(&state);
                thread::spawn(move || let_in(&visitor, &state));
            }
        });
        door
    }

    pub(super) fn leads_to(&self, address: SocketAddr) {
        self.set(Way::To(address));
    }

    /// Has whoever comes wait.
    pub(super) fn hold(&self) {
        self.set(Way::Unknown);
    }

    pub(super) fn shut(&self) {
        self.set(Way::Shut);
    }

    fn set(&self, way: Way) {
        *self.state.0.lock().unwrap() = way;
        self.state.1.notify_all();
    }

    /// How many came so far.
    pub(super) fn knocks(&self) -> usize {
        self.knocks.load(Ordering::Relaxed)
    }
}

fn let_in(visitor: &TcpStream, state: &(Mutex<Way>, Condvar)) {
    let way = *state.1.wait_while(state.0.lock().unwrap(), |way| *way == Way::Unknown).unwrap();
    let Way::To(address) = way else { return };
    let Ok(server) = TcpStream::connect(address) else { return };
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = copy(&mut &*visitor, &mut &server);
            let _ = server.shutdown(Shutdown::Write);
        });
        let _ = copy(&mut &server, &mut &*visitor);
        let _ = visitor.shutdown(Shutdown::Both);
    });
}

/// A name server that knows one address for every name.
fn name_server() -> SocketAddr {
    const A: &[u8] = &[0, 1];
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut packet = [0; 1500];
        while let Ok((length, asker)) = socket.recv_from(&mut packet) {
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
            let _ = socket.send_to(&answer, asker);
        }
    });
    address
}

/// How Pebble behaves.
pub(super) struct Manner {
    /// Seconds for which its certificates are good.
    pub(super) validity: u32,
    /// Of a hundred good nonces it refuses so many.
    pub(super) refuse_nonces: u32,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner { validity: 86_400, refuse_nonces: 0 }
    }
}

pub(super) struct Pebble {
    child: Child,
    manner: Manner,
    names: SocketAddr,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// In the place of port 443.
    pub(super) https: Door,
    /// In the place of port 80.
    pub(super) http: Door,
    dir: tempfile::TempDir,
}

impl Pebble {
    pub(super) fn start() -> Pebble {
        Pebble::with(Manner::default())
    }

    pub(super) fn with(manner: Manner) -> Pebble {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.issue_into(dir.path());
        std::fs::write(dir.path().join("roots.pem"), &authority.pem).unwrap();
        let (https, http) = (Door::new(), Door::new());
        let names = name_server();
        let log = Arc::default();
        // It cannot be told to pick a port and say which: somebody else may take the one that was free.
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
                "certificateValidityPeriod": manner.validity,
            }});
            std::fs::write(dir.path().join("pebble.json"), config.to_string()).unwrap();
            if let Some(child) = run(dir.path(), names, address, &manner, &log) {
                return Pebble { child, manner, names, address, log, https, http, dir };
            }
        }
        panic!("pebble does not start; it said:\n{}", log.lock().unwrap().join("\n"));
    }

    /// Ends it and starts it again, when it has forgotten everything.
    pub(super) fn restart(&mut self) {
        self.stop();
        let again = run(self.dir.path(), self.names, self.address, &self.manner, &self.log);
        self.child = again.expect("its port is free again");
    }

    pub(super) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Certificates that it issued so far.
    pub(super) fn issued(&self) -> usize {
        self.log().matches("Issued certificate serial").count()
    }

    /// Requests that came to nothing and were made again, as far as the log shows them.
    pub(super) fn refused_nonces(&self) -> usize {
        let said = self.log();
        let count = |words: &str| said.matches(words).count();
        let pairs = [
            ("POST /order-plz", "Added order "),
            ("POST /authZ/", " authorizations in the db"),
            ("POST /chalZ/", "Pulled a task from the Tasks queue"),
            ("POST /finalize-order/", "Processing finalization"),
        ];
        // What is under way has been asked and not yet done, which is one request.
        pairs.iter().map(|(asked, done)| count(asked).saturating_sub(count(done) + 1)).sum()
    }

    pub(super) fn directory(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    /// What a server is told to have its certificate from here.
    pub(super) fn settings(&self, domains: &str) -> Vec<(&'static str, String)> {
        vec![
            ("CAMPFIRE_DOMAIN", domains.to_owned()),
            ("CAMPFIRE_ACME_DIRECTORY", self.directory()),
            ("CAMPFIRE_ACME_CA", self.dir.path().join("roots.pem").display().to_string()),
            ("CAMPFIRE_HTTP_LISTEN", "127.0.0.1:0".to_owned()),
        ]
    }

    /// A server on this directory that has its certificate from here, with the doors shut still.
    pub(super) fn serve_on(&self, data: &Path, domains: &str, more: &[(&str, &str)]) -> Server {
        let own = self.settings(domains);
        let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        Server::on(data, &all)
    }

    /// The same with the doors open.
    pub(super) fn serve(&self, data: &Path, domains: &str, more: &[(&str, &str)]) -> Server {
        let server = self.serve_on(data, domains, more);
        self.open_to(&server);
        server
    }

    pub(super) fn open_to(&self, server: &Server) {
        self.https.leads_to(server.address().get());
        self.http.leads_to(plain_address(server));
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            let log = self.log.lock().unwrap();
            let from = log.len().saturating_sub(40);
            eprintln!("--- pebble's last words\n{}\n---", log[from..].join("\n"));
        }
    }
}

/// The process, once it answers; None if it ended instead.
fn run(
    dir: &Path,
    names: SocketAddr,
    address: SocketAddr,
    manner: &Manner,
    log: &Arc<Mutex<Vec<String>>>,
) -> Option<Child> {
    let mut child = Command::new("pebble")
        .arg("-config")
        .arg(dir.join("pebble.json"))
        .args(["-strict", "-dnsserver", &names.to_string()])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_AUTHZREUSE", "0")
        .env("PEBBLE_WFE_NONCEREJECT", manner.refuse_nonces.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pebble, which Debian has as a package of that name");
    gather(child.stdout.take().expect("piped"), log);
    gather(child.stderr.take().expect("piped"), log);
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

/// Puts what is said into the log, line by line.
fn gather(said: impl Read + Send + 'static, log: &Arc<Mutex<Vec<String>>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            log.lock().unwrap().push(line);
        }
    });
}

/// Where a server answers plain HTTP.
pub(super) fn plain_address(server: &Server) -> SocketAddr {
    let said = server.log();
    let line = said.lines().rev().find(|line| line.contains("redirects to HTTPS")).expect("it says where");
    line.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap()
}

/// The chain that a server keeps, the first one its own.
pub(super) fn kept(server: &Server) -> Vec<CertificateDer<'static>> {
    let path = server.data().join(format!("certificates/{NAME}.pem"));
    let Ok(chain) = CertificateDer::pem_file_iter(path) else { return Vec::new() };
    chain.map(|certificate| certificate.unwrap()).collect()
}

/// A connection to the server by this name, for somebody who believes whoever signed the certificate that it keeps.
pub(super) async fn connect(server: &Server, name: &str) -> std::io::Result<TlsStream<TcpStreamOfTokio>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(kept(server).into_iter().skip(1));
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

/// The certificate that is shown under this name, if it is good for it.
pub(super) async fn shown(server: &Server, name: &str) -> Option<CertificateDer<'static>> {
    let stream = connect(server, name).await.ok()?;
    Some(stream.get_ref().1.peer_certificates()?.first()?.clone().into_owned())
}

/// Waits for what must come true, within the deadline.
pub(super) async fn until(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

pub(super) async fn until_said(server: &Server, words: &str) {
    until(&format!("the server to say {words:?}"), async || server.log().contains(words)).await;
}
