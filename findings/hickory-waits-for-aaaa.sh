#!/usr/bin/env bash
# hickory-resolver's lookup_ip gives no address before the question for the other family has timed out.
#
# Guess: asked for both families at once, a resolver made for happy eyeballs hands over the IPv4 address within some tens of
#   milliseconds after it has arrived (RFC 8305, section 3, says 50 ms), whatever becomes of the question for IPv6.
# Really: it waits for both. Where a name server drops questions for AAAA, as some home routers and captive portals do, the
#   address that came in a millisecond is given after all attempts for the other have timed out: seconds later, which may be
#   longer than the call that needed it may take. No strategy changes that but asking for one family alone.
# Version: hickory-resolver 0.26.3, default options but for a timeout of 2 s (the default is 5 s) and one retry: seen 4.1 s.
# Source: lookup_ip.rs of the crate joins both lookups; observed with a name server that drops AAAA.
# Date: 2026-11-30.
# For us: after half a second the addresses of one family will do (`one_family` in src/outbound/names.rs).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "waits"
version = "0.0.0"
edition = "2021"

[dependencies]
hickory-resolver = { version = "=0.26.3", default-features = false, features = ["tokio"] }
tokio = { version = "=1.47.1", features = ["full"] }
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::time::{Duration, Instant};

use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
};
use tokio::net::UdpSocket;

/// Answers questions for A with 192.0.2.1, and drops all others.
async fn name_server() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let query = &packet[..length];
            let name = query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
            let question = &query[12..12 + name + 4];
            if question[name..name + 2] != [0, 1] {
                continue;
            }
            let head = [&query[..2], &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]].concat();
            let record = [&[0xC0, 12], &question[name..], &[0, 0, 0, 60, 0, 4, 192, 0, 2, 1]].concat();
            let _ = socket.send_to(&[&head, question, &record].concat(), from).await;
        }
    });
    port
}

async fn took(strategy: LookupIpStrategy, port: u16) -> Duration {
    let mut server = NameServerConfig::udp("127.0.0.1".parse().unwrap());
    server.connections.iter_mut().for_each(|connection| connection.port = port);
    let mut options = ResolverOpts::default();
    options.ip_strategy = strategy;
    options.timeout = Duration::from_secs(2);
    options.attempts = 1; // after the first
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let resolver = builder.with_options(options).build().unwrap();
    let started = Instant::now();
    let found = resolver.lookup_ip("chat.example.").await.unwrap();
    assert_eq!(found.iter().next().unwrap().to_string(), "192.0.2.1");
    started.elapsed()
}

#[tokio::main]
async fn main() {
    let port = name_server().await;
    let alone = took(LookupIpStrategy::Ipv4Only, port).await;
    let both = took(LookupIpStrategy::Ipv4AndIpv6, port).await;
    println!("asked for IPv4 alone: {} ms; for both: {} ms", alone.as_millis(), both.as_millis());
    std::process::exit(if alone < Duration::from_millis(500) && both > Duration::from_millis(1_500) { 0 } else { 1 });
}
RUST

echo 'hickory-resolver 0.26.3'
if cargo run --quiet --manifest-path "$dir/Cargo.toml" --target-dir "$dir/target"; then
    echo 'seen: lookup_ip keeps an IPv4 address back until the question for IPv6 has timed out'
else
    echo 'changed: lookup_ip no longer waits for the family that is not answered'
    exit 1
fi
