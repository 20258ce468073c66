//! The real binary as a child process, on a free port and with its own data directory.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::DEADLINE;
use super::memory::MemoryGroup;
use super::systemd::Systemd;

/// Where the server listens now. Shared with the clients, because it changes with a restart.
#[derive(Clone, Debug)]
pub struct Address(Arc<Mutex<SocketAddr>>);

impl Address {
    pub fn fixed(address: SocketAddr) -> Address {
        Address(Arc::new(Mutex::new(address)))
    }

    pub fn get(&self) -> SocketAddr {
        *self.0.lock().unwrap()
    }
}

pub struct Server {
    child: Option<Child>,
    address: Address,
    data: PathBuf,
    env: Vec<(String, String)>,
    log: Arc<Mutex<Vec<String>>>,
    /// The service manager that starts it, if any.
    pub systemd: Option<Systemd>,
    /// The control group that it runs in, if it is one of its own.
    pub group: Option<MemoryGroup>,
    /// Removed after the server has ended: declared last, dropped last.
    _dir: Option<tempfile::TempDir>,
}

/// The binary, without the caller's settings in its environment.
pub fn campfire() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campfire"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CAMPFIRE_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// Puts the binary at a path: as a hard link where possible, else copied by another process. If this process wrote the file,
/// a child forked by another test could inherit the open handle, and executing the file would fail with ETXTBSY.
pub fn put_binary(at: &Path) {
    let built = env!("CARGO_BIN_EXE_campfire");
    let _ = std::fs::remove_file(at);
    if std::fs::hard_link(built, at).is_err() {
        assert!(Command::new("cp").arg(built).arg(at).status().expect("cp").success());
    }
}

impl Server {
    /// A server on an empty directory, without a post limit.
    pub fn start() -> Server {
        Server::with(&[])
    }

    /// A server on an empty directory, with settings as environment variables.
    pub fn with(settings: &[(&str, &str)]) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let data = dir.path().join("data");
        let mut server = Server::on(&data, settings);
        server._dir = Some(dir);
        server
    }

    /// A server on a given directory.
    pub fn on(data: &Path, settings: &[(&str, &str)]) -> Server {
        Server::new(data, settings, None, None)
    }

    /// A server on an empty directory, within a control group.
    pub fn within(group: MemoryGroup, settings: &[(&str, &str)]) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut server = Server::new(&dir.path().join("data"), settings, None, Some(group));
        server._dir = Some(dir);
        server
    }

    /// A server on an empty directory that gets its socket from systemd.
    pub fn under(systemd: Systemd, settings: &[(&str, &str)]) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut server = Server::new(&dir.path().join("data"), settings, Some(systemd), None);
        server._dir = Some(dir);
        server
    }

    fn new(
        data: &Path,
        settings: &[(&str, &str)],
        systemd: Option<Systemd>,
        group: Option<MemoryGroup>,
    ) -> Server {
        let mut env = vec![("CAMPFIRE_POST_LIMIT".to_owned(), "0".to_owned())];
        for (name, value) in settings {
            env.retain(|(known, _)| known != name);
            env.push(((*name).to_owned(), (*value).to_owned()));
        }
        let mut server = Server {
            child: None,
            address: Address(Arc::new(Mutex::new(SocketAddr::from(([127, 0, 0, 1], 0))))),
            data: data.to_owned(),
            env,
            log: Arc::default(),
            systemd,
            group,
            _dir: None,
        };
        server.restart();
        server
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the process, again or for the first time, and returns once it listens.
    pub fn restart(&mut self) {
        self.restart_at("127.0.0.1:0");
    }

    /// Restarts on the same address, for a page that only knows that one.
    pub fn restart_at_the_same_address(&mut self) {
        let address = self.address.get().to_string();
        self.restart_at(&address);
    }

    /// Starts the process on this address, and returns once it listens.
    pub fn restart_at(&mut self, listen: &str) {
        assert!(self.child.is_none(), "it still runs");
        let (mut command, input) = match (&self.systemd, &self.group) {
            (Some(systemd), _) => systemd.command(),
            (None, Some(group)) => (group.command(), Stdio::null()),
            (None, None) => (campfire(), Stdio::null()),
        };
        command.args(["serve", "--listen", listen, "--data"]).arg(&self.data);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let (child, address) = spawn_with_input(command, input, &self.log);
        self.child = Some(child);
        *self.address.0.lock().unwrap() = address;
    }

    pub fn address(&self) -> Address {
        self.address.clone()
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn database(&self) -> PathBuf {
        self.data.join("campfire.db")
    }

    /// Its standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running server").id()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("a running server");
        child.kill().expect("kill");
        child.wait().expect("wait");
    }

    /// Sends a signal and does not wait.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.pid())])
            .status()
            .expect("a shell");
        assert!(status.success(), "could not send {name}");
    }

    /// Waits until its log contains these words.
    pub fn logs(&self, words: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "it never said {words:?} but:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let status = wait_for(&mut child);
        status.unwrap_or_else(|| {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the server did not end; it said:\n{}", self.log())
        })
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("wait").is_none())
    }

    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log.lock().unwrap();
            let from = log.len().saturating_sub(40);
            eprintln!("--- the end of the server's log\n{}\n---", log[from..].join("\n"));
        }
    }
}

/// The exit status of a child, or none if it does not end within the deadline.
pub fn wait_for(child: &mut Child) -> Option<ExitStatus> {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().expect("wait") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

/// Runs a serving command until it logs its address; its standard error is collected in the log.
pub fn spawn_until_ready(command: Command, log: &Arc<Mutex<Vec<String>>>) -> (Child, SocketAddr) {
    spawn_with_input(command, Stdio::null(), log)
}

fn spawn_with_input(
    mut command: Command,
    input: Stdio,
    log: &Arc<Mutex<Vec<String>>>,
) -> (Child, SocketAddr) {
    let mut child =
        command.stdin(input).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let stderr = child.stderr.take().expect("piped");
    let (ready, readiness) = mpsc::channel();
    let log_of_thread = log.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { break };
            let address = line.rsplit_once("listening on ").and_then(|(_, said)| said.split_once("://"));
            let address = address.and_then(|(_, address)| address.trim().parse::<SocketAddr>().ok());
            // Logged before the address is sent: the receiver may read the log at once.
            log_of_thread.lock().unwrap().push(line);
            if let Some(address) = address {
                let _ = ready.send(address);
            }
        }
    });
    match readiness.recv_timeout(DEADLINE) {
        Ok(address) => (child, address),
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it never said that it listens, but:\n{}", log.lock().unwrap().join("\n"));
        }
    }
}
