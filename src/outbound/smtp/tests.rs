//! Relays that misbehave. Those that behave are real ones: see tests/mail.

use std::future::Future;

use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::*;

struct Fake {
    relay: Relay,
    certificate: CertificateDer<'static>,
    key: KeyPair,
    listener: TcpListener,
}

impl Fake {
    async fn new(encryption: Encryption) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let host = Host::Ipv4(std::net::Ipv4Addr::LOCALHOST);
        let credentials = Some(Credentials { user: "ana".into(), password: "secret".into() });
        Self {
            relay: Relay { host, port, encryption, credentials, is_here: false },
            certificate,
            key,
            listener,
        }
    }

    fn mailer(&self) -> Mailer {
        let within = Duration::from_secs(20);
        let url = "https://chat.example";
        Mailer::new(self.relay.clone(), vec![self.certificate.clone()], Vec::new(), url, within)
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![self.certificate.clone()],
                PrivateKeyDer::try_from(self.key.serialize_der()).unwrap(),
            );
        Arc::new(config.unwrap()).into()
    }
}

/// Writes a line and reads one.
async fn say(stream: &mut TcpStream, line: &str) -> String {
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut heard = vec![0; 4096];
    let count = stream.read(&mut heard).await.unwrap();
    String::from_utf8_lossy(&heard[..count]).into_owned()
}

async fn both<T>(client: impl Future<Output = T>, server: impl Future<Output = ()>) -> T {
    tokio::join!(client, server).0
}

/// RFC 3207 has no word on it; CVE-2011-0411.
#[tokio::test]
async fn answers_before_the_handshake_are_not_taken_for_encrypted_ones() {
    let fake = Fake::new(Encryption::Required).await;
    let mailer = fake.mailer();
    let acceptor = fake.acceptor();
    let server = async {
        let (mut stream, _) = fake.listener.accept().await.unwrap();
        assert_eq!(say(&mut stream, "220 here\r\n").await, "EHLO chat.example\r\n");
        assert_eq!(say(&mut stream, "250-here\r\n250 STARTTLS\r\n").await, "STARTTLS\r\n");
        stream.write_all(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n").await.unwrap();
        // It says QUIT, and shakes no hands.
        assert!(acceptor.accept(stream).await.is_err());
    };
    let fault = both(mailer.send("a@chat.example", "b@chat.example", b"x"), server).await.unwrap_err();
    assert_eq!(fault.step, Step::Encrypt);
    assert!(fault.to_string().contains("came in the clear"), "{fault}");
}

#[tokio::test]
async fn certificate_that_nobody_vouches_for_ends_the_conversation() {
    for encryption in [Encryption::Required, Encryption::Opportunistic, Encryption::Implicit] {
        let fake = Fake::new(encryption).await;
        let mailer = Mailer::new(
            fake.relay.clone(),
            Vec::new(),
            Vec::new(),
            "https://chat.example",
            Duration::from_secs(20),
        );
        let acceptor = fake.acceptor();
        let server = async {
            let (mut stream, _) = fake.listener.accept().await.unwrap();
            if encryption != Encryption::Implicit {
                say(&mut stream, "220 here\r\n").await;
                say(&mut stream, "250-here\r\n250 STARTTLS\r\n").await;
                stream.write_all(b"220 go\r\n").await.unwrap();
            }
            assert!(acceptor.accept(stream).await.is_err());
        };
        let fault = both(mailer.send("a@chat.example", "b@chat.example", b"x"), server).await.unwrap_err();
        assert_eq!(fault.step, Step::Encrypt, "{encryption:?}");
        assert!(fault.to_string().contains("certificate") && !fault.is_permanent(), "{fault}");
    }
}

#[tokio::test]
async fn password_is_not_sent_without_encryption() {
    for (encryption, step) in
        [(Encryption::Opportunistic, Step::SignIn), (Encryption::Required, Step::Encrypt)]
    {
        let fake = Fake::new(encryption).await;
        let mailer = fake.mailer();
        let server = async {
            let (mut stream, _) = fake.listener.accept().await.unwrap();
            say(&mut stream, "220 here\r\n").await;
            let next = say(&mut stream, "250-here\r\n250 AUTH PLAIN\r\n").await;
            assert_eq!(next, "QUIT\r\n");
        };
        let fault = both(mailer.send("a@chat.example", "b@chat.example", b"x"), server).await.unwrap_err();
        assert_eq!((fault.step, fault.is_permanent()), (step, true), "{fault}");
    }
}

#[tokio::test]
async fn endless_and_foreign_answers_end_the_conversation() {
    for (greeting, why) in [
        ("x".repeat(100_000), "too long a line"),
        ("220-here\r\n".repeat(1_000), "too many lines"),
        ("HTTP/1.1 400 Bad Request\r\n".to_owned(), "does not speak SMTP"),
        ("é20 here\r\n".to_owned(), "does not speak SMTP"),
        ("199 here\r\n".to_owned(), "which means nothing"),
        (String::new(), "ended the connection"),
    ] {
        let fake = Fake::new(Encryption::None).await;
        let mailer = fake.mailer();
        let server = async {
            let (mut stream, _) = fake.listener.accept().await.unwrap();
            // The other side may have gone by the end of it.
            let _ = stream.write_all(greeting.as_bytes()).await;
        };
        let fault = both(mailer.connect(), server).await.err().unwrap();
        assert!(fault.to_string().contains(why) && !fault.is_permanent(), "{fault}");
    }
}

#[tokio::test]
async fn silent_relay_is_waited_for_so_long() {
    let fake = Fake::new(Encryption::None).await;
    let mailer = Mailer { within: Duration::from_millis(50), ..fake.mailer() };
    // The kernel accepts the connection.
    let fault = mailer.connect().await.err().unwrap();
    assert_eq!(fault, Fault { step: Step::Connect, why: Why::Timeout });
}
