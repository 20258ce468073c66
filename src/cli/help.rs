//! What `--help` says. Whatever is said about a setting comes from the table of settings.

use crate::config::{Loaded, SETTINGS, Setting};

/// Where the second column starts: two past the longest setting.
const COLUMN: usize = 28;

pub(super) fn overview() -> String {
    format!(
        "campfire {}: team chat in one binary.

Usage: campfire [COMMAND] [OPTIONS]

Commands:
  serve                   serve until told to stop; what `campfire` alone does
  demo                    serve a throw-away team with people, rooms and talk, and sign you in
  admin create            make an administrator
  admin reset-password    print a link with which somebody chooses a new password
  admin list              list everybody
  backup                  write everything into one archive, while the server runs or not
  restore                 verify such an archive, and put it into an empty directory
  check                   tell whether all that is kept is there, and whole
  export                  write everything to standard output, as JSON, a line each
  openapi                 print this server's API as OpenAPI 3.1
  healthcheck             ask the server whether it is well
  bench                   put load on a server, check all that it says, and report
  upgrade                 install the newest release and restart; --rollback goes back
  doctor                  tell what of this host would hold the server back, and how to mend it

Options:
  --help                  this; after a command, what that one takes
  --version               the version

Exit status: 0 done, 1 failed, 2 asked wrongly.
",
        env!("CARGO_PKG_VERSION")
    )
}

pub(super) fn serve() -> String {
    format!(
        "Serves until SIGTERM or SIGINT. Who opens the page first sets it up.

Usage: campfire [serve] [OPTIONS]

Options:
{}{}
{SOURCES}",
        settings(|_| true),
        option("--print-config", "show every setting and where its value comes from, and end"),
    )
}

pub(super) fn demo() -> String {
    format!(
        "Serves a throw-away team from a temporary directory, which is removed at the end.
The first visitor from this machine is signed in as its administrator.

Usage: campfire demo [OPTIONS]

Options:
{}
{SOURCES}",
        settings(|setting| !super::demo::OWN.contains(&setting.key))
    )
}

pub(super) fn admin() -> String {
    format!(
        "Works on the data directory, whether the server runs or not; if it runs, it notices.

Usage: campfire admin create --name NAME --email EMAIL --password-stdin [OPTIONS]
       campfire admin reset-password EMAIL [OPTIONS]
       campfire admin list [OPTIONS]

Commands:
{}{}{}
Options:
{}{}{}{}
{SOURCES}",
        option("create", "make an administrator; before the first start, this is the set-up"),
        option("reset-password", "print a link that works once, within four hours, to choose a new password"),
        option("list", "list everybody: id, role, status, e-mail and name, with tabs between"),
        option("--name NAME", "the new administrator's name"),
        option("--email EMAIL", "the e-mail address to sign in with"),
        option("--password-stdin", "read the password from standard input: 8 characters or more"),
        settings(|setting| ["data", "public_url"].contains(&setting.key)),
    )
}

pub(super) fn backup() -> String {
    format!(
        "Writes a backup: one archive with the database, the uploaded files and the certificates, and a manifest with
their checksums. Works whether the server runs or not, and holds nobody up. For the time that it takes, the
disk of the data directory needs as much room as the database has. FILE ends with .tar.zst; - is standard
output. Only this user can read it: there are keys in it.

Usage: campfire backup FILE [OPTIONS]

Options:
{}{}
{SOURCES}",
        option("--force", "replace FILE if it exists, once the new one is whole"),
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn restore() -> String {
    format!(
        "Restores a backup into a directory that is empty or not there yet. Everything is verified first: the archive
to its end, every checksum, the database. If anything is not right, nothing is left. - is standard input.

Usage: campfire restore FILE [OPTIONS]

Options:
{}{}
{SOURCES}",
        option("--verify", "only verify; the database is unpacked in TMPDIR (or /tmp) for that"),
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn check() -> String {
    format!(
        "Checks the database (its pages, references, messages, numbers and search index) and the uploaded files
(there, of the right size, with the right checksum). Works on a copy of the database, so a server that runs
is not held up; the disk of the data directory needs as much room as the database has. A line for each check,
with what to do. Exit status 0 if all is right, 1 if not.

Usage: campfire check [OPTIONS]

Options:
{}{}{}
{SOURCES}",
        option("--json", "the same as JSON"),
        option("--rebuild-index", "instead, make the search index anew; the server has to be stopped for that"),
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn export() -> String {
    format!(
        "Writes the account, its people, rooms and messages to standard output: one JSON object a line, with where the
file of a message lies in the data directory. Works whether the server runs or not.

Usage: campfire export [OPTIONS]

Options:
{}
{SOURCES}",
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn openapi() -> String {
    "Prints the API as an OpenAPI 3.1 document, the same that the server has at /api/openapi.json.

Usage: campfire openapi
"
    .to_owned()
}

pub(super) fn healthcheck() -> String {
    format!(
        "Asks GET /health of the server on this machine. Exit status 0 if it is well, 1 if not.

Usage: campfire healthcheck [OPTIONS]

Options:
{}
{SOURCES}",
        settings(|setting| setting.key == "listen")
    )
}

pub(super) fn bench() -> String {
    let mut options = String::new();
    for (name, meaning) in [
        (
            "--scenario NAME",
            "health, list (pages of rooms), search, send (posts over HTTP), sockets (messages",
        ),
        ("", "over sockets) or mixed (7 list, 1 search, 1 send, 1 health; all hold a socket)"),
        ("--users N", "users, each with connections of its own, 1 to 100000 [the tier's, else 10]"),
        ("--rate R|max", "requests a second in all, or as fast as it goes [the tier's, else one per user]"),
        ("--rooms N", "rooms that they are in, 1 to 1000 [one for 50 users]"),
        ("--ramp S", "seconds in which users and rate come up; not judged [5]"),
        ("--duration S", "seconds after the ramp, which are judged [30]"),
        ("--tier NAME", "small, medium, large or enterprise: judge by its limits"),
        ("--report FILE", "write an HTML page with charts, all in one file"),
        ("--json FILE", "write the figures as JSON"),
        ("--token TOKEN", "whom to be: an administrator, who makes bots and rooms for the run; or, given"),
        ("", "more than once, the people themselves. A demo and a new server need none"),
        ("--tokens FILE", "the same from a file, a token a line"),
        ("--metrics-token TOKEN", "how to see the figures of a server elsewhere"),
        ("--server-cores N", "how many cores it has [those of this machine, if it is here]"),
        ("--i-own-this-server", "allow another target than this machine"),
    ] {
        options += &option(name, meaning);
    }
    format!(
        "Puts load on a server, checks every answer and every delivery, and says how long they took. Latencies count
from the moment that a request was due, so those who had to wait are not left out.

Usage: campfire bench URL --scenario NAME [OPTIONS]

Options:
{options}
Rooms and bots are called \"Bench …\" and removed at the end; what stays is told.
Ctrl+C ends it early, with a report.

Exit status: 0 all was right and no limit of the tier was missed, 1 anything failed or was wrong or missed,
2 asked wrongly.
"
    )
}

pub(super) fn doctor() -> String {
    format!(
        "Tells what of this host would hold a tier back, with the commands to mend it, and changes nothing: open
files, queues and ports, memory and processors with the limits of a control group, swapping, huge pages, and
how long the disk takes to sync. And what is wrong around the server: its certificate, its name, room on the
disk, the clock, who may read the data, the age of the last backup.
Exit status 0 if the host is fit for the tier and nothing is wrong, 1 if not.

Usage: campfire doctor [OPTIONS]

Options:
{}{}{}
{SOURCES}",
        option("--tier TIER", "small, medium, large or enterprise: 100 to 100,000 people at once [small]"),
        option("--json", "the same as JSON"),
        settings(|setting| super::doctor::OWN.contains(&setting.key))
    )
}

pub(super) fn upgrade() -> String {
    format!(
        "Looks at the newest release and, if it is newer than this, downloads it, checks its SHA-256, makes a backup,
puts it in the place of this binary in one step, restarts the service (campfire.service of systemd) and waits
until it is well. If it does not come up, the old version is put back and started. The version before stays
beside the binary as campfire.previous. Settings are those that the service has, unless some are given.

Usage: campfire upgrade [OPTIONS]
       campfire upgrade --rollback [OPTIONS]

Options:
{}{}{}{}{}{}{}
{SOURCES}",
        option("--check", "only tell what there is; exit status 0 whether it is newer or not"),
        option("--rollback", "change places with campfire.previous, and restart"),
        option("--from URL|DIR", "where the release is [CAMPFIRE_BASE_URL, else where releases are]"),
        option("--force", "install what the release has, be it older or the same"),
        option("--no-backup", "make no backup before; else it goes to backup_dir, or beside the data"),
        option("--wait SECONDS", "how long the new version may take to be well after the restart [60]"),
        settings(|setting| super::upgrade::OWN.contains(&setting.key))
    )
}

const SOURCES: &str = "\
A setting is taken from its flag, else from the environment (CAMPFIRE_LISTEN for --listen),
else from the TOML file (listen = \"…\"), else it has its default, shown in brackets.
";

/// The chosen settings: flag, meaning, default.
fn settings(chosen: impl Fn(&Setting) -> bool) -> String {
    let defaults = Loaded::default();
    let mut text = String::new();
    for setting in SETTINGS.iter().filter(|setting| chosen(setting)) {
        let default = match defaults.show(setting) {
            value if value.is_empty() => value,
            value => format!(" [{value}]"),
        };
        text +=
            &option(&format!("{} {}", setting.flag(), setting.value), &format!("{}{default}", setting.help));
    }
    text + &option("--config FILE", "the TOML file [/etc/campfire/campfire.toml, if it exists]")
}

fn option(name: &str, meaning: &str) -> String {
    format!("  {name:<COLUMN$}{meaning}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_help_is_in_two_columns_that_fit_a_terminal() {
        for help in [
            overview(),
            serve(),
            demo(),
            admin(),
            healthcheck(),
            bench(),
            upgrade(),
            doctor(),
            backup(),
            restore(),
            check(),
        ] {
            assert!(help.ends_with('\n') && !help.contains("\n\n\n"), "{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 110, "too long: {line}");
                assert!(line.trim_end() == line, "blanks at the end: {line:?}");
                if line.starts_with("  --") {
                    let second = line.trim_start().find("  ").map(|gap| line[gap + 2..].trim_start());
                    assert!(second.is_some_and(|meaning| !meaning.is_empty()), "runs together: {line}");
                }
            }
        }
    }

    #[test]
    fn the_help_of_serve_has_every_setting_and_its_default() {
        let help = serve();
        for setting in SETTINGS {
            assert!(help.contains(&format!("  {} {}", setting.flag(), setting.value)), "{}", setting.key);
        }
        assert!(help.contains("[127.0.0.1:3000]"), "{help}");
    }

    /// The table in docs/settings.md, out of the table of settings.
    fn settings_in_markdown() -> String {
        let defaults = Loaded::default();
        let mut table = String::from("| flag | meaning | default |\n| --- | --- | --- |\n");
        for setting in SETTINGS {
            let usage = format!("{} {}", setting.flag(), setting.value).replace('|', "\\|");
            let default = match defaults.show(setting) {
                value if value.is_empty() => value,
                value => format!("`{value}` "),
            };
            table += &format!("| `{usage}` | {} | {default}|\n", setting.help);
        }
        table
    }

    /// With `CAMPFIRE_WRITE_DOCS=1` it is written anew.
    #[test]
    fn settings_page_has_every_setting_with_its_default() {
        const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
        let text = std::fs::read_to_string(PAGE).unwrap();
        let (before, rest) = text.split_once("<!-- settings -->\n").expect("where the table begins");
        let (found, after) = rest.split_once("<!-- end of settings -->\n").expect("where it ends");
        let wanted = settings_in_markdown();
        if found != wanted && std::env::var_os("CAMPFIRE_WRITE_DOCS").is_some() {
            let text = format!("{before}<!-- settings -->\n{wanted}<!-- end of settings -->\n{after}");
            return std::fs::write(PAGE, text).unwrap();
        }
        assert_eq!(found, wanted, "write it anew: CAMPFIRE_WRITE_DOCS=1 cargo test --lib settings_page");
    }
}
