//! Calls to other servers from hosts without IPv6, with an IPv6 that leads nowhere, and behind NAT64 (B1). The addresses are
//! public ones, so that what is called is what would be called anywhere; they exist in a namespace only.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Command,
};

use tokio::net::UdpSocket;

use crate::support::{receiver::response, server::campfire, *};

const INSIDE: &str = "CAMPFIRE_TEST_NETWORK";

const V4: Ipv4Addr = Ipv4Addr::new(93, 184, 215, 14);
const V6: Ipv6Addr = Ipv6Addr::new(0x2606, 0x2800, 0x21f, 0xcb07, 0x6820, 0x80da, 0xaf6b, 0x8b2c);
/// What DNS64 makes of `V4` (RFC 6052).
const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0x5db8, 0xd70e);

/// Runs the test of this name again, in a network that the shell lines make; true in there.
fn is_inside(test: &str, lines: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    require(&["ip", "unshare"]);
    let place = tempfile::tempdir().unwrap();
    let resolv_conf = place.path().join("resolv.conf");
    fs::write(&resolv_conf, "# The network is not up yet.\n").unwrap();
    let lines = format!(
        "set -e
ip link set lo up
mount --bind {resolv_conf} /etc/resolv.conf
{lines}
exec \"$0\" --exact {test} --nocapture",
        resolv_conf = resolv_conf.display()
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["sh", "-c", &lines])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .output()
        .expect("unshare starts");
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// The name server of the network: every name has these addresses.
async fn name_server(addresses: Vec<IpAddr>) {
    let socket = UdpSocket::bind("127.0.0.1:53").await.unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let query = &packet[..length];
            // Behind the header of 12 bytes: the name in labels, then type and class (RFC 1035, section 4.1).
            let name = query[12..].iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
            let question = &query[12..12 + name + 4];
            let is_a = question[name..name + 2] == [0, 1];
            let found: Vec<_> = addresses.iter().filter(|address| address.is_ipv4() == is_a).collect();
            let mut reply =
                [&query[..2], &[0x81, 0x80, 0, 1, 0, found.len() as u8, 0, 0, 0, 0], question].concat();
            for address in found {
                let octets = match address {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                // The name by reference, type and class of the question, a TTL of 0, the address.
                reply.extend(
                    [&[0xC0, 12], &question[name..], &[0, 0, 0, 0, 0, octets.len() as u8], &octets].concat(),
                );
            }
            let _ = socket.send_to(&reply, from).await;
        }
    });
}

/// Webhooks, pushes, link previews and `campfire upgrade` reach `reached`, where every name has `named`.
async fn assert_calls_arrive(named: &[IpAddr], reached: IpAddr) {
    let team = Team::start().await;
    let others = Receiver::at(SocketAddr::new(reached, 0), |call, _| match call.path.as_str() {
        "/page" => response(200, "text/html", "<title>A page</title>"),
        _ => response(201, "text/plain", ""),
    })
    .await;
    // The server was started before there was a name server.
    name_server(named.to_vec()).await;
    fs::write("/etc/resolv.conf", "nameserver 127.0.0.1\n").unwrap();
    let url = |name: &str, path: &str| format!("http://{name}.example.org:{}{path}", others.port);
    let bot = json!({"name": "Robot", "webhook_url": url("bot", "/hook")});
    let bot = id(&team.ada.post("/api/bots", bot).await.expect(201));
    let keys = json!({"auth": "BTBZMqHH6r4Tts7J_aSIgg", "p256dh":
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"});
    let device = json!({"endpoint": url("push", "/push"), "keys": keys});
    let device = id(&team.ada.post("/api/push/subscriptions", device).await.expect(201));
    team.ada.post(&format!("/api/push/subscriptions/{device}/test"), json!({})).await;
    let text = format!("@[Robot](user:{bot}) look at {}", url("www", "/page"));
    team.ada.say(team.room, &text).await;
    let mut paths: Vec<_> = others.wait_for_calls(3).await.into_iter().map(|call| call.path).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/hook", "/page", "/push"]);
    // It asks over HTTPS only, so that it connects is all that can be seen here.
    let release = tokio::net::TcpListener::bind(SocketAddr::new(reached, 0)).await.unwrap();
    let from = format!("https://release.example.org:{}", release.local_addr().unwrap().port());
    let mut upgrade = tokio::process::Command::from(campfire());
    let mut upgrade =
        upgrade.args(["upgrade", "--check", "--from", &from]).kill_on_drop(true).spawn().unwrap();
    within("the upgrade's connection", release.accept()).await.unwrap();
    upgrade.kill().await.unwrap();
}

#[tokio::test]
async fn outgoing_calls_arrive_from_a_host_without_ipv6() {
    let lines = format!(
        "for off in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e $off ] || echo 1 >$off; done
ip addr add {V4}/32 dev lo"
    );
    if is_inside("network::outgoing::outgoing_calls_arrive_from_a_host_without_ipv6", &lines) {
        assert!(std::net::UdpSocket::bind("[::1]:0").is_err(), "there is no IPv6");
        assert_calls_arrive(&[V6.into(), V4.into()], V4.into()).await;
    }
}

#[tokio::test]
async fn outgoing_calls_arrive_from_a_host_with_a_dead_ipv6() {
    // A neighbour that never answers: packets go out, and nothing comes back.
    let lines = format!(
        "ip link add outside type veth peer name nobody
ip link set outside up
ip link set nobody up
echo 0 >/proc/sys/net/ipv6/conf/outside/accept_dad
ip -6 addr add fd00::1/64 dev outside nodad
ip -6 neigh add fd00::2 lladdr 02:00:00:00:00:02 dev outside
ip -6 route add default via fd00::2
ip addr add {V4}/32 dev lo"
    );
    if is_inside("network::outgoing::outgoing_calls_arrive_from_a_host_with_a_dead_ipv6", &lines) {
        assert_calls_arrive(&[V6.into(), V4.into()], V4.into()).await;
    }
}

#[tokio::test]
async fn outgoing_calls_arrive_over_ipv6_alone() {
    let lines = format!("ip -6 addr add {V6}/128 dev lo nodad");
    if is_inside("network::outgoing::outgoing_calls_arrive_over_ipv6_alone", &lines) {
        assert_calls_arrive(&[V6.into()], V6.into()).await;
    }
}

#[tokio::test]
async fn outgoing_calls_arrive_behind_nat64() {
    let lines = format!("ip -6 addr add {NAT64}/128 dev lo nodad");
    if is_inside("network::outgoing::outgoing_calls_arrive_behind_nat64", &lines) {
        assert_calls_arrive(&[NAT64.into()], NAT64.into()).await;
    }
}
