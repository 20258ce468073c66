//! People, rooms and messages.

use super::*;

/// Traps 4, 5 and 18.
#[test]
fn only_a_changed_text_is_an_edit_and_a_missing_text_is_none() {
    let it = Move::new();
    it.say(1, 1, 1, "as it was");
    it.say(2, 1, 1, "corrected");
    it.run(
        "update messages set updated_at = '2026-03-01 00:00:00' where id = 1;
         update action_text_rich_texts set created_at = '2026-01-02 11:00:02', updated_at = '2026-01-02 11:05:00.5' where record_id = 2;",
    );
    it.row(
        "messages",
        &[
            ("id", json!(3)),
            ("room_id", json!(1)),
            ("creator_id", json!(2)),
            ("client_message_id", json!("x")),
        ],
    );
    it.import();
    assert_eq!(it.message(1)["edited_at"], Value::Null);
    assert_eq!(it.message(2)["edited_at"], "2026-01-02T11:05:00.500Z");
    assert_eq!(it.message(3)["content"], "");
}

/// Trap 3.
#[test]
fn unread_begins_with_the_newest_message_that_was_told() {
    let it = Move::new();
    for id in 1..=4 {
        it.say_at(id, 1, 1, "x", &format!("2026-01-02 11:00:0{id}.{id}00000"));
    }
    it.run("update memberships set unread_at = '2026-01-02 11:00:03.3' where user_id = 2");
    it.room(2, "Rooms::Closed", Some("Quiet"), &[1]);
    it.import();
    let read = |user: i64, room: i64| -> i64 {
        it.one(&format!(
            "select last_read_message_id from memberships where user_id = {user} and room_id = {room}"
        ))
    };
    assert_eq!((read(1, 1), read(2, 1), read(1, 2)), (4, 2, 0));
}

/// Trap 7.
#[test]
fn bots_keys_and_webhooks_go_on() {
    let it = Move::new();
    it.person(5, "Deploys", json!({"role": 2, "bot_token": "a1B2c3D4e5F6", "password_digest": ""}));
    it.row("webhooks", &[("user_id", json!(5)), ("url", json!("http://10.0.0.9/hook"))]);
    it.import();
    let bot: (String, String) = it
        .here()
        .query_row("select key, webhook_url from bots where user_id = 5", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((bot.0.as_str(), bot.1.as_str()), ("a1B2c3D4e5F6", "http://10.0.0.9/hook"));
    let hash: TokenHash = it.one("select token_hash from sessions where user_id = 5 and kind = 'bot'");
    assert_eq!(hash.0, TokenHash::of("5-a1B2c3D4e5F6").0);
}

/// Trap 8: a mention in each encoding, of somebody in the room, of one outside, of nobody.
#[test]
fn mentions_become_ours() {
    use base64::Engine;
    let it = Move::new();
    it.person(12, "Twelve", json!({}));
    it.person(123, "Lena", json!({}));
    it.run("insert into memberships (room_id, user_id, created_at, updated_at) values (1, 123, '2026-01-01', '2026-01-01')");
    let of = |user: i64| {
        let json = json!({"_rails": {"data": format!("gid://campfire/User/{user}?expires_in"), "pur": "attachable"}});
        let sgid = base64::engine::general_purpose::URL_SAFE.encode(json.to_string());
        format!(
            "<div>Hi <action-text-attachment sgid=\"{sgid}--00\" content-type=\"application/vnd.campfire.mention\" content=\"&lt;div&gt;Old name&lt;/div&gt;\"></action-text-attachment>&nbsp;ok</div>"
        )
    };
    for (id, user) in [(1, 123), (2, 12), (3, 999)] {
        it.say(id, 1, 1, &of(user));
    }
    it.import();
    let mentions = |id: i64| it.message(id)["mentions"].clone();
    assert_eq!((mentions(1), mentions(2), mentions(3)), (json!([123]), json!([]), json!([])));
    assert!(
        it.message(1)["html"].as_str().unwrap().contains("data-user-id=\"123\">@Lena</span>"),
        "{}",
        it.message(1)
    );
    assert_eq!(it.one::<i64>("select count(*) from mentions"), 1);
    assert!(it.message(3)["html"].as_str().unwrap().contains("@Old name"), "{}", it.message(3));
}

#[test]
fn replies_links_and_previews_lead_here() {
    let it = Move::new();
    it.say(1, 1, 1, "What?");
    it.say(2, 1, 2, "<div><blockquote>What?</blockquote><cite>Mira <a href=\"http://localhost/rooms/1/@1\">#</a></cite><br>That. See <a href=\"https://old.example/rooms/1/@1\">this</a></div>");
    it.import();
    let message = it.message(2);
    assert_eq!(
        (&message["reply_to_id"], &message["content"]),
        (&json!(1), &json!("That. See [this](</rooms/1/@1>)"))
    );
    assert_eq!(message["html"], "<p>That. See <a href=\"/rooms/1/@1\">this</a></p>");
}

/// Traps 10, 11 and 12.
#[test]
fn rows_of_people_and_rooms_that_are_gone_do_not_stop_it() {
    let it = Move::new();
    it.say(1, 1, 999_999, "from nobody");
    it.person(3, "Lena", json!({"status": 1, "email_address": "lena-deactivated-1@lamp.example", "password_digest": "$2a$04$x"}));
    it.person(4, "Bad", json!({"status": 2, "email_address": "bad@lamp.example"}));
    it.room(2, "Rooms::Direct", None, &[1, 3]);
    it.room(3, "Rooms::Direct", None, &[1, 777]);
    it.room(4, "Rooms::Closed", Some("Old"), &[3, 4]);
    it.run(
        "update rooms set creator_id = 888 where id = 4;
         insert into memberships (room_id, user_id, created_at, updated_at) values (99, 1, '2026-01-01', '2026-01-01');
         insert into action_text_rich_texts (record_type, record_id, name, body, created_at, updated_at)
           values ('Message', 4444, 'body', 'left over', '2026-01-01', '2026-01-01');
         insert into boosts (message_id, booster_id, content, created_at, updated_at) values (4444, 1, 'x', '2026-01-01', '2026-01-01');",
    );
    let report = it.import();
    let gone: i64 = it.one("select creator_id from messages where id = 1");
    let name: String = it.one(&format!("select name || ' ' || status from users where id = {gone}"));
    assert_eq!(name, "Somebody who left deactivated");
    let members = |room: i64| -> String {
        it.one(&format!("select group_concat(user_id) from (select user_id from memberships where room_id = {room} order by user_id)"))
    };
    assert_eq!((members(2).as_str(), members(4).as_str()), ("1,3", "4"));
    assert_eq!(members(3), format!("1,{gone}"), "no notes to oneself");
    let lena: (Option<String>, Option<String>) = it
        .here()
        .query_row("select email, password_hash from users where id = 3", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(lena, (None, None));
    assert_eq!(it.one::<String>("select email from users where id = 4"), "bad@lamp.example");
    assert_eq!(report.of(Kind::Boosts).left_out.len(), 1);
}

/// Trap 11.
#[test]
fn second_direct_room_of_the_same_people_stands_beside_the_first() {
    let it = Move::new();
    it.room(2, "Rooms::Direct", None, &[1, 2]);
    it.room(3, "Rooms::Direct", None, &[1, 2]);
    it.say(1, 3, 1, "in the second");
    let report = it.import();
    assert!(report.text().contains("direct rooms of the same people"));
    assert_eq!(it.one::<i64>("select count(*) from rooms where kind = 'direct'"), 2);
    assert_eq!(it.one::<String>("select members_key from rooms where id = 2"), "1,2");
    assert_eq!(it.message(1)["room_id"], 3);
}

/// Traps 15 and 16.
#[test]
fn names_and_addresses_are_made_to_fit() {
    let it = Move::new();
    it.person(3, " ", json!({"email_address": "MIRA@lamp.example"}));
    it.person(4, &"n".repeat(150), json!({"email_address": " lena@lamp.example ", "bio": "b".repeat(600)}));
    it.person(5, "Ok", json!({"email_address": "no address"}));
    it.room(2, "Rooms::Closed", Some(&"r".repeat(150)), &[1]);
    let report = it.import();
    assert_eq!(it.one::<String>("select name from users where id = 3"), "Somebody");
    assert_eq!(it.one::<Option<String>>("select email from users where id = 3"), None);
    assert_eq!(it.one::<String>("select email from users where id = 4"), "lena@lamp.example");
    assert_eq!(it.one::<i64>("select length(name) + length(bio) from users where id = 4"), 600);
    assert_eq!(it.one::<Option<String>>("select email from users where id = 5"), None);
    assert_eq!(it.one::<i64>("select length(name) from rooms where id = 2"), 100);
    assert!(report.text().contains("MIRA@lamp.example, of user 1 and of Somebody"), "{}", report.text());
}

/// Trap 16.
#[test]
fn text_that_is_too_long_becomes_a_file() {
    let it = Move::new();
    it.say(1, 1, 1, &format!("begin {}", "line of a log<br>".repeat(6_000)));
    it.import();
    let message = it.message(1);
    assert_eq!(
        (&message["kind"], &message["attachment"]["filename"]),
        (&json!("attachment"), &json!("message.txt"))
    );
    let content = message["content"].as_str().unwrap();
    assert!(
        content.contains("begin line of a log") && content.ends_with('…') && content.len() < 5_000,
        "{content}"
    );
    let key: String = it.one("select key from attachments");
    let file = fs::read_to_string(crate::store::Folder::of(&it.data()).place(&key)).unwrap();
    assert_eq!(file.matches("line of a log").count(), 6_000);
}

/// Trap 17.
#[test]
fn boosts_are_short_and_each_once_of_a_person() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    for (booster, content) in [(1, "👍"), (1, "👍"), (2, "Hello"), (2, "a much longer content"), (777, "🎉")]
    {
        it.row(
            "boosts",
            &[("message_id", json!(1)), ("booster_id", json!(booster)), ("content", json!(content))],
        );
    }
    let report = it.import();
    let boosts = it.message(1)["boosts"].clone();
    let contents: Vec<&str> =
        boosts.as_array().unwrap().iter().map(|it| it["content"].as_str().unwrap()).collect();
    assert_eq!(contents, ["👍", "Hello", "a much longer co", "🎉"]);
    assert_eq!((report.of(Kind::Boosts).found, report.of(Kind::Boosts).taken), (5, 4));
    assert_eq!(it.one::<i64>("select count(*) from boosts where id in (select value ->> 'id' from messages, json_each(cast(messages.json as text), '$.boosts'))"), 4);
}

/// Trap 6.
#[test]
fn ids_that_do_not_rise_with_time_are_told() {
    let it = Move::new();
    it.say_at(1, 1, 1, "later", "2026-02-01 00:00:00");
    it.say_at(2, 1, 1, "earlier", "2025-02-01 00:00:00");
    let report = it.import();
    assert!(report.text().contains("older than one with a smaller id"), "{}", report.text());
    assert_eq!(it.message(2)["created_at"], "2025-02-01T00:00:00.000Z");
}
