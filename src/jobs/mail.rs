//! Mails: handing them over to the relay, and telling people of what they have not read. No log and no error here has an
//! address or a link in it.

use std::rc::Rc;

use super::{Done, Failure, Runner};
use crate::{
    chat::mail::{
        self, Invitation, Task, times,
        words::{self, Addresses, Words},
    },
    config::Config,
    outbound::{
        letter::{Letter, checked},
        smtp::{self, Fault, Mailer, Sender, Step, Why},
    },
    store::{
        Act, Audited, AwaitMail, GiveMailBack, Job, MAILED_HOURS, MAX_ATTEMPTS, MailOf, PutOffMail,
        RefuseAddress, StartReset, TakeMailTurn, Told, Turn, WasHere, WriteError,
    },
    types::{Language, MailWish, MessageId, Timestamp, TokenHash, User, UserId, random_token},
};

/// Mails to one address within an hour. Further ones wait.
const PER_RECIPIENT: usize = 12;

/// People whom one command notes. The writer is held for as long as it takes.
const MOST_AT_ONCE: usize = 200;

/// Messages that one mail shows.
const MOST_SHOWN: usize = 20;

/// When it is tried again to tell somebody, after all attempts of a job have failed.
const PUT_OFF_MS: i64 = 6 * 3_600_000;

/// The way out for mails.
pub(super) struct Post {
    mailer: Mailer,
    from: Sender,
}

impl Post {
    /// None without the settings for it.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, String> {
        let (Some(relay), Some(from)) = (&config.smtp_url, &config.mail_from) else { return Ok(None) };
        let roots = config.smtp_ca.as_deref().map(smtp::roots).transpose()?.unwrap_or_default();
        let servers = config.name_servers.clone();
        let mailer = Mailer::new(relay.clone(), roots, servers, &config.base_url(), config.smtp_timeout);
        Ok(Some(Self { mailer, from: from.clone() }))
    }
}

/// Why a mail was not sent.
enum Unsent {
    /// Too many were sent: it has to wait for so long.
    Wait(i64),
    /// The address takes no mails, for a reason for its owner, and in words without the address.
    Address(String, String),
    Relay(Fault),
    Other(Failure),
}

impl From<Unsent> for Failure {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Wait(wait) => Self::Later(wait),
            Unsent::Address(_, why) => Self::Permanent(why),
            Unsent::Relay(fault) if fault.is_permanent() => Self::Permanent(fault.to_string()),
            Unsent::Relay(fault) => Self::Retry(fault.to_string()),
            Unsent::Other(failure) => failure,
        }
    }
}

impl From<rusqlite::Error> for Unsent {
    fn from(error: rusqlite::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<WriteError> for Unsent {
    fn from(error: WriteError) -> Self {
        Self::Other(error.into())
    }
}

/// Whom a mail goes to.
struct Recipient<'a> {
    name: &'a str,
    address: &'a str,
    language: Language,
    /// The address to end such mails, if they can be ended.
    unsubscribe: Option<&'a str>,
}

/// What happens to the count of sent mails if one is not sent.
struct Counted {
    turn: i64,
    address: String,
}

/// Notes those whom a message addresses.
pub(super) async fn await_mail(runner: &Rc<Runner>, job: &Job) -> Done {
    let (Some(_), Some(message)) = (&runner.post, job.message) else { return Ok(Vec::new()) };
    let people = mail::awaited(job.payload.as_deref().unwrap_or_default());
    for people in people.chunks(MOST_AT_ONCE) {
        let times = times(&runner.shared.config);
        runner.writer.write(AwaitMail { message, people: people.to_vec(), times }).await?;
    }
    Ok(Vec::new())
}

/// Sends a mail that somebody asked for.
pub(super) async fn letter(runner: &Rc<Runner>, job: &Job) -> Done {
    let Some(post) = &runner.post else { return Err(Failure::Permanent("mail is switched off".into())) };
    let task = job.payload.as_deref().and_then(|payload| serde_json::from_str(payload).ok());
    let Some(task) = task else {
        return Err(Failure::Permanent("its content is gone: have it sent again".into()));
    };
    match task {
        Task::Reset { email, language } => reset(runner, post, job, &email, language).await,
        Task::Invitation(invitation) => invite(runner, post, job, &invitation).await,
        Task::Test { user } => {
            let Some((person, of)) = reachable(runner, user)? else { return Ok(Vec::new()) };
            let language = language_of(of.as_ref(), Language::En);
            let address = person.email.as_deref().unwrap_or_default();
            let url = runner.shared.config.base_url();
            let words = words::test(language, &runner.reader.account_name()?, &url);
            let to = Recipient { name: &person.name, address, language, unsubscribe: None };
            let sent = send(runner, post, job, &to, &words).await;
            concluded(runner, Some(user), address, sent).await
        }
    }
}

async fn reset(runner: &Rc<Runner>, post: &Post, job: &Job, email: &str, language: Language) -> Done {
    let Some(user) = runner.reader.person_at(email)? else { return Ok(Vec::new()) };
    let Some((person, of)) = reachable(runner, user)? else { return Ok(Vec::new()) };
    let language = language_of(of.as_ref(), language);
    let address = person.email.as_deref().unwrap_or_default();
    let sent = async {
        // Before the link is made, which ends earlier ones.
        let counted = take_turn(runner, address).await?;
        let token = random_token();
        let command =
            StartReset { email: address.to_owned(), token: TokenHash::of(&token), hours: MAILED_HOURS };
        let act = Act {
            actor: None,
            ip_address: None,
            action: "user.mail_reset",
            subject: format!("user {user}"),
            detail: String::new(),
        };
        runner.writer.write(Audited { command, act }).await?;
        let url = format!("{}/reset/{token}", runner.shared.config.base_url());
        let words = words::reset(language, &runner.reader.account_name()?, &url, MAILED_HOURS);
        let to = Recipient { name: &person.name, address, language, unsubscribe: None };
        hand_over(runner, post, job, counted, &to, &words).await
    };
    let sent = sent.await;
    concluded(runner, Some(user), address, sent).await
}

async fn invite(runner: &Rc<Runner>, post: &Post, job: &Job, invitation: &Invitation) -> Done {
    let of = invitation.user.map(|user| runner.reader.mail_of(user)).transpose()?.flatten();
    let language = language_of(of.as_ref(), invitation.language);
    let name = invitation.user.map(|user| runner.reader.user(user)).transpose()?.flatten();
    let name = name.as_ref().map_or("", |user| &*user.name);
    let by = runner.reader.user(invitation.by)?;
    let by = by.as_ref().map(|user| &*user.name);
    let account = runner.reader.account_name()?;
    let words = words::invitation(language, &account, by, &invitation.url, invitation.expires_at);
    let to = Recipient { name, address: &invitation.address, language, unsubscribe: None };
    let sent = send(runner, post, job, &to, &words).await;
    concluded(runner, invitation.user, &invitation.address, sent).await
}

/// Tells somebody of what they have not read, unless they were here or have read it.
pub(super) async fn unread(runner: &Rc<Runner>, job: &Job) -> Done {
    let (Some(post), Some(user)) = (&runner.post, job.target.map(UserId)) else { return Ok(Vec::new()) };
    if runner.ask(move |worker| worker.hub.borrow().is_online(user)).await? {
        runner.writer.write(WasHere { user }).await?;
        return Ok(Vec::new());
    }
    let times = times(&runner.shared.config);
    let found = reachable(runner, user)?;
    // All reads see the same moment: what comes after it is for the next mail.
    let (up_to, shown, count) = {
        let (_moment, seq) = runner.reader.begin()?;
        let (shown, count) = runner.reader.untold(user, MessageId(seq.0), MOST_SHOWN)?;
        (MessageId(seq.0), shown, count)
    };
    let done = |is_sent| Told { user, up_to, is_sent, times };
    let (person, of) = match found {
        Some((person, Some(of))) if count > 0 && of.wish != Some(MailWish::Never) => (person, of),
        _ => {
            runner.writer.write(done(false)).await?;
            return Ok(Vec::new());
        }
    };
    let language = language_of(Some(&of), Language::En);
    let address = person.email.as_deref().unwrap_or_default();
    let base = runner.shared.config.base_url();
    let unsubscribe = format!("{base}/unsubscribe/{}", of.token);
    let addresses = Addresses { base: &base, unsubscribe: &unsubscribe };
    let words = words::unread(language, &runner.reader.account_name()?, &shown, count, &addresses);
    let to = Recipient { name: &person.name, address, language, unsubscribe: Some(&unsubscribe) };
    match send(runner, post, job, &to, &words).await {
        Ok(()) => {
            runner.writer.write(done(true)).await?;
            Ok(Vec::new())
        }
        // Nothing is lost while the relay is away: what is still unread by then is told later.
        Err(Unsent::Relay(fault)) if !fault.is_permanent() && job.attempts >= MAX_ATTEMPTS => {
            tracing::warn!(%fault, "a mail about unread messages is put off");
            runner.writer.write(PutOffMail { user, by_ms: PUT_OFF_MS }).await?;
            Ok(Vec::new())
        }
        Err(Unsent::Relay(fault)) if fault.is_permanent() => {
            runner.writer.write(done(false)).await?;
            Err(Unsent::Relay(fault).into())
        }
        sent => concluded(runner, Some(user), address, sent).await,
    }
}

/// An active person with an address that takes mails, as far as is known, and what is on record of their mail.
fn reachable(runner: &Runner, user: UserId) -> Result<Option<(User, Option<MailOf>)>, Failure> {
    let person = runner.reader.user(user)?.filter(|user| user.is_active() && user.email.is_some());
    let of = runner.reader.mail_of(user)?;
    let is_refused = of.as_ref().is_some_and(|of| of.refusal.is_some());
    Ok(person.filter(|_| !is_refused).map(|person| (person, of)))
}

fn language_of(of: Option<&MailOf>, otherwise: Language) -> Language {
    of.and_then(|of| of.language).unwrap_or(otherwise)
}

/// What follows for the person's address.
async fn concluded(runner: &Runner, user: Option<UserId>, address: &str, sent: Result<(), Unsent>) -> Done {
    if let (Err(Unsent::Address(reason, _)), Some(user)) = (&sent, user) {
        let command = RefuseAddress { user, address: address.to_owned(), reason: reason.clone() };
        runner.writer.write(command).await?;
    }
    sent.map(|()| Vec::new()).map_err(Failure::from)
}

async fn send(
    runner: &Runner,
    post: &Post,
    job: &Job,
    to: &Recipient<'_>,
    words: &Words,
) -> Result<(), Unsent> {
    let counted = take_turn(runner, to.address).await?;
    hand_over(runner, post, job, counted, to, words).await
}

/// Checks the address, and counts a mail to it.
async fn take_turn(runner: &Runner, address: &str) -> Result<Counted, Unsent> {
    let address = checked(address)
        .map_err(|bad| Unsent::Address(bad.0.into(), "the address is not one to send to".into()))?;
    let turn = TakeMailTurn {
        recipient: TokenHash::of(&address.to_lowercase()),
        per_hour: runner.shared.config.mail_per_hour,
        per_recipient: PER_RECIPIENT,
    };
    match runner.writer.write(turn).await? {
        Turn::Now(turn) => Ok(Counted { turn, address }),
        Turn::At(at) => Err(Unsent::Wait((at.0 - Timestamp::now().0).max(1_000))),
    }
}

async fn hand_over(
    runner: &Runner,
    post: &Post,
    job: &Job,
    Counted { turn, address }: Counted,
    to: &Recipient<'_>,
    words: &Words,
) -> Result<(), Unsent> {
    let account = runner.reader.account_name()?;
    let host = post.from.address.rsplit_once('@').map_or("localhost", |(_, host)| host);
    let id = format!("{}@{host}", job.key);
    let letter = Letter {
        from: (post.from.name.as_deref().unwrap_or(&account), &post.from.address),
        to: (to.name, &address),
        subject: &words.subject,
        text: &words.text,
        html: &words.html,
        id: &id,
        language: to.language.into_str(),
        unsubscribe: to.unsubscribe,
    };
    let bytes = letter
        .bytes()
        .map_err(|bad| Unsent::Address(bad.0.into(), "the address is not one to send to".into()))?;
    let Err(fault) = post.mailer.send(&post.from.address, &address, &bytes).await else {
        tracing::debug!(job = job.id.0, "a mail was handed over");
        return Ok(());
    };
    if fault.step != Step::Content {
        // It was certainly not sent.
        runner.writer.write(GiveMailBack(turn)).await?;
    }
    if fault.is_of_recipient() {
        let reason = match &fault.why {
            Why::Answered(answer) => format!("{} {}", answer.code, answer.said()),
            Why::Unable(why) => (*why).to_owned(),
            Why::Failed(_) | Why::Timeout => String::new(),
        };
        return Err(Unsent::Address(reason, fault.to_string()));
    }
    Err(Unsent::Relay(fault))
}
