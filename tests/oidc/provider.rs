//! A provider of the tests' own. It checks what it is sent as a real one does, and answers as the test decides.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64},
};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use crate::support::receiver::{Call, redirect, response};
use crate::support::{http::Credentials, *};

pub(super) const CLIENT: &str = "chat";
/// With characters that have to be encoded on the way (RFC 6749, section 2.3.1).
pub(super) const SECRET: &str = "s3:cr%t +\u{fc}";

/// A key to sign with.
#[derive(Clone)]
pub(super) enum Key {
    Rs256(Arc<RsaKeyPair>),
    Ps256(Arc<RsaKeyPair>),
    Es256(Arc<EcdsaKeyPair>),
    EdDsa(Arc<Ed25519KeyPair>),
}

static RSA: LazyLock<Arc<RsaKeyPair>> = LazyLock::new(|| {
    let made = program("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"])
        .output()
        .expect("openssl");
    // Which of the two it is depends on the version.
    let pair = RsaKeyPair::from_pkcs8(&made.stdout).or_else(|_| RsaKeyPair::from_der(&made.stdout));
    Arc::new(pair.expect("a key"))
});

impl Key {
    pub(super) fn rs256() -> Key {
        Key::Rs256(Arc::clone(&RSA))
    }

    pub(super) fn ps256() -> Key {
        Key::Ps256(Arc::clone(&RSA))
    }

    pub(super) fn es256() -> Key {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap();
        Key::Es256(Arc::new(pair))
    }

    pub(super) fn ed_dsa() -> Key {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Key::EdDsa(Arc::new(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap()))
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Key::Rs256(_) => "RS256",
            Key::Ps256(_) => "PS256",
            Key::Es256(_) => "ES256",
            Key::EdDsa(_) => "EdDSA",
        }
    }

    pub(super) fn public(&self, kid: &str) -> Value {
        let mut key = match self {
            Key::Rs256(pair) | Key::Ps256(pair) => {
                let parts: PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({"kty": "RSA", "n": BASE64.encode(parts.n), "e": BASE64.encode(parts.e)})
            }
            Key::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])})
            }
            Key::EdDsa(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(pair.public_key().as_ref())})
            }
        };
        key["kid"] = kid.into();
        key["use"] = "sig".into();
        key
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Rs256(pair) | Key::Ps256(pair) => {
                let padding: &dyn ring::signature::RsaEncoding =
                    if matches!(self, Key::Rs256(_)) { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Key::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A signed token with a header of the test's choice.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        format!("{message}.{}", BASE64.encode(self.sign(message.as_bytes())))
    }
}

/// Makes a token of a header and claims.
pub(super) type MakeToken = Box<dyn Fn(&Key, Value, Value) -> String + Send + Sync>;

/// What the provider does. Everything may be changed between two requests.
pub(super) struct Behaviour {
    pub(super) key: Key,
    pub(super) kid: String,
    /// The keys that it lists.
    pub(super) listed: Vec<Value>,
    /// What it changes in its discovery document.
    pub(super) document: Value,
    /// Claims of the ID token besides those that it needs, which they replace. Null removes one.
    pub(super) claims: Value,
    pub(super) userinfo: Value,
    /// What becomes of the header and the claims: the finished token.
    pub(super) make_token: Option<MakeToken>,
    /// Answers instead of one of the endpoints, by path.
    pub(super) instead: HashMap<&'static str, Vec<u8>>,
    codes: HashMap<String, Code>,
    requests: HashMap<String, usize>,
}

/// What a code stands for.
struct Code {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

pub(super) struct Provider {
    receiver: Receiver,
    state: Arc<Mutex<Behaviour>>,
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn merged(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(base.as_object_mut().unwrap().remove(name)),
            value => base[name] = value.clone(),
        }
    }
    base
}

impl Provider {
    pub(super) async fn start() -> Provider {
        let key = Key::es256();
        let state = Arc::new(Mutex::new(Behaviour {
            listed: vec![key.public("one")],
            key,
            kid: "one".into(),
            document: json!({}),
            claims: json!({}),
            userinfo: json!({}),
            make_token: None,
            instead: HashMap::new(),
            codes: HashMap::new(),
            requests: HashMap::new(),
        }));
        let ours = Arc::clone(&state);
        let receiver = Receiver::start(move |call, _| ours.lock().unwrap().answer(call)).await;
        Provider { receiver, state }
    }

    pub(super) fn issuer(&self) -> String {
        self.receiver.url("")
    }

    /// The settings that name it.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CAMPFIRE_OIDC_ISSUER", self.issuer()),
            ("CAMPFIRE_OIDC_CLIENT_ID", CLIENT.into()),
            ("CAMPFIRE_OIDC_SECRET", SECRET.into()),
        ]
    }

    /// A server that is set up and knows this provider.
    pub(super) async fn team(&self, more: &[(&str, &str)]) -> Team {
        let own = self.settings();
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let all: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
        Team::with(&all).await
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Who signs in next, by the claims of the ID token.
    pub(super) fn is(&self, claims: Value) {
        self.set(|it| it.claims = claims);
    }

    /// How often a path was asked for.
    pub(super) fn requests(&self, path: &str) -> usize {
        self.state.lock().unwrap().requests.get(path).copied().unwrap_or(0)
    }

    /// The person signs in: from the address to which the browser was led to the path that it is led back to. Checks the
    /// parameters as a provider does.
    #[track_caller]
    pub(super) fn authorize(&self, url: &str) -> String {
        let back =
            self.state.lock().unwrap().authorize(&Url::parse(url).expect("an address"), &self.issuer());
        back[url::Position::BeforePath..].to_owned()
    }
}

impl Behaviour {
    fn authorize(&mut self, url: &Url, issuer: &str) -> Url {
        assert_eq!(url.path(), "/authorize", "{url}");
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        for (name, value) in
            [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")]
        {
            assert_eq!(query[name], value, "{url}");
        }
        assert!(query["scope"].starts_with("openid"), "{url}");
        let code = format!("code-{}", query["state"]);
        let stands_for = Code {
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
        };
        let mut back = Url::parse(&stands_for.redirect_uri).expect("an address");
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &query["state"])
            .append_pair("iss", issuer);
        self.codes.insert(code, stands_for);
        back
    }

    fn answer(&mut self, call: &Call) -> Vec<u8> {
        let path = call.path.split('?').next().unwrap_or_default();
        *self.requests.entry(path.to_owned()).or_default() += 1;
        if let Some(answer) = self.instead.get(path) {
            return answer.clone();
        }
        let json = |status, body: Value| response(status, "application/json", body.to_string());
        let issuer = format!("http://{}", call.header("host").unwrap());
        match path {
            "/.well-known/openid-configuration" => {
                let document = json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/jwks"),
                    "userinfo_endpoint": format!("{issuer}/userinfo"),
                    "end_session_endpoint": format!("{issuer}/end"),
                    "authorization_response_iss_parameter_supported": true,
                    "code_challenge_methods_supported": ["S256"],
                    "scopes_supported": ["openid", "email", "profile"],
                });
                json(200, merged(document, &self.document))
            }
            "/jwks" => response(200, "application/jwk-set+json", json!({"keys": self.listed}).to_string()),
            "/token" => match self.redeem(call, &issuer) {
                Ok(tokens) => json(200, tokens),
                Err(error) => {
                    json(if error == "invalid_client" { 401 } else { 400 }, json!({"error": error}))
                }
            },
            "/userinfo" => match call.header("authorization") {
                Some("Bearer the-access-token") => json(200, merged(json!({"sub": "alice"}), &self.userinfo)),
                _ => json(401, json!({"error": "invalid_token"})),
            },
            "/authorize" => {
                let url = Url::parse(&issuer).unwrap().join(&call.path).unwrap();
                redirect(self.authorize(&url, &issuer).as_str())
            }
            "/favicon.ico" => response(200, "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
            "/end" => response(200, "text/html", "<title>Signed out</title>"),
            _ => response(404, "text/plain", ""),
        }
    }

    fn redeem(&mut self, call: &Call, issuer: &str) -> Result<Value, &'static str> {
        let form: HashMap<String, String> = form_urlencoded::parse(&call.body).into_owned().collect();
        let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let basic =
            call.header("authorization").and_then(|value| value.strip_prefix("Basic ")).map(|encoded| {
                let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
                let (id, secret) = pair.split_once(':').expect("a pair");
                let decoded = |text: &str| {
                    form_urlencoded::parse(format!("x={text}").as_bytes()).next().unwrap().1.into_owned()
                };
                (decoded(id), decoded(secret))
            });
        let given = basic.unwrap_or_else(|| (text("client_id").to_owned(), text("client_secret").to_owned()));
        let methods = &self.document["token_endpoint_auth_methods_supported"];
        let wanted = if *methods == json!(["none"]) { "" } else { SECRET };
        if given != (CLIENT.to_owned(), wanted.to_owned()) {
            return Err("invalid_client");
        }
        let code = self.codes.remove(text("code")).ok_or("invalid_grant")?;
        let challenge = BASE64.encode(Sha256::digest(text("code_verifier")));
        if text("grant_type") != "authorization_code"
            || text("redirect_uri") != code.redirect_uri
            || challenge != code.challenge
        {
            return Err("invalid_grant");
        }
        let claims = json!({
            "iss": issuer, "sub": "alice", "aud": CLIENT, "exp": now() + 300, "iat": now(), "nonce": code.nonce,
        });
        let claims = merged(claims, &self.claims);
        let header = json!({"alg": self.key.algorithm(), "kid": self.kid, "typ": "JWT"});
        let token = match &self.make_token {
            Some(make) => make(&self.key, header, claims),
            None => self.key.token(&header, &claims),
        };
        Ok(
            json!({"id_token": token, "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 300}),
        )
    }
}

/// A browser that has been sent to the provider.
pub(super) struct Away {
    pub(super) client: Client,
    /// The address at the provider.
    pub(super) url: String,
    /// The cookie that binds the sign-in to it.
    pub(super) cookie: String,
}

/// The value of a cookie that a reply sets.
#[track_caller]
pub(super) fn cookie_of(reply: &Reply, name: &str) -> String {
    let lines = reply.headers.get_all("set-cookie").iter().map(|line| line.to_str().expect("printable"));
    let mut values = lines.filter_map(|line| line.split(';').next()?.strip_prefix(name)?.strip_prefix('='));
    values.next().unwrap_or_else(|| panic!("no {name} in {:?}", reply.headers)).to_owned()
}

/// Where a redirect leads.
#[track_caller]
pub(super) fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 302, "{}", reply.text());
    reply.header("location").expect("a location").to_owned()
}

/// Begins a sign-in, and follows to where the browser is led.
pub(super) async fn leave(client: &Client, query: &str) -> Away {
    let reply = client.get(&format!("/signin/oidc/main{query}")).await;
    let url = location(&reply);
    assert!(url.starts_with("http"), "{url}");
    Away { client: client.with(Credentials::None), url, cookie: cookie_of(&reply, "campfire_provider") }
}

impl Away {
    /// Comes back by a path.
    pub(super) async fn back(&self, path: &str) -> Reply {
        self.client
            .request("GET", path)
            .header("cookie", &format!("campfire_provider={}", self.cookie))
            .send()
            .await
    }
}

/// A whole sign-in of whom the provider is told to name. Returns the answer to the callback.
pub(super) async fn sign_in(client: &Client, provider: &Provider) -> Reply {
    let away = leave(client, "").await;
    let path = provider.authorize(&away.url);
    away.back(&path).await
}

/// The client of whom such an answer has signed in, with the user as they see themselves.
pub(super) async fn signed_in(client: &Client, reply: &Reply) -> (Client, Value) {
    assert_eq!(location(reply), "/");
    let client = client.with(Credentials::Cookie(reply.cookie()));
    let user = client.get("/api/session").await.expect(200)["user"].clone();
    (client, user)
}

/// The code of the reason why somebody was not let in.
#[track_caller]
pub(super) fn refused(reply: &Reply) -> String {
    let to = location(reply);
    assert!(
        !reply
            .headers
            .get_all("set-cookie")
            .iter()
            .any(|line| line.to_str().unwrap().starts_with("campfire_session"))
    );
    let url = Url::parse("http://x").unwrap().join(&to).unwrap();
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert!(url.path() == "/signin" && query["provider"] == "main", "{to}");
    query["refused"].clone()
}
