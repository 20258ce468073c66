//! Held against a name server that lies, redirects into the house, and receivers without an end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

use super::*;

/// A name server that answers every question for an address with what the test says, and how often it was asked.
async fn name_server(answers: impl Fn(usize) -> [u8; 4] + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let query = &packet[..length];
            // Behind the header of 12 bytes: the name in labels, then type and class (RFC 1035, section 4.1).
            let name = query[12..].iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
            let question = &query[12..12 + name + 4];
            let is_a = question[name..name + 2] == [0, 1];
            let mut reply = query[..2].to_vec();
            reply.extend_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            reply.extend_from_slice(question);
            if is_a {
                let answer = answers(count.fetch_add(1, Ordering::SeqCst));
                // The name by reference, type A, class IN, a TTL of 0, four bytes.
                reply.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
                reply.extend_from_slice(&answer);
            }
            let _ = socket.send_to(&reply, from).await;
        }
    });
    (address, asked)
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
    Outside::new(Policy { name_servers, allowed: vec!["127.0.0.1/32".parse().unwrap()] })
}

const REFUSED: CallError = CallError::Refused("the address is not a public one");

#[tokio::test]
async fn a_name_that_leads_into_the_house_is_not_called() {
    let (port, called) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into(), None).await;
    let (dns, _) = name_server(|_| [127, 0, 0, 1]).await;
    let outside = Outside::new(Policy { name_servers: vec![dns], allowed: Vec::new() });
    let answer = outside.call(&get(format!("http://innocent.example:{port}/"))).await;
    assert_eq!(answer.unwrap_err(), REFUSED);
    for spelled in [
        "127.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.1",
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
    let (port, called) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".into(), None).await;
    // First the address that may be called here, ever after one that may not.
    let (dns, asked) = name_server(|before| if before == 0 { [127, 0, 0, 1] } else { [10, 0, 0, 1] }).await;
    let outside = near(vec![dns]);
    let answer = outside.call(&get(format!("http://rebinding.example:{port}/"))).await.unwrap();
    assert_eq!(&answer.body[..], b"ok");
    assert_eq!((called.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (1, 1));
    let again = outside.call(&get(format!("http://rebinding.example:{port}/"))).await;
    assert_eq!(again.unwrap_err(), REFUSED, "the second time it is checked anew");
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
