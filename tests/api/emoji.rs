//! Emoji of the team's own.

use std::io::Cursor;

use image::{Frame, ImageFormat, Rgb, RgbImage, RgbaImage, codecs::gif::GifEncoder};

use crate::support::*;

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 9]));
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A picture that moves.
fn gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let frames = [0, 200].map(|red| Frame::new(RgbaImage::from_pixel(32, 32, image::Rgba([red, 0, 0, 255]))));
    GifEncoder::new(&mut bytes).encode_frames(frames).unwrap();
    bytes
}

async fn put(who: &Client, name: &str, bytes: Vec<u8>) -> Reply {
    who.request("PUT", &format!("/api/emoji/{name}")).body("image/png", bytes).send().await
}

#[tokio::test]
async fn emoji_are_added_shown_and_removed() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    assert_eq!(grace.get("/api/emoji").await.expect(200), json!({"emoji": []}));
    assert_eq!(grace.get("/api/account").await.expect(200)["emoji_version"], Value::Null);
    let mut socket = grace.socket().await;
    let parrot = gif();
    let made = put(&team.ada, "party_parrot", parrot.clone()).await.expect(200);
    assert_eq!(made["name"], "party_parrot");
    let event = socket.expect("account.updated").await;
    let first = event["account"]["emoji_version"].as_i64().expect("a version");
    let path = made["url"].as_str().unwrap();
    assert!(path.starts_with("/emoji/party%5Fparrot?v="), "{path}");
    let shown = grace.get(path).await;
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/gif")));
    assert_eq!(shown.body, parrot, "as it was, so that it moves");
    assert_eq!(shown.header("cache-control"), Some("private, max-age=31536000, immutable"));
    assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
    assert!(shown.header("content-security-policy").unwrap().contains("sandbox"));
    team.nobody().get(path).await.problem(401, "not_signed_in");
    put(&team.ada, "%E6%97%A5%E6%9C%AC", png(64, 64)).await.expect(200);
    let second = socket.expect("account.updated").await["account"]["emoji_version"].as_i64().unwrap();
    assert!(second > first);
    let all = grace.get("/api/emoji").await.expect(200);
    let names: Vec<&str> =
        all["emoji"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["party_parrot", "日本"]);
    assert_eq!(grace.get(all["emoji"][1]["url"].as_str().unwrap()).await.status, 200);
    // Another picture under the same name.
    let replaced = put(&team.ada, "party_parrot", png(900, 300)).await.expect(200);
    assert_ne!(replaced["url"], made["url"]);
    let small = grace.get(replaced["url"].as_str().unwrap()).await;
    assert_eq!(small.header("content-type"), Some("image/webp"), "a large one is made small");
    assert!(small.body.len() < 20_000);
    team.ada.delete("/api/emoji/party_parrot").await.expect(204);
    team.ada.delete("/api/emoji/party_parrot").await.problem(404, "not_found");
    grace.get("/emoji/party_parrot").await.problem(404, "not_found");
    team.ada.delete("/api/emoji/%E6%97%A5%E6%9C%AC").await.expect(204);
    assert_eq!(grace.get("/api/account").await.expect(200)["emoji_version"], Value::Null, "none is left");
    let audit = team.ada.get("/api/audit").await.expect(200);
    let acts: Vec<&Value> = audit["entries"].as_array().unwrap().iter().map(|it| &it["action"]).collect();
    assert_eq!(acts, ["emoji.remove", "emoji.remove", "emoji.put", "emoji.put", "emoji.put"]);
}

#[tokio::test]
async fn emoji_are_refused_from_members_with_wrong_names_and_with_no_picture() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    put(&grace, "tada", png(9, 9)).await.problem(403, "forbidden");
    grace.delete("/api/emoji/tada").await.problem(403, "forbidden");
    put(&team.nobody(), "tada", png(9, 9)).await.problem(401, "not_signed_in");
    for name in ["Tada", "a%20b", "%3Ctada%3E", "a.gif", "..", "%F0%9F%8E%89", &"x".repeat(65)] {
        put(&team.ada, name, png(9, 9)).await.invalid(&["name"]);
    }
    for bytes in [
        vec![],
        b"GIF89a".to_vec(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        b"%PDF-1.7".to_vec(),
    ] {
        put(&team.ada, "tada", bytes).await.problem(415, "unsupported_media_type");
    }
    // By a connection of its own: it is closed with the rest of the body unread.
    let other = Client::new(team.server.address(), team.ada.credentials().clone());
    put(&other, "tada", vec![0; (10 << 20) + 1]).await.problem(413, "too_large");
    assert_eq!(team.ada.get("/api/emoji").await.expect(200), json!({"emoji": []}));
}

#[tokio::test]
async fn team_has_at_most_ten_thousand_emoji() {
    let team = Team::start().await;
    rusqlite::Connection::open(team.server.database())
        .unwrap()
        .execute_batch(
            "with recursive n (id) as (select 1 union all select id + 1 from n where id < 10000)
             insert into emoji (name, version) select 'e' || id, 1 from n",
        )
        .unwrap();
    let refused = put(&team.ada, "one_more", png(9, 9)).await.problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains("10,000"), "{refused}");
    put(&team.ada, "e7", png(9, 9)).await.expect(200);
    team.ada.delete("/api/emoji/e8").await.expect(204);
    put(&team.ada, "one_more", png(9, 9)).await.expect(200);
}

#[tokio::test]
async fn boost_may_be_an_emoji_of_the_team_whose_name_is_long() {
    let team = Team::start().await;
    let message = id(&team.ada.say(team.room, "Look :party_parrot_with_a_hat:").await);
    let path = format!("/api/messages/{message}/boosts");
    let boost = team.ada.post(&path, json!({"content": ":party_parrot_with_a_hat:"})).await.expect(201);
    assert_eq!(boost["content"], ":party_parrot_with_a_hat:");
    team.ada.post(&path, json!({"content": format!(":{}:", "x".repeat(65))})).await.invalid(&["content"]);
    team.ada.post(&path, json!({"content": ":not a name of one:"})).await.invalid(&["content"]);
    let shown = team.ada.get(&format!("/api/messages/{message}")).await.expect(200);
    assert_eq!(
        shown["html"], "<p>Look :party_parrot_with_a_hat:</p>",
        "the page shows pictures, the text stays"
    );
}
