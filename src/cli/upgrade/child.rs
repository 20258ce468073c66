//! Runs other programs, with a timeout.

use std::{
    ffi::{OsStr, OsString},
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How often it is checked whether a program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The output of a program that ends within this time. The output has to fit into a pipe, which is read at the end.
pub(super) fn run(
    program: impl AsRef<OsStr>,
    arguments: &[OsString],
    within: Duration,
) -> Result<Output, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("it does not start: {error}"))?;
    let end = Instant::now() + within;
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return child.wait_with_output().map_err(|error| error.to_string()),
            Ok(None) if Instant::now() < end => sleep(LOOK_EVERY),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {} s", within.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The last line of standard error, or else the exit status.
pub(super) fn last_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().rev().find(|line| !line.trim().is_empty()).map_or_else(
        || output.status.to_string(),
        |line| line.trim().trim_start_matches("campfire: ").to_owned(),
    )
}
