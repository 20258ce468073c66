//! The service of systemd that runs the installed binary.

use std::{ffi::OsString, path::Path, time::Duration};

use super::child;

const UNIT: &str = "campfire.service";

/// To ask systemd for something that it knows.
const ASK: Duration = Duration::from_secs(20);

/// A restart lasts until the server is ready: longer than the 15 minutes that the unit gives a large migration.
const RESTART: Duration = Duration::from_secs(20 * 60);

pub(super) struct Service {
    /// Of the one who calls, rather than of the machine.
    of_user: bool,
    pub(super) is_active: bool,
    /// How the server is started, as far as it is about settings.
    pub(super) settings: Vec<OsString>,
}

impl Service {
    /// The one that runs this binary, of the machine or else of the one who calls.
    pub(super) fn of(binary: &Path) -> Option<Self> {
        [false, true].into_iter().find_map(|of_user| Self::look(of_user, binary))
    }

    fn look(of_user: bool, binary: &Path) -> Option<Self> {
        let shown =
            systemctl(of_user, &["show", UNIT, "--property=ActiveState", "--property=ExecStart"], ASK)
                .ok()?;
        let value = |name: &str| {
            shown.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
        };
        let (program, settings) = started_by(value("ExecStart")?)?;
        // A link in /usr/bin is as good as the file itself.
        let is_ours = Path::new(program).canonicalize().is_ok_and(|path| path == binary);
        let is_active = matches!(value("ActiveState")?, "active" | "activating" | "reloading");
        is_ours.then_some(Self { of_user, is_active, settings })
    }

    /// Returns once it is ready, as systemd has it.
    pub(super) fn restart(&self) -> Result<(), String> {
        systemctl(self.of_user, &["restart", UNIT], RESTART).map(drop)
    }

    /// What somebody types to do that.
    pub(super) fn command(&self, verb: &str) -> String {
        if self.of_user {
            format!("systemctl --user {verb} campfire")
        } else {
            format!("systemctl {verb} campfire")
        }
    }

    /// Whether systemd has it as running now.
    pub(super) fn runs(&self) -> bool {
        systemctl(self.of_user, &["is-active", UNIT], ASK).is_ok()
    }
}

fn systemctl(of_user: bool, arguments: &[&str], within: Duration) -> Result<String, String> {
    let whose = of_user.then_some("--user");
    // Nobody may be there to type a password.
    let arguments: Vec<OsString> =
        whose.iter().chain(&["--no-ask-password"]).chain(arguments).map(Into::into).collect();
    let output = child::run("systemctl", &arguments, within)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(child::last_words(&output))
    }
}

/// The program and its settings, out of `{ path=… ; argv[]=… serve --config … ; … }`.
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
    fn how_a_service_is_started_is_read_as_systemd_shows_it() {
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
