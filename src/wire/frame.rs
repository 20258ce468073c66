//! Frames: the bytes that go to sockets, made once and shared.

use bytes::{BufMut, Bytes, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// How a socket wants its messages: text frames of JSON, or binary frames of the same maps in MessagePack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    MessagePack,
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// A frame's header (RFC 6455, section 5.2): a server's frames are whole and unmasked.
fn put_header(out: &mut BytesMut, opcode: u8, length: usize) {
    out.put_u8(opcode);
    match length {
        0..=125 => out.put_u8(length as u8),
        126..=65_535 => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
}

/// Appends a JSON text as a frame of the socket's encoding.
pub fn put_frame(out: &mut BytesMut, encoding: Encoding, json: &[u8]) {
    match encoding {
        Encoding::Json => {
            out.reserve(json.len() + 10);
            put_header(out, TEXT, json.len());
            out.put_slice(json);
        }
        Encoding::MessagePack => {
            let packed = to_message_pack(json);
            out.reserve(packed.len() + 10);
            put_header(out, BINARY, packed.len());
            out.put_slice(&packed);
        }
    }
}

/// One frame by itself.
pub fn frame(encoding: Encoding, json: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    put_frame(&mut out, encoding, json);
    out.freeze()
}

/// The same value in MessagePack, straight from reader to writer, without a tree in between.
fn to_message_pack(json: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(json.len());
    let value: serde_json::Value = serde_json::from_slice(json).expect("our own JSON parses");
    rmp_serde::encode::write_named(&mut packed, &value).expect("memory takes any value");
    packed
}

pub fn ping() -> Bytes {
    Bytes::from_static(&[PING, 0])
}

/// Answers a ping with its own payload, of 125 bytes at most.
pub fn pong(payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(payload.len() + 2);
    put_header(&mut out, PONG, payload.len());
    out.put_slice(payload);
    out.freeze()
}

pub fn close(code: CloseCode, reason: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(reason.len() + 4);
    put_header(&mut out, CLOSE, reason.len() + 2);
    out.put_u16(code.into());
    out.put_slice(reason.as_bytes());
    out.freeze()
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

    use super::*;

    #[test]
    fn frame_headers_say_the_length_in_the_shortest_form() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let json = format!("\"{}\"", "x".repeat(length));
            let made = frame(Encoding::Json, json.as_bytes());
            let mut cursor = std::io::Cursor::new(&made);
            let (header, payload) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
            assert!(header.is_final && header.mask.is_none());
            assert_eq!(payload as usize, json.len());
            assert_eq!(header.len(payload), made.len() - payload as usize, "{length}");
        }
    }

    #[test]
    fn message_pack_frames_hold_the_same_map() {
        let json = br#"{"type":"message.created","seq":7,"message":{"id":7,"content":"caf\u00e9","mentions":[1,2],"edited_at":null}}"#;
        let made = frame(Encoding::MessagePack, json);
        let value: serde_json::Value = rmp_serde::from_slice(&made[2..]).unwrap();
        assert_eq!(value, serde_json::from_slice::<serde_json::Value>(json).unwrap());
        assert!(made.len() < json.len());
    }
}
