//! The client of one provider: discovery and keys, which it keeps, the code that it redeems, and signing out.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use hyper::{
    Method, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::{
    Fault, Person, Provider, claims,
    discovery::{self, Document},
    error_word,
    id_token::{self, Claims, Expected, Token},
    keys::{Checked, Keys},
};
use crate::outbound::{Answer, Call, CallError, Outside, Redirects, Scope, backoff};

/// For finding, connecting and shaking hands, and for all of a call.
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(10);

/// Bytes of an answer. Tokens of people in a thousand groups have some 100 KB.
const MAX_ANSWER: usize = 512 << 10;

/// How long a discovery document is used before it is fetched again.
const DOCUMENT_AGE: Duration = Duration::from_secs(3600);

/// Keys are fetched again for an unknown one, but no more often than that: whoever forges tokens would have us call the
/// provider all the time.
const KEYS_AGAIN: Duration = Duration::from_secs(60);

/// A provider that was not reached, or whose document or keys are wrong, is left alone for so long, tripled with each
/// failure, up to a bound.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// A sign-in that begins.
#[derive(Debug)]
pub struct Start<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    /// The secret of PKCE (RFC 7636), of which the provider gets the hash.
    pub verifier: &'a str,
}

/// What came back by the browser, with what was kept here.
#[derive(Debug)]
pub struct Returned {
    pub code: String,
    /// RFC 9207.
    pub issuer: Option<String>,
    pub redirect_uri: String,
    pub nonce: String,
    pub verifier: String,
}

#[derive(Default)]
struct Known {
    document: Option<(Arc<Document>, Instant)>,
    keys: Keys,
    /// When the keys were last fetched for an unknown one.
    looked_again: Option<Instant>,
    failures: u32,
    /// The provider is not called before.
    wait_until: Option<Instant>,
    last_failure: Option<Fault>,
}

impl Known {
    /// Fails while the provider is left alone.
    fn check_wait(&self) -> Result<(), Fault> {
        match (self.wait_until, &self.last_failure) {
            (Some(until), Some(fault)) if Instant::now() < until => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    fn note<T>(&mut self, outcome: &Result<T, Fault>) {
        self.last_failure = outcome.as_ref().err().cloned();
        self.failures = if self.last_failure.is_some() { self.failures + 1 } else { 0 };
        let delay = backoff::delay(FIRST_DELAY, self.failures).min(MAX_DELAY);
        self.wait_until = self.last_failure.is_some().then(|| Instant::now() + delay);
    }
}

pub struct Client {
    provider: Provider,
    outside: Arc<Outside>,
    total: Duration,
    /// Locked during a fetch, so that many who sign in at once fetch once.
    known: Mutex<Known>,
}

impl Client {
    pub fn new(provider: Provider, outside: Arc<Outside>) -> Self {
        Self { provider, outside, total: TOTAL, known: Mutex::default() }
    }

    #[cfg(test)]
    pub(super) fn patient_for(self, total: Duration) -> Self {
        Self { total, ..self }
    }

    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The discovery document. An old one is used on while the provider is away.
    pub async fn document(&self) -> Result<Arc<Document>, Fault> {
        let mut known = self.known.lock().await;
        let old = known.document.as_ref().map(|(document, since)| (Arc::clone(document), since.elapsed()));
        if let Some((document, age)) = &old
            && *age < DOCUMENT_AGE
        {
            return Ok(Arc::clone(document));
        }
        let fetched = match known.check_wait() {
            Ok(()) => {
                let fetched = self.fetch_document().await;
                known.note(&fetched);
                fetched
            }
            Err(fault) => Err(fault),
        };
        match (fetched, old) {
            (Ok(document), _) => {
                let document = Arc::new(document);
                known.document = Some((Arc::clone(&document), Instant::now()));
                Ok(document)
            }
            (Err(Fault::Unreachable(_)), Some((document, _))) => Ok(document),
            (Err(fault), _) => Err(fault),
        }
    }

    async fn fetch_document(&self) -> Result<Document, Fault> {
        let issuer = &self.provider.issuer;
        let answer = self.get(&discovery::location(issuer), None, Redirects::SameHost(3)).await?;
        if answer.status != StatusCode::OK {
            return Err(unexpected(&answer, "its discovery address"));
        }
        Document::parse(&answer.body, issuer)
    }

    async fn fetch_keys(&self, known: &mut Known, document: &Document) -> Result<(), Fault> {
        known.check_wait()?;
        let fetched = async {
            let answer = self.get(&document.jwks_uri, None, Redirects::SameHost(3)).await?;
            if answer.status != StatusCode::OK {
                return Err(unexpected(&answer, "its jwks_uri"));
            }
            Ok(answer.body)
        };
        let body = fetched.await;
        let taken = body.and_then(|body| known.keys.take_in(&body, Instant::now()));
        known.note(&taken);
        taken
    }

    /// The keys by which it signs, described for the operator.
    pub async fn describe_keys(&self) -> Result<String, Fault> {
        let document = self.document().await?;
        let mut known = self.known.lock().await;
        self.fetch_keys(&mut known, &document).await?;
        Ok(known.keys.describe())
    }

    /// The address at the provider where a sign-in begins.
    pub async fn start(&self, start: &Start<'_>) -> Result<String, Fault> {
        let document = self.document().await?;
        let mut url = parsed(&document.authorization_endpoint)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(start.verifier));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.provider.client_id)
            .append_pair("redirect_uri", start.redirect_uri)
            .append_pair("scope", &self.provider.scopes.join(" "))
            .append_pair("state", start.state)
            .append_pair("nonce", start.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Redeems a code. Returns who has signed in, once everything about them is checked.
    pub async fn redeem(&self, returned: &Returned) -> Result<Person, Fault> {
        let document = self.document().await?;
        self.check_issuer(&document, returned.issuer.as_deref())?;
        let answer = self.ask_for_token(&document, returned).await?;
        let tokens = tokens(&answer)?;
        let text = |name: &str| tokens.get(name).and_then(Value::as_str);
        let Some(id_token) = text("id_token") else {
            return Err(Fault::Unfit(
                "it sends no ID token; the scope openid has to be allowed for this client there".into(),
            ));
        };
        let token = Token::parse(id_token)?;
        self.check_signature(&document, &token).await?;
        let claims = token.claims()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let expected = Expected {
            issuer: &document.issuer,
            client_id: &self.provider.client_id,
            nonce: &returned.nonce,
            now,
        };
        let subject = id_token::check(&claims, &expected)?;
        let claims = match (&document.userinfo_endpoint, text("access_token")) {
            (Some(endpoint), Some(token)) if claims::are_incomplete(&claims, &self.provider) => {
                claims::overlaid(claims, self.userinfo(endpoint, token).await?)?
            }
            _ => claims,
        };
        Ok(claims::person(&self.provider, &document.issuer, subject, &claims))
    }

    /// A provider that says so names itself in each callback: an answer of another one is not taken for its own (RFC 9207).
    fn check_issuer(&self, document: &Document, named: Option<&str>) -> Result<(), Fault> {
        match named {
            Some(issuer) if issuer == document.issuer => Ok(()),
            Some(_) => Err(Fault::Untrusted("another provider has answered (iss)".into())),
            None if document.authorization_response_iss_parameter_supported => Err(Fault::Untrusted(
                "it does not name itself in its answer, and says that it does (iss)".into(),
            )),
            None => Ok(()),
        }
    }

    /// The token request with a secret that may be wrong. A made-up code tells: who is refused for the code has the right
    /// secret. Returns the provider's word.
    pub async fn try_secret(&self, redirect_uri: &str) -> Result<String, Fault> {
        let document = self.document().await?;
        let returned = Returned {
            code: "made-up-by-campfire-doctor".into(),
            issuer: None,
            redirect_uri: redirect_uri.to_owned(),
            nonce: String::new(),
            verifier: URL_SAFE_NO_PAD.encode([0; 32]),
        };
        let answer = self.ask_for_token(&document, &returned).await?;
        match tokens(&answer) {
            Err(Fault::Answered(word)) => Ok(word),
            Err(fault) => Err(fault),
            Ok(_) => Err(Fault::Untrusted("it takes a code that it has never given out".into())),
        }
    }

    async fn ask_for_token(&self, document: &Document, returned: &Returned) -> Result<Answer, Fault> {
        let secret = self.provider.secret.0.as_deref();
        let method = document.auth_method(secret)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", &returned.code)
            .append_pair("redirect_uri", &returned.redirect_uri)
            .append_pair("code_verifier", &returned.verifier);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = vec![(header::CONTENT_TYPE, kind)];
        let client_id = &self.provider.client_id;
        match (method, secret) {
            (discovery::BASIC, Some(secret)) => {
                // Encoded as in a form first (RFC 6749, section 2.3.1).
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(client_id), encoded(secret));
                headers.push(authorization(&format!("Basic {}", STANDARD.encode(pair))));
            }
            (discovery::POST, Some(secret)) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
            _ => {
                form.append_pair("client_id", client_id);
            }
        }
        let body = form.finish().into();
        self.call(Method::POST, &document.token_endpoint, headers, body, Redirects::Refuse).await
    }

    async fn check_signature(&self, document: &Document, token: &Token<'_>) -> Result<(), Fault> {
        let mut known = self.known.lock().await;
        if known.keys.is_empty() {
            self.fetch_keys(&mut known, document).await?;
        }
        let check = |known: &Known| {
            known.keys.check(token.algorithm, token.kid.as_deref(), token.message, &token.signature)
        };
        let mut checked = check(&known);
        let may_look = known.looked_again.is_none_or(|at| at.elapsed() >= KEYS_AGAIN);
        if checked == Checked::UnknownKey && may_look {
            known.looked_again = Some(Instant::now());
            self.fetch_keys(&mut known, document).await?;
            checked = check(&known);
        }
        match checked {
            Checked::Good => Ok(()),
            Checked::Forged => Err(Fault::Untrusted("the signature of its ID token is wrong".into())),
            Checked::UnknownKey => {
                Err(Fault::Untrusted("its ID token is signed by a key that it does not list".into()))
            }
        }
    }

    async fn userinfo(&self, endpoint: &str, token: &str) -> Result<Claims, Fault> {
        let bearer = authorization(&format!("Bearer {token}"));
        let answer = self.get(endpoint, Some(bearer), Redirects::Refuse).await?;
        if answer.status != StatusCode::OK {
            return Err(unexpected(&answer, "its userinfo endpoint"));
        }
        if answer.content_type().starts_with("application/jwt") {
            return Err(Fault::Unfit("its userinfo is signed; switch that off for this client there".into()));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| Fault::Unreachable("what it answers at its userinfo endpoint is no JSON".into()))
    }

    /// The address at the provider where signing out goes on; None if it has none. It asks the person for confirmation, since
    /// no ID token is kept here that could be shown to it.
    pub async fn sign_out(&self, return_to: &str) -> Result<Option<String>, Fault> {
        let document = self.document().await?;
        let Some(endpoint) = &document.end_session_endpoint else { return Ok(None) };
        let mut url = parsed(endpoint)?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.provider.client_id)
            .append_pair("post_logout_redirect_uri", return_to);
        Ok(Some(url.into()))
    }

    async fn get(
        &self,
        url: &str,
        header: Option<(HeaderName, HeaderValue)>,
        redirects: Redirects,
    ) -> Result<Answer, Fault> {
        self.call(Method::GET, url, header.into_iter().collect(), Bytes::new(), redirects).await
    }

    async fn call(
        &self,
        method: Method,
        url: &str,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
        redirects: Redirects,
    ) -> Result<Answer, Fault> {
        headers.push((header::ACCEPT, HeaderValue::from_static("application/json")));
        let call = Call {
            method,
            url: url.to_owned(),
            headers,
            body,
            scope: self.scope(url),
            redirects,
            connect: CONNECT,
            total: self.total,
            max_body: MAX_ANSWER,
        };
        let answer = self.outside.call(&call).await.map_err(|error| match error {
            CallError::Refused(why) => Fault::Unreachable(why.to_owned()),
            error => Fault::Unreachable(error.to_string()),
        })?;
        if answer.truncated {
            return Err(Fault::Unreachable(format!("it answers more than {} KB", MAX_ANSWER >> 10)));
        }
        if answer.content_type().starts_with("text/html") {
            let status = answer.status.as_u16();
            return Err(Fault::Unreachable(format!(
                "an HTML page came instead of its answer, with status {status}"
            )));
        }
        Ok(answer)
    }

    /// The operator chose the host of the issuer, which may well be in a private network. Other hosts that the provider names
    /// may be there only if `outgoing_allow` says so.
    fn scope(&self, url: &str) -> Scope {
        let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host(url) == host(&self.provider.issuer) { Scope::Anywhere } else { Scope::Public }
    }
}

fn parsed(url: &str) -> Result<Url, Fault> {
    Url::parse(url).map_err(|_| Fault::Untrusted("an address in its discovery document is none".into()))
}

fn authorization(value: &str) -> (HeaderName, HeaderValue) {
    // A token that cannot stand in a header is no token: the provider will say so.
    let mut value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    (header::AUTHORIZATION, value)
}

fn unexpected(answer: &Answer, place: &str) -> Fault {
    Fault::Unreachable(format!("{place} answers with status {}", answer.status.as_u16()))
}

/// The JSON object of a token answer, or the provider's word (RFC 6749, section 5.2) whatever its status.
fn tokens(answer: &Answer) -> Result<Claims, Fault> {
    let Ok(object) = serde_json::from_slice::<Claims>(&answer.body) else {
        return Err(unexpected(answer, "its token endpoint"));
    };
    if let Some(error) = object.get("error") {
        return Err(Fault::Answered(error_word(error.as_str().unwrap_or_default())));
    }
    if answer.status != StatusCode::OK {
        return Err(unexpected(answer, "its token endpoint"));
    }
    Ok(object)
}
