//! `certificates/` in the data directory: the certificate with its key, and the accounts. Only the owner can read it.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::{
    server::{
        certificate::{self, Validity},
        tls::{Certificates, TlsError},
    },
    store::CERTIFICATES,
};

const ACCOUNTS: &str = "account.json";

/// The line of a certificate's file that names the directory, before the PEM blocks, where text is allowed (RFC 7468,
/// section 2).
const ISSUED_BY: &str = "Issued by way of ";

/// The directory of certificates and accounts.
pub(super) struct Storage {
    directory: PathBuf,
    path: PathBuf,
}

/// A stored certificate.
pub(super) struct Stored {
    pub(super) key: CertifiedKey,
    pub(super) validity: Validity,
    /// The URL of the directory where it was ordered.
    pub(super) authority: String,
}

/// An account with an authority.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct StoredAccount {
    pub(super) email: Option<String>,
    pub(super) credentials: serde_json::Value,
}

type StoredAccounts = BTreeMap<String, StoredAccount>;

impl Storage {
    pub(super) fn open(data: &Path, domains: &[String]) -> io::Result<Self> {
        let directory = data.join(CERTIFICATES);
        match DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::set_permissions(&directory, Permissions::from_mode(0o700))?;
            }
            Err(error) => return Err(error),
        }
        let path = certificate::path(data, domains.first().map_or("", String::as_str));
        Ok(Self { directory, path })
    }

    /// The file of the certificate and its key; one file, so that both are replaced at once.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The stored certificate, if there is one.
    pub(super) fn certificate(&self) -> Result<Option<Stored>, TlsError> {
        let path = self.path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TlsError::Certificate(path, error.to_string())),
        };
        let authority = text.lines().find_map(|line| line.strip_prefix(ISSUED_BY)).unwrap_or_default();
        Ok(Some(Stored {
            key: Certificates::load(&path, &path)?,
            validity: Validity::read(&path)?,
            authority: authority.to_owned(),
        }))
    }

    /// Stores an issued certificate and returns it as read back from the file.
    pub(super) fn store(&self, authority: &str, chain: &str, key: &str) -> Result<Stored, StoreError> {
        let text = format!("{ISSUED_BY}{authority}\n{}\n{}", chain.trim_end(), key);
        let path = self.path();
        // Read back before it replaces the one that is there.
        let fresh = path.with_extension("new");
        self.write(&fresh, text.as_bytes())?;
        let stored = Stored {
            key: Certificates::load(&fresh, &fresh)?,
            validity: Validity::read(&fresh)?,
            authority: authority.to_owned(),
        };
        fs::rename(&fresh, &path)?;
        self.sync()?;
        Ok(stored)
    }

    pub(super) fn account(&self, authority: &str) -> io::Result<Option<StoredAccount>> {
        Ok(self.accounts()?.remove(authority))
    }

    pub(super) fn store_account(&self, authority: &str, account: StoredAccount) -> io::Result<()> {
        let mut accounts = self.accounts()?;
        accounts.insert(authority.to_owned(), account);
        self.write_accounts(&accounts)
    }

    pub(super) fn forget_account(&self, authority: &str) -> io::Result<()> {
        let mut accounts = self.accounts()?;
        accounts.remove(authority);
        self.write_accounts(&accounts)
    }

    fn accounts(&self) -> io::Result<StoredAccounts> {
        match fs::read(self.directory.join(ACCOUNTS)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let path = self.directory.join(ACCOUNTS);
                io::Error::other(format!(
                    "{} does not contain accounts ({error}); remove it to open a new account",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    fn write_accounts(&self, accounts: &StoredAccounts) -> io::Result<()> {
        let path = self.directory.join(ACCOUNTS);
        let fresh = path.with_extension("new");
        self.write(&fresh, &serde_json::to_vec_pretty(accounts)?)?;
        fs::rename(&fresh, &path)?;
        self.sync()
    }

    /// Writes and syncs a file that only the owner can read. A file that a crash left is removed first, because it could have
    /// other permissions.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Syncs the directory, so that renames are durable.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

/// Why a certificate was not stored.
#[derive(Debug)]
pub(super) enum StoreError {
    Disk(io::Error),
    /// What the authority sent is no certificate, or not for the key.
    Unusable(TlsError),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<TlsError> for StoreError {
    fn from(error: TlsError) -> Self {
        Self::Unusable(error)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::json;

    use super::*;

    const AUTHORITY: &str = "https://ca.example/dir";

    fn storage() -> (tempfile::TempDir, Storage) {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(dir.path(), &["chat.example".into(), "b.example".into()]).unwrap();
        (dir, storage)
    }

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["chat.example".into(), "b.example".into()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn stored_files_are_found_at_the_next_start_and_private() {
        let (dir, storage) = storage();
        assert!(storage.certificate().unwrap().is_none());
        // A crash left a file that every user can read.
        fs::write(storage.path().with_extension("new"), "half").unwrap();
        let (chain, key) = pair();
        let kept = storage.store(AUTHORITY, &chain, &key).unwrap();
        let found = storage.certificate().unwrap().unwrap();
        assert_eq!(found.key.cert, kept.key.cert);
        assert_eq!(found.validity, kept.validity);
        assert_eq!(found.authority, AUTHORITY);
        let account = StoredAccount { email: None, credentials: json!({"id": "1"}) };
        storage.store_account(AUTHORITY, account).unwrap();
        let directory = dir.path().join("certificates");
        assert_eq!(mode(&directory), 0o700);
        let mut files: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files, [directory.join("account.json"), directory.join("chat.example.pem")]);
        assert!(files.iter().all(|path| mode(path) == 0o600));
    }

    #[test]
    fn unusable_certificate_never_replaces_a_usable_one() {
        let (_dir, storage) = storage();
        let (chain, key) = pair();
        storage.store(AUTHORITY, &chain, &key).unwrap();
        let before = fs::read(storage.path()).unwrap();
        for (chain, key) in [("", &*key), (&*chain, &*pair().1), ("<html>", "")] {
            assert!(matches!(storage.store(AUTHORITY, chain, key), Err(StoreError::Unusable(_))));
            assert_eq!(fs::read(storage.path()).unwrap(), before);
        }
        fs::write(storage.path(), "nothing of the kind").unwrap();
        assert!(storage.certificate().is_err());
    }

    #[test]
    fn accounts_are_stored_per_authority() {
        let (_dir, storage) = storage();
        let account = |id: &str| StoredAccount { email: None, credentials: json!({"id": id}) };
        storage.store_account(AUTHORITY, account("1")).unwrap();
        storage.store_account("https://other.example/", account("2")).unwrap();
        let id = |authority: &str| storage.account(authority).unwrap().map(|it| it.credentials["id"].clone());
        assert_eq!(id(AUTHORITY), Some(json!("1")));
        assert_eq!(id("https://other.example/"), Some(json!("2")));
        storage.forget_account(AUTHORITY).unwrap();
        assert_eq!((id(AUTHORITY), id("https://other.example/")), (None, Some(json!("2"))));
        fs::write(storage.directory.join(ACCOUNTS), "{").unwrap();
        assert!(storage.account(AUTHORITY).unwrap_err().to_string().contains("remove it"));
    }
}
