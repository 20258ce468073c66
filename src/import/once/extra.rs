//! What only ONCE Campfire has, written after the messages: bans, searches, sessions, push subscriptions, the logo.

use std::net::IpAddr;

use super::database::{Database, number, text, time};
use crate::{
    import::{
        Error, Secrets,
        model::Place,
        report::{Kind, Report},
        staging::Staging,
    },
    store::{Image, Import, OldPush},
    types::{Timestamp, TokenHash, UserId, network_of},
};

/// Sessions that were not used for so long are not taken.
const SESSION_DAYS: i64 = 180;

/// Recent searches of a person.
const SEARCHES: usize = 10;
const MAX_QUERY: usize = 256;

/// Bytes of the logo, as it was uploaded.
const MAX_LOGO: u64 = 20 << 20;

#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) join_code: Option<String>,
    /// JSON.
    pub(crate) settings: Option<String>,
    /// For another page than ours: it is kept as a file.
    pub(super) styles: Option<String>,
    pub(super) logo: Option<Place>,
    bans: Vec<(UserId, IpAddr)>,
    searches: Vec<(UserId, String, Timestamp)>,
    sessions: Vec<OldSession>,
    pushes: Vec<(UserId, OldPush)>,
    vapid: Option<Vec<u8>>,
}

#[derive(Debug)]
struct OldSession {
    user: UserId,
    token: TokenHash,
    user_agent: String,
    address: String,
    created_at: Timestamp,
    last_active_at: Timestamp,
}

/// Reads it. People were read before.
pub(super) fn read(source: &Database, staging: &mut Staging<'_>, secrets: &Secrets) -> Result<(), Error> {
    bans(source, staging)?;
    searches(source, staging)?;
    sessions(source, staging)?;
    pushes(source, staging, secrets)
}

fn person(staging: &Staging<'_>, id: Option<i64>) -> Option<UserId> {
    staging.known_person(&id?.to_string()).map(|(id, _)| id)
}

fn active(staging: &Staging<'_>, id: Option<i64>) -> Option<UserId> {
    person(staging, id).filter(|user| staging.is_active(&user.to_string()))
}

fn bans(source: &Database, staging: &mut Staging<'_>) -> Result<(), Error> {
    if !source.has("bans")? {
        return Ok(());
    }
    let mut select = source.db.prepare("select user_id, ip_address from bans order by id")?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let address = text(row, 1)?.unwrap_or_default();
        match (person(staging, number(row, 0)?), address.trim().parse::<IpAddr>()) {
            (Some(user), Ok(parsed)) if crate::store::is_public(parsed) => {
                staging.report.found(Kind::Bans, 1);
                staging.extra.bans.push((user, network_of(parsed)));
            }
            (Some(_), Ok(_)) => staging.leave_out(
                Kind::Bans,
                "of private addresses: behind a proxy that was not trusted they are the proxy's own",
                &address,
            ),
            (Some(_), Err(_)) => staging.leave_out(Kind::Bans, "of what is no address", &address),
            (None, _) => staging.leave_out(Kind::Bans, "of people who are gone", &address),
        }
    }
    Ok(())
}

fn searches(source: &Database, staging: &mut Staging<'_>) -> Result<(), Error> {
    if !source.has("searches")? {
        return Ok(());
    }
    let columns = source.select("searches", "s", &["user_id", "query", "updated_at", "created_at"])?;
    let mut select =
        source.db.prepare(&format!("select {columns} from searches s order by 3 desc, id desc"))?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let query: String = text(row, 1)?.unwrap_or_default().trim().chars().take(MAX_QUERY).collect();
        let at = time(row, 2)?.or(time(row, 3)?).unwrap_or_default() / 1_000;
        let Some(user) = person(staging, number(row, 0)?) else {
            staging.leave_out(Kind::Searches, "of people who are gone", &query);
            continue;
        };
        let of_user = staging.extra.searches.iter().filter(|(other, ..)| *other == user);
        let (mut count, mut is_known) = (0, false);
        for (_, other, _) in of_user {
            count += 1;
            is_known |= *other == query;
        }
        if query.is_empty() || is_known {
            staging.leave_out(Kind::Searches, "empty, or twice of the same person", &query);
        } else if count == SEARCHES {
            staging.leave_out(Kind::Searches, "older than a person's last ten", "");
        } else {
            staging.report.found(Kind::Searches, 1);
            staging.extra.searches.push((user, query, Timestamp(at)));
        }
    }
    Ok(())
}

/// A session's token is in the browser's cookie, which this server reads as well.
fn sessions(source: &Database, staging: &mut Staging<'_>) -> Result<(), Error> {
    if !source.has("sessions")? {
        return Ok(());
    }
    let wanted = ["user_id", "token", "ip_address", "user_agent", "created_at", "last_active_at"];
    let columns = source.select("sessions", "s", &wanted)?;
    let mut select = source.db.prepare(&format!("select {columns} from sessions s order by s.id"))?;
    let since = Timestamp::now().0 - SESSION_DAYS * 86_400_000;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let Some(user) = active(staging, number(row, 0)?) else {
            staging.leave_out(Kind::Sessions, "of people who are not active", "");
            continue;
        };
        let token = text(row, 1)?.unwrap_or_default();
        let created_at = Timestamp(time(row, 4)?.unwrap_or_default() / 1_000);
        let last_active_at = time(row, 5)?.map_or(created_at, |at| Timestamp(at / 1_000));
        if last_active_at.0 < since {
            staging.leave_out(Kind::Sessions, "not used for 180 days", "");
        } else if token.len() < 16 {
            staging.leave_out(Kind::Sessions, "without a token", "");
        } else {
            staging.report.found(Kind::Sessions, 1);
            staging.extra.sessions.push(OldSession {
                user,
                token: TokenHash::of(&token),
                user_agent: text(row, 3)?.unwrap_or_default().chars().take(512).collect(),
                address: text(row, 2)?.unwrap_or_default(),
                created_at,
                last_active_at,
            });
        }
    }
    Ok(())
}

fn pushes(source: &Database, staging: &mut Staging<'_>, secrets: &Secrets) -> Result<(), Error> {
    staging.extra.vapid = secrets.vapid_private_key.as_deref().map(vapid).transpose()?;
    if !source.has("push_subscriptions")? {
        return Ok(());
    }
    let wanted = ["user_id", "endpoint", "p256dh_key", "auth_key", "user_agent", "created_at"];
    let columns = source.select("push_subscriptions", "p", &wanted)?;
    let mut select =
        source.db.prepare(&format!("select {columns} from push_subscriptions p order by p.id"))?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let Some(user) = active(staging, number(row, 0)?) else {
            staging.leave_out(Kind::PushSubscriptions, "of people who are not active", "");
            continue;
        };
        if staging.extra.vapid.is_none() {
            staging.leave_out(
                Kind::PushSubscriptions,
                "without the VAPID key of the old server they are worth nothing: people turn notifications on again",
                "",
            );
            continue;
        }
        let [endpoint, p256dh, auth, user_agent] =
            [text(row, 1)?, text(row, 2)?, text(row, 3)?, text(row, 4)?];
        match (endpoint, p256dh, auth) {
            (Some(endpoint), Some(p256dh), Some(auth)) if endpoint.starts_with("https://") => {
                staging.report.found(Kind::PushSubscriptions, 1);
                let created_at = Timestamp(time(row, 5)?.unwrap_or_default() / 1_000);
                let user_agent = user_agent.unwrap_or_default().chars().take(512).collect();
                staging.extra.pushes.push((user, OldPush { endpoint, p256dh, auth, user_agent, created_at }));
            }
            _ => staging.leave_out(Kind::PushSubscriptions, "incomplete", ""),
        }
    }
    Ok(())
}

/// The 32 bytes of a private key in base64url.
fn vapid(text: &str) -> Result<Vec<u8>, Error> {
    use base64::Engine;
    let wrong = || Error("the VAPID private key is no 32 bytes in base64url".into());
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = engine.decode(text.trim().trim_end_matches('=')).map_err(|_| wrong())?;
    match crate::outbound::push::VapidKey::from_bytes(&bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(wrong()),
    }
}

/// Writes it. Only at the first import: later the server has its own.
pub(in crate::import) fn write(
    target: &Import,
    data: &std::path::Path,
    archive: &crate::import::archive::Archive,
    extra: &Extra,
    report: &mut Report,
) -> Result<(), Error> {
    for (user, network) in &extra.bans {
        count(report, Kind::Bans, target.put_ban(*user, *network)?);
    }
    for (user, query, at) in extra.searches.iter().rev() {
        count(report, Kind::Searches, target.put_search(*user, query, *at)?);
    }
    for session in &extra.sessions {
        let OldSession { user, token, user_agent, address, created_at, last_active_at } = session;
        let is_new = target.put_session(*user, *token, user_agent, address, *created_at, *last_active_at)?;
        count(report, Kind::Sessions, is_new);
    }
    if let Some(key) = &extra.vapid {
        target.put_secret("vapid", key)?;
    }
    for (user, push) in &extra.pushes {
        match target.put_push(*user, push)? {
            Some(is_new) => count(report, Kind::PushSubscriptions, is_new),
            None => {
                report.left_out(Kind::PushSubscriptions, "of people without a session that could end it", "")
            }
        }
    }
    if let Some(styles) = &extra.styles {
        let place = data.join("once-custom-styles.css");
        std::fs::write(&place, styles)?;
        report.remark(format!(
            "The custom styles were written for another page. They are not switched on, but kept in {}.",
            place.display()
        ));
    }
    if let Some(Place::Archive(path)) = &extra.logo {
        report.found(Kind::Pictures, 1);
        let made = archive.bytes(path, MAX_LOGO).ok().and_then(|bytes| crate::media::picture::logo(&bytes));
        match made {
            Some(logo) => {
                let image = Image { content_type: logo.content_type.to_owned(), bytes: logo.bytes };
                target.put_logo(&image)?;
                report.taken(Kind::Pictures, 1);
            }
            None => report.left_out(
                Kind::Pictures,
                "of a format that is not read, or not in the export",
                "the logo",
            ),
        }
    }
    Ok(())
}

fn count(report: &mut Report, kind: Kind, is_new: bool) {
    match is_new {
        true => report.taken(kind, 1),
        false => report.known(kind, 1),
    }
}
