//! Handing mails over to a relay: SMTP (RFC 5321), STARTTLS (RFC 3207), AUTH (RFC 4954), SMTPUTF8 (RFC 6531).
//!
//! lettre makes the mails, but its connection is not used: it takes what came before the handshake of TLS for answers that
//! came after it, does not say at which step it was refused, and asks the C library for names.

mod fault;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use url::Host;

pub use self::fault::{Answer, Fault, Step, Why};
use super::{names::Names, trust_also};

/// Addresses of a relay that are tried.
const MAX_ADDRESSES: usize = 4;

/// Bytes of a line of an answer, and lines of an answer. RFC 5321 allows 512 bytes.
const MAX_LINE: usize = 4 << 10;
const MAX_LINES: usize = 200;

/// How long all steps may take, less than a job has.
const IN_ALL: Duration = Duration::from_secs(55);

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The server that takes mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    pub host: Host<String>,
    pub port: u16,
    pub encryption: Encryption,
    pub credentials: Option<Credentials>,
    /// It is on this machine, so that nobody listens in between.
    pub is_here: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Implicit,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// By STARTTLS if the server offers it.
    Opportunistic,
    None,
}

/// Who mails come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// None: the name of the account.
    pub name: Option<String>,
    pub address: String,
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Talks to one relay, by a connection for each mail.
pub struct Mailer {
    pub relay: Relay,
    names: Names,
    /// Authorities that are trusted besides the usual ones.
    roots: Vec<CertificateDer<'static>>,
    tls: OnceLock<Arc<ClientConfig>>,
    /// How we introduce ourselves.
    hello: String,
    /// For each step.
    within: Duration,
}

/// The certificates of a PEM file, or a sentence about what is wrong with it.
pub fn roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match found {
        Ok(found) if found.is_empty() => Err(format!("smtp_ca {shown} has no certificate in it")),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("cannot read smtp_ca {shown} ({error})")),
    }
}

impl Mailer {
    /// `public_url` is that of this server, whose host is said in greeting.
    pub fn new(
        relay: Relay,
        roots: Vec<CertificateDer<'static>>,
        name_servers: Vec<SocketAddr>,
        public_url: &str,
        within: Duration,
    ) -> Self {
        let url = url::Url::parse(public_url).ok();
        let hello = match url.as_ref().and_then(url::Url::host) {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => format!("[{address}]"),
            Some(Host::Ipv6(address)) => format!("[IPv6:{address}]"),
            None => "localhost".to_owned(),
        };
        Self { relay, names: Names::new(name_servers), roots, tls: OnceLock::new(), hello, within }
    }

    /// Hands a mail over. Addresses are checked ones: see `letter::checked`.
    pub async fn send(&self, from: &str, to: &str, mail: &[u8]) -> Result<(), Fault> {
        // Nobody knows what was done by then.
        let overdue = Err(Fault { step: Step::Content, why: Why::Timeout });
        timeout(IN_ALL, self.send_at_leisure(from, to, mail)).await.unwrap_or(overdue)
    }

    async fn send_at_leisure(&self, from: &str, to: &str, mail: &[u8]) -> Result<(), Fault> {
        let mut talk = self.connect().await?;
        let done = async {
            talk.encrypt(self).await?;
            talk.sign_in(self).await?;
            talk.offer(from, to).await?;
            talk.deliver(mail).await
        };
        let done = done.await;
        talk.end().await;
        done
    }

    /// Connects, and reads what the relay offers. With implicit TLS all of it is encrypted.
    pub async fn connect(&self) -> Result<Conversation, Fault> {
        let failed = |why: String| Fault { step: Step::Connect, why: Why::Failed(why) };
        let addresses = match &self.relay.host {
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
            Host::Domain(name) if name == "localhost" => {
                vec![std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()]
            }
            Host::Domain(name) => {
                let found = timeout(self.within, self.names.addresses(name)).await;
                found.unwrap_or(Err(super::CallError::Timeout)).map_err(|error| failed(error.to_string()))?
            }
        };
        let mut last = failed("its name has no address".into());
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match timeout(self.within, TcpStream::connect((address, self.relay.port))).await {
                Ok(Ok(stream)) => return self.greet(stream).await,
                Ok(Err(error)) => last = failed(error.to_string()),
                Err(_) => last = Fault { step: Step::Connect, why: Why::Timeout },
            }
        }
        Err(last)
    }

    async fn greet(&self, stream: TcpStream) -> Result<Conversation, Fault> {
        let mut talk = Conversation {
            stream: Stream::Plain(stream),
            buffer: Vec::new(),
            offered: Vec::new(),
            within: self.within,
        };
        if self.relay.encryption == Encryption::Implicit {
            talk.shake_hands(self).await?;
        }
        talk.answer(Step::Connect).await?;
        talk.hello(&self.hello).await?;
        Ok(talk)
    }

    fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(self.tls.get_or_init(|| trust_also(&self.roots)))
    }
}

enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
    /// While it is upgraded, and after that has failed.
    Broken,
}

/// A conversation with a relay.
pub struct Conversation {
    stream: Stream,
    /// What was read beyond the last answer.
    buffer: Vec<u8>,
    /// The lines of the answer to EHLO, in upper case.
    offered: Vec<String>,
    within: Duration,
}

impl Conversation {
    pub fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Encrypted(_))
    }

    /// The parameters of what the relay offers, if it does.
    pub fn offers(&self, keyword: &str) -> Option<&str> {
        self.offered.iter().find_map(|line| {
            let rest = line.strip_prefix(keyword)?;
            // Some old servers write `AUTH=PLAIN`.
            (rest.is_empty() || rest.starts_with([' ', '='])).then(|| rest.trim_start_matches([' ', '=']))
        })
    }

    async fn hello(&mut self, name: &str) -> Result<(), Fault> {
        let answer = self.command(Step::Connect, &format!("EHLO {name}")).await?;
        self.offered = answer.text.lines().skip(1).map(|line| line.trim().to_ascii_uppercase()).collect();
        Ok(())
    }

    /// Begins to encrypt, as the settings want it.
    pub async fn encrypt(&mut self, mailer: &Mailer) -> Result<(), Fault> {
        let fault = |why| Fault { step: Step::Encrypt, why };
        let is_offered = self.offers("STARTTLS").is_some();
        match mailer.relay.encryption {
            Encryption::Implicit | Encryption::None => return Ok(()),
            Encryption::Opportunistic if !is_offered => return Ok(()),
            Encryption::Required if !is_offered => {
                return Err(fault(Why::Unable("it does not offer STARTTLS")));
            }
            Encryption::Opportunistic | Encryption::Required => {}
        }
        self.command(Step::Encrypt, "STARTTLS").await?;
        if !self.buffer.is_empty() {
            // Somebody in between may have added it, to be taken for an encrypted answer (CVE-2011-0411).
            return Err(fault(Why::Failed(
                "something came in the clear behind its answer to STARTTLS".into(),
            )));
        }
        self.shake_hands(mailer).await?;
        self.hello(&mailer.hello).await
    }

    async fn shake_hands(&mut self, mailer: &Mailer) -> Result<(), Fault> {
        let failed = |why: String| Fault { step: Step::Encrypt, why: Why::Failed(why) };
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Broken) else {
            return Err(failed("it is encrypted already".into()));
        };
        let name = match &mailer.relay.host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|error| failed(error.to_string()))?
            }
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(*address)),
        };
        let shaking = TlsConnector::from(mailer.tls()).connect(name, stream);
        let shaken = timeout(self.within, shaking).await;
        let stream = shaken
            .map_err(|_| Fault { step: Step::Encrypt, why: Why::Timeout })?
            .map_err(|error| failed(error.to_string()))?;
        self.stream = Stream::Encrypted(Box::new(stream));
        Ok(())
    }

    /// Signs in, if the settings have a user.
    pub async fn sign_in(&mut self, mailer: &Mailer) -> Result<(), Fault> {
        let Some(Credentials { user, password }) = &mailer.relay.credentials else { return Ok(()) };
        let unable = |why| Err(Fault { step: Step::SignIn, why: Why::Unable(why) });
        if !self.is_encrypted() && !mailer.relay.is_here {
            return unable("without encryption no password is sent to it");
        }
        let ways: Vec<String> =
            self.offers("AUTH").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let offers = |way: &str| ways.iter().any(|offered| offered == way);
        if offers("PLAIN") {
            let secret = STANDARD.encode(format!("\0{user}\0{password}"));
            self.command(Step::SignIn, &format!("AUTH PLAIN {secret}")).await?;
        } else if offers("LOGIN") {
            self.command(Step::SignIn, "AUTH LOGIN").await?;
            self.command(Step::SignIn, &STANDARD.encode(user)).await?;
            self.command(Step::SignIn, &STANDARD.encode(password)).await?;
        } else {
            return unable(match ways.is_empty() {
                true => "it offers no way to sign in; leave the user out of smtp_url if it needs none",
                false => "it offers neither PLAIN nor LOGIN to sign in",
            });
        }
        Ok(())
    }

    /// Names the sender and the recipient of a mail.
    pub async fn offer(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        let needs_utf8 = !to.is_ascii();
        if needs_utf8 && self.offers("SMTPUTF8").is_none() {
            let why = "it does not support SMTPUTF8, which this address needs";
            return Err(Fault { step: Step::Recipient, why: Why::Unable(why) });
        }
        let options = if needs_utf8 { " BODY=8BITMIME SMTPUTF8" } else { "" };
        self.command(Step::Sender, &format!("MAIL FROM:<{from}>{options}")).await?;
        self.command(Step::Recipient, &format!("RCPT TO:<{to}>")).await.map(drop)
    }

    /// Hands the mail over. Once it is answered, it is the relay's.
    pub async fn deliver(&mut self, mail: &[u8]) -> Result<(), Fault> {
        self.command(Step::Content, "DATA").await?;
        let mut content = Vec::with_capacity(mail.len() + 64);
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                content.push(b'.');
            }
            content.extend_from_slice(line);
        }
        if !content.ends_with(b"\r\n") {
            content.extend_from_slice(b"\r\n");
        }
        content.extend_from_slice(b".\r\n");
        self.write(Step::Content, &content).await?;
        self.answer(Step::Content).await.map(drop)
    }

    /// Says farewell; whether it is heard does not matter.
    pub async fn end(mut self) {
        let _ = timeout(FAREWELL, self.command(Step::Connect, "QUIT")).await;
    }

    async fn command(&mut self, step: Step, line: &str) -> Result<Answer, Fault> {
        self.write(step, format!("{line}\r\n").as_bytes()).await?;
        self.answer(step).await
    }

    async fn write(&mut self, step: Step, bytes: &[u8]) -> Result<(), Fault> {
        let writing = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(bytes).await,
                Stream::Encrypted(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
                Stream::Broken => Err(std::io::ErrorKind::NotConnected.into()),
            }
        };
        match timeout(self.within, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault { step, why: Why::Failed(error.to_string()) }),
            Err(_) => Err(Fault { step, why: Why::Timeout }),
        }
    }

    /// The next answer, if it is positive.
    async fn answer(&mut self, step: Step) -> Result<Answer, Fault> {
        let within = self.within;
        let answer = timeout(within, self.read_answer()).await;
        let answer = answer
            .map_err(|_| Fault { step, why: Why::Timeout })?
            .map_err(|why| Fault { step, why: Why::Failed(why) })?;
        match answer.code {
            200..400 => Ok(answer),
            400..600 => Err(Fault { step, why: Why::Answered(answer) }),
            code => Err(Fault { step, why: Why::Failed(format!("it answered {code}, which means nothing")) }),
        }
    }

    async fn read_answer(&mut self) -> Result<Answer, String> {
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            let line = self.read_line().await?;
            let (code, rest) = line.split_at_checked(3).ok_or("it does not speak SMTP")?;
            let code: u16 = code.parse().map_err(|_| "it does not speak SMTP")?;
            lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if !rest.starts_with('-') {
                return Ok(Answer { code, text: lines.join("\n") });
            }
        }
        Err("its answer has too many lines".into())
    }

    async fn read_line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.buffer.len() > MAX_LINE {
                return Err("its answer has too long a line".into());
            }
            let mut chunk = [0; 1024];
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut chunk).await,
                Stream::Encrypted(stream) => stream.read(&mut chunk).await,
                Stream::Broken => Err(std::io::ErrorKind::NotConnected.into()),
            };
            match read {
                Ok(0) => return Err("it ended the connection".into()),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}
