//! Real providers: `oidc-provider` of npm, and Debian's glewlwyd. They are fetched in pinned versions and run from their
//! folders; nothing is installed on the machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use url::Url;

use super::browser::Browser;
use crate::support::{
    fetched::{once, run},
    *,
};

/// As some make them: it has to be encoded on the way.
const SECRET: &str = "s3:cr%t +x";

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The sign-in page of a person who was not let in, and the code of the reason.
#[track_caller]
fn refused(shown: &(Url, Reply)) -> String {
    assert_eq!((shown.0.path(), shown.1.status), ("/signin", 200), "{}", shown.0);
    shown.0.query_pairs().find(|(name, _)| name == "refused").expect("a reason").1.into_owned()
}

/// Who is signed in, at the page that they were led to.
async fn who(browser: &Browser, team: &Team, shown: &(Url, Reply)) -> Value {
    assert_eq!(shown.0.as_str(), format!("{}/", team.ada.origin()), "{}", shown.1.text());
    browser.session(team).expect("a session").get("/api/session").await.expect(200)["user"].clone()
}

fn doctor(team: &Team, settings: &[(&str, &str)]) -> (bool, String) {
    let mut command = server::campfire();
    command.args(["doctor", "oidc", "--data"]).arg(team.server.data()).envs(settings.iter().copied());
    command.env("CAMPFIRE_PUBLIC_URL", team.ada.origin());
    let done = command.output().expect("campfire");
    (done.status.success(), String::from_utf8(done.stdout).unwrap())
}

// ---- oidc-provider ----

/// Starts the provider. Its argument is a JSON object: the port, the client, what the provider is to be set up with besides, and
/// the claims of every person.
const SCRIPT: &str = r#"
import { Provider } from 'oidc-provider';

const { port, client, settings, claims } = JSON.parse(process.argv[2]);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  cookies: { keys: ['a key of the tests'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true, name: `The ${id}`, ...claims }) }),
  ...settings,
});

provider.listen(port, '127.0.0.1', () => console.log('ready'));
"#;

/// The folder with the provider and the script that starts it.
fn oidc_provider() -> PathBuf {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        const PACKAGE: &str = "oidc-provider@9.13.3";
        once("oidc-provider", &format!("{PACKAGE} {SCRIPT}"), |folder| {
            let npm = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", PACKAGE];
            run("npm", Command::new("npm").args(npm).current_dir(folder));
            std::fs::write(folder.join("provider.mjs"), SCRIPT).expect("a script");
        })
    });
    MADE.clone()
}

struct OidcProvider {
    port: u16,
    /// With its output: once that is closed, it ends when it has something to say.
    child: Option<(Child, Output)>,
}

type Output = tokio::io::Lines<BufReader<tokio::process::ChildStdout>>;

impl OidcProvider {
    /// Starts it, again if it runs, for the clients of a team.
    async fn start(&mut self, team: &Team, client: Value, settings: Value, claims: Value) {
        if let Some((mut child, _)) = self.child.take() {
            child.kill().await.expect("it ends");
        }
        let origin = team.ada.origin();
        let mut all = json!({
            "client_id": "chat",
            "redirect_uris": [format!("{origin}/signin/oidc/main/callback")],
            "post_logout_redirect_uris": [format!("{origin}/signin")],
        });
        for (name, value) in client.as_object().unwrap() {
            all[name] = value.clone();
        }
        let options = json!({"port": self.port, "client": all, "settings": settings, "claims": claims});
        let mut child = tokio::process::Command::new("node")
            .arg(oidc_provider().join("provider.mjs"))
            .arg(options.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        within("the provider", async {
            while lines.next_line().await.expect("a line").expect("it runs") != "ready" {}
        })
        .await;
        self.child = Some((child, lines));
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Signs in at the provider's own pages.
async fn through_oidc_provider(browser: &mut Browser, team: &Team, login: &str) -> (Url, Reply) {
    let mut shown = browser.open(&format!("{}/signin/oidc/main", team.ada.origin())).await;
    while shown.0.path().starts_with("/interaction/") {
        shown = browser.submit(&shown, &[("login", login), ("password", "any")]).await;
    }
    shown
}

fn jwks(key: &Value) -> Value {
    json!({"jwks": {"keys": [key]}})
}

/// A private key as a JWK, made by Node.
fn private_key(kid: &str) -> Value {
    let script = format!(
        "const k = require('crypto').generateKeyPairSync('ec', {{namedCurve: 'P-256'}}).privateKey.export({{format: 'jwk'}}); console.log(JSON.stringify({{...k, kid: '{kid}', use: 'sig', alg: 'ES256'}}))"
    );
    let made = run("node", program("node").args(["-e", &script]));
    serde_json::from_slice(&made.stdout).expect("a key")
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_signs_people_in_and_out() {
    let mut provider = OidcProvider { port: free_port(), child: None };
    let issuer = provider.issuer();
    let settings = [
        ("CAMPFIRE_OIDC_ISSUER", issuer.as_str()),
        ("CAMPFIRE_OIDC_CLIENT_ID", "chat"),
        ("CAMPFIRE_OIDC_SECRET", SECRET),
        ("CAMPFIRE_OIDC_SCOPES", "email profile groups"),
        ("CAMPFIRE_OIDC_ADMIN_GROUP", "admins"),
    ];
    let team = Team::with(&settings).await;
    // Before it is there.
    let mut browser = Browser::default();
    assert_eq!(refused(&through_oidc_provider(&mut browser, &team, "alice").await), "unreachable");
    let client = || json!({"client_secret": SECRET});
    provider.start(&team, client(), json!({}), json!({"groups": ["/admins"]})).await;
    let shown = within("the provider to be found", async {
        loop {
            let shown = through_oidc_provider(&mut browser, &team, "alice").await;
            if shown.0.path() != "/signin" {
                return shown;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    let alice = who(&browser, &team, &shown).await;
    assert_eq!(
        (&alice["name"], &alice["email"], &alice["role"]),
        (&json!("The alice"), &json!("alice@example.org"), &json!("admin"))
    );
    // She is still signed in there: nothing is asked.
    let shown = through_oidc_provider(&mut browser, &team, "nobody").await;
    assert_eq!(who(&browser, &team, &shown).await["id"], alice["id"]);
    // Signing out goes on there, where she confirms it.
    let out = browser.session(&team).unwrap().delete("/api/session").await.expect(200);
    let page = browser.open(out["sign_out_url"].as_str().unwrap()).await;
    assert!(page.1.status == 200 && page.0.path() == "/session/end", "{}", page.1.text());
    let shown = browser.submit(&page, &[("logout", "yes")]).await;
    assert_eq!((shown.0.as_str(), shown.1.status), (format!("{}/signin", team.ada.origin()).as_str(), 200));
    let page = browser.open(&format!("{}/signin/oidc/main", team.ada.origin())).await;
    assert!(page.0.path().starts_with("/interaction/"), "{}", page.0);
    // Whoever gives up there is told.
    let abort = page
        .1
        .text()
        .split("href=\"")
        .find_map(|part| part.split('"').next().filter(|url| url.ends_with("/abort")).map(str::to_owned));
    let shown = browser.open(&abort.expect("a way to give up")).await;
    assert_eq!(refused(&shown), "answered");
    assert!(shown.0.as_str().contains("word=access_denied"), "{}", shown.0);

    let (ok, report) = doctor(&team, &settings);
    assert!(ok && report.contains("its secret is right"), "{report}");
    let mut wrong = settings;
    wrong[2].1 = "another";
    let (ok, report) = doctor(&team, &wrong);
    assert!(!ok && report.contains("chat is refused: invalid_client"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_changes_its_keys_and_its_mind() {
    let mut provider = OidcProvider { port: free_port(), child: None };
    let issuer = provider.issuer();
    let team = Team::with(&[
        ("CAMPFIRE_OIDC_ISSUER", &issuer),
        ("CAMPFIRE_OIDC_CLIENT_ID", "chat"),
        ("CAMPFIRE_OIDC_SECRET", SECRET),
    ])
    .await;
    let es256 = json!({"client_secret": SECRET, "id_token_signed_response_alg": "ES256"});
    provider.start(&team, es256.clone(), jwks(&private_key("one")), json!({})).await;
    let enter = async |login: &str| {
        let mut browser = Browser::default();
        let shown = through_oidc_provider(&mut browser, &team, login).await;
        (browser, shown)
    };
    let (browser, shown) = enter("alice").await;
    let alice = who(&browser, &team, &shown).await;
    provider.start(&team, es256, jwks(&private_key("two")), json!({"email_verified": "true"})).await;
    let (browser, shown) = enter("alice").await;
    assert_eq!(who(&browser, &team, &shown).await["id"], alice["id"], "by a key that was not known");
    // Within a minute keys are looked for once.
    provider
        .start(
            &team,
            json!({"client_secret": SECRET, "id_token_signed_response_alg": "ES256"}),
            jwks(&private_key("three")),
            json!({}),
        )
        .await;
    assert_eq!(refused(&enter("alice").await.1), "untrusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_serves_a_public_client_and_one_with_few_rights() {
    let mut provider = OidcProvider { port: free_port(), child: None };
    let issuer = provider.issuer();
    let team = Team::with(&[("CAMPFIRE_OIDC_ISSUER", &issuer), ("CAMPFIRE_OIDC_CLIENT_ID", "chat")]).await;
    let public = json!({"token_endpoint_auth_method": "none"});
    provider.start(&team, public.clone(), json!({}), json!({})).await;
    let mut browser = Browser::default();
    let shown = through_oidc_provider(&mut browser, &team, "alice").await;
    assert_eq!(who(&browser, &team, &shown).await["email"], "alice@example.org");
    // Claims that are not configured: the scopes are cut without a word.
    provider.start(&team, public, json!({"claims": {"openid": ["sub"]}}), json!({})).await;
    let mut browser = Browser::default();
    assert_eq!(refused(&through_oidc_provider(&mut browser, &team, "carol").await), "no_email");
    // Who is known comes in without an address.
    let mut browser = Browser::default();
    let shown = through_oidc_provider(&mut browser, &team, "alice").await;
    assert_eq!(who(&browser, &team, &shown).await["email"], "alice@example.org");
}

// ---- glewlwyd ----

/// The root below which it is unpacked, with the libraries that a server seldom has.
fn glewlwyd() -> PathBuf {
    const PACKAGES: [&str; 15] = [
        "glewlwyd",
        "glewlwyd-common",
        "libconfig9",
        "libcbor0.8",
        "libhoel1.4",
        "libiddawc1.1",
        "libjansson4",
        "libldap-2.5-0",
        "liboath0",
        "liborcania2.3",
        "librhonabwy1.1",
        "libulfius2.7",
        "libyder2.0",
        "libmicrohttpd12",
        "libsasl2-2",
    ];
    const MORE: [&str; 2] = ["libmariadb3", "libpq5"];
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let all: Vec<&str> = PACKAGES.into_iter().chain(MORE).collect();
        once("glewlwyd", &all.join(" "), |folder| fetched::debian(folder, &all))
    });
    MADE.clone()
}

struct Glewlwyd {
    port: u16,
    _child: Child,
    _dir: tempfile::TempDir,
}

impl Glewlwyd {
    async fn start() -> Glewlwyd {
        let (root, dir, port) = (glewlwyd(), tempfile::tempdir().unwrap(), free_port());
        let database = dir.path().join("glewlwyd.db");
        let sql = run(
            "zcat",
            Command::new("zcat").arg(root.join("usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")),
        );
        let sql = String::from_utf8(sql.stdout).expect("SQL");
        rusqlite::Connection::open(&database).unwrap().execute_batch(&sql).unwrap();
        let modules = |kind: &str| root.join("usr/lib/glewlwyd").join(kind).display().to_string();
        let config = format!(
            "port={port}\nbind_address=\"127.0.0.1\"\nexternal_url=\"http://127.0.0.1:{port}\"\nlogin_url=\"login.html\"\napi_prefix=\"api\"\nlog_mode=\"console\"\nlog_level=\"ERROR\"\ncookie_domain=\"127.0.0.1\"\nsession_key=\"GLEWLWYD2_SESSION_ID\"\nadmin_scope=\"g_admin\"\nprofile_scope=\"g_profile\"\nuser_module_path=\"{}\"\nuser_middleware_module_path=\"{}\"\nclient_module_path=\"{}\"\nuser_auth_scheme_module_path=\"{}\"\nplugin_module_path=\"{}\"\nhash_algorithm=\"SHA512\"\ndatabase = {{ type = \"sqlite3\"; path = \"{}\"; }};\n",
            modules("user"),
            modules("user_middleware"),
            modules("client"),
            modules("scheme"),
            modules("plugin"),
            database.display(),
        );
        let path = dir.path().join("glewlwyd.conf");
        std::fs::write(&path, config).unwrap();
        let libraries = libraries(&root);
        let child = tokio::process::Command::new(root.join("usr/bin/glewlwyd"))
            .arg(format!("--config-file={}", path.display()))
            .env("LD_LIBRARY_PATH", libraries)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("glewlwyd");
        within("glewlwyd", async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await;
        Glewlwyd { port, _child: child, _dir: dir }
    }

    fn issuer(&self) -> String {
        self.url("oidc").into()
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/api/{path}", self.port)).unwrap()
    }

    async fn call(&self, browser: &mut Browser, method: &str, path: &str, body: Value) {
        let reply =
            browser.request(method, &self.url(path), Some(("application/json", body.to_string()))).await;
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
    }

    /// What its administrator sets up on its pages: the plugin, a person and the client.
    async fn set_up(&self, team: &Team, verified: bool) {
        let key = |arguments: &[&str]| {
            let made = run("openssl", program("openssl").args(arguments).current_dir(self._dir.path()));
            String::from_utf8(made.stdout).expect("PEM")
        };
        key(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem"]);
        let private = std::fs::read_to_string(self._dir.path().join("key.pem")).unwrap();
        let public = key(&["pkey", "-in", "key.pem", "-pubout"]);
        let mut parameters = json!({
            "iss": self.issuer(), "jwt-type": "rsa", "jwt-key-size": "256", "key": private, "cert": public,
            "access-token-duration": 3600, "refresh-token-duration": 3600, "code-duration": 600, "refresh-token-rolling": true, "allow-non-oidc": true,
            "auth-type-code-enabled": true, "auth-type-code-revoke-replayed": true, "auth-type-token-enabled": false, "auth-type-id-token-enabled": false,
            "auth-type-none-enabled": false, "auth-type-password-enabled": false, "auth-type-client-enabled": false, "auth-type-device-enabled": false,
            "auth-type-refresh-enabled": false, "name-claim": "mandatory", "email-claim": "mandatory", "scope-claim": "no",
            "pkce-allowed": true, "pkce-required": true, "pkce-method-plain-allowed": false, "subject-type": "public",
        });
        if verified {
            // It has no such claim of its own: one is made of a property of the person.
            parameters["claims"] = json!([{
                "name": "email_verified", "user-property": "name", "type": "boolean", "boolean-value-true": "Bob",
                "boolean-value-false": "nobody", "mandatory": true, "on-demand": false, "scope": [],
            }]);
        }
        let mut admin = Browser::default();
        self.call(&mut admin, "POST", "auth/", json!({"username": "admin", "password": "password"})).await;
        let plugin = json!({"module": "oidc", "name": "oidc", "display_name": "OIDC", "enabled": true, "order_rank": 0, "parameters": parameters});
        self.call(&mut admin, "POST", "mod/plugin/", plugin).await;
        let bob = json!({"username": "bob", "name": "Bob", "email": "bob@example.com", "password": "bobs password", "enabled": true, "scope": ["openid"]});
        self.call(&mut admin, "POST", "user/?source=database", bob).await;
        let client = json!({
            "client_id": "chat", "name": "Chat", "enabled": true, "confidential": true, "client_secret": SECRET,
            "redirect_uri": [format!("{}/signin/oidc/main/callback", team.ada.origin())], "authorization_type": ["code"],
            "token_endpoint_auth_method": ["client_secret_basic", "client_secret_post"], "scope": [],
        });
        self.call(&mut admin, "POST", "client/?source=database", client).await;
    }

    /// Signs in. Its pages are scripts: what they call is called here.
    async fn sign_in(&self, browser: &mut Browser, team: &Team) -> (Url, Reply) {
        let begun = Url::parse(&format!("{}/signin/oidc/main", team.ada.origin())).unwrap();
        let reply = browser.request("GET", &begun, None).await;
        let mut at_provider = Url::parse(reply.header("location").unwrap()).unwrap();
        self.call(browser, "POST", "auth/", json!({"username": "bob", "password": "bobs password"})).await;
        self.call(browser, "PUT", "auth/grant/chat", json!({"scope": "openid"})).await;
        at_provider.query_pairs_mut().append_pair("g_continue", "");
        browser.open(at_provider.as_str()).await
    }
}

/// Where its libraries are, which depends on the kind of machine.
fn libraries(root: &Path) -> PathBuf {
    let mut folders = std::fs::read_dir(root.join("usr/lib")).unwrap().flatten();
    let found = folders.find(|folder| folder.file_name().to_string_lossy().contains("-linux-"));
    found.expect("the libraries").path()
}

#[tokio::test(flavor = "multi_thread")]
async fn glewlwyd_signs_people_in() {
    for verified in [true, false] {
        let provider = Glewlwyd::start().await;
        let issuer = provider.issuer();
        let settings = [
            ("CAMPFIRE_OIDC_ISSUER", issuer.as_str()),
            ("CAMPFIRE_OIDC_CLIENT_ID", "chat"),
            ("CAMPFIRE_OIDC_SECRET", SECRET),
            ("CAMPFIRE_OIDC_SCOPES", "openid"),
        ];
        let team = Team::with(&settings).await;
        let bob = team.join("Bob").await;
        provider.set_up(&team, verified).await;
        let mut browser = Browser::default();
        let shown = provider.sign_in(&mut browser, &team).await;
        if verified {
            assert_eq!(who(&browser, &team, &shown).await["id"], bob.id);
        } else {
            assert_eq!(refused(&shown), "unverified");
        }
        let (ok, report) = doctor(&team, &settings);
        assert!(ok && report.contains("its secret is right"), "{report}");
        let mut wrong = settings;
        wrong[2].1 = "another";
        let (ok, report) = doctor(&team, &wrong);
        assert!(!ok && report.contains("chat is refused: unauthorized_client"), "{report}");
    }
}
