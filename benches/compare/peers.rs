//! Other servers that fan out over WebSocket: NATS, MQTT, a broadcast with Node's `ws`, a room of socket.io. The clients
//! implement only as much of each protocol as is needed to receive and to publish.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::{Process, bound_to_parent};

/// A server that fans out, and the bytes of its protocol.
pub(crate) struct Peer {
    pub(crate) process: Process,
    pub(crate) receive: Vec<Step>,
    pub(crate) publish: Vec<Step>,
    /// The bytes that publish a message, by its number.
    pub(crate) message: Box<dyn Fn(usize) -> Vec<u8>>,
    /// Kept as long as the server runs.
    pub(crate) _directory: tempfile::TempDir,
}

/// Bytes to send, and bytes of the answer to wait for.
pub(crate) type Step = (Vec<u8>, &'static [u8]);

/// Starts a server with a payload for its messages; an error says why it is not available.
pub(crate) type Start = fn(&str) -> Result<Peer, String>;

pub(crate) const PEERS: [(&str, Start); 4] =
    [("nats-server", nats), ("mosquitto", mosquitto), ("Node ws", node_ws), ("socket.io", socket_io)];

/// The request that opens a WebSocket.
pub(crate) fn upgrade(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n").into_bytes()
}

/// A client's text frame. The mask is zero, so the payload is unchanged.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(0x81, payload.as_bytes())
}

pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    frame(0x82, payload)
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Debian puts servers into /usr/sbin, which is not on every PATH.
fn installed(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places
        .find_map(|place| Some(place.join(name)).filter(|file| file.is_file()))
        .ok_or("not installed".into())
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("an address");
    listener.local_addr().expect("an address")
}

/// Starts a server with a settings file, made for the address on which it listens for WebSockets.
fn configured(
    name: &str,
    option: &str,
    settings: impl Fn(SocketAddr) -> String,
) -> Result<(Process, tempfile::TempDir), String> {
    let (program, address) = (installed(name)?, free_address());
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("settings.conf");
    std::fs::write(&file, settings(address)).expect("a settings file");
    let mut command = bound_to_parent(program);
    command.arg(option).arg(file);
    Ok((Process::listening(command, address)?, directory))
}

fn nats(payload: &str) -> Result<Peer, String> {
    let (process, directory) = configured("nats-server", "-c", |address| {
        format!(
            "listen: \"{}\"\nping_interval: \"1h\"\nwebsocket {{ listen: \"{address}\", no_tls: true }}\n",
            free_address()
        )
    })?;
    let hello = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
    let step = |more: &str| (binary(format!("{hello}{more}PING\r\n").as_bytes()), &b"PONG"[..]);
    let opened = || (upgrade("/", ""), &b"INFO "[..]);
    let message = binary(format!("PUB room {}\r\n{payload}\r\n", payload.len()).as_bytes());
    Ok(Peer {
        process,
        receive: vec![opened(), step("SUB room 1\r\n")],
        publish: vec![opened(), step("")],
        message: Box::new(move |_| message.clone()),
        _directory: directory,
    })
}

/// MQTT 3.1.1: CONNECT without a client id, SUBSCRIBE to `room`, PUBLISH with QoS 0. The plain listener is there
/// because version 2.0.11 does not start without one.
fn mosquitto(payload: &str) -> Result<Peer, String> {
    let (process, directory) = configured("mosquitto", "-c", |address| {
        format!(
            "user root\nlistener {} 127.0.0.1\nlistener {} 127.0.0.1\nprotocol websockets\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\nmax_queued_messages 100000\nlog_type none\n",
            free_address().port(),
            address.port()
        )
    })?;
    let opened = || (upgrade("/mqtt", "sec-websocket-protocol: mqtt\r\n"), &b"\r\n\r\n"[..]);
    let connect = || (binary(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"), &b"\x20\x02\x00\x00"[..]);
    let subscribe = (binary(b"\x82\x09\x00\x01\x00\x04room\x00"), &b"\x90\x03\x00\x01\x00"[..]);
    let length = payload.len() + 6;
    let mut packet = vec![0x30, (length % 128) as u8 | 0x80, (length / 128) as u8];
    packet.extend_from_slice(b"\x00\x04room");
    packet.extend_from_slice(payload.as_bytes());
    let message = binary(&packet);
    Ok(Peer {
        process,
        receive: vec![opened(), connect(), subscribe],
        publish: vec![opened(), connect()],
        message: Box::new(move |_| message.clone()),
        _directory: directory,
    })
}

fn node_ws(payload: &str) -> Result<Peer, String> {
    let (process, directory) = node("ws.mjs", include_str!("peers/ws.mjs"))?;
    let message = text(payload);
    Ok(Peer {
        process,
        receive: vec![(upgrade("/", ""), b"\r\n\r\n")],
        publish: vec![(upgrade("/publish", ""), b"\r\n\r\n")],
        message: Box::new(move |_| message.clone()),
        _directory: directory,
    })
}

fn socket_io(payload: &str) -> Result<Peer, String> {
    let (process, directory) = node("socketio.mjs", include_str!("peers/socketio.mjs"))?;
    let message = text(&format!("42[\"publish\",{payload}]"));
    let opened = || (upgrade("/socket.io/?EIO=4&transport=websocket", ""), &b"0{"[..]);
    let connected = || (text("40"), &b"40{"[..]);
    Ok(Peer {
        process,
        receive: vec![opened(), connected(), (text("42[\"join\"]"), b"42[\"joined\"]")],
        publish: vec![opened(), connected()],
        message: Box::new(move |_| message.clone()),
        _directory: directory,
    })
}

/// A program for Node; its packages are installed once and kept between runs.
fn node(name: &str, program: &str) -> Result<(Process, tempfile::TempDir), String> {
    let (node, npm) = (installed("node")?, installed("npm")?);
    let modules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    std::fs::create_dir_all(&modules).expect("a directory");
    if !["ws", "socket.io"].iter().all(|name| modules.join("node_modules").join(name).is_dir()) {
        let installed = Command::new(npm)
            .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(&modules)
            .args(["ws@8", "socket.io@4"])
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            return Err("npm could not fetch it".into());
        }
    }
    std::fs::write(modules.join(name), program).expect("a program");
    let address = free_address();
    let mut command = bound_to_parent(node);
    command.arg(modules.join(name)).arg(address.port().to_string()).env("NODE_ENV", "production");
    Ok((Process::listening(command, address)?, tempfile::tempdir().expect("a directory")))
}
