//! What is beside the messages: files, bans, searches, sessions, push subscriptions.

use super::*;

/// Traps 18, 19 and 20.
#[test]
fn files_come_along_and_lost_ones_are_named() {
    let it = Move::new();
    let mut png = Vec::new();
    image::RgbImage::new(8, 6)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    it.say(1, 1, 1, "");
    it.attach(("Message", 1, "attachment"), 1, "skizze.png", Some(&png));
    it.say(2, 1, 1, "<div>see this</div>");
    it.attach(("Message", 2, "attachment"), 2, "lost `x`.pdf", None);
    it.say(3, 1, 1, "");
    it.attach(("Message", 3, "attachment"), 3, "film.heic", Some(b"not read here"));
    it.attach(("ActiveStorage::Blob", 3, "preview_image"), 4, "preview.png", Some(&png));
    it.attach(("User", 2, "avatar"), 5, "me.tiff", Some(b"II*\0 no picture that is read"));
    it.run("insert into active_storage_variant_records (id, blob_id, variation_digest) values (9, 5, 'x')");
    it.attach(("ActiveStorage::VariantRecord", 9, "image"), 6, "me.png", Some(&png));
    let report = it.import();
    let files = report.of(Kind::Files);
    assert_eq!((files.found, files.taken), (3, 2), "{}", report.text());
    let file = it.message(1)["attachment"].clone();
    assert_eq!(
        (&file["filename"], &file["content_type"], &file["width"]),
        (&json!("skizze.png"), &json!("image/png"), &json!(8))
    );
    assert_eq!(it.message(2)["content"], "see this\n\n📎 `lost x.pdf` *(not in the export)*");
    assert!(it.message(3)["attachment"]["thumbnail_url"].is_string(), "{}", it.message(3));
    assert_eq!(it.one::<i64>("select avatar_version from users where id = 2"), 1);
    assert_eq!(it.one::<i64>("select count(*) from images where key = 'user-2'"), 1);
    // Found by its name.
    assert_eq!(
        it.one::<i64>("select rowid from messages_fts where messages_fts match 'words : \"skizze\"'"),
        1
    );
}

/// Traps 21 and 26, searches and sessions.
#[test]
fn bans_searches_and_sessions_come_along() {
    let it = Move::new();
    let (recent, old) = ("2126-01-01 00:00:00", "2020-01-01 00:00:00");
    for address in ["203.0.113.9", "10.0.0.1", "2001:db8::1", "2a00:1450::7", "nonsense"] {
        it.row("bans", &[("user_id", json!(2)), ("ip_address", json!(address))]);
    }
    for (query, at) in [("budget", recent), ("budget", old), ("plan", old)] {
        it.row("searches", &[("user_id", json!(1)), ("query", json!(query)), ("updated_at", json!(at))]);
    }
    for (user, token, at) in [
        (1, "abcdefghijkABCDEFGHIJK12", recent),
        (1, "abcdefghijkABCDEFGHIJK13", old),
        (777, "abcdefghijkABCDEFGHIJK14", recent),
    ] {
        it.row(
            "sessions",
            &[
                ("user_id", json!(user)),
                ("token", json!(token)),
                ("last_active_at", json!(at)),
                ("user_agent", json!("Firefox")),
            ],
        );
    }
    it.row(
        "push_subscriptions",
        &[
            ("user_id", json!(1)),
            ("endpoint", json!("https://push.example/1")),
            ("p256dh_key", json!("k")),
            ("auth_key", json!("a")),
        ],
    );
    let report = it.import();
    assert!(it.one::<String>("select group_concat(address) from blocked_addresses").contains("2a00:1450::"));
    assert_eq!(it.one::<i64>("select count(*) from searches"), 2);
    let hash: TokenHash = it.one("select token_hash from sessions where kind = 'device'");
    assert_eq!(hash.0, TokenHash::of("abcdefghijkABCDEFGHIJK12").0);
    assert_eq!(report.of(Kind::PushSubscriptions).left_out.len(), 1, "without the key");
}

#[test]
fn push_subscriptions_go_on_with_the_key_of_the_volume() {
    use base64::Engine;
    let it = Move::new();
    let key = crate::outbound::push::VapidKey::generate().to_bytes();
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&key);
    fs::write(
        it.dir.path().join("storage/once.volume.json"),
        json!({"vapidPrivateKey": encoded}).to_string(),
    )
    .unwrap();
    it.row(
        "sessions",
        &[
            ("user_id", json!(1)),
            ("token", json!("abcdefghijkABCDEFGHIJK12")),
            ("last_active_at", json!("2126-01-01 00:00:00")),
        ],
    );
    for user in [1, 2] {
        it.row(
            "push_subscriptions",
            &[
                ("user_id", json!(user)),
                ("endpoint", json!(format!("https://push.example/{user}"))),
                ("p256dh_key", json!("k")),
                ("auth_key", json!("a")),
            ],
        );
    }
    let report = it.import();
    assert_eq!(it.one::<Vec<u8>>("select value from secrets where name = 'vapid'"), key);
    let pushes = report.of(Kind::PushSubscriptions);
    assert_eq!((pushes.found, pushes.taken), (2, 1), "one has no session that could end it");
}
