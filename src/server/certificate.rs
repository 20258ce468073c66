//! The names and the validity of a certificate, and where certificates from ACME are stored.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::{extensions::GeneralName, prelude::parse_x509_certificate};

use super::tls::TlsError;
use crate::store::CERTIFICATES;

/// The file of a certificate from ACME and its key, named by its first domain.
pub(crate) fn path(data: &Path, domain: &str) -> PathBuf {
    data.join(CERTIFICATES).join(format!("{domain}.pem"))
}

/// The names of a certificate and the time for which it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    /// DNS names in lower case, in the order of the certificate.
    pub(crate) names: Vec<String>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

impl Validity {
    /// Of the first certificate in a PEM file, which is that of the server.
    pub(crate) fn read(path: &Path) -> Result<Self, TlsError> {
        let text = std::fs::read(path);
        Self::parse(path, &text.map_err(|error| TlsError::Certificate(path.to_owned(), error.to_string()))?)
    }

    /// The same of the text of a file; `path` is named in errors.
    pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Self, TlsError> {
        let unread = |why: String| TlsError::Certificate(path.to_owned(), why);
        let first = CertificateDer::pem_slice_iter(text).next();
        let first = first.ok_or_else(|| unread("there is none in it".into()))?;
        Self::of(&first.map_err(|error| unread(error.to_string()))?).map_err(unread)
    }

    /// Of a certificate in DER.
    pub(crate) fn of(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) = parse_x509_certificate(der).map_err(|error| error.to_string())?;
        let names = certificate.subject_alternative_name().map_err(|error| error.to_string())?;
        let names = names.iter().flat_map(|extension| &extension.value.general_names);
        let validity = certificate.validity();
        Ok(Self {
            names: names
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some(name.to_lowercase()),
                    _ => None,
                })
                .collect(),
            not_before: at(validity.not_before.timestamp()),
            not_after: at(validity.not_after.timestamp()),
        })
    }

    pub(crate) fn has_expired(&self, now: SystemTime) -> bool {
        now > self.not_after
    }

    /// Whether it is for exactly these names.
    pub(crate) fn is_for(&self, names: &[String]) -> bool {
        self.names.len() == names.len() && names.iter().all(|name| self.names.contains(name))
    }

    /// When it is to be renewed: when a third of its lifetime is left.
    pub(crate) fn renewal(&self) -> SystemTime {
        let lifetime = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_after - lifetime / 3
    }
}

/// A time from seconds since 1970; earlier times become 1970.
fn at(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn validity_has_the_names_and_the_time_of_renewal() {
        let mut params = CertificateParams::new(vec!["Chat.example".into(), "b.example".into()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 4, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chain.pem");
        std::fs::write(&path, format!("What it is\n{}", certificate.pem())).unwrap();
        let validity = Validity::read(&path).unwrap();
        assert_eq!(validity.names, ["chat.example", "b.example"]);
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert!(validity.is_for(&names(&["b.example", "chat.example"])));
        assert!(!validity.is_for(&names(&["chat.example"])));
        assert!(!validity.is_for(&names(&["chat.example", "c.example"])));
        let days =
            |days: u32| SystemTime::from(date_time_ymd(2026, 1, 1)) + Duration::from_secs(86_400) * days;
        assert_eq!((validity.not_before, validity.not_after), (days(0), days(90)));
        assert_eq!(validity.renewal(), days(60));
        assert!(!validity.has_expired(days(90)) && validity.has_expired(days(91)));
    }

    #[test]
    fn file_without_a_certificate_is_an_error_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chain.pem");
        for (text, why) in [
            ("", "there is none in it"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot read a certificate"),
        ] {
            std::fs::write(&path, text).unwrap();
            let said = Validity::read(&path).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains("chain.pem"), "{said}");
        }
        assert!(Validity::read(&dir.path().join("missing")).is_err());
    }
}
