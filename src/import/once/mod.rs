//! ONCE Campfire, and the ports that write the same database. Ids are kept, and with them every address.

mod body;
mod database;
mod extra;
mod messages;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, path::Path};

use self::{
    database::{Database, number, text, time},
    messages::Files,
};
use super::{
    Error, Progress, Secrets,
    archive::Archive,
    model::{Bot, FileRef, Member, Person, Place, Room},
    report::Kind,
    staging::Staging,
};
use crate::{
    store::Import,
    types::{Involvement, Role, RoomId, RoomKind, Settings, Status, UserId},
};

pub(super) use extra::{Extra, write as write_extra};

/// The key of the one who stands for all that are gone: rows of theirs may be left, since most tables have no foreign keys.
const GONE: &str = "gone";

/// Refuses a database where the ids could not be kept.
pub(super) fn check_target(target: &Import) -> Result<(), Error> {
    if target.is_known()? {
        return match target.has_newer()? {
            false => Ok(()),
            true => Err(Error(
                "somebody has written here since the first import, with ids that ONCE Campfire gives to other messages; import into an empty data directory instead".into(),
            )),
        };
    }
    match target.is_empty()? {
        true => Ok(()),
        false => Err(Error(
            "this data directory is in use already, and the ids of ONCE Campfire could not be kept in it; name an empty one with --data".into(),
        )),
    }
}

/// Reads everything.
pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    secrets: &Secrets,
    scratch: &Path,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let source = Database::open(archive, scratch)?;
    if let Some(remark) = &source.remark {
        staging.report.remark(remark.clone());
    }
    let secrets = with_volume(archive, secrets);
    account(&source, archive, staging)?;
    people(&source, archive, staging)?;
    rooms(&source, staging)?;
    extra::read(&source, staging, &secrets)?;
    messages::read(&source, staging, watch)?;
    for _ in 0..messages::orphans(&source.db)? {
        staging.leave_out(Kind::Others, "texts of messages that are gone", "");
    }
    Ok(())
}

/// The secrets that a backup of the `once` tool has beside the data.
fn with_volume(archive: &Archive, given: &Secrets) -> Secrets {
    let mut secrets = given.clone();
    let found = archive.files().find(|(path, _)| path.rsplit('/').next() == Some("once.volume.json"));
    let parsed = found
        .and_then(|(path, _)| archive.bytes(path, 64 << 10).ok())
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    if let Some(volume) = parsed {
        let secret = |name: &str| volume[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        secrets.vapid_private_key = secrets.vapid_private_key.or_else(|| secret("vapidPrivateKey"));
    }
    secrets
}

fn account(source: &Database, archive: &Archive, staging: &mut Staging<'_>) -> Result<(), Error> {
    let columns =
        source.select("accounts", "a", &["id", "name", "join_code", "custom_styles", "settings"])?;
    let mut select = source.db.prepare(&format!("select {columns} from accounts a order by a.id limit 1"))?;
    let mut rows = select.query(())?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let id = number(row, 0)?.unwrap_or_default();
    staging.account = text(row, 1)?.filter(|name| crate::text::has_visible(name));
    staging.extra.join_code = text(row, 2)?.filter(|code| !code.trim().is_empty());
    staging.extra.styles = text(row, 3)?.filter(|styles| !styles.trim().is_empty());
    let given: serde_json::Value =
        text(row, 4)?.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    // Some ports wrote it as a text.
    let restricted = &given["restrict_room_creation_to_administrators"];
    let restrict_room_creation = restricted == &serde_json::json!(true) || restricted == "true";
    // There everybody sees the join link.
    let settings = Settings { restrict_room_creation, members_see_join_link: true, ..Settings::default() };
    staging.extra.settings = serde_json::to_string(&settings).ok();
    let logo = Files::new(source)?.attached("Account", id, "logo", staging)?;
    staging.extra.logo = logo.map(|logo| readable(archive, logo).place);
    Ok(())
}

/// A picture, or the one that was made of it if it cannot be read here.
fn readable(archive: &Archive, attached: messages::Attached) -> FileRef {
    let Place::Archive(path) = &attached.file.place else { return attached.file };
    let head = archive.read(path, |reader| {
        let mut head = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(reader, 64), &mut head)?;
        Ok(head)
    });
    let is_read = head.is_ok_and(|head| {
        matches!(crate::media::picture::sniff(&head), "image/png" | "image/jpeg" | "image/gif" | "image/webp")
    });
    match attached.preview.filter(|preview| !is_read && archive.has(preview)) {
        Some(preview) => FileRef { place: Place::Archive(preview), ..attached.file },
        None => attached.file,
    }
}

fn people(source: &Database, archive: &Archive, staging: &mut Staging<'_>) -> Result<(), Error> {
    let mut hooks: HashMap<i64, String> = HashMap::new();
    if source.has("webhooks")? {
        let mut select = source.db.prepare("select user_id, url from webhooks order by id")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            if let (Some(user), Some(url)) = (number(row, 0)?, text(row, 1)?.filter(|url| !url.is_empty())) {
                hooks.insert(user, url);
            }
        }
    }
    let has_bots = source.has_bots()?;
    let wanted = [
        "id",
        "name",
        "email_address",
        "password_digest",
        "role",
        "status",
        "active",
        "bio",
        "bot_token",
        "created_at",
    ];
    let columns = source.select("users", "u", &wanted)?;
    let mut files = Files::new(source)?;
    let mut select = source.db.prepare(&format!("select {columns} from users u order by u.id"))?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let id = number(row, 0)?.unwrap_or_default();
        let status = match (number(row, 5)?, number(row, 6)?) {
            (Some(1), _) | (None, Some(0)) => Status::Deactivated,
            (Some(2), _) => Status::Banned,
            _ => Status::Active,
        };
        let role = match number(row, 4)? {
            Some(1) => Role::Admin,
            Some(2) if has_bots => Role::Bot,
            // An owner, before there were bots.
            Some(2) => Role::Admin,
            _ => Role::Member,
        };
        let avatar = files.attached("User", id, "avatar", staging)?.map(|avatar| readable(archive, avatar));
        let bot = (role == Role::Bot).then(|| Bot { webhook_url: hooks.remove(&id), token: None });
        let token = text(row, 8)?.filter(|token| !token.is_empty());
        staging.person(Person {
            key: id.to_string(),
            id: Some(UserId(id)),
            name: text(row, 1)?.unwrap_or_default(),
            // That of somebody who is deactivated was changed to none.
            email: text(row, 2)?.filter(|_| status != Status::Deactivated && role != Role::Bot),
            bio: text(row, 7)?.unwrap_or_default(),
            role,
            status,
            password_hash: text(row, 3)?.filter(|hash| hash.starts_with("$2") && role != Role::Bot),
            created_at: time(row, 9)?.map(|at| at / 1_000),
            avatar,
            bot: bot.map(|bot| Bot { token, ..bot }),
        })?;
    }
    Ok(())
}

fn rooms(source: &Database, staging: &mut Staging<'_>) -> Result<(), Error> {
    let columns = source.select("rooms", "r", &["id", "name", "type", "creator_id", "created_at"])?;
    let mut select = source.db.prepare(&format!("select {columns} from rooms r order by r.id"))?;
    let mut memberships = source.db.prepare(
        "select user_id, involvement, unread_at from memberships where room_id = ? order by user_id, id",
    )?;
    let mut others =
        source.db.prepare("select 1 from messages where room_id = ? and creator_id <> ? limit 1")?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let id = number(row, 0)?.unwrap_or_default();
        let kind = match text(row, 2)?.as_deref() {
            Some("Rooms::Direct") => RoomKind::Direct,
            Some("Rooms::Closed") => RoomKind::Closed,
            Some("Rooms::Open") => RoomKind::Open,
            other => {
                staging
                    .report
                    .changed("rooms of a kind that is not known: they are closed", other.unwrap_or_default());
                RoomKind::Closed
            }
        };
        let (mut members, mut somebody_is_gone) = (Vec::new(), false);
        let mut found = memberships.query((id,))?;
        while let Some(member) = found.next()? {
            let person = number(member, 0)?.unwrap_or_default().to_string();
            if staging.known_person(&person).is_none() {
                somebody_is_gone = true;
                staging.leave_out(Kind::Memberships, "of people who are gone", "");
                continue;
            }
            let involvement = match text(member, 1)?.as_deref() {
                Some("invisible") => Involvement::Invisible,
                Some("nothing") => Involvement::Nothing,
                Some("everything") => Involvement::Everything,
                // Also null: the default of the column, whatever the room.
                _ => Involvement::Mentions,
            };
            // The time of the newest unread message.
            let unread_from = time(member, 2)?.map(|at| at / 1_000);
            members.push(Member { person, involvement: Some(involvement), unread_from });
        }
        // One person alone would be a room of notes to oneself, which a talk with somebody who is gone was not.
        if kind == RoomKind::Direct
            && let [only] = &members[..]
            && (somebody_is_gone || others.exists((id, only.person.parse::<i64>().unwrap_or_default()))?)
        {
            members.push(Member::of(GONE));
        }
        staging.room(Room {
            key: id.to_string(),
            id: Some(RoomId(id)),
            name: text(row, 1)?.filter(|_| kind != RoomKind::Direct),
            kind,
            creator: number(row, 3)?.map(|creator| creator.to_string()),
            created_at: time(row, 4)?.map(|at| at / 1_000),
            members,
            is_archived: false,
        })?;
    }
    let orphans: u64 = source.db.query_row(
        "select count(*) from memberships m where not exists (select 1 from rooms where rooms.id = m.room_id)",
        (),
        |row| row.get(0),
    )?;
    for _ in 0..orphans {
        staging.leave_out(Kind::Memberships, "of rooms that are gone", "");
    }
    Ok(())
}
