//! One order, from its names to the chain (RFC 8555, section 7.4).

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

/// How an order is asked after: soon, then less often, and not for ever.
const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// How it is shown that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    TlsAlpn,
    Http,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TlsAlpn => "TLS-ALPN-01",
            Self::Http => "HTTP-01",
        }
    }

    /// Where the authority looks.
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

/// Where the authority looks for our answers.
pub(super) struct Answers {
    pub(super) certificates: Arc<Certificates>,
    pub(super) http: Arc<HttpChallenges>,
}

/// A chain and its key, in PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

/// Orders a certificate for these names and proves each of them this way.
pub(super) async fn order(
    account: &Account,
    domains: &[String],
    way: Way,
    answers: &Answers,
) -> Result<Issued, Failure> {
    let identifiers: Vec<Identifier> = domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut shown = Shown { answers, domains: HashSet::new(), tokens: HashSet::new() };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            // It was proved a short while ago.
            continue;
        }
        let Identifier::Dns(domain) = authorization.identifier().identifier.clone() else { continue };
        let Some(mut challenge) = authorization.challenge(way.kind()) else {
            return Err(Failure::NotOffered { domain, way });
        };
        shown.show(&domain, way, &challenge)?;
        challenge.set_ready().await?;
    }
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => return Err(verdict(&mut order, way, None).await),
        Err(instant_acme::Error::Api(problem)) => return Err(verdict(&mut order, way, Some(problem)).await),
        Err(error) => return Err(error.into()),
    }
    drop(shown);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(domains)?;
    params.distinguished_name = DistinguishedName::new();
    order.finalize_csr(params.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(Issued { chain, key: key.serialize_pem() })
}

/// Why an order came to nothing, which its authorizations know.
async fn verdict(order: &mut Order, way: Way, problem: Option<instant_acme::Problem>) -> Failure {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { break };
        if authorization.refresh().await.is_err() || authorization.status != AuthorizationStatus::Invalid {
            continue;
        }
        let domain = authorization.identifier().to_string();
        let problem = authorization.challenges.iter().find_map(|challenge| challenge.error.clone());
        let why = problem.and_then(|problem| problem.detail).unwrap_or_else(|| "without a reason".into());
        return Failure::Unproved { domain, way, why };
    }
    match problem {
        Some(problem) => instant_acme::Error::Api(problem).into(),
        None => instant_acme::Error::Str("why the order is invalid").into(),
    }
}

/// What is shown for an order. It goes with the value, however the order ends.
struct Shown<'a> {
    answers: &'a Answers,
    domains: HashSet<String>,
    tokens: HashSet<String>,
}

impl Shown<'_> {
    fn show(&mut self, domain: &str, way: Way, challenge: &ChallengeHandle<'_>) -> Result<(), Failure> {
        let authorization = challenge.key_authorization();
        match way {
            Way::TlsAlpn => {
                let certificate = challenge_certificate(domain, authorization.digest().as_ref())?;
                self.answers.certificates.show_challenge(domain, certificate);
                self.domains.insert(domain.to_owned());
            }
            Way::Http => {
                self.answers.http.put(challenge.token.clone(), authorization.as_str().to_owned());
                self.tokens.insert(challenge.token.clone());
            }
        }
        Ok(())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.domains.iter().for_each(|domain| self.answers.certificates.end_challenge(domain));
        self.tokens.iter().for_each(|token| self.answers.http.remove(token));
    }
}

/// The certificate that answers a TLS-ALPN-01 challenge (RFC 8737, section 3): for the one name, with the digest of the
/// key authorization in a critical extension.
fn challenge_certificate(domain: &str, digest: &[u8]) -> Result<CertifiedKey, Failure> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = ring::default_provider().key_provider.load_private_key(der);
    let signer = signer.map_err(|error| Failure::Key(error.to_string()))?;
    // Not `from_der`, which looks into the certificate and takes no critical extension that it does not know.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signer))
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::parse_x509_certificate;

    use super::*;
    use crate::server::certificate::Validity;

    #[test]
    fn the_certificate_of_a_challenge_has_the_digest_in_a_critical_extension() {
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
