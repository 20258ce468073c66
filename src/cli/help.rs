//! The texts of `--help`. Settings are described by the table of settings.

use crate::config::{Loaded, SETTINGS, Setting};

/// Where the second column starts: two past the longest setting.
const COLUMN: usize = 28;

pub(super) fn overview() -> String {
    format!(
        "campfire {}: team chat in one binary.

Usage: campfire [COMMAND] [OPTIONS]

Commands:
  serve                   serve until SIGTERM or SIGINT; the default command
  demo                    serve a temporary team with people, rooms and messages, and sign you in
  admin create            create an administrator
  admin reset-password    print a link to choose a new password
  admin reset-second-factor
                          remove the second step of somebody who has lost it
  admin invite            print a link by which somebody who was imported takes over the account
  admin list              list all users
  backup                  write all data into one archive, whether the server runs or not
  restore                 verify a backup and restore it into an empty directory
  check                   verify the database and the uploaded files
  export                  write account, users, rooms and messages to standard output, as JSON lines
  import                  move the history of another chat in
  openapi                 print the API as an OpenAPI 3.1 document
  healthcheck             check whether the server is healthy
  bench                   put load on a server, check all responses, and report
  upgrade                 install the newest release and restart; --rollback goes back
  doctor                  check this host and the installation, and print fixes; `doctor mail`: mail

Options:
  --help                  this help; after a command, the help of that command
  --version               the version

Exit status: 0 success, 1 failure, 2 invalid arguments or settings.
",
        env!("CARGO_PKG_VERSION")
    )
}

pub(super) fn serve() -> String {
    format!(
        "Serves until SIGTERM or SIGINT. The first visitor sets up the account.

Usage: campfire [serve] [OPTIONS]

Options:
{}{}
{SOURCES}",
        settings(|_| true),
        option("--print-config", "print every setting with its value and its source, and exit"),
    )
}

pub(super) fn demo() -> String {
    format!(
        "Serves a temporary team from a temporary directory, which is removed at the end.
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
        "Works on the data directory, whether the server runs or not. A running server sees changes within 0.5 s.

Usage: campfire admin create --name NAME --email EMAIL --password-stdin [OPTIONS]
       campfire admin reset-password EMAIL [OPTIONS]
       campfire admin reset-second-factor EMAIL [OPTIONS]
       campfire admin invite NAME|ID [OPTIONS]
       campfire admin list [OPTIONS]

Commands:
{}{}{}{}{}
Options:
{}{}{}{}
{SOURCES}",
        option("create", "create an administrator; before the first start, this is the set-up"),
        option("reset-password", "print a link to choose a new password; it works once, within four hours"),
        option("reset-second-factor", "remove the second step of somebody who has lost it, and sign them out"),
        option("invite", "print a link for somebody imported to set a password; it works for seven days"),
        option("list", "list all users: id, role, status, e-mail and name, separated by tabs"),
        option("--name NAME", "the name of the new administrator"),
        option("--email EMAIL", "the e-mail address to sign in with"),
        option("--password-stdin", "read the password from standard input: 8 characters or more"),
        settings(|setting| ["data", "public_url"].contains(&setting.key)),
    )
}

pub(super) fn backup() -> String {
    format!(
        "Writes a backup: one archive with the database, the uploaded files and the certificates, and a manifest with
their checksums. Works whether the server runs or not, which goes on serving. Meanwhile the disk of the data
directory needs as much free space as the database has. FILE ends with .tar.zst; - is standard output. Only
this user can read the file, because it contains keys.

Usage: campfire backup FILE [OPTIONS]

Options:
{}{}
{SOURCES}",
        option("--force", "replace FILE if it exists, once the new one is complete"),
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn restore() -> String {
    format!(
        "Restores a backup into a directory that is empty or does not exist yet. First the archive, every checksum and
the database are verified; if that fails, nothing is left behind. FILE may be - for standard input.

Sessions, one-time links, push subscriptions and waiting calls to others end, since the backup does not know
which of them ended after it was made. API tokens and bot keys work as they did.

Usage: campfire restore FILE [OPTIONS]

Options:
{}{}{}{}
{SOURCES}",
        option("--verify", "only verify; for that, the database is unpacked in TMPDIR (or /tmp)"),
        option("--keep-sessions", "end nothing, as when a server moves to another machine"),
        option("--revoke-tokens", "end API tokens and bot keys too, as after a break-in"),
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn check() -> String {
    format!(
        "Checks the database (its pages, references, messages, numbers and search index) and that uploaded files exist
with the right size and checksum. Works on a copy of the database, so a running server goes on serving; the
disk of the data directory needs as much free space as the database has. Prints a line for each check, with
what to do. Exit status 0 if all checks pass, 1 if not.

Usage: campfire check [OPTIONS]

Options:
{}{}{}
{SOURCES}",
        option("--json", "print the result as JSON"),
        option("--rebuild-index", "rebuild the search index instead; the server has to be stopped"),
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn export() -> String {
    format!(
        "Writes the account, its users, rooms and messages to standard output: one JSON object per line. Messages have
the path of their file in the data directory. Works whether the server runs or not.

Usage: campfire export [OPTIONS]

Options:
{}
{SOURCES}",
        settings(|setting| setting.key == "data")
    )
}

pub(super) fn import() -> String {
    let mut chats = String::new();
    for chat in crate::import::Chat::ALL {
        chats += &option(chat.word(), &format!("{}: {}", chat.name(), chat.export()));
    }
    format!(
        "Moves people, rooms, messages and files of another chat in, while the server is stopped. An import that was
interrupted goes on where it stopped, and one that is run again adds what is new. The export is only read.

Usage: campfire import CHAT PATH [OPTIONS]

Chats and their exports:
{chats}
Options:
{}{}{}{}
{SOURCES}",
        option("--check", "read everything, change nothing, and report what an import would do"),
        option("--report FILE", "write the report as an HTML page, in one file"),
        option("--vapid-private-key-file F", "ONCE: file F has VAPID_PRIVATE_KEY, so that notifications go on"),
        settings(|setting| super::import::OWN.contains(&setting.key))
    )
}

pub(super) fn openapi() -> String {
    "Prints the API as an OpenAPI 3.1 document, the same as /api/openapi.json of the server.

Usage: campfire openapi
"
    .to_owned()
}

pub(super) fn healthcheck() -> String {
    format!(
        "Requests GET /health of the server on this machine. Exit status 0 if it is healthy, 1 if not.

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
        ("", "over sockets) or mixed (of 10: 7 list, 1 search, 1 send, 1 health; with sockets)"),
        ("--users N", "users, each with connections of its own, 1 to 100000 [the tier's, else 10]"),
        ("--rate R|max", "requests per second in total, or as many as possible [the tier's, else users]"),
        ("--rooms N", "rooms of the users, 1 to 1000 [one for 50 users]"),
        ("--ramp S", "seconds in which users and rate increase; not judged [5]"),
        ("--duration S", "seconds after the ramp, which are judged [30]"),
        ("--tier NAME", "small, medium, large or enterprise: judge by its limits"),
        ("--report FILE", "write an HTML page with charts, in one file"),
        ("--json FILE", "write the figures as JSON"),
        ("--token TOKEN", "API token of an administrator, who creates bots and rooms for the run; or, given"),
        ("", "more than once, of the users themselves. A demo and a new server need none"),
        ("--tokens FILE", "the same from a file, one token per line"),
        ("--metrics-token TOKEN", "reads /metrics of a server on another machine"),
        ("--server-cores N", "cores of the server [those of this machine, if it is here]"),
        ("--i-own-this-server", "allow another target than this machine"),
    ] {
        options += &option(name, meaning);
    }
    format!(
        "Puts load on a server, checks every response and every delivery, and reports their latencies. Latencies count
from the time that a request was due, so waiting for a free user is included.

Usage: campfire bench URL --scenario NAME [OPTIONS]

Options:
{options}
Rooms and bots are called \"Bench …\" and removed at the end; what remains is reported.
Ctrl+C ends it early, with a report.

Exit status: 0 no errors and no limit of the tier missed, 1 errors or a limit missed, 2 invalid arguments.
"
    )
}

pub(super) fn doctor() -> String {
    format!(
        "Checks whether this host suits a tier: open files, queues and ports, memory and processors with the limits of
a control group, swapping, huge pages, and the time of a sync to disk. Checks the installation: encryption,
certificate, name, disk space, clock, permissions, and the age of the newest backup. Prints the commands that
fix what fails, and changes nothing. Exit status 0 if all checks pass, 1 if not.

With \"mail\" it goes the way of a mail instead: connects, encrypts, signs in, and with an address sends one
there. With \"oidc\" it tries the way to each identity provider: discovery, keys, the client and its secret, and
what has to be registered there. Both say what is missing, and on whose side.

Usage: campfire doctor [OPTIONS]
       campfire doctor mail [ADDRESS] [OPTIONS]
       campfire doctor oidc [OPTIONS]

Options:
{}{}{}
{SOURCES}",
        option("--tier TIER", "small, medium, large or enterprise: 100 to 100,000 people at once [small]"),
        option("--json", "print the result as JSON"),
        settings(|setting| super::doctor::reads(setting.key))
    )
}

pub(super) fn upgrade() -> String {
    format!(
        "If the newest release is newer than this version: downloads it, checks its SHA-256, makes a backup, replaces
this binary atomically, restarts the service (campfire.service of systemd) and waits until it is healthy. If
it does not start, the old version is put back and started. The previous version stays beside the binary as
campfire.previous. Settings are those of the service, unless some are given.

Usage: campfire upgrade [OPTIONS]
       campfire upgrade --rollback [OPTIONS]

Options:
{}{}{}{}{}{}{}
{SOURCES}",
        option("--check", "only report the newest version; exit status 0 whether it is newer or not"),
        option("--rollback", "swap the binary with campfire.previous, and restart"),
        option("--from URL|DIR", "where the release is [CAMPFIRE_BASE_URL, else the release site]"),
        option("--force", "install the release even if it is older or the same"),
        option("--no-backup", "make no backup; otherwise it goes to backup_dir, or beside the data directory"),
        option("--wait SECONDS", "how long the new version may take to be healthy after the restart [60]"),
        settings(|setting| super::upgrade::OWN.contains(&setting.key))
    )
}

const SOURCES: &str = "\
A setting is taken from its flag, else from the environment (CAMPFIRE_LISTEN for --listen),
else from the TOML file (listen = \"…\"), else its default applies, shown in brackets.
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
    fn help_texts_are_in_two_columns_that_fit_a_terminal() {
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
            import(),
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
    fn serve_help_has_every_setting_and_its_default() {
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
