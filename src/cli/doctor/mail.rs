//! `campfire doctor mail`: goes all the way that a mail goes, and says at which step and on whose side something is missing.

use crate::{
    cli::{Failure, Given, say},
    config::Config,
    outbound::{
        letter::{Letter, checked},
        smtp::{self, Conversation, Encryption, Fault, Mailer, Relay, Step, Why},
    },
    types::random_token,
};

/// Where the second column starts.
const COLUMN: usize = 12;

fn line(what: &str, found: &str) -> Result<(), Failure> {
    say(&format!("{what:<COLUMN$}{found}\n"))
}

/// Without an address it names only the sender; with one it sends a mail there.
pub(super) fn run(given: &Given, address: Option<&str>) -> Result<(), Failure> {
    let config = given.config()?;
    let (Some(relay), Some(from)) = (&config.smtp_url, &config.mail_from) else {
        return Err(Failure::Failed(
            "no mail is sent: smtp_url is not set; `campfire serve --help` describes it".into(),
        ));
    };
    let to = address.map(checked).transpose().map_err(|bad| {
        Failure::Usage(format!("{:?} is no address to send to: {}", address.unwrap_or_default(), bad.0))
    })?;
    let roots = config.smtp_ca.as_deref().map(smtp::roots).transpose().map_err(Failure::Usage)?;
    let mailer = Mailer::new(
        relay.clone(),
        roots.unwrap_or_default(),
        config.name_servers.clone(),
        &config.base_url(),
        config.smtp_timeout,
    );
    line("links", &format!("lead to {}", config.base_url()))?;
    if let Some(warning) = unprotected(relay) {
        line("", warning)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Failed(format!("no runtime ({error})")))?;
    let tried = runtime.block_on(async {
        line("server", &format!("{}, port {}", relay.host, relay.port))?;
        match talk(&mailer, &config, &from.address, to.as_deref()).await {
            Ok(()) => Ok(None),
            Err(Stopped::Said(failure)) => Err(failure),
            Err(Stopped::Fault(fault)) => Ok(Some(fault)),
        }
    })?;
    match tried {
        None => say("\nMail works, as far as this server can tell.\n"),
        Some(fault) => {
            line("failed", &fault.to_string())?;
            say(&format!("\n{}\n", whose(&fault, relay)))?;
            Err(Failure::Failed(fault.to_string()))
        }
    }
}

enum Stopped {
    Fault(Fault),
    Said(Failure),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Said(failure)
    }
}

async fn talk(mailer: &Mailer, config: &Config, from: &str, to: Option<&str>) -> Result<(), Stopped> {
    let mut talk = mailer.connect().await?;
    line("connected", &offers(&talk))?;
    talk.encrypt(mailer).await?;
    line("encrypted", if talk.is_encrypted() { "yes, and the certificate is right" } else { "no" })?;
    talk.sign_in(mailer).await?;
    line("signed in", if mailer.relay.credentials.is_some() { "yes" } else { "no: smtp_url has no user" })?;
    if talk.offers("SMTPUTF8").is_none() {
        line("", "no SMTPUTF8: addresses with letters beyond ASCII before the @ get no mail")?;
    }
    let Some(to) = to else {
        line(
            "sender",
            &format!("{from}: not tried; with an address behind it, this command sends a mail there"),
        )?;
        talk.end().await;
        return Ok(());
    };
    talk.offer(from, to).await?;
    line("sender", &format!("{from} is taken"))?;
    line("recipient", &format!("{to} is taken"))?;
    let url = config.base_url();
    let words = format!("This mail was sent by `campfire doctor mail` on {url}. It has arrived.");
    let host = from.rsplit_once('@').map_or("localhost", |(_, host)| host);
    let letter = Letter {
        from: (config.mail_from.as_ref().and_then(|from| from.name.as_deref()).unwrap_or("Campfire"), from),
        to: ("", to),
        subject: "Mails from Campfire arrive",
        text: &words,
        html: &format!("<p>{words}</p>"),
        id: &format!("{}@{host}", random_token()),
        language: "en",
        unsubscribe: None,
    };
    let mail = letter.bytes().map_err(|bad| Failure::Usage(format!("mail_from is no address: {}", bad.0)))?;
    talk.deliver(&mail).await?;
    line("mail", "is the server's now; look whether it arrives, and not among the spam")?;
    talk.end().await;
    Ok(())
}

/// What of the server's offer matters here.
fn offers(talk: &Conversation) -> String {
    let known = ["STARTTLS", "AUTH", "SMTPUTF8", "SIZE"];
    let offered: Vec<String> = known
        .iter()
        .filter_map(|keyword| {
            let parameters = talk.offers(keyword)?;
            Some(if parameters.is_empty() {
                (*keyword).to_owned()
            } else {
                format!("{keyword} {parameters}")
            })
        })
        .collect();
    if offered.is_empty() {
        "it offers nothing of note".into()
    } else {
        format!("it offers {}", offered.join(", "))
    }
}

fn unprotected(relay: &Relay) -> Option<&'static str> {
    let may_be_read =
        matches!(relay.encryption, Encryption::None | Encryption::Opportunistic) && !relay.is_here;
    may_be_read.then_some(
        "mails, and the links in them, may go over the network unencrypted: tls=required ends that",
    )
}

/// On whose side the fault is, and what to do.
fn whose(fault: &Fault, relay: &Relay) -> String {
    let is_name = matches!(relay.host, url::Host::Domain(_));
    match (fault.step, &fault.why) {
        (Step::Connect, Why::Answered(_)) => "The mail server turns this machine away: ask whoever runs it.".into(),
        (Step::Connect, _) => format!(
            "On this side: is {} right in smtp_url{}, and does a firewall let port {} out? Many hosting providers close port 25; 587 and 465 are usually open.",
            relay.host,
            if is_name { ", and its name known here" } else { "" },
            relay.port
        ),
        (Step::Encrypt, Why::Unable(_)) => "On the mail server's side: it has no certificate set up. Try smtps:// with port 465, or tls=none if nobody can listen in between.".into(),
        (Step::Encrypt, Why::Answered(_)) => "On the mail server's side: it offers encryption and then refuses it.".into(),
        (Step::Encrypt, _) if relay.encryption == Encryption::Implicit => "smtps:// is for port 465; port 587 wants smtp://. If the port is right, the certificate is not: smtp_ca can name the authority that signed it.".into(),
        (Step::Encrypt, _) => "On the mail server's side, if its certificate has expired or is for another name: smtp_url has to use the name in it. If a private authority signed it, name that with smtp_ca.".into(),
        (Step::SignIn, Why::Answered(answer)) if answer.code >= 500 => "On this side: user or password in the settings are wrong. Providers that ask for a second step want a password for apps.".into(),
        (Step::SignIn, _) => "On this side: the settings have a user, and the mail server takes none this way.".into(),
        (Step::Sender, _) => "On this side: mail_from is not an address that this user may send from, or the mail server wants one to sign in first.".into(),
        (Step::Recipient, Why::Answered(answer)) if answer.code < 500 => "For now only: greylisting, most likely. The server tries again by itself.".into(),
        (Step::Recipient, _) if fault.is_of_recipient() => "On the recipient's side: the address does not exist, or cannot be reached by this mail server.".into(),
        (Step::Recipient, _) => "On this side: the mail server passes on nothing for us. It has to allow this machine, or one has to sign in.".into(),
        (Step::Content, _) => "On the mail server's side, which does not like the mail: SPF and DKIM of the sender's domain are what is missing most often.".into(),
    }
}
