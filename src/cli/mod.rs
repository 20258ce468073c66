//! The command line: the commands and their exit status: 0 success, 1 failure, 2 invalid arguments or settings.

mod admin;
mod backup;
mod bench;
mod check;
mod demo;
mod doctor;
mod export;
mod healthcheck;
mod help;
mod import;
mod template;
mod upgrade;

use std::{
    ffi::OsString,
    io::{ErrorKind, Write},
    path::PathBuf,
    process::ExitCode,
};

use lexopt::prelude::*;

use crate::{
    config::{self, Config, ConfigError, Loaded, SETTINGS},
    log, server,
};

/// Why a command failed, in one sentence. `Usage` errors exit with 2, others with 1.
enum Failure {
    Usage(String),
    Failed(String),
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(format!("{error}; `campfire --help` lists what there is"))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<server::ServeError> for Failure {
    fn from(error: server::ServeError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<crate::store::OpenError> for Failure {
    fn from(error: crate::store::OpenError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a command line, given without the name of the program.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    // Before larger allocations.
    server::adapt_process();
    match command(arguments.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(why)) => {
            eprintln!("campfire: {why}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(why)) => {
            eprintln!("campfire: {why}");
            ExitCode::FAILURE
        }
    }
}

fn command(mut arguments: Vec<OsString>) -> Result<(), Failure> {
    let first = arguments.first().and_then(|first| first.to_str()).unwrap_or_default().to_owned();
    match first.as_str() {
        "--help" | "-h" | "help" => return say(&help::overview()),
        "--version" | "-V" => return say(&format!("campfire {}\n", env!("CARGO_PKG_VERSION"))),
        "" => {}
        word if word.starts_with('-') => {}
        _ => drop(arguments.remove(0)),
    }
    match first.as_str() {
        "serve" => serve(arguments),
        "demo" => demo::run(arguments),
        "admin" => admin::run(arguments),
        "backup" => backup::backup(arguments),
        "restore" => backup::restore(arguments),
        "check" => check::run(arguments),
        "export" => export::run(arguments),
        "import" => import::run(arguments),
        "openapi" => export::openapi(arguments),
        "bench" => bench::run(arguments),
        "healthcheck" => healthcheck::run(arguments),
        "doctor" => doctor::run(arguments),
        "upgrade" => upgrade::run(arguments),
        word if word.is_empty() || word.starts_with('-') => serve(arguments),
        word => Err(Failure::Usage(format!("there is no command {word:?}; `campfire --help` lists them"))),
    }
}

/// Prints to standard output. A closed pipe (`campfire --help | head`) is no failure.
fn say(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write to standard output ({error})")))
        }
        _ => Ok(()),
    }
}

fn serve(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::serve(), &[("print-config", false)])? else {
        return Ok(());
    };
    given.no_words()?;
    let loaded = given.load()?;
    if given.has("print-config") {
        return say(&loaded.print());
    }
    crate::backup::check_directory(&loaded.config).map_err(Failure::Usage)?;
    if let Some(why) = config::unmoved(&loaded.config.data) {
        return Err(Failure::Failed(why));
    }
    log::init(loaded.config.log_format, &loaded.config.log_level);
    Ok(server::serve(loaded.config)?)
}

/// A parsed command line: settings, options of the command, and positional words.
#[derive(Default)]
struct Given {
    settings: Vec<(String, String)>,
    file: Option<PathBuf>,
    options: Vec<(String, String)>,
    words: Vec<String>,
}

impl Given {
    /// `own` are the options of the command, and whether each takes a value. None if the help was printed.
    fn parse(arguments: Vec<OsString>, help: &str, own: &[(&str, bool)]) -> Result<Option<Self>, Failure> {
        let mut given = Self::default();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            let name = match argument {
                Long("help") | Short('h') => return say(help).map(|()| None),
                Long(name) => name.to_owned(),
                Value(word) => {
                    given.words.push(word.string()?);
                    continue;
                }
                Short(_) => return Err(argument.unexpected().into()),
            };
            let key = name.replace('-', "_");
            if name == "config" {
                given.file = Some(parser.value()?.into());
            } else if SETTINGS.iter().any(|setting| setting.key == key) {
                given.settings.push((key, parser.value()?.string()?));
            } else if let Some((_, takes_value)) = own.iter().find(|(known, _)| *known == name) {
                let value = if *takes_value { parser.value()?.string()? } else { String::new() };
                given.options.push((name, value));
            } else {
                return Err(Failure::Usage(format!(
                    "there is no option --{name}; `campfire --help` lists what there is"
                )));
            }
        }
        Ok(Some(given))
    }

    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| name == option)
    }

    fn option(&self, option: &str) -> Option<&str> {
        self.options.iter().rev().find(|(name, _)| name == option).map(|(_, value)| value.as_str())
    }

    fn required(&self, option: &str) -> Result<&str, Failure> {
        self.option(option).ok_or_else(|| Failure::Usage(format!("--{option} is missing")))
    }

    fn no_words(&self) -> Result<(), Failure> {
        match self.words.first() {
            Some(word) => Err(Failure::Usage(format!(
                "unexpected argument {word:?}: the command comes first and options after it; `campfire --help` lists what there is"
            ))),
            None => Ok(()),
        }
    }

    fn load(&self) -> Result<Loaded, Failure> {
        Ok(Loaded::load(&self.settings, self.file.as_deref(), |name| std::env::var(name).ok())?)
    }

    /// The settings and their file as arguments of another command.
    fn as_arguments(&self) -> Vec<OsString> {
        let file = self.file.iter().flat_map(|file| ["--config".into(), file.clone().into()]);
        let flag = |(key, value): &(String, String)| {
            // With =, a value may begin with a dash.
            OsString::from(format!("--{}={value}", key.replace('_', "-")))
        };
        file.chain(self.settings.iter().map(flag)).collect()
    }

    fn config(&self) -> Result<Config, Failure> {
        Ok(self.load()?.config)
    }
}
