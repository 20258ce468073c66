//! Calls to the outside: Web Push and link previews.

use aes_gcm::{Aes128Gcm, KeyInit, aead::Aead};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToSec1Point};

use crate::support::{
    receiver::{Call, redirect, response},
    server::campfire,
    *,
};

/// Allows the server to call the receivers of the tests.
const ALLOW_LOOPBACK: (&str, &str) = ("CAMPFIRE_OUTGOING_ALLOW", "127.0.0.1/32");

/// The keys of a browser that has subscribed to pushes.
struct Browser {
    secret: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    fn new(seed: u8) -> Browser {
        Browser { secret: SecretKey::from_slice(&[seed; 32]).unwrap(), auth: [seed; 16] }
    }

    fn point(&self) -> Vec<u8> {
        self.secret.public_key().to_sec1_point(false).as_bytes().to_vec()
    }

    fn subscription(&self, endpoint: &str) -> Value {
        json!({"endpoint": endpoint, "expirationTime": null,
            "keys": {"p256dh": BASE64.encode(self.point()), "auth": BASE64.encode(self.auth)}})
    }

    /// Decrypts a push as a browser does (RFC 8291).
    fn decrypt(&self, call: &Call) -> Value {
        assert_eq!(call.header("content-encoding"), Some("aes128gcm"));
        assert!(call.header("authorization").unwrap().starts_with("vapid t="));
        assert!(call.header("ttl").is_some());
        let (salt, sender) = (&call.body[..16], &call.body[21..86]);
        let theirs = PublicKey::from_sec1_bytes(sender).unwrap();
        let shared = diffie_hellman(self.secret.to_nonzero_scalar(), theirs.as_affine());
        let expand = |salt: &[u8], secret: &[u8], info: &[u8], length: usize| {
            let mut out = vec![0; length];
            hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), secret).expand(info, &mut out).unwrap();
            out
        };
        let info = [b"WebPush: info\0", &self.point()[..], sender].concat();
        let secret = expand(&self.auth, shared.raw_secret_bytes(), &info, 32);
        let key: [u8; 16] = expand(salt, &secret, b"Content-Encoding: aes128gcm\0", 16).try_into().unwrap();
        let nonce: [u8; 12] = expand(salt, &secret, b"Content-Encoding: nonce\0", 12).try_into().unwrap();
        let mut plain = Aes128Gcm::new(&key.into()).decrypt(&nonce.into(), &call.body[86..]).unwrap();
        assert_eq!(plain.pop(), Some(2));
        serde_json::from_slice(&plain).unwrap()
    }
}

async fn push_service() -> Receiver {
    Receiver::start(|_, _| response(201, "text/plain", "")).await
}

#[tokio::test]
async fn push_follows_involvement_and_skips_users_who_are_present() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let grace = team.join("Grace").await;
    let service = push_service().await;
    let browser = Browser::new(7);
    let made =
        grace.post("/api/push/subscriptions", browser.subscription(&service.url("/g"))).await.expect(201);
    assert_keys(&made, &["id", "endpoint", "user_agent", "created_at", "last_error"]);
    team.ada.say(team.room, "no mention: not notified").await;
    grace.say(team.room, "@[Grace](user:2) by herself: not notified").await;
    let mention = format!("@[Grace](user:{}) come **here**", grace.id);
    let message = id(&team.ada.say(team.room, &mention).await);
    let calls = service.wait_for_calls(1).await;
    let notice = browser.decrypt(&calls[0]);
    assert_eq!((&notice["title"], &notice["body"]), (&json!("All Talk"), &json!("Ada: Grace come here")));
    assert_eq!(
        (&notice["path"], &notice["badge"]),
        (&json!(format!("/rooms/{}/@{message}", team.room)), &json!(1))
    );
    let direct = team.ada.direct_with(&[&grace]).await;
    team.ada.say(direct, "just us").await;
    let notice = browser.decrypt(&service.wait_for_calls(2).await[1]);
    assert_eq!((&notice["title"], &notice["body"]), (&json!("Ada"), &json!("just us")));
    // Grace is present now.
    let socket = grace.socket_in(team.room).await;
    team.ada.say(team.room, &mention).await;
    drop(socket);
    grace
        .put(&format!("/api/rooms/{direct}/involvement"), json!({"involvement": "nothing"}))
        .await
        .expect(200);
    team.ada.say(direct, "muted").await;
    grace
        .put(&format!("/api/rooms/{direct}/involvement"), json!({"involvement": "everything"}))
        .await
        .expect(200);
    team.ada.say(direct, &"long ".repeat(2_000)).await;
    let calls = service.wait_for_calls(3).await;
    let body = browser.decrypt(&calls[2])["body"].as_str().unwrap().to_owned();
    assert!(body.len() <= 3_000 && body.ends_with('…') && body.starts_with("long"), "{}", body.len());
    assert_eq!(calls.len(), 3);
}

/// C3
#[tokio::test]
async fn push_of_a_text_that_json_makes_long_is_whole_json_in_one_record() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let grace = team.join("Grace").await;
    let service = push_service().await;
    let browser = Browser::new(7);
    grace.post("/api/push/subscriptions", browser.subscription(&service.url("/g"))).await.expect(201);
    let direct = team.ada.direct_with(&[&grace]).await;
    let minified: String = (0..400).map(|number| format!("\"k{number}\":\"v\",")).collect();
    let texts = ["\"".repeat(1_956), "\\".repeat(2_900), minified, "👨‍👩‍👧‍👦".repeat(120)];
    for (place, text) in texts.iter().enumerate() {
        let message = id(&team.ada.say(direct, text).await);
        let call = &service.wait_for_calls(place + 1).await[place];
        assert!(call.body.len() <= 4_096, "{} bytes", call.body.len());
        let notice = browser.decrypt(call);
        assert_eq!(notice["path"], format!("/rooms/{direct}/@{message}"));
        assert_eq!(notice["badge"], place + 1, "each message of a direct room counts");
        let body = notice["body"].as_str().unwrap();
        assert!(text.starts_with(body.trim_end_matches('…')), "{body:?}");
    }
}

#[tokio::test]
async fn push_test_is_delivered_and_a_gone_subscription_is_deleted() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let gone = Receiver::start(|_, _| response(410, "text/plain", "")).await;
    let key = team.ada.get("/api/push/key").await.expect(200);
    assert_eq!(BASE64.decode(key["public_key"].as_str().unwrap()).unwrap().len(), 65);
    let service = push_service().await;
    let browser = Browser::new(9);
    let made =
        team.ada.post("/api/push/subscriptions", browser.subscription(&service.url("/"))).await.expect(201);
    let path = format!("/api/push/subscriptions/{}", id(&made));
    assert_eq!(team.ada.post(&format!("{path}/test"), json!({})).await.status, 202);
    browser.decrypt(&service.wait_for_calls(1).await[0]);
    let grace = team.join("Grace").await;
    grace.post(&format!("{path}/test"), json!({})).await.problem(404, "not_found");
    grace.delete(&path).await.problem(404, "not_found");
    let away =
        team.ada.post("/api/push/subscriptions", browser.subscription(&gone.url("/"))).await.expect(201);
    team.ada.post(&format!("/api/push/subscriptions/{}/test", id(&away)), json!({})).await;
    within("the subscription to go", async {
        while team.ada.get("/api/push/subscriptions").await.text().contains(&gone.url("/")) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    team.ada.delete(&path).await.expect(204);
    for bad in [
        json!({"endpoint": "x", "keys": browser.subscription("")["keys"]}),
        json!({"endpoint": "ftp://x/", "keys": browser.subscription("")["keys"]}),
    ] {
        team.ada.post("/api/push/subscriptions", bad).await.invalid(&["endpoint"]);
    }
    let keyless = json!({"endpoint": "https://push.example/", "keys": {"p256dh": "AAAA", "auth": "BBBB"}});
    team.ada.post("/api/push/subscriptions", keyless).await.invalid(&["keys"]);
}

/// C2
#[tokio::test]
async fn push_that_is_refused_is_told_in_the_list_the_log_and_by_doctor() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let refusing = Receiver::start(|_, number| match number {
        0 => response(403, "application/json", r#"{"reason":"BadJwtToken"}"#),
        _ => response(201, "text/plain", ""),
    })
    .await;
    let browser = Browser::new(5);
    let made =
        team.ada.post("/api/push/subscriptions", browser.subscription(&refusing.url("/"))).await.expect(201);
    assert_eq!(made["last_error"], Value::Null);
    let test = format!("/api/push/subscriptions/{}/test", id(&made));
    let last_error = async |wanted: &dyn Fn(&Value) -> bool| {
        within("the list to tell", async {
            loop {
                let list = team.ada.get("/api/push/subscriptions").await.expect(200);
                let error = list["subscriptions"][0]["last_error"].clone();
                if wanted(&error) {
                    return error;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await
    };
    let doctor = || {
        let output =
            campfire().args(["doctor", "--json", "--data"]).arg(team.server.data()).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["installation"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == "notifications").unwrap().clone()
    };
    assert_eq!(doctor()["ok"], true);
    assert_eq!(team.ada.post(&test, json!({})).await.status, 202);
    let error = last_error(&|error| !error.is_null()).await;
    assert_eq!((&error["status"], &error["detail"]), (&json!(403), &json!(r#"{"reason":"BadJwtToken"}"#)));
    assert_time(&error["at"]);
    team.server.logs("a push service refuses the pushes to a device");
    let found = doctor();
    assert!(found["ok"] == false && found["found"].as_str().unwrap().contains("BadJwtToken"), "{found:#}");
    // A push that is taken mends it.
    assert_eq!(team.ada.post(&test, json!({})).await.status, 202);
    last_error(&Value::is_null).await;
    assert_eq!(doctor()["ok"], true);
}

/// C2
#[tokio::test]
async fn push_names_the_servers_https_address_whatever_gave_it() {
    let subject = async |settings: &[(&str, &str)], host: &str| {
        let team = Team::with(&[&[ALLOW_LOOPBACK], settings].concat()).await;
        let service = push_service().await;
        let made = team
            .ada
            .request("POST", "/api/push/subscriptions")
            .header("host", host)
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", "203.0.113.9")
            .header("origin", &format!("https://{host}"))
            .json(Browser::new(6).subscription(&service.url("/")))
            .send()
            .await
            .expect(201);
        let test = format!("/api/push/subscriptions/{}/test", id(&made));
        team.ada.post(&test, json!({})).await;
        let call = service.wait_for_calls(1).await.remove(0);
        let token = call.header("authorization").unwrap().strip_prefix("vapid t=").unwrap().to_owned();
        let claims = BASE64.decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&claims).unwrap()["sub"].as_str().unwrap().to_owned()
    };
    let public = ("CAMPFIRE_PUBLIC_URL", "https://chat.example.org");
    assert_eq!(subject(&[public], "chat.example.org").await, "https://chat.example.org");
    let proxy = ("CAMPFIRE_TRUSTED_PROXY", "127.0.0.0/8");
    assert_eq!(subject(&[proxy], "behind.example.org").await, "https://behind.example.org");
    assert!(subject(&[], "untrusted.example.org").await.starts_with("mailto:"));
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(900, 300).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn link_preview_has_our_own_copy_of_the_picture() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let site = Receiver::start(|call, _| match call.path.as_str() {
        "/moved" => redirect("/page"),
        "/page" => response(
            200,
            "text/html; charset=utf-8",
            "<title>t</title><meta property='og:title' content='A page'><meta property='og:image' content='/i.png'>\
             <meta name='description' content='What it is'>",
        ),
        "/i.png" => response(200, "image/png", png()),
        "/fake.png" => response(200, "image/png", "<svg/>"),
        _ => response(404, "text/html", "<title>nothing</title>"),
    })
    .await;
    let mut socket = team.ada.socket_in(team.room).await;
    let links = format!("see {} and {} and {}", site.url("/moved"), site.url("/none"), site.url("/fake.png"));
    let message = team.ada.say(team.room, &links).await;
    assert_eq!(message["embeds"], json!([]));
    let updated = socket.expect("message.updated").await["message"].clone();
    assert_eq!(updated["edited_at"], Value::Null, "nobody has edited it");
    let embed = &updated["embeds"][0];
    assert_eq!(updated["embeds"].as_array().unwrap().len(), 1, "{updated}");
    assert_keys(embed, &["url", "title", "description", "image_url", "site_name"]);
    assert_eq!(
        (&embed["url"], &embed["title"], &embed["description"]),
        (&json!(site.url("/moved")), &json!("A page"), &json!("What it is"))
    );
    let picture = team.ada.get(embed["image_url"].as_str().unwrap()).await;
    let picture = image::load_from_memory(&picture.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (640, 213));
    team.nobody().get(embed["image_url"].as_str().unwrap()).await.problem(401, "not_signed_in");
    team.ada.get("/embeds/user-1").await.problem(404, "not_found");
}

#[tokio::test]
async fn preview_is_removed_by_its_author_and_stays_away() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let grace = team.join("Grace").await;
    let site = Receiver::start(|call, _| {
        let title = format!("<title>{}</title><meta property=og:image content=/i.png>", call.path);
        if call.path == "/i.png" {
            response(200, "image/png", png())
        } else {
            response(200, "text/html", title)
        }
    })
    .await;
    let mut socket = team.ada.socket_in(team.room).await;
    let words = format!("{} and {}", site.url("/one"), site.url("/two"));
    let message = id(&team.ada.say(team.room, &words).await);
    let made = socket.expect("message.updated").await["message"].clone();
    let picture = made["embeds"][0]["image_url"].as_str().unwrap();
    let path = format!("/api/messages/{message}");
    grace.delete(&format!("{path}/embeds/0")).await.problem(403, "forbidden");
    for wrong in ["2", "-1", "x", "99999999999999999999999"] {
        team.ada.delete(&format!("{path}/embeds/{wrong}")).await.problem(404, "not_found");
    }
    assert_eq!(team.ada.get(picture).await.status, 200);
    team.ada.delete(&format!("{path}/embeds/0")).await.expect(204);
    let updated = socket.expect("message.updated").await["message"].clone();
    let titles = |message: &Value| -> Vec<Value> {
        message["embeds"].as_array().unwrap().iter().map(|embed| embed["title"].clone()).collect()
    };
    assert_eq!((titles(&updated), &updated["edited_at"]), (vec![json!("/two")], &Value::Null));
    team.ada.get(picture).await.problem(404, "not_found");
    // The same links in other words: nothing is fetched anew.
    let fetched = site.calls().len();
    let edited = team.ada.patch(&path, json!({"content": format!("look: {words}")})).await.expect(200);
    assert_eq!(titles(&edited), ["/two"]);
    let other = team.ada.patch(&path, json!({"content": site.url("/three")})).await.expect(200);
    assert_eq!(titles(&other), [] as [Value; 0]);
    while titles(&socket.expect("message.updated").await["message"]) != ["/three"] {}
    assert_eq!(site.calls().len(), fetched + 2, "the page and its picture");
}

#[tokio::test]
async fn preview_of_a_page_in_another_encoding_is_readable() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let site = Receiver::start(|call, _| match call.path.as_str() {
        "/header" => response(200, "text/html; charset=Shift_JIS", &b"<title>\x93\xfa\x96\x7b\x8c\xea</title>"[..]),
        _ => response(200, "text/html", &b"<title>\xd0\xf3\xf1\xf1\xea\xe8\xe9</title><meta http-equiv=content-type content='text/html; charset=windows-1251'>"[..]),
    })
    .await;
    let mut socket = team.ada.socket_in(team.room).await;
    team.ada.say(team.room, &format!("{} {}", site.url("/header"), site.url("/meta"))).await;
    let updated = socket.expect("message.updated").await["message"].clone();
    let titles: Vec<_> = updated["embeds"].as_array().unwrap().iter().map(|it| &it["title"]).collect();
    assert_eq!(titles, ["日本語", "Русский"]);
}

#[tokio::test]
async fn private_addresses_are_not_called_for_links_or_pushes() {
    let team = Team::start().await;
    let secret = Receiver::start(|_, _| response(200, "text/html", "<title>secret</title>")).await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0"] {
        team.ada.say(team.room, &format!("<http://{host}:{}/>", secret.port)).await;
    }
    let endpoint = Browser::new(3).subscription(&secret.url("/push"));
    let made = team.ada.post("/api/push/subscriptions", endpoint).await.expect(201);
    team.ada.post(&format!("/api/push/subscriptions/{}/test", id(&made)), json!({})).await;
    within("all jobs to run", async {
        while !team.ada.get("/api/jobs?state=waiting").await.expect(200)["jobs"]
            .as_array()
            .unwrap()
            .is_empty()
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(secret.calls().is_empty(), "{:?}", secret.calls());
}
