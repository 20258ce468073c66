//! Pages of messages.

use crate::support::*;

/// A room with this many messages, and their ids.
async fn history(count: usize) -> (Team, Vec<i64>) {
    let team = Team::start().await;
    let mut all = Vec::new();
    for n in 0..count {
        all.push(id(&team.ada.say(team.room, &format!("Message {n}")).await));
        if n % 3 == 0 {
            // Messages in other rooms make gaps in the ids.
            let direct = team.ada.direct_with(&[&team.ada]).await;
            team.ada.say(direct, "between").await;
        }
    }
    (team, all)
}

async fn page(team: &Team, query: &str) -> (Vec<i64>, bool, bool) {
    let page = team.ada.get(&format!("/api/rooms/{}/messages{query}", team.room)).await.expect(200);
    assert_keys(&page, &["messages", "has_before", "has_after"]);
    (ids(&page["messages"]), page["has_before"] == true, page["has_after"] == true)
}

#[tokio::test]
async fn page_is_the_newest_fifty_oldest_first() {
    let (team, all) = history(60).await;
    assert_eq!(page(&team, "").await, (all[10..].to_vec(), true, false));
    assert_eq!(page(&team, "?limit=60").await, (all.clone(), false, false));
    assert_eq!(page(&team, "?limit=200").await, (all.clone(), false, false));
    assert_eq!(page(&team, "?limit=1").await, (all[59..].to_vec(), true, false));
}

#[tokio::test]
async fn paging_with_before_after_and_around_walks_the_whole_history() {
    let (team, all) = history(25).await;
    let mut walked: Vec<i64> = Vec::new();
    let mut query = "?limit=7".to_owned();
    loop {
        let (ids, has_before, _) = page(&team, &query).await;
        query = format!("?limit=7&before={}", ids[0]);
        walked.splice(0..0, ids);
        if !has_before {
            break;
        }
    }
    assert_eq!(walked, all);
    let mut walked = vec![all[0]];
    loop {
        let (ids, has_before, has_after) =
            page(&team, &format!("?limit=8&after={}", walked.last().unwrap())).await;
        assert!(has_before);
        walked.extend(ids);
        if !has_after {
            break;
        }
    }
    assert_eq!(walked, all);
    let (around, has_before, has_after) = page(&team, &format!("?limit=5&around={}", all[12])).await;
    assert!(around.contains(&all[12]) && around.len() == 5 && has_before && has_after, "{around:?}");
    let at = all.iter().position(|it| *it == around[0]).unwrap();
    assert_eq!(around, all[at..at + 5], "without a hole");
    assert!((9..=12).contains(&at), "the one asked for is about in the middle");
    let (around, has_before, _) = page(&team, &format!("?limit=6&around={}", all[0])).await;
    assert_eq!((around[0], has_before), (all[0], false));
    let (around, _, has_after) = page(&team, &format!("?limit=6&around={}", all[24])).await;
    assert_eq!((around.last(), has_after), (Some(&all[24]), false));
    let (around, ..) = page(&team, &format!("?limit=1&around={}", all[7])).await;
    assert_eq!(around, [all[7]]);
}

#[tokio::test]
async fn paging_ends_at_the_oldest_and_newest_message() {
    let (team, all) = history(5).await;
    assert_eq!(page(&team, &format!("?before={}", all[0])).await, (vec![], false, true));
    assert_eq!(page(&team, &format!("?after={}", all[4])).await, (vec![], true, false));
    assert_eq!(page(&team, &format!("?before={}", i64::MAX)).await, (all.clone(), false, false));
    assert_eq!(page(&team, &format!("?before={}&limit=2", all[2])).await, (all[..2].to_vec(), false, true));
    assert_eq!(page(&team, &format!("?after={}&limit=2", all[2])).await, (all[3..].to_vec(), true, false));
    assert_eq!(page(&team, &format!("?after={}&limit=1", all[2])).await, (all[3..4].to_vec(), true, true));
    let empty = team.closed_room("Empty", &[&team.ada]).await;
    let nothing = team.ada.get(&format!("/api/rooms/{empty}/messages")).await.expect(200);
    assert_eq!(nothing, json!({"messages": [], "has_before": false, "has_after": false}));
}

#[tokio::test]
async fn paging_from_a_deleted_message_works() {
    let (team, all) = history(5).await;
    team.ada.delete(&format!("/api/messages/{}", all[2])).await.expect(204);
    assert_eq!(page(&team, &format!("?before={}", all[2])).await.0, all[..2]);
    assert_eq!(page(&team, &format!("?after={}", all[2])).await.0, all[3..]);
    let around = team.ada.get(&format!("/api/rooms/{}/messages?around={}", team.room, all[2])).await;
    assert!(matches!(around.status, 200 | 404), "{}", around.text());
}

#[tokio::test]
async fn paging_query_that_makes_no_sense_is_400() {
    let (team, all) = history(2).await;
    let (a, b) = (all[0], all[1]);
    for query in [
        &*format!("before={a}&after={b}"),
        &format!("before={a}&around={b}"),
        &format!("after={a}&around={b}"),
        &format!("before={a}&after={a}&around={a}"),
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=",
        "limit=ten",
        "limit=1.5",
        "limit=99999999999999999999",
        "before=x",
        "before=",
        "after=1e3",
        "around=%00",
        "before=99999999999999999999",
    ] {
        let reply = team.ada.get(&format!("/api/rooms/{}/messages?{query}", team.room)).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
        reply.refused(400);
    }
    for query in ["", "&", "&&=&", "unknown=1", "limit=200", "%6cimit=1"] {
        team.ada.get(&format!("/api/rooms/{}/messages?{query}", team.room)).await.expect(200);
    }
}

#[tokio::test]
async fn link_header_leads_to_the_neighbouring_pages() {
    let (team, all) = history(10).await;
    let path = format!("/api/rooms/{}/messages", team.room);
    let middle = team.ada.get(&format!("{path}?limit=3&before={}", all[6])).await;
    let link = middle.header("link").expect("Link").to_owned();
    let mut neighbours = Vec::new();
    for part in link.split(", ") {
        let target = part.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("<target>").0;
        assert!(part.contains("rel=\""), "{part}");
        let target = target
            .split_once("/api/")
            .map(|(_, rest)| format!("/api/{rest}"))
            .expect("an address of the API");
        neighbours.extend(ids(&team.ada.get(&target).await.expect(200)["messages"]));
    }
    neighbours.sort_unstable();
    assert_eq!(neighbours, [&all[..3], &all[6..9]].concat(), "{link}");
    let whole = team.ada.get(&path).await;
    assert_eq!(whole.header("link"), None, "nothing lies beyond");
}

#[tokio::test]
async fn newest_page_follows_posts_edits_and_deletes() {
    let (team, mut all) = history(3).await;
    assert_eq!(page(&team, "").await.0, all);
    all.push(id(&team.ada.say(team.room, "More").await));
    assert_eq!(page(&team, "").await.0, all);
    team.ada.delete(&format!("/api/messages/{}", all.remove(1))).await.expect(204);
    assert_eq!(page(&team, "").await.0, all);
    team.ada.patch(&format!("/api/messages/{}", all[0]), json!({"content": "Changed"})).await.expect(200);
    // Over several connections, so that several workers answer.
    for _ in 0..8 {
        let fresh = team.ada.bearer();
        let page = fresh.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
        assert_eq!(ids(&page["messages"]), all);
        assert_eq!(page["messages"][0]["content"], "Changed");
    }
}

#[tokio::test]
async fn acknowledged_message_is_readable_at_once_on_any_connection() {
    let team = Team::start().await;
    for n in 0..50 {
        let said = team.ada.say(team.room, &format!("{n}")).await;
        let page =
            team.ada.bearer().get(&format!("/api/rooms/{}/messages?limit=1", team.room)).await.expect(200);
        assert_eq!(page["messages"], json!([said]));
        let page = team.ada.bearer().get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
        assert_eq!(ids(&page["messages"]).last(), Some(&id(&said)));
    }
}

/// B19. Each message takes more than 128 KiB as JSON: its text once as it was written, and once as HTML.
#[tokio::test]
async fn page_of_large_messages_is_cut_by_bytes() {
    const MOST: usize = 2 << 20;
    let team = Team::start().await;
    let mut all = Vec::new();
    for n in 0..40 {
        all.push(id(&team.ada.say(team.room, &format!("{n} {}", "large ".repeat(10_900))).await));
    }
    let get = async |query: &str| {
        let reply = team.ada.get(&format!("/api/rooms/{}/messages?limit=200{query}", team.room)).await;
        let page = reply.expect(200);
        assert!(reply.body.len() < MOST + 100, "{query}: {} bytes", reply.body.len());
        (ids(&page["messages"]), page["has_before"] == true, page["has_after"] == true)
    };
    let (newest, has_before, has_after) = get("").await;
    assert!((10..20).contains(&newest.len()) && has_before && !has_after, "{newest:?}");
    let mut walked = newest;
    while walked.len() < all.len() {
        let (older, has_before, has_after) = get(&format!("&before={}", walked[0])).await;
        assert!(!older.is_empty() && has_after);
        walked.splice(0..0, older);
        assert_eq!(has_before, walked.len() < all.len());
    }
    assert_eq!(walked, all);
    let (after, _, has_after) = get(&format!("&after={}", all[0])).await;
    assert!(all[1..].starts_with(&after) && has_after, "{after:?}");
    let (around, has_before, has_after) = get(&format!("&around={}", all[20])).await;
    assert!(around.contains(&all[20]) && around.contains(&all[21]) && has_before && has_after, "{around:?}");
    // The search and the events after a position are cut alike.
    let found = team.ada.get("/api/search?q=large&limit=200").await;
    assert!(found.body.len() < MOST + (100 << 10), "{} bytes", found.body.len());
    let page = found.expect(200);
    assert_eq!(page["has_before"], true);
    assert!((10..20).contains(&page["results"].as_array().unwrap().len()));
    let events = team.ada.get("/api/sync?since=0").await;
    assert!(events.body.len() < MOST + (300 << 10), "{} bytes", events.body.len());
    let mut synced = Vec::new();
    let mut since = 0;
    loop {
        let page = team.ada.get(&format!("/api/sync?since={since}")).await.expect(200);
        let events = page["events"].as_array().unwrap();
        synced
            .extend(events.iter().filter(|it| it["type"] == "message.created").map(|it| id(&it["message"])));
        if page["seq"] == since {
            break;
        }
        since = page["seq"].as_i64().unwrap();
    }
    assert_eq!(synced, all);
}
