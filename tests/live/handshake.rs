//! The WebSocket handshake and the subprotocols.

use tokio_tungstenite::tungstenite::protocol::Message;

use crate::support::http::Credentials;
use crate::support::ws::{Format, handshake_request, refused_handshake};
use crate::support::*;

#[tokio::test]
async fn hello_is_sent_in_json_and_in_msgpack() {
    let team = Team::start().await;
    let said = team.ada.say(team.room, "Before").await;
    let json = Socket::connect(&team.ada).await;
    let msgpack = Socket::connect_msgpack(&team.ada).await;
    let unasked = Socket::open(&team.ada, None, Format::Json, None).await;
    let bearer = Socket::connect(&team.ada.bearer()).await;
    for socket in [json, msgpack, unasked, bearer] {
        assert_keys(&socket.hello, &["type", "user_id", "seq", "history", "heartbeat_s"]);
        assert_eq!(socket.hello["user_id"], team.ada.id);
        assert!(socket.hello["seq"].as_i64() >= said["id"].as_i64(), "{}", socket.hello);
        assert!(socket.hello["heartbeat_s"].as_i64().is_some_and(|it| it > 0), "{}", socket.hello);
    }
}

#[tokio::test]
async fn msgpack_and_json_carry_the_same_events() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut json = Socket::connect(&team.ada).await;
    let mut msgpack = Socket::connect_msgpack(&team.ada).await;
    json.join(team.room).await;
    let joined = msgpack.join(team.room).await;
    assert_keys(&joined, &["type", "room_id", "seq", "present"]);
    let said = grace.say(team.room, "Größe: 1.5 & 🔥 — @[Ada](user:1)").await;
    let (a, b) = (json.expect("message.created").await, msgpack.expect("message.created").await);
    assert_eq!(a, b);
    assert_eq!((&a["message"], &a["seq"]), (&said, &said["id"]));
    // A message posted in MessagePack is received in JSON.
    let ack = msgpack.say(team.room, "Packed", "mp-1").await;
    let heard = json.expect_where("message.created", |it| it["message"]["content"] == "Packed").await;
    assert_eq!(heard["message"], ack["message"]);
    assert_eq!(ack["message"]["client_message_id"], "mp-1");
    grace.patch(&format!("/api/messages/{}", id(&said)), json!({"content": "Changed"})).await.expect(200);
    assert_eq!(json.expect("message.updated").await, msgpack.expect("message.updated").await);
    grace.delete(&format!("/api/messages/{}", id(&said))).await.expect(204);
    assert_eq!(json.expect("message.deleted").await, msgpack.expect("message.deleted").await);
}

#[tokio::test]
async fn handshake_without_a_session_or_from_another_site_is_refused() {
    let team = Team::start().await;
    let protocol = Some("campfire.json");
    for credentials in
        [Credentials::None, Credentials::Cookie("forged".into()), Credentials::Bearer("forged".into())]
    {
        let stranger = team.ada.with(credentials);
        let (status, problem) = refused_handshake(&stranger, handshake_request(&stranger, protocol)).await;
        assert_eq!((status, &problem["code"]), (401, &json!("not_signed_in")));
    }
    for origin in
        ["https://evil.example", "null", "http://127.0.0.1:1", &format!("{}.evil.example", team.ada.origin())]
    {
        let mut request = handshake_request(&team.ada, protocol);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (status, problem) = refused_handshake(&team.ada, request).await;
        assert_eq!((status, &problem["code"]), (403, &json!("cross_site_request")), "{origin}");
    }
    let mut request = handshake_request(&team.ada, protocol);
    request.headers_mut().remove("origin");
    assert_eq!(
        refused_handshake(&team.ada, request).await.0,
        403,
        "with a cookie, Origin must name this host"
    );
    // A browser does not send a bearer token by itself, so no origin is needed.
    Socket::connect(&team.ada.bearer()).await;
}

#[tokio::test]
async fn handshake_that_is_malformed_is_refused() {
    let team = Team::start().await;
    let bearer = team.ada.bearer();
    let plain = bearer.get("/ws").await;
    plain.problem(426, "upgrade_required");
    // RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
    assert_eq!(
        (plain.header("upgrade"), plain.header("sec-websocket-version")),
        (Some("websocket"), Some("13"))
    );
    assert_eq!(plain.header("connection"), Some("Upgrade"));
    for (name, value) in [("sec-websocket-version", "8"), ("sec-websocket-key", "short"), ("upgrade", "h2c")]
    {
        let mut request = handshake_request(&bearer, None);
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = raw_exchange_of(&bearer, &request).await;
        assert_eq!(answer, 426, "{name}: {value}");
    }
    team.ada.request("POST", "/ws").send().await.refused(405);
}

/// The status of a handshake that tungstenite would not send.
async fn raw_exchange_of(
    client: &Client,
    request: &tokio_tungstenite::tungstenite::handshake::client::Request,
) -> u16 {
    let mut head = "GET /ws HTTP/1.1\r\n".to_owned();
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let head = head.replace("connection: Upgrade", "connection: Upgrade, close");
    http::raw_status(&raw_exchange(client.address(), format!("{head}\r\n").as_bytes()).await)
}

#[tokio::test]
async fn subprotocol_that_is_unknown_is_skipped() {
    let team = Team::start().await;
    let mut request = handshake_request(&team.ada, None);
    request.headers_mut().insert("sec-websocket-protocol", "chat.v9, campfire.msgpack".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(team.ada.address()).await.unwrap();
    let (_, response) = tokio_tungstenite::client_async(request, stream).await.expect("a handshake");
    assert_eq!(response.headers()["sec-websocket-protocol"], "campfire.msgpack");
}

#[tokio::test]
async fn pings_as_events_and_as_frames_are_answered() {
    let team = Team::start().await;
    let mut socket = team.ada.socket().await;
    for t in [json!(12.5), json!("x"), json!(null), json!(1_795_507_200_123_i64)] {
        socket.send(json!({"type": "ping", "t": t})).await;
        assert_eq!(socket.expect("pong").await, json!({"type": "pong", "t": t}));
    }
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.expect("pong").await["t"], Value::Null);
    use futures_util::{SinkExt, StreamExt};
    socket.stream.send(Message::Ping("are you there".into())).await.unwrap();
    let pong = within("a pong", socket.stream.next()).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("are you there".into()));
    socket.stream.close(None).await.unwrap();
    assert!(matches!(socket.closed().await, Some(1000 | 1005)));
}
