//! What `--help` says.

use crate::config::{Config, Loaded, SETTINGS};

pub(super) fn overview() -> String {
    format!(
        "campfire {}: team chat in one binary.

Usage: campfire [COMMAND] [OPTIONS]

Commands:
  serve                  serve, until it is told to stop (this is what `campfire` alone does)
  demo                   serve a throw-away team with people, rooms and talk, and sign you in
  admin create           make an administrator
  admin reset-password   print a link with which somebody can choose a new password
  admin list             list everybody
  healthcheck            ask the server whether it is well; exit status 0 if so

`campfire COMMAND --help` tells the options of each.

  --help                 this
  --version              the version

Exit status: 0 done, 1 failed, 2 asked wrongly.
",
        env!("CARGO_PKG_VERSION")
    )
}

pub(super) fn serve() -> String {
    format!(
        "Serves until SIGTERM or SIGINT.

Usage: campfire serve [OPTIONS]

{}
  --print-config         show every setting, and where its value comes from
",
        settings()
    )
}

/// Every setting: its flag, what it means, its default.
pub(super) fn settings() -> String {
    let defaults = Loaded::default();
    debug_assert_eq!(defaults.config, Config::default());
    let mut text = String::from("Settings (each also as CAMPFIRE_NAME, or as a key of the TOML file):\n");
    for setting in SETTINGS {
        let flag = format!("{} {}", setting.flag(), setting.value);
        let default = match defaults.show(setting).as_str() {
            "" => String::new(),
            value => format!(" [{value}]"),
        };
        text.push_str(&format!("  {flag:<28} {}{default}\n", setting.help));
    }
    text.push_str(
        "  --config FILE                the TOML file [/etc/campfire/campfire.toml, if there is one]\n",
    );
    text
}

pub(super) fn demo() -> String {
    format!(
        "Serves a throw-away team in a temporary directory, which is removed at the end. The first visitor from this
machine is signed in as its administrator.

Usage: campfire demo [OPTIONS]

{}",
        settings()
    )
}

pub(super) const ADMIN: &str = "Works on the data directory, whether the server runs or not.

Usage: campfire admin create --name NAME --email EMAIL --password-stdin [--data DIR]
       campfire admin reset-password EMAIL [--data DIR] [--public-url URL]
       campfire admin list [--data DIR]

create           makes an administrator; the password is read from standard input
reset-password   prints a link that works once, for four hours
list             lists everybody: id, role, status, e-mail, name
";

pub(super) const HEALTHCHECK: &str = "Asks GET /health of the server. Exit status 0 if it is well, 1 if not.

Usage: campfire healthcheck [--listen ADDR:PORT]
";
