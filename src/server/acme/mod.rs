//! A certificate by ACME (RFC 8555): ordered when there is none, renewed when a third of its lifetime is left, and retried
//! without end. It runs on a thread of its own; after a failure the server keeps the certificate that it has.

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
    order::{Answers, Challenge, Issued},
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

/// How often the clock is read while nothing is due: it may have been set, or the machine slept.
const CHECK_EVERY: Duration = Duration::from_secs(3600);

/// How often it is tried to store what could not be stored: soon after an order, then more seldom.
const STORE_AGAIN: Duration = Duration::from_secs(5);
const STORE_AGAIN_AT_MOST: Duration = Duration::from_secs(300);

/// Orders and renews the certificate.
pub(super) struct CertificateManager {
    config: Settings,
    storage: Arc<Storage>,
    line: Line,
    answers: Answers,
    /// The certificate in use.
    current: Option<Current>,
}

/// The settings that it uses.
struct Settings {
    domains: Vec<String>,
    directory: String,
    email: Option<String>,
    challenges: Vec<Challenge>,
}

/// The certificate in use, and the directory where it was ordered.
struct Current {
    validity: Validity,
    authority: String,
}

impl CertificateManager {
    /// Uses the stored certificate if it is still valid. `answers_http` says whether HTTP-01 challenges can be answered.
    pub(super) fn prepare(
        config: &Config,
        certificates: Arc<Certificates>,
        http: Arc<HttpChallenges>,
        answers_http: bool,
    ) -> Result<Self, AcmeError> {
        if config.acme_challenge == AcmeChallenge::Http01 && !answers_http {
            return Err(AcmeError::NoHttp);
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
                challenges: match config.acme_challenge {
                    AcmeChallenge::Auto if answers_http => vec![Challenge::TlsAlpn, Challenge::Http],
                    AcmeChallenge::Auto | AcmeChallenge::TlsAlpn01 => vec![Challenge::TlsAlpn],
                    AcmeChallenge::Http01 => vec![Challenge::Http],
                },
            },
            storage: Arc::new(storage),
            line: Line::new(Outside::trusting(policy, roots)),
            answers: Answers { certificates, http },
            current: None,
        };
        match certificate_manager.storage.certificate() {
            Ok(Some(stored)) => certificate_manager.restore(stored),
            Ok(None) => {}
            Err(error) => tracing::warn!("ordering a new certificate: {error}"),
        }
        Ok(certificate_manager)
    }

    /// Uses a certificate of an earlier run, unless it has expired or is for other names.
    fn restore(&mut self, stored: Stored) {
        let is_ours = |name: &String| self.config.domains.contains(name);
        if stored.validity.has_expired(SystemTime::now()) {
            tracing::warn!("the certificate in {} has expired", self.storage.path().display());
        } else if stored.validity.names.iter().any(is_ours) {
            self.use_certificate(stored);
        }
    }

    fn use_certificate(&mut self, stored: Stored) {
        self.answers.certificates.set_current(stored.key);
        self.current = Some(Current { validity: stored.validity, authority: stored.authority });
    }

    /// Runs until `stopped` is true.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let storage = Arc::clone(&self.storage);
        tokio::select! {
            () = self.renew_when_due() => {}
            () = store_rest(&storage) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    async fn renew_when_due(&mut self) {
        let mut attempts = 0;
        loop {
            let now = SystemTime::now();
            if let Some(due) = self.due()
                && due > now
            {
                let delay = due.duration_since(now).unwrap_or_default();
                tokio::time::sleep(delay.min(CHECK_EVERY)).await;
                continue;
            }
            let Err(failure) = self.renew(attempts).await else {
                attempts = 0;
                continue;
            };
            attempts += 1;
            let asked = self.line.take_wait().and_then(|until| until.duration_since(SystemTime::now()).ok());
            let delay = delay(attempts, asked, failure.is_refusal("rateLimited"), backoff::random());
            self.log(&failure, delay);
            tokio::time::sleep(delay).await;
        }
    }

    /// When a certificate is to be ordered; None for now.
    fn due(&self) -> Option<SystemTime> {
        let current = self.current.as_ref()?;
        let is_current =
            current.authority == self.config.directory && current.validity.is_for(&self.config.domains);
        is_current.then(|| current.validity.renewal())
    }

    /// Orders a certificate and uses it. The first attempt tries every challenge, later ones alternate, because authorities
    /// limit failed validations.
    async fn renew(&mut self, attempts: u32) -> Result<(), Failure> {
        let challenges = &self.config.challenges;
        let index = attempts as usize % challenges.len();
        let mut issued = self.order(challenges[index]).await;
        if issued.as_ref().is_err_and(|failure| failure.is_refusal("accountDoesNotExist")) {
            tracing::warn!("{} no longer knows the account; opening a new one", self.config.directory);
            self.storage.forget_account(&self.config.directory)?;
            issued = self.order(challenges[index]).await;
        }
        if let Err(failure @ (Failure::Invalid { .. } | Failure::NotOffered { .. })) = &issued
            && let Some(challenge) = challenges.get(index + 1)
            && (attempts == 0 || matches!(failure, Failure::NotOffered { .. }))
        {
            tracing::info!("trying {} next: {failure}", challenge.name());
            issued = self.order(*challenge).await;
        }
        let Issued { chain, key } = issued?;
        let stored = self.storage.store(&self.config.directory, &chain, &key)?;
        let validity = stored.validity.clone();
        self.use_certificate(stored);
        // As errors, so that the next order waits: the same would be issued again.
        if !validity.is_for(&self.config.domains) {
            return Err(Failure::Unusable(format!("it is for {}", validity.names.join(", "))));
        }
        if validity.renewal() <= SystemTime::now() {
            return Err(Failure::Unusable(format!(
                "it is valid until {}, which is past or near by the clock of this machine; check the clock",
                shown(validity.not_after)
            )));
        }
        tracing::info!(
            "got a certificate for {}, valid until {}",
            self.config.domains.join(", "),
            shown(validity.not_after)
        );
        Ok(())
    }

    async fn order(&self, challenge: Challenge) -> Result<Issued, Failure> {
        let Settings { domains, directory, email, .. } = &self.config;
        tracing::info!(
            "ordering a certificate for {} at {directory} by {}",
            domains.join(", "),
            challenge.name()
        );
        let account = account::account(&self.storage, &self.line, directory, email.as_deref()).await?;
        order::order(&account, domains, challenge, &self.answers).await
    }

    /// Logs a failure and whether there is a certificate.
    fn log(&self, failure: &Failure, delay: Duration) {
        let names = self.config.domains.join(", ");
        let again = after(delay);
        match &self.current {
            None => tracing::error!(
                "no certificate for {names} yet, so nobody can connect: {failure}; trying again in {again}"
            ),
            Some(current) => tracing::warn!(
                "no new certificate for {names}; the one in use is valid until {}: {failure}; trying again in {again}",
                shown(current.validity.not_after)
            ),
        }
    }
}

/// Stores what could not be stored, once that is possible; never returns.
async fn store_rest(storage: &Storage) {
    let mut pause = STORE_AGAIN;
    loop {
        tokio::time::sleep(pause).await;
        pause = if storage.store_rest() { STORE_AGAIN } else { (2 * pause).min(STORE_AGAIN_AT_MOST) };
    }
}

fn shown(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| "an unknown time".into(), |time| format!("{time:.0}"))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    const HERE: &str = "https://ca.example/dir";

    /// A manager for these names in a directory where an earlier run has stored a certificate.
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
        storage.store(authority, &params.self_signed(&key).unwrap().pem(), &key.serialize_pem()).unwrap();
        CertificateManager::prepare(&config, Arc::default(), Arc::default(), false).unwrap()
    }

    #[test]
    fn stored_certificate_is_used_and_not_due_if_it_matches_the_settings() {
        let both = &["a.example", "b.example"];
        let kept = certificate_manager(both, &["b.example", "a.example"], HERE, 2999);
        assert!(kept.answers.certificates.current().is_some());
        assert!(kept.due().is_some_and(|due| due > SystemTime::now()));
    }

    #[test]
    fn stored_certificate_that_differs_is_used_until_a_new_one_is_issued() {
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
    fn stored_certificate_that_expired_or_is_for_other_names_is_not_used() {
        for kept in [
            certificate_manager(&["a.example"], &["a.example"], HERE, 2021),
            certificate_manager(&["a.example"], &["z.example"], HERE, 2999),
        ] {
            assert!(kept.answers.certificates.current().is_none());
            assert_eq!(kept.due(), None, "at once");
        }
    }
}
