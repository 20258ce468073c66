//! The log, on standard error. It never contains the text of a message, a token or a password.

use std::io::IsTerminal;

use tracing_subscriber::{filter::LevelFilter, fmt};

use crate::config::LogFormat;

/// Starts the log. Further calls change nothing.
pub fn init(format: LogFormat, level: &str) {
    // The settings allow only the five levels.
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    let builder = fmt().with_max_level(level).with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
