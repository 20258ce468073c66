//! Signing in by an identity provider, and the accounts of people there.

use hyper::{
    Method, StatusCode,
    header::{self, HeaderValue},
};
use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::{
    request::{COOKIE, Call, cookie},
    response::Reply,
    router::{Response, ResponseFuture},
    session::session_cookie,
};
use crate::{
    chat::{
        Admin, Viewer, check_address,
        passwords::check_passwords,
        people,
        providers::{self, Answer, Back, Departing, Refused},
    },
    outbound::oidc::Provider,
    store::Identity,
    types::{User, UserId},
    wire::Problem,
    worker::{Worker, departures::MAX_AWAY},
};

/// Binds a sign-in to the browser that began it. It comes along on the way back, a navigation from another site.
const BROWSER_COOKIE: &str = "campfire_provider";

/// Where linking ends.
const LINKED: &str = "/settings/profile";

/// Characters of an address of this server where somebody wants to go.
const MAX_PATH: usize = 2_000;

/// A path of this server where somebody wants to go, or `/`. Nothing that a browser would take for another host.
fn path_here(wanted: Option<&str>) -> String {
    let is_here = |path: &&str| {
        path.len() <= MAX_PATH
            && path.starts_with('/')
            && !path[1..].starts_with(['/', '\\'])
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && !path.starts_with("/signin")
    };
    wanted.filter(is_here).unwrap_or("/").to_owned()
}

/// How people sign in, for the page; None where they do by passwords alone.
pub(crate) fn ways(worker: &Worker) -> Option<Value> {
    let config = worker.config();
    // The database is asked only where passwords are switched off.
    let administrators = || config.password_sign_in || check_passwords(worker, true).is_ok();
    (!config.oidc.is_empty()).then(|| {
        json!({
            "password": config.password_sign_in,
            "password_of_administrators": administrators(),
            "providers": buttons(worker),
        })
    })
}

fn buttons(worker: &Worker) -> Vec<Value> {
    let button = |provider: &Provider| json!({ "id": provider.id, "name": provider.label() });
    worker.config().oidc.iter().map(button).collect()
}

fn browser_cookie(call: &Call, value: &str, max_age: u64) -> HeaderValue {
    let secure = if call.is_secure() { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{BROWSER_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}"
    ))
    .expect("a token is printable")
}

fn departing(call: &Call, to: String) -> Result<Departing, Problem> {
    let place = providers::place_of(&call.worker, &call.param(0))?;
    Ok(Departing {
        provider: place,
        redirect_uri: call.worker.config().oidc[place].redirect_uri(&base_url(call)),
        to,
        browser: cookie(&call.headers, BROWSER_COOKIE).map(str::to_owned),
        address: call.address,
    })
}

/// The address of this server that is registered at the provider. The host of a request counts only where none is configured.
fn base_url(call: &Call) -> String {
    let config = call.worker.config();
    if config.public_url.is_some() || config.domain.is_empty() {
        return call.base_url();
    }
    let host = call.headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    match config.domain.iter().any(|domain| domain == name) {
        true => call.base_url(),
        false => config.base_url(),
    }
}

/// Leads to the provider.
pub(crate) fn begin(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let to = path_here(call.query().text("to"));
        let departing = departing(&call, to)?;
        if call.method == Method::HEAD {
            return Ok(Reply::no_content());
        }
        check_address(&call.worker, call.address)?;
        match providers::begin(&call.worker, departing, None).await {
            Ok((url, browser)) => {
                Ok(leading(&url)?
                    .with(header::SET_COOKIE, browser_cookie(&call, &browser, MAX_AWAY.as_secs())))
            }
            Err(refused) => leading(&refusal(&call, &refused)),
        }
    })
}

/// A redirect that tells the next server nothing of the address that led there.
fn leading(url: &str) -> Response {
    Ok(Reply::redirect(url)?.with(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
}

/// The page that says why somebody is not signed in. It has the sentence, in the reader's language.
fn refusal(call: &Call, refused: &Refused) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("refused", refused.code).append_pair("provider", &call.param(0));
    if let Some(word) = &refused.word {
        query.append_pair("word", word);
    }
    if !refused.is_link && refused.to != "/" {
        query.append_pair("to", &refused.to);
    }
    format!("{}?{}", if refused.is_link { LINKED } else { "/signin" }, query.finish())
}

/// Where the provider leads back to.
pub(crate) fn finish(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let place = providers::place_of(&call.worker, &call.param(0))?;
        if call.method == Method::HEAD {
            return Ok(Reply::no_content());
        }
        check_address(&call.worker, call.address)?;
        let query = call.query();
        let text = |name: &str| query.text(name).map(str::to_owned);
        let answer = Answer {
            state: text("state").unwrap_or_default(),
            code: text("code"),
            error: text("error"),
            issuer: text("iss"),
        };
        let browser = cookie(&call.headers, BROWSER_COOKIE).unwrap_or_default();
        match providers::finish(&call.worker, &call.device(), place, answer, browser).await {
            Ok((Back::SignedIn((_, token)), to)) => Ok(leading(&to)?
                .with(header::SET_COOKIE, session_cookie(&call, &token))
                .with(header::SET_COOKIE, browser_cookie(&call, "", 0))),
            Ok((Back::Linked, to)) => leading(&to),
            Err(refused) => leading(&refusal(&call, &refused)),
        }
    })
}

/// Begins to link an account at a provider. The page leads to the address.
pub(crate) fn link(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        providers::check_may_link(&viewer)?;
        // The provider leads a browser back, which has to be the one that is signed in.
        if cookie(&call.headers, COOKIE).is_none() {
            return Err(Problem::forbidden("Accounts are linked in a browser that is signed in."));
        }
        let departing = departing(&call, LINKED.to_owned())?;
        match providers::begin(&call.worker, departing, Some(&viewer)).await {
            Ok((url, browser)) => Ok(Reply::written(StatusCode::CREATED, &json!({ "url": url }))
                .with(header::SET_COOKIE, browser_cookie(&call, &browser, MAX_AWAY.as_secs()))),
            Err(refused) => {
                Ok(Reply::written(StatusCode::CREATED, &json!({ "url": refusal(&call, &refused) })))
            }
        }
    })
}

#[derive(Serialize)]
struct Linked {
    #[serde(flatten)]
    identity: Identity,
    provider_name: String,
}

fn linked(worker: &Worker, user: UserId) -> Result<Vec<Linked>, Problem> {
    let named = |identity: Identity| {
        let known = worker.config().oidc.iter().find(|provider| provider.id == identity.provider);
        let provider_name = known.map_or(&*identity.provider, Provider::label).to_owned();
        Linked { identity, provider_name }
    };
    Ok(providers::identities(worker, user)?.into_iter().map(named).collect())
}

/// The viewer's accounts at providers, and the providers that there are.
pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    let has_password = call.worker.reader.password_hash(viewer.user)?.is_some();
    Ok(Reply::json(&json!({
        "identities": linked(&call.worker, viewer.user)?,
        "providers": buttons(&call.worker),
        "has_password": has_password,
    })))
}

pub(crate) fn unlink(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        providers::unlink(&call.worker, &viewer, call.id(0)?).await?;
        Ok(Reply::no_content())
    })
}

fn found(call: &Call, admin: &Admin) -> Result<User, Problem> {
    people::find(&call.worker, &admin.0, UserId(call.id(0)?))
}

/// The same of somebody, for administrators.
pub(crate) fn list_of(call: &Call, admin: &Admin) -> Response {
    let user = found(call, admin)?;
    let has_password = call.worker.reader.password_hash(user.id)?.is_some();
    Ok(Reply::json(&json!({ "identities": linked(&call.worker, user.id)?, "has_password": has_password })))
}

pub(crate) fn unlink_of(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        providers::unlink_of(&call.worker, &admin, &found(&call, &admin)?, call.id(1)?).await?;
        Ok(Reply::no_content())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_this_server_only() {
        for path in ["/", "/rooms/5?at=3", "/search?q=%C3%BC"] {
            assert_eq!(path_here(Some(path)), path);
        }
        let long = format!("/{}", "a".repeat(MAX_PATH));
        for path in [
            "",
            "rooms",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/a\\b",
            "/\t/evil",
            "/signin",
            "/\u{fc}",
            &long,
        ] {
            assert_eq!(path_here(Some(path)), "/", "{path:?}");
        }
        assert_eq!(path_here(None), "/");
    }
}
