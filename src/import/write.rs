//! Writes what was staged: people and rooms, then messages in the order of time, then what each has read, then the index.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::{
    Error, Progress,
    archive::Archive,
    emoji,
    history::History,
    model::{Message, Person, Place, Room},
    once,
    report::{Kind, Report},
    staging::{Parts, Staged, Staging},
};
use crate::{
    media::picture,
    store::{DataDir, Image, Import, NewPerson, NewRoom},
    types::{Involvement, MessageId, Role, RoomId, RoomKind, Status, Timestamp, TokenHash, UserId, hex},
};

/// What a dry run finds: everything is read, and files are looked for.
pub(super) fn check(staging: Staging<'_>, archive: &Archive) -> Result<Report, Error> {
    let Parts { db, people, rooms, emoji, mut report, .. } = staging.finish()?;
    let count = |staged: usize, known: usize| (staged as u64, known as u64);
    for (kind, (new, known)) in [
        (
            Kind::People,
            count(
                people.iter().filter(|it| it.is_new).count(),
                people.iter().filter(|it| !it.is_new).count(),
            ),
        ),
        (
            Kind::Rooms,
            count(rooms.iter().filter(|it| it.is_new).count(), rooms.iter().filter(|it| !it.is_new).count()),
        ),
    ] {
        report.taken(kind, new);
        report.known(kind, known);
    }
    emoji::check(&emoji, archive, &mut report);
    let memberships: u64 = db.query_row("select count(*) from memberships", (), |row| row.get(0))?;
    report.taken(Kind::Memberships, memberships);
    let mut messages = db.prepare("select json from messages")?;
    let mut rows = messages.query(())?;
    while let Some(row) = rows.next()? {
        let message = parsed(row.get_ref(0)?.as_str().unwrap_or_default())?;
        report.taken(Kind::Messages, 1);
        report.taken(Kind::Boosts, message.boosts.len() as u64);
        for file in &message.files {
            let is_there = match &file.place {
                Place::Archive(path) => archive.has(path),
                Place::Staged(_) => true,
            };
            match is_there {
                true => report.taken(Kind::Files, 1),
                false => report.left_out(Kind::Files, MISSING, &file.name),
            }
        }
    }
    Ok(report)
}

pub(super) const MISSING: &str = "not in the export: the message says so";

pub(super) fn parsed(json: &str) -> Result<Message, Error> {
    serde_json::from_str(json).map_err(|error| Error(format!("a staged message cannot be read ({error})")))
}

/// Writes everything.
pub(super) fn write(
    staging: Staging<'_>,
    target: &Import,
    data: &DataDir,
    archive: &Archive,
    watch: &mut dyn FnMut(Progress),
) -> Result<Report, Error> {
    let Parts { mut db, people, rooms, messages, account, emoji, mut report, extra } = staging.finish()?;
    let goes_on = target.start()?;
    target.transaction(|target| -> Result<(), Error> {
        let name = account.as_deref().unwrap_or("Campfire");
        let is_new = target.put_account(name, extra.join_code.as_deref(), extra.settings.as_deref())?;
        let can_sign_in = |it: &Staged<Person, UserId>| it.value.email.is_some() && it.value.password_hash.is_some();
        if is_new && !people.iter().any(can_sign_in) {
            report.remark(
                "Nobody can sign in yet: the export has no passwords. Make an administrator with `campfire admin create`, who invites the others.",
            );
        }
        put_people(target, &people, &mut report)?;
        put_rooms(target, &db, &people, &rooms, &mut report)
    })?;
    put_avatars(target, archive, &people, goes_on, &mut report)?;
    target.transaction(|target| emoji::put(&emoji, target, archive, &mut report))?;
    let authors = people.iter().map(|it| (it.value.key.as_str(), it.id)).collect();
    let total = number(&db, target, &authors, messages, &mut report, watch)?;
    let history = History { staged: &mut db, data, archive, people: &people, authors: &authors, total };
    history.write(target, &mut report, watch)?;
    watch(Progress { stage: "marking read", done: 0, total: 0 });
    target.transaction(|target| -> Result<(), Error> {
        mark_read(target, &db)?;
        for room in rooms.iter().filter(|room| room.value.is_archived) {
            target.hide(room.id)?;
        }
        target.fill_open_rooms()?;
        once::write_extra(target, data.path(), archive, &extra, &mut report)
    })?;
    let total = target.message_count()?;
    target.build_index(&mut |done| watch(Progress { stage: "indexing", done, total }))?;
    target.finish()?;
    Ok(report)
}

fn put_people(target: &Import, people: &[Staged<Person, UserId>], report: &mut Report) -> Result<(), Error> {
    for Staged { id, is_new, value: person, .. } in people {
        if !is_new {
            report.known(Kind::People, 1);
            target.set_origin("person", &person.key, id.0)?;
            continue;
        }
        let mut email = person.email.as_deref();
        if let Some(address) = email
            && let Some(owner) = target.user_by_email(address)?
        {
            report.changed(
                "e-mail addresses that another person has already: these people need another to sign in",
                &format!("{address}, of user {owner} and of {}", person.name),
            );
            email = None;
        }
        target.put_person(&NewPerson {
            id: *id,
            name: &person.name,
            email,
            bio: &person.bio,
            role: person.role,
            status: person.status,
            password_hash: person.password_hash.as_deref().filter(|_| person.status == Status::Active),
            created_at: person.created_at.map_or_else(Timestamp::now, Timestamp),
        })?;
        if person.role == Role::Bot && person.status == Status::Active {
            let bot = person.bot.clone().unwrap_or_default();
            target.put_bot(*id, bot.webhook_url.as_deref(), bot.token.as_deref())?;
        }
        target.set_origin("person", &person.key, id.0)?;
        report.taken(Kind::People, 1);
    }
    Ok(())
}

fn put_rooms(
    target: &Import,
    db: &Connection,
    people: &[Staged<Person, UserId>],
    rooms: &[Staged<Room, RoomId>],
    report: &mut Report,
) -> Result<(), Error> {
    let by_key: HashMap<&str, UserId> = people.iter().map(|it| (it.value.key.as_str(), it.id)).collect();
    let active: HashSet<UserId> =
        people.iter().filter(|it| it.value.status != Status::Deactivated).map(|it| it.id).collect();
    let first = people.first().map(|it| it.id);
    let mut select =
        db.prepare("select person, involvement from memberships where room = ? order by person")?;
    for Staged { id, is_new, value: room, .. } in rooms {
        let members: Vec<(UserId, Involvement)> = select
            .query_map((id,), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let ids: Vec<UserId> = members.iter().map(|(user, _)| *user).collect();
        if *is_new {
            let creator = room.creator.as_deref().and_then(|key| by_key.get(key).copied());
            let Some(creator) = creator.or_else(|| ids.first().copied()).or(first) else {
                report.left_out(Kind::Rooms, "without anybody", room.name.as_deref().unwrap_or_default());
                continue;
            };
            let created_at = match room.created_at {
                Some(at) => at,
                None => db
                    .query_row("select min(at) / 1000 from messages where room = ?", (id,), |row| {
                        row.get::<_, Option<i64>>(0)
                    })?
                    .unwrap_or_else(|| Timestamp::now().0),
            };
            let new = NewRoom {
                id: *id,
                name: room.name.as_deref(),
                kind: room.kind,
                creator,
                created_at: Timestamp(created_at),
            };
            if !target.put_room(&new, &ids)? {
                report.changed("direct rooms of the same people: both were kept", &format!("room {id}"));
            }
            target.set_origin("room", &room.key, id.0)?;
            report.taken(Kind::Rooms, 1);
        } else {
            report.known(Kind::Rooms, 1);
        }
        for (user, involvement) in members {
            // Here somebody who is deactivated keeps direct rooms only.
            if room.kind != RoomKind::Direct && !active.contains(&user) {
                report.left_out(Kind::Memberships, "of people who are deactivated", "");
            } else if target.put_member(*id, user, involvement)? {
                report.taken(Kind::Memberships, 1);
            } else {
                report.known(Kind::Memberships, 1);
            }
        }
    }
    Ok(())
}

fn put_avatars(
    target: &Import,
    archive: &Archive,
    people: &[Staged<Person, UserId>],
    goes_on: bool,
    report: &mut Report,
) -> Result<(), Error> {
    for person in people {
        let Some(avatar) = &person.value.avatar else { continue };
        // People are written before their pictures, so that an import may have been interrupted between the two.
        if !person.is_new && (!goes_on || target.has_avatar(person.id)?) {
            continue;
        }
        report.found(Kind::Pictures, 1);
        let bytes = match &avatar.place {
            Place::Archive(path) if archive.has(path) => archive.bytes(path, MAX_AVATAR),
            Place::Archive(_) => {
                report.left_out(Kind::Pictures, "not in the export", &person.value.name);
                continue;
            }
            Place::Staged(path) => std::fs::read(path).map_err(Error::from),
        };
        match bytes.ok().and_then(|bytes| picture::avatar(&bytes)) {
            Some(made) => {
                let image = Image { content_type: made.content_type.to_owned(), bytes: made.bytes };
                target.put_picture(&format!("user-{}", person.id), &image)?;
                target.set_avatar(person.id)?;
                report.taken(Kind::Pictures, 1);
            }
            None => report.left_out(Kind::Pictures, "of a format that is not read", &person.value.name),
        }
    }
    Ok(())
}

/// Bytes of an avatar.
const MAX_AVATAR: u64 = 20 << 20;

/// Gives each staged message its id: that of an import before, its own, or the next. Returns how many are new.
fn number(
    db: &Connection,
    target: &Import,
    authors: &HashMap<&str, UserId>,
    total: u64,
    report: &mut Report,
    watch: &mut dyn FnMut(Progress),
) -> Result<u64, Error> {
    db.execute_batch(
        "create table ids (n integer primary key, id integer not null, is_new integer not null) strict; begin",
    )?;
    let mut next = target.next_message()?.0;
    let is_first = !target.has_messages()?;
    let mut rows = db.prepare("select n, room, key, id, json from messages order by at, ord, n")?;
    let mut rows = rows.query(())?;
    let mut insert = db.prepare("insert into ids (n, id, is_new) values (?, ?, ?)")?;
    let (mut done, mut new) = (0_u64, 0_u64);
    while let Some(row) = rows.next()? {
        let (n, own): (i64, Option<i64>) = (row.get(0)?, row.get(3)?);
        let mut known = None;
        if !is_first {
            let message = parsed(row.get_ref(4)?.as_str().unwrap_or_default())?;
            known = match (own, authors.get(message.author.as_str())) {
                (Some(id), _) => target.has_message(MessageId(id))?.then_some(id),
                (None, Some(author)) => {
                    let client_id = client_id(&message.key);
                    target.message_by_client_id(row.get(1)?, *author, &client_id)?.map(|id| id.0)
                }
                (None, None) => None,
            };
            if known.is_some() {
                report.known(Kind::Messages, 1);
                report.known(Kind::Files, message.files.len() as u64);
                report.known(Kind::Boosts, message.boosts.len() as u64);
            }
        }
        let id = known.or(own).unwrap_or(next);
        next = next.max(id + 1);
        insert.execute((n, id, known.is_none()))?;
        done += 1;
        new += u64::from(known.is_none());
        if done.is_multiple_of(4_096) {
            watch(Progress { stage: "sorting", done, total });
        }
    }
    db.execute_batch("commit; create index ids_of_new on ids (id) where is_new")?;
    Ok(new)
}

/// By which an imported message is found again, in `client_message_id`.
pub(super) fn client_id(key: &str) -> String {
    match key.len() <= 100 {
        true => format!("import:{key}"),
        false => format!("import:{}", hex(&TokenHash::of(key).0)),
    }
}

/// Marks what each member has read: all, or what is before the first message of a time.
fn mark_read(target: &Import, db: &Connection) -> Result<(), Error> {
    target.mark_all_read()?;
    let mut select = db.prepare(
        "select room, person, unread_from from memberships where unread_from is not null order by room, unread_from desc",
    )?;
    let mut rows = select.query(())?;
    let mut of_room: (RoomId, Vec<(UserId, Timestamp)>) = (RoomId(0), Vec::new());
    while let Some(row) = rows.next()? {
        let room = row.get(0)?;
        if room != of_room.0 {
            target.mark_unread(of_room.0, &of_room.1)?;
            of_room = (room, Vec::new());
        }
        of_room.1.push((row.get(1)?, Timestamp(row.get(2)?)));
    }
    Ok(target.mark_unread(of_room.0, &of_room.1)?)
}
