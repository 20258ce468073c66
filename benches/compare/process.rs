//! The server under test, the floors and the other servers as processes, with their CPU time and memory.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) started_in: Duration,
}

/// Starts a program by way of `exec_bound_to_parent`, so that an interrupted run leaves no server behind. Costs about a
/// millisecond.
pub(crate) fn bound_to_parent(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg("bound-to-parent").arg(program);
    command
}

/// Executes another program, which the kernel kills when its parent ends.
pub(crate) fn exec_bound_to_parent(program: &str, arguments: &[&str]) -> ! {
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    panic!("{program}: {}", Command::new(program).args(arguments).exec())
}

impl Process {
    /// Campfire on a data directory.
    pub(crate) fn campfire(data: &Path) -> Self {
        let mut command = bound_to_parent(env!("CARGO_BIN_EXE_campfire"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("CAMPFIRE_POST_LIMIT", "0");
        Self::spawn(command)
    }

    /// This program as a floor.
    pub(crate) fn floor(arguments: &[&str]) -> Self {
        let mut command = bound_to_parent(std::env::current_exe().expect("this program has a path"));
        command.args(arguments);
        Self::spawn(command)
    }

    /// Another server; ready as soon as it accepts connections.
    pub(crate) fn listening(mut command: Command, address: SocketAddr) -> Result<Self, String> {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("does not start ({error})"))?;
        let mut process = Self { child, address, started_in: Duration::ZERO };
        while std::net::TcpStream::connect(address).is_err() {
            if started.elapsed() > Duration::from_secs(15)
                || process.child.try_wait().is_ok_and(|it| it.is_some())
            {
                return Err("does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        process.started_in = started.elapsed();
        Ok(process)
    }

    fn spawn(mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(
                lines.read_line(&mut line).expect("stderr is text") > 0,
                "the program ended at its start"
            );
            if let Some((_, address)) = line.trim_end().split_once("listening on http://") {
                break address.parse().expect("an address follows");
            }
        };
        let started_in = started.elapsed();
        // Drains the pipe, so that it does not fill.
        std::thread::spawn(move || std::io::copy(&mut lines.by_ref(), &mut std::io::sink()));
        Self { child, address, started_in }
    }

    /// CPU time so far in seconds: exact to the microsecond where the kernel has schedstat, otherwise to 10 ms.
    pub(crate) fn cpu(&self) -> f64 {
        self.scheduled().unwrap_or_else(|| self.ticks())
    }

    /// Run time of all threads. Threads that have ended are not included; none end during a measurement.
    fn scheduled(&self) -> Option<f64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let nanoseconds: f64 = threads
            .filter_map(|thread| {
                let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
                text.split_whitespace().next()?.parse::<f64>().ok()
            })
            .sum();
        (nanoseconds > 0.0).then_some(nanoseconds / 1e9)
    }

    /// User and system time.
    fn ticks(&self) -> f64 {
        let text =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("the process is there");
        let fields: Vec<&str> =
            text.rsplit_once(')').expect("the name is in brackets").1.split_whitespace().collect();
        let ticks: f64 =
            fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks");
        ticks / 100.0
    }

    /// Proportional set size, in KiB.
    pub(crate) fn pss(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))
            .expect("the process is there");
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("the kernel counts Pss");
        line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
