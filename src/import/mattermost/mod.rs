//! Bulk exports of Mattermost: a file with a JSON object on each line, and files of messages in a folder beside it. Lines come
//! in no order that could be relied on, so that it is read twice: first people and channels, then memberships and messages.

mod lines;
mod people;
mod posts;
mod rooms;
#[cfg(test)]
mod tests;
mod text;

use self::{lines::Line, posts::Posts, rooms::Rooms};
use super::{Error, Progress, archive::Archive, model::Place, report::Kind, staging::Staging};

pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let path = lines_file(archive)?;
    let (mut rooms, mut guests, mut known, mut count) = (Rooms::default(), 0_u64, 0_u64, 0_u64);
    let is_whole = lines::each(archive, &path, &mut |line| {
        count += 1;
        watch(Progress { stage: "reading people and rooms", done: count, total: 0 });
        let Line::Record(kind, record) = line else {
            staging.leave_out(Kind::Others, "lines that cannot be read", "");
            return Ok(());
        };
        known += 1;
        match kind.as_str() {
            "version" | "post" | "direct_post" => {}
            "team" => rooms.team(&record),
            "channel" => rooms.channel(&record, staging),
            "direct_channel" => rooms.direct_channel(&record, staging),
            "user" => guests += u64::from(people::user(&record, archive, &path, staging)?),
            "bot" => people::bot(&record, archive, &path, staging)?,
            "emoji" => {
                let name = record["name"].as_str().unwrap_or_default();
                let image = record["image"].as_str().unwrap_or_default();
                let picture = attached(archive, &path, image).unwrap_or_else(|| image.to_owned());
                staging.emoji(name, Place::Archive(picture));
            }
            _ => {
                known -= 1;
                staging.leave_out(Kind::Others, "lines of types that are not taken", &kind);
            }
        }
        Ok(())
    })?;
    if known == 0 {
        return Err(Error(format!("{path} is no bulk export of Mattermost: none of its lines is one of it")));
    }
    if !is_whole {
        staging.leave_out(
            Kind::Others,
            "files that are damaged: what stands before the damage was taken",
            &path,
        );
    }
    rooms.stage(staging)?;
    let mut posts = Posts { archive, path: &path, rooms: &rooms };
    let mut done = 0;
    lines::each(archive, &path, &mut |line| {
        done += 1;
        watch(Progress { stage: "reading messages", done, total: count });
        let Line::Record(kind, record) = line else { return Ok(()) };
        match kind.as_str() {
            "user" => people::memberships(&record, staging),
            "post" => posts.post(&record, staging),
            "direct_post" => posts.direct_post(&record, staging),
            _ => Ok(()),
        }
    })?;
    if guests > 0 {
        staging.report.remark(super::guests(guests));
    }
    staging
        .report
        .remark("People come without their passwords: an administrator gives each a link to choose one.");
    Ok(())
}

/// The path of the file with the lines: `import.jsonl`, or another `.jsonl` at the top, or the only file there is.
fn lines_file(archive: &Archive) -> Result<String, Error> {
    let depth = |path: &str| path.matches('/').count();
    let is_hidden = |path: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    let found = archive
        .files()
        .map(|(path, _)| path)
        .filter(|path| path.ends_with(".jsonl") && !is_hidden(path))
        .min_by_key(|path| (depth(path), !path.ends_with("import.jsonl")));
    let mut all = archive.files().map(|(path, _)| path);
    let only = all.next().filter(|_| all.next().is_none());
    found.or(only).map(str::to_owned).ok_or_else(|| {
        Error("there is no .jsonl file in it: it is no bulk export of Mattermost, or not all of it".into())
    })
}

/// The path in the archive of a file that a line names; None if it is not there.
fn attached(archive: &Archive, lines: &str, path: &str) -> Option<String> {
    let folder = lines.rfind('/').map_or("", |place| &lines[..=place]);
    // The server leaves `data/` out, other programs write it.
    [format!("{folder}data/{path}"), format!("{folder}{path}")].into_iter().find(|path| archive.has(path))
}
