//! Signing in by an identity provider (OpenID Connect), and linking accounts there.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use url::Host;

use super::{
    Admin, NAME_LENGTH, Viewer,
    passwords::check_passwords,
    sessions::{Device, SignedIn, check_may_make_secrets},
};
use crate::{
    outbound::oidc::{Fault, Person, Provider, Returned, Start, error_word},
    store::{
        Act, Arrival, Audited, Identity, LinkIdentity, NotLetIn, NoteAct, RecordFailedSignIn, Refusal,
        SignInByProvider, UnlinkIdentity, WriteError,
    },
    text::line_fault,
    types::{SignInMethod, TokenHash, User, UserId, random_token},
    wire::{Problem, looks_like_email},
    worker::{Worker, departures::Departure},
};

/// Characters of a secret made by `random_token`.
const TOKEN_LENGTH: usize = 43;

/// How long signing out waits for the provider's address. Without it, it ends here.
const SIGN_OUT_WITHIN: Duration = Duration::from_secs(3);

/// Why a sign-in by a provider failed: a code for the page, which has the sentences.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    /// The provider's word, if it refused.
    pub(crate) word: Option<String>,
    /// Where it began: the page where they wanted to go.
    pub(crate) to: String,
    /// Whether it was to link an account.
    pub(crate) is_link: bool,
}

impl Refused {
    fn new(code: &'static str) -> Self {
        Self { code, word: None, to: "/".to_owned(), is_link: false }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unreachable(_) => Self::new("unreachable"),
            Fault::Answered(word) => Self { word: Some(word), ..Self::new("answered") },
            Fault::Untrusted(_) => Self::new("untrusted"),
            Fault::Unfit(_) => Self::new("unfit"),
            Fault::Busy => Self::new("busy"),
        }
    }
}

impl From<NotLetIn> for Refused {
    fn from(why: NotLetIn) -> Self {
        Self::new(match why {
            NotLetIn::Out => "out",
            NotLetIn::Unverified => "unverified",
            NotLetIn::Reassigned => "reassigned",
            NotLetIn::NoEmail => "no_email",
            NotLetIn::Domain => "domain",
            NotLetIn::Group => "group",
            NotLetIn::NoAccount => "no_account",
        })
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        Self::new(match error {
            WriteError::Refused(Refusal::NotFound) => "expired",
            WriteError::Refused(Refusal::Conflict(_)) => "taken",
            _ => "busy",
        })
    }
}

/// The place of a provider in the settings; 404 for an unknown one.
pub(crate) fn place_of(worker: &Worker, id: &str) -> Result<usize, Problem> {
    worker.config().oidc.iter().position(|provider| provider.id == id).ok_or_else(Problem::not_found)
}

/// A sign-in that is about to begin.
pub(crate) struct Departing {
    /// The place of the provider in the settings.
    pub(crate) provider: usize,
    pub(crate) redirect_uri: String,
    pub(crate) to: String,
    /// The cookie of the browser, if it has one.
    pub(crate) browser: Option<String>,
    pub(crate) address: IpAddr,
}

/// Begins a sign-in, or with a viewer the linking of an account. Returns the address at the provider and the cookie.
pub(crate) async fn begin(
    worker: &Worker,
    departing: Departing,
    link: Option<&Viewer>,
) -> Result<(String, String), Refused> {
    let Departing { provider: place, redirect_uri, to, browser, address } = departing;
    let provider = &worker.config().oidc[place];
    if worker.state.borrow().account.is_none() {
        return Err(Refused { to, ..Refused::new("not_set_up") });
    }
    let begun = async {
        let handle = worker.shared.providers.as_ref().ok_or(Fault::Busy)?;
        if worker.shared.limits.begin_at_provider(address).is_err() {
            return Err(Fault::Busy);
        }
        let (state, nonce, verifier) = (random_token(), random_token(), random_token());
        let (sent, hash) = ((redirect_uri.clone(), nonce.clone(), verifier.clone()), TokenHash::of(&state));
        let url = handle.ask(place, async move |client| {
            let (redirect_uri, nonce, verifier) = &sent;
            client.start(&Start { redirect_uri, state: &state, nonce, verifier }).await
        });
        let url = url.await?;
        // The same for several windows, so that each can come back.
        let browser = browser.filter(|cookie| cookie.len() == TOKEN_LENGTH).unwrap_or_else(random_token);
        let departure = Departure {
            provider: place,
            browser: TokenHash::of(&browser),
            nonce,
            verifier,
            redirect_uri,
            to: to.clone(),
            link: link.map(|viewer| (viewer.user, viewer.session)),
        };
        worker.shared.departures.add(hash, departure, Instant::now());
        Ok((url, browser))
    };
    begun.await.map_err(|fault| {
        tracing::warn!(provider = provider.id, %fault, "a sign-in by an identity provider did not begin");
        Refused { to, is_link: link.is_some(), ..fault.into() }
    })
}

/// The parameters with which a browser comes back.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) state: String,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) issuer: Option<String>,
}

/// Somebody who is back.
pub(crate) enum Back {
    SignedIn(SignedIn),
    Linked,
}

/// Ends what [`begin`] has begun. Returns where they wanted to go.
pub(crate) async fn finish(
    worker: &Worker,
    device: &Device<'_>,
    place: usize,
    answer: Answer,
    browser: &str,
) -> Result<(Back, String), Refused> {
    let provider = &worker.config().oidc[place];
    let departure = worker
        .shared
        .departures
        .take(&TokenHash::of(&answer.state), &TokenHash::of(browser), Instant::now())
        .filter(|departure| departure.provider == place)
        .ok_or_else(|| {
            tracing::info!(
                provider = provider.id,
                "an answer of an identity provider belongs to no sign-in of this browser"
            );
            Refused::new("expired")
        })?;
    let (to, is_link) = (departure.to.clone(), departure.link.is_some());
    match arrive(worker, device, provider, departure, answer, place).await {
        Ok(back) => Ok((back, to)),
        Err(refused) => Err(Refused { to, is_link, ..refused }),
    }
}

async fn arrive(
    worker: &Worker,
    device: &Device<'_>,
    provider: &Provider,
    departure: Departure,
    answer: Answer,
    place: usize,
) -> Result<Back, Refused> {
    let link = departure.link;
    let person = redeem(worker, departure, answer, place).await.map_err(|fault| {
        tracing::warn!(provider = provider.id, %fault, "a sign-in by an identity provider failed");
        fault
    })?;
    let email = person.email.as_ref().filter(|email| {
        let address = &email.address;
        address.len() <= 254 && looks_like_email(address) && line_fault(address).is_none()
    });
    let arrival = Arrival {
        provider: provider.id.clone(),
        issuer: person.issuer.clone(),
        subject: person.subject.clone(),
        email: email.map(|email| email.address.clone()),
        is_verified: email.is_some_and(|email| email.is_verified),
        ip_address: device.address.to_string(),
    };
    let newcomers = admitted(provider, &person, &arrival);
    // What the provider does not say keeps strangers out, and nobody who was let in before.
    let newcomers = match newcomers {
        Err((why, true)) => return Err(turned_away(worker, device, provider, why).await),
        Err((why, false)) => Err(why),
        Ok(()) => Ok(()),
    };
    if let Some((user, session)) = link {
        worker.writer.write(LinkIdentity { arrival, user, session }).await?;
        return Ok(Back::Linked);
    }
    let (token, session) = device.new_session();
    let command = SignInByProvider {
        arrival,
        name: name_of(&person),
        newcomers,
        may_make: provider.new_accounts,
        is_admin: provider.admin_group.as_deref().and_then(|group| person.is_in(group)),
        session,
    };
    let (user, done) = match worker.writer.write(command).await? {
        Ok(entered) => entered,
        Err(why) => return Err(turned_away(worker, device, provider, why).await),
    };
    tracing::info!(provider = provider.id, user = user.0, ?done, "signed in by an identity provider");
    Ok(Back::SignedIn((user, token)))
}

/// Notes in the log and in the audit log that somebody is not let in whom the provider knows. What comes before that anybody can
/// cause, and is in the log only.
async fn turned_away(worker: &Worker, device: &Device<'_>, provider: &Provider, why: NotLetIn) -> Refused {
    let refused = Refused::from(why);
    tracing::warn!(
        provider = provider.id,
        why = refused.code,
        "somebody whom a provider knows is not let in"
    );
    let act = Act {
        actor: None,
        ip_address: Some(device.address.to_string()),
        action: "user.sign_in_failed",
        subject: format!("provider {}", provider.id),
        detail: refused.code.to_owned(),
    };
    let (address, method) = (device.address, SignInMethod::Provider);
    worker.writer.submit_later(RecordFailedSignIn { user: None, address, method });
    if let Err(error) = worker.writer.write(NoteAct(act)).await {
        tracing::warn!(?error, "could not write to the audit log");
    }
    refused
}

async fn redeem(
    worker: &Worker,
    departure: Departure,
    answer: Answer,
    place: usize,
) -> Result<Person, Fault> {
    if let Some(error) = &answer.error {
        return Err(Fault::Answered(error_word(error)));
    }
    let Some(code) = answer.code.filter(|code| !code.is_empty()) else {
        return Err(Fault::Untrusted("there is no code in it".into()));
    };
    let handle = worker.shared.providers.as_ref().ok_or(Fault::Busy)?;
    let Departure { nonce, verifier, redirect_uri, .. } = departure;
    let returned = Returned { code, issuer: answer.issuer, redirect_uri, nonce, verifier };
    handle.ask(place, async move |client| client.redeem(&returned).await).await
}

/// Whether the settings let somebody in. An error says whether the provider has said so, or has said nothing about it.
fn admitted(provider: &Provider, person: &Person, arrival: &Arrival) -> Result<(), (NotLetIn, bool)> {
    if !provider.allowed_domains.is_empty() {
        match &arrival.email {
            None => return Err((NotLetIn::NoEmail, false)),
            Some(_) if !arrival.is_verified => return Err((NotLetIn::Unverified, false)),
            Some(address) => {
                let domain = address.rsplit('@').next().unwrap_or_default();
                let is_allowed = match Host::parse(domain) {
                    Ok(Host::Domain(domain)) => provider.allowed_domains.contains(&domain),
                    _ => false,
                };
                if !is_allowed {
                    return Err((NotLetIn::Domain, true));
                }
            }
        }
    }
    if provider.allowed_groups.is_empty()
        || provider.allowed_groups.iter().any(|it| person.is_in(it) == Some(true))
    {
        return Ok(());
    }
    Err((NotLetIn::Group, person.groups.is_some()))
}

/// The first of their names that can be shown; cut where it is too long.
fn name_of(person: &Person) -> String {
    let cut =
        |name: &String| name.trim().chars().take(*NAME_LENGTH.end()).collect::<String>().trim().to_owned();
    let mut names = person.names.iter().map(cut);
    names.find(|name| line_fault(name).is_none()).unwrap_or_else(|| "?".to_owned())
}

/// Where signing out goes on at the provider by which a session was started; None if it ends here.
pub(crate) async fn sign_out_url(worker: &Worker, viewer: &Viewer, return_to: String) -> Option<String> {
    let handle = worker.shared.providers.as_ref()?;
    let (id, _) = worker.reader.provider_of(viewer.session).ok()??;
    let place = place_of(worker, &id).ok().filter(|place| worker.config().oidc[*place].sign_out)?;
    let asked = handle.ask(place, async move |client| client.sign_out(&return_to).await);
    tokio::time::timeout(SIGN_OUT_WITHIN, asked).await.ok()?.ok()?
}

/// The accounts of a person at providers.
pub(crate) fn identities(worker: &Worker, user: UserId) -> Result<Vec<Identity>, Problem> {
    Ok(worker.reader.identities(user)?)
}

/// 403 unless by a device: an account that is linked opens sessions, as a link does.
pub(crate) fn check_may_link(viewer: &Viewer) -> Result<(), Problem> {
    check_may_make_secrets(viewer)
}

/// Unlinks an account of the viewer. 409 if it is their only way in.
pub(crate) async fn unlink(worker: &Worker, viewer: &Viewer, identity: i64) -> Result<(), Problem> {
    check_may_link(viewer)?;
    let has_passwords = check_passwords(worker, viewer.is_admin).is_ok();
    let command = UnlinkIdentity {
        user: viewer.user,
        identity,
        session: Some(viewer.session),
        may_lock_out: false,
        has_passwords,
    };
    let act = viewer.act("user.unlink", format_args!("user {}", viewer.user));
    Ok(worker.writer.write(Audited { command, act }).await?)
}

/// Unlinks an account of somebody, whatever their status: the next one who signs in by it is a stranger.
pub(crate) async fn unlink_of(
    worker: &Worker,
    admin: &Admin,
    user: &User,
    identity: i64,
) -> Result<(), Problem> {
    let session = (admin.0.user == user.id).then_some(admin.0.session);
    let command = UnlinkIdentity {
        user: user.id,
        identity,
        session,
        may_lock_out: admin.0.user != user.id,
        has_passwords: check_passwords(worker, user.is_admin()).is_ok(),
    };
    let act = admin.act("user.unlink", format_args!("user {}", user.id));
    Ok(worker.writer.write(Audited { command, act }).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::oidc::Email;

    fn person(address: Option<(&str, bool)>, groups: Option<&[&str]>) -> Person {
        Person {
            issuer: "https://id.example".into(),
            subject: "s".into(),
            email: address.map(|(address, is_verified)| Email { address: address.into(), is_verified }),
            names: vec!["\u{202E}x".into(), format!(" {} ", "a".repeat(120)), "b".into()],
            groups: groups.map(|groups| groups.iter().map(|it| (*it).to_owned()).collect()),
        }
    }

    fn asked(domains: &[&str], groups: &[&str], person: &Person) -> Result<(), (NotLetIn, bool)> {
        let own = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        let provider =
            Provider { allowed_domains: own(domains), allowed_groups: own(groups), ..Provider::new("main") };
        let arrival = Arrival {
            provider: String::new(),
            issuer: String::new(),
            subject: String::new(),
            email: person.email.as_ref().map(|email| email.address.clone()),
            is_verified: person.email.as_ref().is_some_and(|email| email.is_verified),
            ip_address: String::new(),
        };
        admitted(&provider, person, &arrival)
    }

    #[test]
    fn domains_and_groups_both_have_to_fit_and_what_is_unknown_is_no_refusal() {
        let of = |address| person(Some((address, true)), Some(&["/staff", "/team/admins"]));
        assert_eq!(asked(&[], &[], &person(None, None)), Ok(()));
        assert_eq!(asked(&["a.example"], &[], &of("x@A.Example")), Ok(()));
        assert_eq!(asked(&["xn--bro-hoa.example"], &["staff"], &of("x@b\u{fc}ro.example")), Ok(()));
        for other in ["x@b.example", "x@sub.a.example", "x@a.example.org", "a.example@b.example"] {
            assert_eq!(asked(&["a.example"], &[], &of(other)), Err((NotLetIn::Domain, true)), "{other}");
        }
        assert_eq!(asked(&["a.example"], &["admins"], &of("x@a.example")), Err((NotLetIn::Group, true)));
        let unverified = person(Some(("x@a.example", false)), None);
        assert_eq!(asked(&["a.example"], &[], &unverified), Err((NotLetIn::Unverified, false)));
        assert_eq!(asked(&["a.example"], &[], &person(None, None)), Err((NotLetIn::NoEmail, false)));
        assert_eq!(asked(&[], &["staff"], &unverified), Err((NotLetIn::Group, false)));
    }

    #[test]
    fn name_is_the_first_that_can_be_shown() {
        assert_eq!(name_of(&person(None, None)), "a".repeat(100));
    }
}
