//! `certificates/` in the data directory: the certificate with its key, and the accounts. Only the owner can read it.
//!
//! What cannot be stored, since the disk is full or read-only, stays in memory and is used: another order would give the same,
//! and authorities limit them. It is stored once that is possible.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
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
    /// Files that could not be written.
    unstored: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
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
        Ok(Self { directory, path, unstored: Mutex::default() })
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
        Stored::parse(authority, &path, &text).map(Some)
    }

    /// Stores an issued certificate and returns it. An error if what the authority sent is no certificate, or not for the key:
    /// then the one that is there stays.
    pub(super) fn store(&self, authority: &str, chain: &str, key: &str) -> Result<Stored, TlsError> {
        let text = format!("{ISSUED_BY}{authority}\n{}\n{}", chain.trim_end(), key);
        let stored = Stored::parse(authority, &self.path, &text)?;
        self.put(self.path(), text.into_bytes());
        Ok(stored)
    }

    /// Writes a file, or leaves it to [`Self::store_rest`].
    fn put(&self, path: PathBuf, bytes: Vec<u8>) {
        let written = self.replace(&path, &bytes);
        let mut unstored = self.unstored();
        match written {
            Ok(()) => drop(unstored.remove(&path)),
            Err(error) => {
                tracing::error!(
                    "{} cannot be stored ({error}); it is used, but lost if the server restarts: make room, or let the server write there",
                    path.display()
                );
                unstored.insert(path, bytes);
            }
        }
    }

    /// Writes what could not be written before. True if nothing is left.
    pub(super) fn store_rest(&self) -> bool {
        self.unstored().retain(|path, bytes| match self.replace(path, bytes) {
            Ok(()) => {
                tracing::info!("{} is stored now", path.display());
                false
            }
            Err(error) => {
                tracing::debug!(%error, path = %path.display(), "cannot be stored yet");
                true
            }
        });
        self.unstored().is_empty()
    }

    fn unstored(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn account(&self, authority: &str) -> io::Result<Option<StoredAccount>> {
        Ok(self.accounts()?.remove(authority))
    }

    pub(super) fn store_account(&self, authority: &str, account: StoredAccount) -> io::Result<()> {
        let mut accounts = self.accounts()?;
        accounts.insert(authority.to_owned(), account);
        self.put(self.directory.join(ACCOUNTS), serde_json::to_vec_pretty(&accounts)?);
        Ok(())
    }

    pub(super) fn forget_account(&self, authority: &str) -> io::Result<()> {
        let mut accounts = self.accounts()?;
        accounts.remove(authority);
        self.put(self.directory.join(ACCOUNTS), serde_json::to_vec_pretty(&accounts)?);
        Ok(())
    }

    fn accounts(&self) -> io::Result<StoredAccounts> {
        let path = self.directory.join(ACCOUNTS);
        let unstored = self.unstored().get(&path).cloned();
        match unstored.map_or_else(|| fs::read(&path), Ok) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!(
                    "{} does not contain accounts ({error}); remove it to open a new account",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// Replaces a file at once.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let fresh = path.with_extension("new");
        self.write(&fresh, bytes)?;
        fs::rename(&fresh, path)?;
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

impl Stored {
    /// From the text of a file; `path` is named in errors.
    fn parse(authority: &str, path: &Path, text: &str) -> Result<Self, TlsError> {
        Ok(Self {
            key: Certificates::parse(path, text.as_bytes())?,
            validity: Validity::parse(path, text.as_bytes())?,
            authority: authority.to_owned(),
        })
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
            assert!(storage.store(AUTHORITY, chain, key).is_err());
            assert_eq!(fs::read(storage.path()).unwrap(), before);
        }
        fs::write(storage.path(), "nothing of the kind").unwrap();
        assert!(storage.certificate().is_err());
    }

    /// B13.
    #[test]
    fn certificate_and_account_that_cannot_be_stored_are_used_and_stored_later() {
        let (_dir, storage) = storage();
        let account = StoredAccount { email: None, credentials: json!({"id": "1"}) };
        // Neither can be removed as a file.
        let hurdles =
            [storage.path(), storage.directory.join(ACCOUNTS)].map(|path| path.with_extension("new"));
        hurdles.iter().for_each(|path| fs::create_dir(path).unwrap());
        let (chain, key) = pair();
        let stored = storage.store(AUTHORITY, &chain, &key).unwrap();
        assert_eq!(stored.validity.names, ["chat.example", "b.example"]);
        storage.store_account(AUTHORITY, account).unwrap();
        assert!(storage.account(AUTHORITY).unwrap().is_some());
        assert!(!storage.store_rest() && !storage.path().exists());
        hurdles.iter().for_each(|path| fs::remove_dir(path).unwrap());
        assert!(storage.store_rest());
        assert_eq!(storage.certificate().unwrap().unwrap().validity, stored.validity);
        assert!(storage.directory.join(ACCOUNTS).is_file());
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
