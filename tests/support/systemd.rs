//! What systemd does for a service with a socket unit: it holds the listening socket and passes it on, and it receives the
//! service's notifications.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::DEADLINE;
use super::server::campfire;

/// Moves the socket from standard input to file descriptor 3 and sets the variables of the protocol, then executes the
/// server in the same process.
const PASS_SOCKET: &str =
    r#"exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@""#;

pub struct Systemd {
    listener: TcpListener,
    name: String,
    watchdog: Option<Duration>,
    notices: Arc<Mutex<Vec<String>>>,
    dir: tempfile::TempDir,
}

impl Systemd {
    /// With a socket of this name on a free loopback port.
    pub fn new(name: &str, watchdog: Option<Duration>) -> Systemd {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let socket = UnixDatagram::bind(dir.path().join("notify")).expect("a socket");
        let notices: Arc<Mutex<Vec<String>>> = Arc::default();
        let received = notices.clone();
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Runs until the test drops its handle.
            while Arc::strong_count(&received) > 1 {
                match socket.recv(&mut buffer) {
                    Ok(length) => {
                        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                        received.lock().unwrap().extend(text.lines().map(str::to_owned));
                    }
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        Systemd { listener, name: name.to_owned(), watchdog, notices, dir }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.listener.local_addr().expect("an address")
    }

    /// The command that starts the server, and the standard input that it needs.
    pub fn command(&self) -> (Command, Stdio) {
        self.passing(self.listener.try_clone().expect("another handle").into())
    }

    /// The same, with another socket.
    pub fn passing(&self, socket: OwnedFd) -> (Command, Stdio) {
        let binary = campfire();
        let mut command = Command::new("sh");
        for (name, _) in binary.get_envs() {
            command.env_remove(name);
        }
        command.args(["-c", PASS_SOCKET]).arg(binary.get_program());
        command.env("LISTEN_FDNAMES", &self.name).env("NOTIFY_SOCKET", self.dir.path().join("notify"));
        if let Some(watchdog) = self.watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        (command, Stdio::from(socket))
    }

    /// Every line received so far.
    pub fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap().clone()
    }

    /// Forgets the lines received so far.
    pub fn forget(&self) {
        self.notices.lock().unwrap().clear();
    }

    /// Waits until this line was received so many times.
    pub fn wait_for_notice(&self, line: &str, times: usize) {
        let end = Instant::now() + DEADLINE;
        while self.notices().iter().filter(|it| *it == line).count() < times {
            assert!(Instant::now() < end, "not {line} {times} times but {:?}", self.notices());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
