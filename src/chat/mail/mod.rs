//! Mail: what people want of it, links to choose a new password, invitations, and whom a message is to be told by mail.
//! What is sent is a job, whose payload is a [`Task`].

mod layout;
pub(crate) mod words;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Admin, Viewer, invitations, passwords::check_passwords, people};
use crate::{
    config::Config,
    store::{
        Awaiting, EndMail, MailRefusal, MailTimes, NewJob, NoteLanguage, QueueJob, Text, TrustAddress,
        WasHere, WishMail,
    },
    text::Everyone,
    types::{
        Involvement, JobKind, Language, MailWish, Role, RoomId, RoomKind, SessionKind, Timestamp, User,
        UserId,
    },
    wire::Problem,
    worker::Worker,
};

/// A mail to send, as its job stores it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub(crate) enum Task {
    /// A link to choose a new password, for whoever has this address; for nobody if nobody has it.
    Reset {
        email: String,
        language: Language,
    },
    Invitation(Invitation),
    /// Shows somebody that mails reach them.
    Test {
        user: UserId,
    },
}

/// An invitation to mail.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) address: String,
    /// Whose account it is for, if there is one.
    pub(crate) user: Option<UserId>,
    /// Who invites.
    pub(crate) by: UserId,
    pub(crate) url: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) language: Language,
}

impl Task {
    fn job(&self) -> NewJob {
        let payload = serde_json::to_string(self).expect("a task serialises to JSON");
        NewJob { kind: JobKind::Mail, target: None, payload: Some(payload) }
    }
}

/// 409 unless this server sends mail.
/// 409 unless this server sends mail.
pub(crate) fn check_is_on(worker: &Worker) -> Result<(), Problem> {
    match worker.config().smtp_url {
        Some(_) => Ok(()),
        None => Err(Problem::conflict("This server sends no mail.")),
    }
}

/// The settings on when mails are sent.
pub(crate) fn times(config: &Config) -> MailTimes {
    MailTimes { after_ms: config.mail_after.as_millis() as i64, daily_at: config.mail_daily_at }
}

/// What a person wants, and how it goes.
#[derive(Debug, Serialize)]
pub(crate) struct MailSettings {
    wish: MailWish,
    /// Seconds that one has to be away, with the wish `away`.
    after_s: u64,
    /// The time of the daily mail, in UTC.
    daily_at: String,
    email: Option<String>,
    /// Why nothing is sent to this address.
    refusal: Option<MailRefusal>,
}

/// What the viewer wants of mail. 409 unless this server sends any.
pub(crate) fn settings(worker: &Worker, viewer: &Viewer) -> Result<MailSettings, Problem> {
    check_is_on(worker)?;
    let email = people::find(worker, viewer, viewer.user)?.email.map(|email| email.to_string());
    let (wish, refusal) =
        worker.reader.mail_of(viewer.user)?.map_or((None, None), |mail| (mail.wish, mail.refusal));
    let config = worker.config();
    Ok(MailSettings {
        wish: wish.unwrap_or(MailWish::USUAL),
        after_s: config.mail_after.as_secs(),
        daily_at: config.mail_daily_at.strftime("%H:%M").to_string(),
        email,
        refusal,
    })
}

/// Sets what the viewer wants.
pub(crate) async fn set_wish(worker: &Worker, viewer: &Viewer, wish: MailWish) -> Result<(), Problem> {
    check_is_on(worker)?;
    let command = WishMail { user: viewer.user, wish, times: times(worker.config()) };
    Ok(worker.writer.write(command).await?)
}

/// Sends to the viewer's address again after it was refused.
pub(crate) async fn trust_address(worker: &Worker, viewer: &Viewer) -> Result<(), Problem> {
    check_is_on(worker)?;
    Ok(worker.writer.write(TrustAddress { user: viewer.user }).await?)
}

/// Queues a mail to the viewer that shows that mails arrive. 409 without an address, and while it is refused.
pub(crate) async fn send_test(worker: &Worker, viewer: &Viewer) -> Result<(), Problem> {
    let MailSettings { email, refusal, .. } = settings(worker, viewer)?;
    if email.is_none() {
        return Err(Problem::conflict("You have no e-mail address here."));
    }
    if refusal.is_some() {
        return Err(Problem::conflict("Your address refused the last mail: have it tried again first."));
    }
    worker.shared.limits.test_push(viewer.user).map_err(Problem::rate_limited)?;
    Ok(worker.writer.write(QueueJob(Task::Test { user: viewer.user }.job())).await?)
}

/// Ends somebody's mails by the token in one of them. 404 for an unknown one.
pub(crate) async fn end(worker: &Worker, token: &str) -> Result<(), Problem> {
    Ok(worker.writer.write(EndMail { token: token.to_owned() }).await?)
}

/// Queues a link to choose a new password. What is done and how long it takes is the same whether anybody has this address:
/// only the job looks. 403 where there are no passwords, 429 after too many, by address of the network and by e-mail address.
pub(crate) async fn request_reset(
    worker: &Worker,
    address: IpAddr,
    email: String,
    language: Language,
) -> Result<(), Problem> {
    check_is_on(worker)?;
    check_passwords(worker, false)?;
    worker.shared.limits.reset(address, &email).map_err(Problem::rate_limited)?;
    Ok(worker.writer.write(QueueJob(Task::Reset { email, language }.job())).await?)
}

/// Mails somebody who was imported the link by which they take their account over. 409 if they have no address.
pub(crate) async fn invite(
    worker: &Worker,
    admin: &Admin,
    user: &User,
    language: Language,
) -> Result<Timestamp, Problem> {
    check_is_on(worker)?;
    let Some(address) = user.email.as_deref().map(str::to_owned) else {
        return Err(Problem::conflict(
            "This person has no e-mail address here: send them the link yourself.",
        ));
    };
    if worker.reader.mail_of(user.id)?.is_some_and(|mail| mail.refusal.is_some()) {
        return Err(Problem::conflict(
            "This address refused the last mail: give the person another one first.",
        ));
    }
    let (token, expires_at) = invitations::invite(worker, admin, user).await?;
    let url = format!("{}/invite/{token}", worker.config().base_url());
    let (user, by) = (Some(user.id), admin.0.user);
    mail_invitation(worker, Invitation { address, user, by, url, expires_at, language }).await?;
    Ok(expires_at)
}

/// Mails the link of an invitation to an address. 409 unless this server sends mail.
pub(crate) async fn mail_invitation(worker: &Worker, invitation: Invitation) -> Result<(), Problem> {
    check_is_on(worker)?;
    Ok(worker.writer.write(QueueJob(Task::Invitation(invitation).job())).await?)
}

/// A person opened the page: what came before need not be mailed.
pub(crate) fn came_here(worker: &Worker, user: UserId) {
    if worker.state.borrow().mail_waits.contains(&user) {
        worker.writer.submit_later(WasHere { user });
    }
}

/// Notes the language of the page that a person has open, for mails.
pub(crate) fn note_language(worker: &Worker, viewer: &Viewer, accepted: &str) {
    if worker.config().smtp_url.is_none() || viewer.kind != SessionKind::Device {
        return;
    }
    let Some(language) = Language::accepted(accepted) else { return };
    if worker.state.borrow().languages.get(&viewer.user) != Some(&language) {
        worker.writer.submit_later(NoteLanguage { user: viewer.user, language });
    }
}

/// The job that has those told by mail whom a message addresses, unless they read it before: members whom it mentions, and
/// all of a direct room. Their wishes are looked at by the job.
pub(super) fn awaiting(
    worker: &Worker,
    author: UserId,
    room: RoomId,
    text: &Text,
    everyone: Option<Everyone>,
) -> Option<NewJob> {
    worker.config().smtp_url.as_ref()?;
    let state = worker.state.borrow();
    let found = state.rooms.get(&room)?;
    let is_direct = found.room.kind == RoomKind::Direct;
    let hub = worker.hub.borrow();
    let wants = |user: UserId, involvement: Involvement, is_mentioned: bool| {
        let is_human = state
            .users
            .get(&user)
            .is_some_and(|user| user.role != Role::Bot && user.is_active() && user.email.is_some());
        is_human
            && user != author
            && match involvement {
                Involvement::Everything => is_direct || is_mentioned,
                Involvement::Mentions => is_mentioned,
                Involvement::Nothing | Involvement::Invisible => false,
            }
            && !hub.is_reading(room, user)
    };
    let all = is_direct || everyone == Some(Everyone::Room);
    let people: Vec<Awaiting> = match all {
        true => found
            .members
            .iter()
            .filter(|(user, involvement)| {
                let is_mentioned = everyone == Some(Everyone::Room) || text.mentions.contains(user);
                wants(**user, **involvement, is_mentioned)
            })
            .map(|(user, _)| *user)
            .collect::<Vec<_>>(),
        false => text
            .mentions
            .iter()
            .filter(|user| {
                found.members.get(*user).is_some_and(|involvement| wants(**user, *involvement, true))
            })
            .copied()
            .collect(),
    }
    .into_iter()
    .map(|user| Awaiting { user, is_here: hub.is_online(user) })
    .collect();
    (!people.is_empty()).then(|| NewJob {
        kind: JobKind::AwaitMail,
        target: None,
        payload: Some(written(&people)),
    })
}

/// A list of people as the payload of a job: ids, with a `+` behind those who are here.
fn written(people: &[Awaiting]) -> String {
    let one = |person: &Awaiting| format!("{}{}", person.user, if person.is_here { "+" } else { "" });
    people.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The list that [`written`] wrote.
pub(crate) fn awaited(payload: &str) -> Vec<Awaiting> {
    let one = |text: &str| {
        let id = text.trim_end_matches('+');
        Some(Awaiting { user: id.parse().ok()?, is_here: id.len() < text.len() })
    };
    payload.split(',').filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awaiting_people_survive_their_job() {
        let people =
            [Awaiting { user: UserId(1), is_here: false }, Awaiting { user: UserId(23), is_here: true }];
        assert_eq!(written(&people), "1,23+");
        assert_eq!(awaited("1,23+"), people);
        assert!(awaited("").is_empty() && awaited("x,+").is_empty());
    }
}
