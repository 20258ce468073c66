//! One order, from the names to the issued chain (RFC 8555, section 7.4).

use std::{collections::HashSet, sync::Arc, time::Duration};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeHandle, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use tokio_rustls::rustls::{
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use super::Failure;
use crate::server::tls::{Certificates, HttpChallenges};

/// How the status of an order is polled.
const POLLING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// The type of challenge that proves control of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    TlsAlpn,
    Http,
}

impl Challenge {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TlsAlpn => "TLS-ALPN-01",
            Self::Http => "HTTP-01",
        }
    }

    /// The port that the authority connects to.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::TlsAlpn => 443,
            Self::Http => 80,
        }
    }

    fn kind(self) -> ChallengeType {
        match self {
            Self::TlsAlpn => ChallengeType::TlsAlpn01,
            Self::Http => ChallengeType::Http01,
        }
    }
}

/// Where answers to challenges are published.
pub(super) struct Answers {
    pub(super) certificates: Arc<Certificates>,
    pub(super) http: Arc<HttpChallenges>,
}

/// An issued chain and its key, in PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

/// Orders a certificate for these names and answers a challenge of this type for each.
pub(super) async fn order(
    account: &Account,
    domains: &[String],
    challenge: Challenge,
    answers: &Answers,
) -> Result<Issued, Failure> {
    let identifiers: Vec<Identifier> = domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut published = Published { answers, domains: HashSet::new(), tokens: HashSet::new() };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            // It was validated by a recent order.
            continue;
        }
        let Identifier::Dns(domain) = authorization.identifier().identifier.clone() else { continue };
        let Some(mut handle) = authorization.challenge(challenge.kind()) else {
            return Err(Failure::NotOffered { domain, challenge });
        };
        published.publish(&domain, challenge, &handle)?;
        handle.set_ready().await?;
    }
    match order.poll_ready(&POLLING).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => return Err(failure_of(&mut order, challenge, None).await),
        Err(instant_acme::Error::Api(problem)) => {
            return Err(failure_of(&mut order, challenge, Some(problem)).await);
        }
        Err(error) => return Err(error.into()),
    }
    drop(published);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(domains)?;
    params.distinguished_name = DistinguishedName::new();
    order.finalize_csr(params.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&POLLING).await?;
    Ok(Issued { chain, key: key.serialize_pem() })
}

/// Why an order failed, from its authorizations.
async fn failure_of(
    order: &mut Order,
    challenge: Challenge,
    problem: Option<instant_acme::Problem>,
) -> Failure {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { break };
        if authorization.refresh().await.is_err() || authorization.status != AuthorizationStatus::Invalid {
            continue;
        }
        let domain = authorization.identifier().to_string();
        let problem = authorization.challenges.iter().find_map(|challenge| challenge.error.clone());
        let why = problem.and_then(|problem| problem.detail).unwrap_or_else(|| "without a reason".into());
        return Failure::Invalid { domain, challenge, why };
    }
    match problem {
        Some(problem) => instant_acme::Error::Api(problem).into(),
        None => instant_acme::Error::Str("why the order is invalid").into(),
    }
}

/// The published answers of an order. They are removed on drop, however the order ends.
struct Published<'a> {
    answers: &'a Answers,
    domains: HashSet<String>,
    tokens: HashSet<String>,
}

impl Published<'_> {
    fn publish(
        &mut self,
        domain: &str,
        challenge: Challenge,
        handle: &ChallengeHandle<'_>,
    ) -> Result<(), Failure> {
        let authorization = handle.key_authorization();
        match challenge {
            Challenge::TlsAlpn => {
                let certificate = challenge_certificate(domain, authorization.digest().as_ref())?;
                self.answers.certificates.add_challenge(domain, certificate);
                self.domains.insert(domain.to_owned());
            }
            Challenge::Http => {
                self.answers.http.put(handle.token.clone(), authorization.as_str().to_owned());
                self.tokens.insert(handle.token.clone());
            }
        }
        Ok(())
    }
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        self.domains.iter().for_each(|domain| self.answers.certificates.remove_challenge(domain));
        self.tokens.iter().for_each(|token| self.answers.http.remove(token));
    }
}

/// The certificate that answers a TLS-ALPN-01 challenge (RFC 8737, section 3): for one name, with the digest of the key
/// authorization in a critical extension.
fn challenge_certificate(domain: &str, digest: &[u8]) -> Result<CertifiedKey, Failure> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = ring::default_provider().key_provider.load_private_key(der);
    let signer = signer.map_err(|error| Failure::Key(error.to_string()))?;
    // Not `from_der`, which parses the certificate and rejects unknown critical extensions.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signer))
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::parse_x509_certificate;

    use super::*;
    use crate::server::certificate::Validity;

    #[test]
    fn challenge_certificate_has_the_digest_in_a_critical_extension() {
        let digest = [7; 32];
        let key = challenge_certificate("chat.example", &digest).unwrap();
        assert_eq!(Validity::of(&key.cert[0]).unwrap().names, ["chat.example"]);
        let (_, certificate) = parse_x509_certificate(&key.cert[0]).unwrap();
        let extension =
            certificate.extensions().iter().find(|it| it.oid.to_id_string() == "1.3.6.1.5.5.7.1.31").unwrap();
        assert!(extension.critical);
        assert_eq!(extension.value, [&[4, 32][..], &digest].concat(), "an octet string");
    }
}
