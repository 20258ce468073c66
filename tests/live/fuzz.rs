//! Fuzzing of requests, frames and messages. Seeded, so that failures are reproducible.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::support::*;

/// Mutates samples by a pseudo-random generator (xorshift64*).
struct Mutator(u64);

impl Mutator {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// The sample with some bytes changed, removed, inserted, truncated or repeated.
    fn mutate(&mut self, sample: &[u8]) -> Vec<u8> {
        let mut bytes = sample.to_vec();
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] = self.next() as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, self.next() as u8),
                3 => bytes.truncate(at),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }
}

/// Writes the bytes and asserts that the connection then ends.
async fn send_and_drain(mut stream: TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    within("the connection to end", async {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
    })
    .await;
}

#[tokio::test]
async fn fuzzed_requests_never_take_the_server_down() {
    let mut team = Team::start().await;
    let body = json!({"room_id": team.room, "content": "noise", "client_message_id": "n", "reply_to_id": 1})
        .to_string();
    let post = format!(
        "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\naccept-encoding: gzip, br;q=0.5\r\n\
         content-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
        team.ada.token,
        body.len()
    );
    let get = format!(
        "GET /api/search?q=%22a%20b%22+c*&room_id={0}&before=9&limit=5 HTTP/1.1\r\nhost: x\r\nif-none-match: W/\"x\", *\r\n\
         cookie: a=b; campfire_session={1}\r\norigin: http://x\r\nsec-fetch-site: same-origin\r\n\r\n",
        team.room, team.ada.token
    );
    let mut mutator = Mutator(0x5EED_CA4F_F19E);
    for _ in 0..300 {
        for sample in [&post, &get] {
            let stream = TcpStream::connect(team.ada.address()).await.expect("connect");
            send_and_drain(stream, &mutator.mutate(sample.as_bytes())).await;
        }
    }
    assert_healthy(&mut team).await;
}

#[tokio::test]
async fn fuzzed_frames_never_take_the_server_down() {
    let mut team = Team::start().await;
    let message =
        json!({"type": "message", "room_id": team.room, "content": "noise", "client_message_id": "n"});
    let text = message.to_string();
    let mut frame = vec![0x81, 0x80 | 126, (text.len() >> 8) as u8, text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    let mut mutator = Mutator(0xF4A_3E5);
    for _ in 0..300 {
        let stream = team.ada.socket().await.stream.into_inner();
        send_and_drain(stream, &mutator.mutate(&frame)).await;
    }
    assert_healthy(&mut team).await;
}

#[tokio::test]
async fn fuzzed_messages_never_take_the_server_down() {
    let mut team = Team::start().await;
    let samples = [
        json!({"type": "join_room", "room_id": team.room, "since": 0}),
        json!({"type": "message", "room_id": team.room, "content": "**n** @here `x` [a](b)", "reply_to_id": 1}),
        json!({"type": "typing", "room_id": team.room, "active": true}),
        json!({"type": "ping", "t": {"deep": [[[[1.5, null, "x"]]]]}}),
    ];
    let mut mutator = Mutator(0xBAD_5EED);
    let mut msgpack = Socket::connect_msgpack(&team.ada).await;
    let mut text = team.ada.socket().await;
    for round in 0..400 {
        let sample = &samples[round % samples.len()];
        let packed = mutator.mutate(&rmp_serde::to_vec_named(sample).expect("MessagePack"));
        msgpack.send_frame(Message::binary(packed)).await;
        let mutated = mutator.mutate(sample.to_string().as_bytes());
        text.send_frame(Message::text(String::from_utf8_lossy(&mutated).into_owned())).await;
        if round % 50 == 0 {
            msgpack.round_trip().await;
            text.round_trip().await;
        }
    }
    msgpack.round_trip().await;
    text.round_trip().await;
    assert_healthy(&mut team).await;
}

/// Asserts that the server runs, answers and takes messages, and that nothing panicked.
async fn assert_healthy(team: &mut Team) {
    assert!(team.server.runs());
    team.nobody().get("/health").await.expect(200);
    team.ada.say(team.room, "Unhurt").await;
    let log = team.server.log();
    assert!(!log.contains("panic") && !log.contains("a request failed"), "{log}");
}
