//! A certificate of our own (RFC 8555): got when there is none, renewed when a third of its time is left, and never given
//! up on. A thread of its own; whatever fails here, the server goes on with the certificate that it has.

mod account;
mod error;
mod line;
mod order;
mod schedule;
mod storage;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

pub use self::error::AcmeError;
use self::{
    error::Failure,
    line::Line,
    order::{Answers, Issued, Way},
    schedule::{after, delay},
    storage::{Storage, Stored},
};
use super::{
    certificate::Validity,
    tls::{Certificates, HttpChallenges, chain_in},
};
use crate::{
    config::{AcmeChallenge, Config},
    outbound::{Outside, Policy, backoff},
    store::CERTIFICATES,
};

/// The clock is looked at this often: it may have been set, or the machine slept.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

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

fn shown(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| "a time far away".into(), |time| format!("{time:.0}"))
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
}
