//! Held against a name server that lies, redirects to private addresses, and receivers without an end.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
};

use super::*;

/// What a name server says to a question.
enum Says {
    /// Those of the family that was asked for; an empty list is an answer too.
    Addresses(Vec<IpAddr>),
    Failure,
    /// Not a word.
    Nothing,
}

use Says::{Addresses, Failure, Nothing};

fn addresses(list: &[&str]) -> Says {
    Addresses(list.iter().map(|address| address.parse().unwrap()).collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// A name server that answers every question for addresses with what the test says, and how often it was asked for A.
/// The test is told of which family, and of how many such questions came before.
async fn name_server(
    says: impl Fn(Family, usize) -> Says + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    name_server_on("127.0.0.1:0", says).await
}

async fn name_server_on(
    address: &str,
    says: impl Fn(Family, usize) -> Says + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut packet = [0; 512];
        let mut asked_for_v6 = 0;
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let query = &packet[..length];
            // Behind the header of 12 bytes: the name in labels, then type and class (RFC 1035, section 4.1).
            let name = query[12..].iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
            let question = &query[12..12 + name + 4];
            let said = if question[name..name + 2] == [0, 1] {
                says(Family::V4, count.fetch_add(1, Ordering::SeqCst))
            } else {
                asked_for_v6 += 1;
                says(Family::V6, asked_for_v6 - 1)
            };
            let (code, found) = match said {
                Addresses(found) => (0x80, found),
                Failure => (0x82, Vec::new()),
                Nothing => continue,
            };
            let mut records = Vec::new();
            for address in &found {
                // The name by reference, type and class of the question, a TTL of 0, the address.
                records.extend([&[0xC0, 12], &question[name..], &[0, 0, 0, 0, 0]].concat());
                match address {
                    IpAddr::V4(address) => records.extend([&[4], &address.octets()[..]].concat()),
                    IpAddr::V6(address) => records.extend([&[16], &address.octets()[..]].concat()),
                }
            }
            let mut reply = query[..2].to_vec();
            reply.extend_from_slice(&[0x81, code, 0, 1, 0, found.len() as u8, 0, 0, 0, 0]);
            reply.extend_from_slice(question);
            reply.extend_from_slice(&records);
            let _ = socket.send_to(&reply, from).await;
        }
    });
    (address, asked)
}

/// The same for a name that has these addresses of IPv4 only.
fn only_v4(list: &'static [&'static str]) -> impl Fn(Family, usize) -> Says {
    move |family, _| addresses(if family == Family::V4 { list } else { &[] })
}

/// A server that answers every connection with these bytes, then with `drip` for ever.
async fn server(first: String, drip: Option<Duration>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let first = first.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let mut sent = stream.write_all(first.as_bytes()).await;
                while let (Ok(()), Some(rest)) = (&sent, drip) {
                    tokio::time::sleep(rest).await;
                    sent = stream.write_all(&[b'x'; 16 << 10]).await;
                }
            });
        }
    });
    (port, called)
}

fn get(url: String) -> Call {
    Call {
        method: Method::GET,
        url,
        headers: Vec::new(),
        body: Bytes::new(),
        scope: Scope::Public,
        redirects: Redirects::Follow(5),
        connect: Duration::from_secs(5),
        total: Duration::from_secs(10),
        max_body: 64 << 10,
    }
}

fn near(name_servers: Vec<SocketAddr>) -> Outside {
    allowing(&["127.0.0.1"], name_servers)
}

fn allowing(networks: &[&str], name_servers: Vec<SocketAddr>) -> Outside {
    let allowed = networks.iter().map(|network| network.parse().unwrap()).collect();
    Outside::new(Policy { name_servers, allowed })
}

async fn ok_server() -> (u16, Arc<AtomicUsize>) {
    server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".into(), None).await
}

const REFUSED: CallError = CallError::Refused("the address is not a public one");

#[tokio::test]
async fn a_name_with_private_addresses_alone_is_not_called() {
    let (port, called) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into(), None).await;
    let (dns, _) = name_server(|family, _| match family {
        Family::V4 => addresses(&["127.0.0.1", "10.0.0.1"]),
        Family::V6 => addresses(&["::1", "64:ff9b::127.0.0.1", "::ffff:127.0.0.1"]),
    })
    .await;
    let outside = Outside::new(Policy { name_servers: vec![dns], allowed: Vec::new() });
    let answer = outside.call(&get(format!("http://innocent.example:{port}/"))).await;
    assert_eq!(answer.unwrap_err(), REFUSED);
    for spelled in [
        "127.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "[64:ff9b::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
    ] {
        let answer = outside.call(&get(format!("http://{spelled}:{port}/"))).await;
        assert_eq!(answer.unwrap_err(), REFUSED, "{spelled}");
    }
    assert_eq!(called.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_asked_for_once_so_that_its_answer_cannot_change_between_check_and_call() {
    let (port, called) = ok_server().await;
    // First the address that may be called here, ever after one that may not.
    let (dns, asked) = name_server(|family, before| match (family, before) {
        (Family::V4, 0) => addresses(&["127.0.0.1"]),
        (Family::V4, _) => addresses(&["10.0.0.1"]),
        (Family::V6, _) => addresses(&[]),
    })
    .await;
    let outside = near(vec![dns]);
    let answer = outside.call(&get(format!("http://rebinding.example:{port}/"))).await.unwrap();
    assert_eq!(&answer.body[..], b"ok");
    assert_eq!((called.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (1, 1));
    let again = outside.call(&get(format!("http://rebinding.example:{port}/"))).await;
    assert_eq!(again.unwrap_err(), REFUSED, "the second time it is checked anew");
}

#[tokio::test]
async fn a_private_address_beside_public_ones_is_left_out() {
    let (port, called) = ok_server().await;
    let (dns, _) = name_server(|family, _| match family {
        // Here 127.0.0.1 is what stands for a public address.
        Family::V4 => addresses(&["127.0.0.2", "10.0.0.1", "127.0.0.1"]),
        Family::V6 => addresses(&["::1", "fd00::1"]),
    })
    .await;
    // Nothing listens there but what may be called: it would be an error to have tried another one first.
    let answer = near(vec![dns]).call(&get(format!("http://mixed.example:{port}/"))).await.unwrap();
    assert_eq!((&answer.body[..], called.load(Ordering::SeqCst)), (&b"ok"[..], 1));
    let url = Url::parse("http://mixed.example/").unwrap();
    let checked = near(vec![dns]).checked(Scope::Public);
    assert_eq!(checked.addresses("mixed.example").await.unwrap(), ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    assert_eq!(near(vec![dns]).locate(&url).await.unwrap().len(), 5, "the owner sees all of them");
}

#[tokio::test]
async fn when_the_first_address_refuses_the_second_is_called() {
    let (port, called) = ok_server().await;
    for order in [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]] {
        let (dns, _) = name_server(move |family, _| match family {
            Family::V4 => addresses(&order),
            Family::V6 => addresses(&[]),
        })
        .await;
        let outside = allowing(&["127.0.0.0/8"], vec![dns]);
        let answer = outside.call(&get(format!("http://twice.example:{port}/"))).await.unwrap();
        assert_eq!(&answer.body[..], b"ok");
    }
    assert_eq!(called.load(Ordering::SeqCst), 2);
    let (dns, _) = name_server(only_v4(&["127.0.0.2", "127.0.0.3"])).await;
    let outside = allowing(&["127.0.0.0/8"], vec![dns]);
    let none = outside.call(&get(format!("http://twice.example:{port}/"))).await.unwrap_err();
    assert!(matches!(&none, CallError::Failed(why) if why.contains("refused")), "{none}");
}

/// A socket on `::1` whose queue is full, so that connecting to it never ends. Without IPv6 there is none, and
/// connecting fails at once.
async fn black_hole(port: u16) -> Option<(tokio::net::TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v6().ok()?;
    socket.bind(SocketAddr::new("::1".parse().unwrap(), port)).ok()?;
    let listener = socket.listen(1).ok()?;
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(("::1", port))).await {
        waiting.push(stream);
    }
    Some((listener, waiting))
}

#[tokio::test]
async fn ipv4_is_called_when_ipv6_is_dead() {
    let (port, called) = ok_server().await;
    let hole = black_hole(port).await;
    let (dns, _) = name_server(|family, _| match family {
        Family::V4 => addresses(&["127.0.0.1"]),
        Family::V6 => addresses(&["::1"]),
    })
    .await;
    let outside = allowing(&["127.0.0.1", "::1"], vec![dns]);
    // Nothing gives the dead address up within the call.
    let hour = Duration::from_secs(3600);
    let call = Call { connect: hour, ..get(format!("http://both.example:{port}/")) };
    let answer = outside.call(&call).await.unwrap();
    assert_eq!((&answer.body[..], called.load(Ordering::SeqCst)), (&b"ok"[..], 1));
    // A port that nobody listens on is as dead.
    drop(hole);
    outside.call(&call).await.unwrap();
    assert_eq!(called.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_family_that_is_empty_or_fails_or_is_not_answered_does_not_matter() {
    let (port, _) = ok_server().await;
    for other in [|| Addresses(Vec::new()), || Failure, || Nothing] {
        let (dns, _) = name_server(move |family, _| match family {
            Family::V4 => addresses(&["127.0.0.1"]),
            Family::V6 => other(),
        })
        .await;
        let answer = near(vec![dns]).call(&get(format!("http://half.example:{port}/"))).await.unwrap();
        assert_eq!(&answer.body[..], b"ok");
        let (dns, _) = name_server(move |family, _| match family {
            Family::V4 => other(),
            Family::V6 => addresses(&["::1"]),
        })
        .await;
        let found = near(vec![dns]).locate(&Url::parse("http://half.example/").unwrap()).await.unwrap();
        assert_eq!(found, ["::1".parse::<IpAddr>().unwrap()]);
    }
    let (dns, _) = name_server(|_, _| Failure).await;
    let answer = near(vec![dns]).call(&get(format!("http://none.example:{port}/"))).await;
    assert!(matches!(answer, Err(CallError::Failed(_))));
}

#[tokio::test]
async fn a_change_of_resolv_conf_is_noticed() {
    let (first, _) = name_server_on("127.0.0.1:0", only_v4(&["192.0.2.1"])).await;
    let (second, _) = name_server_on(&format!("127.0.0.2:{}", first.port()), only_v4(&["192.0.2.2"])).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("resolv.conf");
    let names = Names::of_system(&file, first.port());
    let found = async || names.addresses("some.example").await.map(|found| found[0].to_string());
    let replace = |text: String| {
        let new = directory.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &file).unwrap();
    };
    assert!(matches!(found().await, Err(CallError::Failed(why)) if why.contains("no name server")));
    fs::write(&file, "# nothing yet\n").unwrap();
    assert!(matches!(found().await, Err(CallError::Failed(why)) if why.contains("no name server")));
    replace(format!("nameserver {}\n", first.ip()));
    assert_eq!(found().await.unwrap(), "192.0.2.1");
    replace(format!("nameserver {}\n", second.ip()));
    assert_eq!(found().await.unwrap(), "192.0.2.2");
    // Written in place, with another length.
    fs::write(&file, format!("# back\nnameserver {}\n", first.ip())).unwrap();
    assert_eq!(found().await.unwrap(), "192.0.2.1");
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let (inside, called) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into(), None).await;
    for to in [
        format!("http://127.0.0.2:{inside}/"),
        format!("http://[::1]:{inside}/"),
        "file:///etc/passwd".into(),
    ] {
        let (port, _) =
            server(format!("HTTP/1.1 302 F\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"), None).await;
        let answer = near(Vec::new()).call(&get(format!("http://127.0.0.1:{port}/"))).await;
        assert!(matches!(answer, Err(CallError::Refused(_))), "{to}");
    }
    assert_eq!(called.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_end() {
    let (port, called) =
        server("HTTP/1.1 302 F\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n".into(), None).await;
    let answer = near(Vec::new()).call(&get(format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(answer.unwrap_err(), CallError::Refused("it redirects too often"));
    assert_eq!(called.load(Ordering::SeqCst), 6);
    let refusing = Call { redirects: Redirects::Refuse, ..get(format!("http://127.0.0.1:{port}/")) };
    assert!(near(Vec::new()).call(&refusing).await.is_err());
}

#[tokio::test]
async fn an_endless_body_is_cut_and_a_slow_one_is_given_up() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n".to_owned();
    let (endless, _) = server(head.clone(), Some(Duration::ZERO)).await;
    let answer = near(Vec::new()).call(&get(format!("http://127.0.0.1:{endless}/"))).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (64 << 10, true));
    let (slow, _) = server(head, Some(Duration::from_millis(400))).await;
    let hasty = Call { total: Duration::from_millis(700), ..get(format!("http://127.0.0.1:{slow}/")) };
    assert_eq!(near(Vec::new()).call(&hasty).await.unwrap_err(), CallError::Timeout);
}

#[tokio::test]
async fn what_is_no_web_address_is_not_called() {
    let outside = near(Vec::new());
    for url in [
        "ftp://127.0.0.1/",
        "http://a:b@127.0.0.1/",
        "gopher://x",
        "http://",
        "nonsense",
        "file:///etc/passwd",
    ] {
        assert!(matches!(outside.call(&get(url.into())).await, Err(CallError::Refused(_))), "{url}");
    }
}
