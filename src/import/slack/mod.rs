//! Exports of Slack: a folder of JSON for each channel with a file for each day, and lists of people and channels beside
//! them. An export of Enterprise Grid has such a set at its root and one more below `teams/` for each workspace.

mod files;
mod messages;
mod people;
mod rooms;
#[cfg(test)]
mod tests;
mod text;

use serde_json::Value;

use self::{messages::Reader, people::People, rooms::Rooms};
use super::{
    Error, Progress,
    archive::Archive,
    json::{self, End, Flow, Step, Taker},
    report::Kind,
    staging::Staging,
};

/// The lists of channels, by file.
const LISTS: [&str; 4] = ["channels.json", "groups.json", "mpims.json", "dms.json"];

/// Those of people: `org_users.json` has all of an Enterprise Grid.
const USERS: [&str; 2] = ["org_users.json", "users.json"];

pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let roots = roots(archive)?;
    let mut people = People::read(archive, &roots, staging)?;
    // Before the rooms, so that strangers among their members have the name that a message tells.
    let days = archive.files().filter(|(path, _)| day_of(&roots, path).is_some()).count() as u64;
    let mut done = 0;
    let mut watched = |stage| {
        done += 1;
        watch(Progress { stage, done, total: 2 * days });
    };
    for (path, _) in archive.files().filter(|(path, _)| day_of(&roots, path).is_some()) {
        each(archive, path, staging, &mut |_, record| {
            if let Some(record) = record {
                people.look_at(&record);
            }
            Ok(())
        })?;
        watched("reading");
    }
    let rooms = Rooms::read(archive, &roots, staging, &mut people)?;
    let mut reader = Reader { archive, roots: &roots, people, rooms: &rooms };
    for (path, _) in archive.files() {
        match day_of(&roots, path) {
            Some((root, folder)) => {
                reader.day(path, root, folder, staging)?;
                watched("reading");
            }
            None => note_other(&roots, path, staging),
        }
    }
    let guests = reader.people.guests;
    if guests > 0 {
        staging.report.remark(super::guests(guests));
    }
    staging.report.remark(
        "People come without passwords and pictures, and mostly without addresses: an administrator gives each a link to take \
         their account over. Revoke the export in Slack: its links open every file of the workspace.",
    );
    Ok(())
}

/// The folders that have lists of their own, with their slash: the first is that of the whole export.
fn roots(archive: &Archive) -> Result<Vec<String>, Error> {
    let is_list = |name: &str| LISTS.contains(&name) || USERS.contains(&name);
    let folders = || {
        archive.files().filter_map(|(path, _)| {
            let place = path.rfind('/').map_or(0, |place| place + 1);
            is_list(&path[place..]).then(|| &path[..place])
        })
    };
    let depth = |folder: &str| folder.matches('/').count();
    let first = folders().min_by_key(|folder| depth(folder)).ok_or_else(|| {
        Error(
            "there is neither a channels.json nor a users.json in it: it is no export of Slack in JSON, or not all of it"
                .into(),
        )
    })?;
    let mut roots = vec![first.to_owned()];
    let teams = format!("{first}teams/");
    let below = folders().filter(|folder| folder.starts_with(&teams) && depth(folder) == depth(&teams) + 1);
    roots.extend(below.map(str::to_owned));
    roots.dedup();
    Ok(roots)
}

/// The place of the root and the folder of a file that has the messages of a day.
fn day_of<'p>(roots: &[String], path: &'p str) -> Option<(usize, &'p str)> {
    // Workspaces of a grid come behind the root, which is a beginning of theirs.
    let (place, rest) = roots
        .iter()
        .enumerate()
        .rev()
        .find_map(|(place, root)| Some((place, path.strip_prefix(root.as_str())?)))?;
    let (folder, name) = rest.split_once('/')?;
    let day = name.strip_suffix(".json")?;
    let is_day = day.len() == 10
        && day.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_day.then_some((place, folder))
}

/// Counts files that are read for nothing: canvases, lists, logs of integrations.
fn note_other(roots: &[String], path: &str, staging: &mut Staging<'_>) {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_read = LISTS.contains(&name) || USERS.contains(&name);
    let is_upload = path.contains("__uploads/") || path.contains("attachments/");
    if !is_read && !is_upload && name.ends_with(".json") && !name.starts_with('.') {
        let shown = path.strip_prefix(roots[0].as_str()).unwrap_or(path);
        staging.leave_out(
            Kind::Others,
            "files of the export that are not read, such as canvases and logs",
            shown,
        );
    }
}

/// Takes a record; None is one that cannot be read.
type Take<'t> = dyn FnMut(&mut Staging<'_>, Option<Value>) -> Result<(), Error> + 't;

/// Passes on the records of a file that is a list; None for one that cannot be read. False if the file is damaged: what
/// stands before was passed on.
fn each(
    archive: &Archive,
    path: &str,
    staging: &mut Staging<'_>,
    take: &mut Take<'_>,
) -> Result<bool, Error> {
    struct List<'l, 's> {
        staging: &'l mut Staging<'s>,
        take: &'l mut Take<'l>,
    }
    impl Taker for List<'_, '_> {
        fn step(&self, path: &str) -> Step {
            if path.is_empty() { Step::Enter } else { Step::Record }
        }

        fn record(&mut self, path: &str, record: Option<Value>) -> Result<Flow, Error> {
            // Members of an object are no records.
            if path == "[]" {
                (self.take)(self.staging, record)?;
            }
            Ok(Flow::Continue)
        }
    }
    if !archive.has(path) {
        return Ok(true);
    }
    let end = archive.read(path, |reader| json::each(reader, &mut List { staging, take }))?;
    Ok(!matches!(end, End::Damaged(_)))
}

/// Reports a file that is damaged.
fn note_damage(path: &str, staging: &mut Staging<'_>) {
    staging.leave_out(Kind::Others, "files that are damaged: what stands before the damage was taken", path);
}
