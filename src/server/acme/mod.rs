//! A certificate of our own (RFC 8555): got when there is none, renewed when a third of its time is left, and never given
//! up on. A thread of its own; whatever fails here, the server goes on with the certificate that it has.

mod account;
mod line;
mod order;
mod storage;

use std::{
    fmt, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

use self::{
    line::Line,
    order::{Answers, Issued, Way},
    storage::{KeepError, Storage, Stored},
};
use super::{
    certificate::Validity,
    tls::{Certificates, HttpChallenges, TlsError, chain_in},
};
use crate::{
    config::{AcmeChallenge, Config},
    outbound::backoff,
    outbound::{Outside, Policy},
    store::CERTIFICATES,
};

/// The clock is looked at this often: it may have been set, or the machine slept.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Before the first try again; each further one waits three times as long, give or take a half. Six in the first hour:
/// Let's Encrypt allows five proofs of a name to fail in that time, and says when it has had enough.
const FIRST_DELAY: Duration = Duration::from_secs(10);

/// What an authority that has had enough of us gets if it does not say how long.
const UNNAMED_WAIT: Duration = Duration::from_secs(3600);
/// No wait is longer than this, whatever is asked for: limits may be raised meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Why there is no new certificate. Displays as a part of a sentence that says what to look at.
#[derive(Debug)]
enum Failure {
    /// The authority looked for the proof, and did not find it.
    Unproved {
        domain: String,
        way: Way,
        why: String,
    },
    NotOffered {
        domain: String,
        way: Way,
    },
    Authority(instant_acme::Error),
    Key(String),
    Disk(io::Error),
    /// What was issued cannot be used.
    Unfit(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproved { domain, way, why } => write!(
                f,
                "the authority could not verify {domain} by {} ({why}); check that the name's A and AAAA records lead to this machine, and that port {} can be reached from the internet",
                way.name(),
                way.port()
            ),
            Self::NotOffered { domain, way } => {
                write!(
                    f,
                    "the authority does not offer {} for {domain}; choose another with --acme-challenge",
                    way.name()
                )
            }
            Self::Authority(instant_acme::Error::Api(problem)) => {
                write!(
                    f,
                    "the authority refuses: {}",
                    problem.detail.as_deref().unwrap_or("it does not say why")
                )?;
                for part in problem.subproblems.iter().filter_map(|part| part.detail.as_deref()) {
                    write!(f, "; {part}")?;
                }
                Ok(())
            }
            Self::Authority(instant_acme::Error::Json(error)) => write!(
                f,
                "what the authority answers is not ACME ({error}); check the address of its directory, --acme-directory"
            ),
            Self::Authority(error) => error.fmt(f),
            Self::Key(why) => write!(f, "no key could be made ({why})"),
            Self::Disk(error) => write!(f, "it cannot be kept in the data directory ({error})"),
            Self::Unfit(why) => write!(f, "what the authority issued is of no use: {why}"),
        }
    }
}

impl From<instant_acme::Error> for Failure {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(error)
    }
}

impl From<rcgen::Error> for Failure {
    fn from(error: rcgen::Error) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Disk(error) => Self::Disk(error),
            KeepError::Unfit(error) => Self::Unfit(error.to_string()),
        }
    }
}

impl Failure {
    /// The kind of a refusal (RFC 8555, section 6.7).
    fn is_refusal(&self, kind: &str) -> bool {
        let Self::Authority(instant_acme::Error::Api(problem)) = self else { return false };
        problem.r#type.as_deref().and_then(|urn| urn.strip_prefix("urn:ietf:params:acme:error:"))
            == Some(kind)
    }
}

/// Whoever looks after the certificate.
pub(super) struct CertificateManager {
    config: Settings,
    storage: Storage,
    line: Line,
    answers: Answers,
    /// As it is shown now.
    current: Option<Known>,
}

/// What it goes by.
struct Settings {
    domains: Vec<String>,
    directory: String,
    email: Option<String>,
    ways: Vec<Way>,
}

/// What is known of the certificate that is shown.
struct Known {
    validity: Validity,
    authority: String,
}

impl CertificateManager {
    /// Shows what was kept, if it is still good. `answers_http` tells whether anybody listens for the challenges of HTTP-01.
    pub(super) fn prepare(
        config: &Config,
        certificates: Arc<Certificates>,
        http: Arc<HttpChallenges>,
        answers_http: bool,
    ) -> Result<Self, AcmeError> {
        if config.acme_challenge == AcmeChallenge::Http01 && !answers_http {
            return Err(AcmeError::Unanswered);
        }
        let storage = Storage::open(&config.data, &config.domain).map_err(|error| {
            AcmeError::Storage(config.data.join(CERTIFICATES).display().to_string(), error)
        })?;
        let roots = config
            .acme_ca
            .as_deref()
            .map(chain_in)
            .transpose()
            .map_err(AcmeError::Roots)?
            .unwrap_or_default();
        let policy = Policy { name_servers: config.name_servers.clone(), ..Policy::default() };
        let mut certificate_manager = Self {
            config: Settings {
                domains: config.domain.clone(),
                directory: config.acme_directory_url().to_owned(),
                email: config.acme_email.clone(),
                ways: match config.acme_challenge {
                    AcmeChallenge::Auto if answers_http => vec![Way::TlsAlpn, Way::Http],
                    AcmeChallenge::Auto | AcmeChallenge::TlsAlpn01 => vec![Way::TlsAlpn],
                    AcmeChallenge::Http01 => vec![Way::Http],
                },
            },
            storage,
            line: Line::new(Outside::trusting(policy, roots)),
            answers: Answers { certificates, http },
            current: None,
        };
        match certificate_manager.storage.certificate() {
            Ok(Some(stored)) => certificate_manager.take_up(stored),
            Ok(None) => {}
            Err(error) => tracing::warn!("a new certificate is got, for {error}"),
        }
        Ok(certificate_manager)
    }

    /// Shows a certificate from an earlier run, if anybody could believe it.
    fn take_up(&mut self, stored: Stored) {
        let is_ours = |name: &String| self.config.domains.contains(name);
        if stored.validity.has_expired(SystemTime::now()) {
            tracing::warn!("the certificate in {} has expired", self.storage.path().display());
        } else if stored.validity.names.iter().any(is_ours) {
            self.show(stored);
        }
    }

    fn show(&mut self, stored: Stored) {
        self.answers.certificates.show(stored.key);
        self.current = Some(Known { validity: stored.validity, authority: stored.authority });
    }

    /// Goes on until `stopped` says that it is over.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            () = self.look_after() => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    async fn look_after(&mut self) {
        let mut attempts = 0;
        loop {
            let now = SystemTime::now();
            if let Some(due) = self.due()
                && due > now
            {
                let delay = due.duration_since(now).unwrap_or_default();
                tokio::time::sleep(delay.min(LOOK_EVERY)).await;
                continue;
            }
            let Err(failure) = self.renew(attempts).await else {
                attempts = 0;
                continue;
            };
            attempts += 1;
            let asked = self.line.take_wait().and_then(|until| until.duration_since(SystemTime::now()).ok());
            let delay = delay(attempts, asked, failure.is_refusal("rateLimited"), backoff::random());
            self.tell(&failure, delay);
            tokio::time::sleep(delay).await;
        }
    }

    /// When a certificate is to be ordered; None for at once.
    fn due(&self) -> Option<SystemTime> {
        let known = self.current.as_ref()?;
        let is_what_is_wanted =
            known.authority == self.config.directory && known.validity.is_for(&self.config.domains);
        is_what_is_wanted.then(|| known.validity.renewal())
    }

    /// Gets a certificate and shows it. The first time each way is tried, later ones take turns: proofs that fail are
    /// counted by the authority.
    async fn renew(&mut self, attempts: u32) -> Result<(), Failure> {
        let ways = &self.config.ways;
        let turn = attempts as usize % ways.len();
        let mut issued = self.order(ways[turn]).await;
        if issued.as_ref().is_err_and(|failure| failure.is_refusal("accountDoesNotExist")) {
            tracing::warn!("{} does not know our account any more: opening a new one", self.config.directory);
            self.storage.forget_account(&self.config.directory)?;
            issued = self.order(ways[turn]).await;
        }
        if let Err(failure @ (Failure::Unproved { .. } | Failure::NotOffered { .. })) = &issued
            && let Some(way) = ways.get(turn + 1)
            && (attempts == 0 || matches!(failure, Failure::NotOffered { .. }))
        {
            tracing::info!("trying {} next, for {failure}", way.name());
            issued = self.order(*way).await;
        }
        let Issued { chain, key } = issued?;
        let stored = self.storage.keep(&self.config.directory, &chain, &key)?;
        let validity = stored.validity.clone();
        self.show(stored);
        // Ordering at once again would go on for ever.
        if !validity.is_for(&self.config.domains) {
            return Err(Failure::Unfit(format!("it is for {}", validity.names.join(", "))));
        }
        if validity.renewal() <= SystemTime::now() {
            return Err(Failure::Unfit(format!(
                "it is good until {}, and the clock of this machine says that this is over or nearly so; check the clock",
                shown(validity.not_after)
            )));
        }
        tracing::info!(
            "got a certificate for {}, good until {}",
            self.config.domains.join(", "),
            shown(validity.not_after)
        );
        Ok(())
    }

    async fn order(&self, way: Way) -> Result<Issued, Failure> {
        let Settings { domains, directory, email, .. } = &self.config;
        tracing::info!("ordering a certificate for {} at {directory} by {}", domains.join(", "), way.name());
        let account = account::account(&self.storage, &self.line, directory, email.as_deref()).await?;
        order::order(&account, domains, way, &self.answers).await
    }

    /// Says what went wrong and how things stand.
    fn tell(&self, failure: &Failure, delay: Duration) {
        let names = self.config.domains.join(", ");
        let again = after(delay);
        match &self.current {
            None => tracing::error!(
                "no certificate for {names} yet, so nobody can connect: {failure}; trying again in {again}"
            ),
            Some(known) => tracing::warn!(
                "no new certificate for {names}; the one that is shown is good until {}: {failure}; trying again in {again}",
                shown(known.validity.not_after)
            ),
        }
    }
}

/// Why the server cannot start with ACME. Displays as one sentence.
#[derive(Debug)]
pub enum AcmeError {
    Storage(String, io::Error),
    Roots(TlsError),
    /// HTTP-01 is asked for, and nobody answers plain HTTP.
    Unanswered,
}

impl fmt::Display for AcmeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(path, error) => {
                write!(f, "cannot keep certificates in {path} ({error}); make it a directory of this user's")
            }
            Self::Roots(error) => write!(f, "{error}; name another with --acme-ca"),
            Self::Unanswered => f.write_str(
                "the challenge is to be http-01, and nothing listens for plain HTTP; say where with --http-listen",
            ),
        }
    }
}

impl std::error::Error for AcmeError {}

/// How long to wait after so many failures, when the authority asked for so much. `random` is from 0 to 255:
/// servers that were turned away at the same time must not all come back at the same time.
fn delay(attempts: u32, asked: Option<Duration>, is_limited: bool, random: u8) -> Duration {
    let delay = backoff::with_jitter(backoff::delay(FIRST_DELAY, attempts), random);
    let asked = match asked {
        None if is_limited => UNNAMED_WAIT,
        asked => asked.unwrap_or_default(),
    };
    // Never before the time that was asked for.
    let jitter = asked.min(backoff::MAX_DELAY) * u32::from(random) / 255 / 10;
    delay.max((asked + jitter).min(LONGEST_WAIT))
}

fn shown(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| "a time far away".into(), |time| format!("{time:.0}"))
}

fn after(delay: Duration) -> String {
    match delay.as_secs() {
        seconds @ 0..120 => format!("{} s", seconds.max(1)),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    const HERE: &str = "https://ca.example/dir";

    /// Whoever starts for these names on what an earlier run has kept.
    fn certificate_manager(
        domains: &[&str],
        kept: &[&str],
        authority: &str,
        until: i32,
    ) -> CertificateManager {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            data: dir.path().to_owned(),
            domain: domains.iter().map(|name| name.to_string()).collect(),
            acme_directory: HERE.into(),
            ..Config::default()
        };
        let storage = Storage::open(dir.path(), &config.domain).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(kept.iter().map(|name| name.to_string()).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        storage.keep(authority, &params.self_signed(&key).unwrap().pem(), &key.serialize_pem()).unwrap();
        CertificateManager::prepare(&config, Arc::default(), Arc::default(), false).unwrap()
    }

    #[test]
    fn what_an_earlier_run_has_kept_is_shown_and_left_alone_if_it_is_what_is_wanted() {
        let both = &["a.example", "b.example"];
        let kept = certificate_manager(both, &["b.example", "a.example"], HERE, 2999);
        assert!(kept.answers.certificates.current().is_some());
        assert!(kept.due().is_some_and(|due| due > SystemTime::now()));
    }

    #[test]
    fn what_is_not_quite_what_is_wanted_is_shown_until_that_is_there() {
        let both = &["a.example", "b.example"];
        for kept in [
            certificate_manager(both, &["a.example"], HERE, 2999),
            certificate_manager(&["a.example"], both, HERE, 2999),
            certificate_manager(both, both, "https://staging.example/dir", 2999),
        ] {
            assert!(kept.answers.certificates.current().is_some());
            assert_eq!(kept.due(), None, "at once");
        }
    }

    #[test]
    fn what_nobody_could_believe_is_not_shown() {
        for kept in [
            certificate_manager(&["a.example"], &["a.example"], HERE, 2021),
            certificate_manager(&["a.example"], &["z.example"], HERE, 2999),
        ] {
            assert!(kept.answers.certificates.current().is_none());
            assert_eq!(kept.due(), None, "at once");
        }
    }

    #[test]
    fn each_try_waits_longer_than_the_one_before_up_to_a_bound() {
        let bounds = |attempts| (delay(attempts, None, false, 0), delay(attempts, None, false, 255));
        let seconds = Duration::from_secs;
        assert_eq!(bounds(1), (seconds(5), seconds(15)));
        assert_eq!(bounds(2), (seconds(15), seconds(45)));
        assert_eq!(bounds(8), (seconds(3 * 3600), seconds(9 * 3600)));
        assert_eq!(bounds(u32::MAX), bounds(8));
    }

    #[test]
    fn an_authority_that_asks_for_time_gets_it() {
        let seconds = Duration::from_secs;
        assert_eq!(delay(1, Some(seconds(600)), true, 0), seconds(600));
        assert_eq!(delay(1, Some(seconds(600)), true, 255), seconds(660));
        assert_eq!(delay(8, Some(seconds(600)), true, 0), seconds(3 * 3600));
        assert_eq!(delay(1, None, true, 0), UNNAMED_WAIT);
        assert_eq!(delay(1, Some(seconds(30 * 86_400)), true, 9), LONGEST_WAIT);
    }

    #[test]
    fn what_went_wrong_says_what_to_look_at() {
        let unproved = |way| {
            let failure =
                Failure::Unproved { domain: "a.example".into(), way, why: "Connection refused".into() };
            failure.to_string()
        };
        assert!(unproved(Way::TlsAlpn).contains("by TLS-ALPN-01 (Connection refused)"));
        assert!(unproved(Way::TlsAlpn).contains("port 443 can be reached"));
        assert!(unproved(Way::Http).contains("port 80 can be reached"));
        let problem = r#"{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}"#;
        let refused = Failure::from(instant_acme::Error::Api(serde_json::from_str(problem).unwrap()));
        assert_eq!(refused.to_string(), "the authority refuses: too many");
        assert!(refused.is_refusal("rateLimited") && !refused.is_refusal("badNonce"));
        assert_eq!(after(Duration::from_millis(400)), "1 s");
        assert_eq!(
            (after(Duration::from_secs(130)), after(backoff::MAX_DELAY)),
            ("2 min".into(), "6 h".into())
        );
    }
}
