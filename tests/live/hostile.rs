//! Malformed and hostile input on a socket.

use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::ws::Received;
use crate::support::*;

#[tokio::test]
async fn malformed_message_gets_an_error_and_the_socket_stays_open() {
    let team = Team::start().await;
    let closed = team.closed_room("Closed", &[&team.ada]).await;
    let grace = team.join("Grace").await;
    let mut socket = grace.socket_in(team.room).await;
    let room = team.room;
    for text in [
        "",
        "{",
        "nonsense",
        "[]",
        "null",
        "1",
        "\"join_room\"",
        "{}",
        r#"{"type":5}"#,
        r#"{"type":null}"#,
        r#"{"type":"dance"}"#,
        r#"{"type":"message.created"}"#,
        r#"{"type":"join_room"}"#,
        r#"{"type":"join_room","room_id":"1"}"#,
        r#"{"type":"join_room","room_id":-1}"#,
        r#"{"type":"join_room","room_id":9223372036854775807}"#,
        r#"{"type":"join_room","room_id":1e400}"#,
        r#"{"type":"join_room","room_id":99999999999999999999}"#,
        &format!(r#"{{"type":"join_room","room_id":{room},"since":"x"}}"#),
        &format!(r#"{{"type":"join_room","room_id":{closed}}}"#),
        &format!(r#"{{"type":"message","room_id":{closed},"content":"Hi"}}"#),
        &format!(r#"{{"type":"message","room_id":{room},"content":""}}"#),
        &format!(r#"{{"type":"message","room_id":{room},"content":"  \n "}}"#),
        &format!(r#"{{"type":"message","room_id":{room},"content":5}}"#),
        &format!(r#"{{"type":"message","room_id":{room}}}"#),
        &format!(r#"{{"type":"message","room_id":{room},"content":"x","reply_to_id":9223372036854775807}}"#),
        &format!(r#"{{"type":"message","room_id":{room},"content":"x","client_message_id":{{}}}}"#),
        &format!(r#"{{"type":"message","room_id":{room},"content":"{}"}}"#, "x".repeat(64 * 1024 + 1)),
        &"[".repeat(200_000),
    ] {
        socket.send_frame(Message::text(text)).await;
        let error = socket.expect("error").await;
        let (code, detail) =
            (error["code"].as_str().unwrap_or_default(), error["detail"].as_str().unwrap_or_default());
        assert!(!code.is_empty() && !detail.is_empty(), "{text:.80}: {error}");
    }
    // Messages without an answer may fail silently, but the socket stays open.
    for message in [
        json!({"type": "typing", "room_id": closed, "active": true}),
        json!({"type": "typing", "room_id": room, "active": "yes"}),
        json!({"type": "typing"}),
        json!({"type": "read", "room_id": closed, "message_id": 1}),
        json!({"type": "read", "room_id": room, "message_id": i64::MAX}),
        json!({"type": "read", "room_id": room, "message_id": -1}),
        json!({"type": "leave_room", "room_id": closed}),
        json!({"type": "leave_room", "room_id": 424_242}),
    ] {
        socket.send(message).await;
    }
    socket.round_trip().await;
    socket.assert_not_received("message.created");
    team.ada.say(room, "All well?").await;
    assert_eq!(socket.next_content().await, "All well?");
}

#[tokio::test]
async fn half_of_a_character_is_replaced_in_messages_of_sockets_and_of_the_api() {
    let team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    let message = r#"{"type":"message","content":"half \ud83d","client_message_id":"7"}"#;
    socket.send_frame(Message::text(message)).await;
    assert_eq!(socket.expect("ack").await["message"]["content"], "half \u{FFFD}");
    let body = format!(r#"{{"room_id":{},"content":"\udc00 half"}}"#, team.room);
    let posted = team.ada.request("POST", "/api/messages").body("application/json", body).send().await;
    assert_eq!(posted.expect(201)["content"], "\u{FFFD} half");
}

#[tokio::test]
async fn error_names_the_message_that_it_is_about() {
    let team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    socket.send(json!({"type": "message", "content": " ", "client_message_id": "empty"})).await;
    let error = socket.expect("error").await;
    assert_eq!((&error["client_message_id"], &error["code"]), (&json!("empty"), &json!("invalid")));
}

#[tokio::test]
async fn frame_of_the_other_format_is_understood_or_refused() {
    let team = Team::start().await;
    for frame in [
        Message::binary(&b"\xc1\xff\x00"[..]),
        Message::binary(vec![0x91; 100_000]),
        Message::binary(&b"\xdf\xff\xff\xff\xff"[..]),
        Message::binary(&b"\xdb\xff\xff\xff\xffx"[..]),
        Message::binary(&b""[..]),
        Message::text("{\"type\":\"ping\"}"),
    ] {
        for msgpack in [true, false] {
            let mut socket = if msgpack {
                Socket::connect_msgpack(&team.ada).await
            } else {
                Socket::connect(&team.ada).await
            };
            socket.send_frame(frame.clone()).await;
            match socket.next().await {
                Received::Event(event) => {
                    assert!(matches!(event["type"].as_str(), Some("error" | "pong")), "{event}")
                }
                Received::Closed(code) => {
                    assert!(matches!(code, Some(1002 | 1003 | 1007 | 1008)), "{code:?}")
                }
            }
        }
    }
    team.ada.get("/health").await.expect(200);
}

#[tokio::test]
async fn message_larger_than_256_kib_is_1009() {
    let team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    let padded = |len: usize| {
        let head = "{\"type\":\"ping\",\"t\":1,\"padding\":\"";
        format!("{head}{}\"}}", "x".repeat(len - head.len() - 2))
    };
    socket.send_frame(Message::text(padded(256 * 1024))).await;
    assert_eq!(socket.expect("pong").await["t"], 1);
    let _ = socket.stream.send(Message::text(padded(256 * 1024 + 1))).await;
    assert_eq!(socket.closed().await, Some(1009));
    // The limit is on the whole message, not on a frame.
    let mut socket = team.ada.socket().await;
    for n in 0..80 {
        let opcode = if n == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message("x".repeat(4096), OpCode::Data(opcode), false);
        if socket.stream.send(Message::Frame(frame)).await.is_err() {
            break;
        }
    }
    assert_eq!(socket.closed().await, Some(1009));
}

#[tokio::test]
async fn fragmented_message_with_pings_in_between_is_accepted() {
    let team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    let text = json!({"type": "message", "content": "In pieces: ä🔥", "client_message_id": "p"}).to_string();
    let bytes = text.as_bytes();
    for (n, byte) in bytes.iter().enumerate() {
        let opcode = if n == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(vec![*byte], OpCode::Data(opcode), n + 1 == bytes.len());
        socket.send_frame(Message::Frame(frame)).await;
        if n % 16 == 0 {
            socket.send_frame(Message::Ping("?".into())).await;
        }
    }
    assert_eq!(socket.expect("ack").await["message"]["content"], "In pieces: ä🔥");
}

#[tokio::test]
async fn protocol_violations_close_the_socket_and_nothing_else() {
    let team = Team::start().await;
    let mut witness = team.ada.socket_in(team.room).await;
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    };
    let attacks: Vec<Vec<u8>> = vec![
        vec![0x81, 0x02, b'{', b'}'],                                         // not masked
        masked(0xf1, b"{}"),                                                  // reserved bits
        masked(0x83, b"{}"),                                                  // reserved opcode
        masked(0x8b, b""),                                                    // reserved control opcode
        masked(0x80, b"{}"),                                                  // a continuation of nothing
        masked(0x09, b"?"),                                                   // a ping in pieces
        [vec![0x89, 0xfe, 0x00, 0x80, 0, 0, 0, 0], vec![b'x'; 128]].concat(), // too long a ping
        masked(0x81, b"\xff\xfe"),                                            // text that is no UTF-8
        masked(0x88, b"\x03"),                                                // half a close code
        masked(0x88, b"\x00\x01"), // a close code that does not exist
        [masked(0x01, b"{"), masked(0x81, b"}")].concat(), // a message inside another
        vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], // 2^64 - 1 bytes to come
        vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], // 2^63 - 1 bytes to come
        vec![0xff; 4096],
        vec![0; 4096],
    ];
    for attack in attacks {
        let socket = team.ada.socket().await;
        let mut stream = socket.stream.into_inner();
        stream.write_all(&attack).await.unwrap();
        within("the server to close", async {
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
        })
        .await;
    }
    team.ada.say(team.room, "Still standing").await;
    assert_eq!(witness.next_content().await, "Still standing");
}

/// Case 39.
#[tokio::test]
async fn close_reason_that_is_not_utf_8_is_a_violation() {
    let team = Team::start().await;
    for (payload, code) in [
        (&b"\x03\xe8bye"[..], 1000_u16),
        (b"\x0f\xa1caf\xc3\xa9", 4001),
        (b"\x03\xe8\xff\xfe", 1007),
        (b"\x03\xe8caf\xc3", 1007),
        (b"\x03\xee\xff", 1002),
    ] {
        let mut stream = team.ada.socket().await.stream.into_inner();
        let mut frame = vec![0x88, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        stream.write_all(&frame).await.unwrap();
        let mut answer = Vec::new();
        within("the server to close", stream.read_to_end(&mut answer)).await.unwrap();
        let close = answer.iter().position(|byte| *byte == 0x88).expect("a close frame");
        assert_eq!(answer[close + 2..close + 4], code.to_be_bytes(), "{payload:?}");
    }
}

#[tokio::test]
async fn half_closed_socket_is_closed_and_a_partial_frame_does_no_harm() {
    let team = Team::start().await;
    for _ in 0..10 {
        let socket = team.ada.socket_in(team.room).await;
        let mut stream = socket.stream.into_inner();
        stream.shutdown().await.unwrap();
        within("the server to close its half", async {
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
        })
        .await;
    }
    // Two bytes of a frame, then the end of the connection.
    for _ in 0..10 {
        let mut stream = team.ada.socket().await.stream.into_inner();
        stream.write_all(&[0x81, 0xfe]).await.unwrap();
    }
    team.ada.get("/health").await.expect(200);
}

#[tokio::test]
async fn commands_in_one_burst_are_all_answered_in_order() {
    let team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    for n in 0..500 {
        let text = json!({"type": "message", "content": format!("{n}"), "client_message_id": format!("{n}")});
        socket.stream.feed(Message::text(text.to_string())).await.unwrap();
    }
    socket.stream.flush().await.unwrap();
    let mut acks = Vec::new();
    let mut heard = Vec::new();
    while acks.len() < 500 || heard.len() < 500 {
        let event = socket.event().await;
        match event["type"].as_str() {
            Some("ack") => acks.push(event["client_message_id"].as_str().unwrap().to_owned()),
            Some("message.created") => heard.push(event["message"]["content"].as_str().unwrap().to_owned()),
            Some("error") => panic!("{event}"),
            _ => {}
        }
    }
    let wanted: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    assert_eq!(heard, wanted, "what one socket says is heard in the order it said it");
    assert_eq!(acks, wanted, "and acknowledged in that order");
}

#[tokio::test]
async fn joins_and_leaves_in_a_flood_end_in_the_last_of_them() {
    let team = Team::start().await;
    let mut socket = team.ada.socket().await;
    for _ in 0..300 {
        socket
            .stream
            .feed(Message::text(json!({"type": "join_room", "room_id": team.room}).to_string()))
            .await
            .unwrap();
        socket
            .stream
            .feed(Message::text(json!({"type": "leave_room", "room_id": team.room}).to_string()))
            .await
            .unwrap();
    }
    socket.stream.flush().await.unwrap();
    for _ in 0..300 {
        socket.expect("joined").await;
    }
    socket.round_trip().await;
    let grace = team.join("Grace").await;
    grace.say(team.room, "Anybody in?").await;
    socket.expect("unread").await;
    socket.assert_not_received("message.created");
}
