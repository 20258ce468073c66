//! The systemd service of the installed binary.

use std::{ffi::OsString, path::Path, time::Duration};

use super::child;

const UNIT: &str = "campfire.service";

/// The timeout of queries to systemd.
const QUERY: Duration = Duration::from_secs(20);

/// The timeout of a restart, which ends when the server is ready: longer than the 15 minutes that the unit allows for a
/// migration.
const RESTART: Duration = Duration::from_secs(20 * 60);

pub(super) struct Service {
    /// It belongs to the systemd instance of the user, not of the system.
    of_user: bool,
    pub(super) is_active: bool,
    /// The arguments of the server, without `serve`.
    pub(super) settings: Vec<OsString>,
}

impl Service {
    /// The service that runs this binary, of the system or else of the user.
    pub(super) fn of(binary: &Path) -> Option<Self> {
        [false, true].into_iter().find_map(|of_user| Self::find(of_user, binary))
    }

    fn find(of_user: bool, binary: &Path) -> Option<Self> {
        let shown =
            systemctl(of_user, &["show", UNIT, "--property=ActiveState", "--property=ExecStart"], QUERY)
                .ok()?;
        let value = |name: &str| {
            shown.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
        };
        let (program, settings) = started_by(value("ExecStart")?)?;
        // It may be started by a symbolic link.
        let is_ours = Path::new(program).canonicalize().is_ok_and(|path| path == binary);
        let is_active = matches!(value("ActiveState")?, "active" | "activating" | "reloading");
        is_ours.then_some(Self { of_user, is_active, settings })
    }

    /// Returns once systemd reports it as ready.
    pub(super) fn restart(&self) -> Result<(), String> {
        systemctl(self.of_user, &["restart", UNIT], RESTART).map(drop)
    }

    /// The command line that does this.
    pub(super) fn command(&self, verb: &str) -> String {
        if self.of_user {
            format!("systemctl --user {verb} campfire")
        } else {
            format!("systemctl {verb} campfire")
        }
    }

    /// Whether systemd reports it as running.
    pub(super) fn runs(&self) -> bool {
        systemctl(self.of_user, &["is-active", UNIT], QUERY).is_ok()
    }
}

fn systemctl(of_user: bool, arguments: &[&str], within: Duration) -> Result<String, String> {
    let whose = of_user.then_some("--user");
    // There may be no terminal to type a password.
    let arguments: Vec<OsString> =
        whose.iter().chain(&["--no-ask-password"]).chain(arguments).map(Into::into).collect();
    let output = child::run("systemctl", &arguments, within)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(child::last_line(&output))
    }
}

/// The program and its arguments, from `{ path=… ; argv[]=… serve --config … ; … }`.
fn started_by(start: &str) -> Option<(&str, Vec<OsString>)> {
    let mut fields = start.trim_start_matches('{').trim_end_matches('}').split(" ; ").map(str::trim);
    let program = fields.find_map(|field| field.strip_prefix("path="))?;
    let line = fields.find_map(|field| field.strip_prefix("argv[]="))?;
    let settings = line.split_whitespace().skip(1).skip_while(|word| *word == "serve");
    Some((program, settings.map(Into::into).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_start_is_parsed_as_systemd_shows_it() {
        let shown = "{ path=/usr/local/bin/campfire ; argv[]=/usr/local/bin/campfire serve --config /etc/c.toml ; \
                     ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }";
        let (program, settings) = started_by(shown).unwrap();
        assert_eq!(
            (program, settings),
            ("/usr/local/bin/campfire", vec!["--config".into(), "/etc/c.toml".into()])
        );
        assert!(started_by("").is_none());
    }
}
