//! `certificates/` in the data directory: the certificate with its key, and the accounts. For the owner alone.

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

/// The line of a certificate's file that says who issued it, outside of what PEM reads (RFC 7468, section 2).
const ISSUED_BY: &str = "Issued by way of ";

/// What is kept from one start to the next.
pub(super) struct Storage {
    directory: PathBuf,
    path: PathBuf,
}

/// A certificate as it lies there.
pub(super) struct Stored {
    pub(super) key: CertifiedKey,
    pub(super) validity: Validity,
    /// Where it was ordered.
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
        let path = certificate::place(data, domains.first().map_or("", String::as_str));
        Ok(Self { directory, path })
    }

    /// The certificate and its key. Both in one file, so that no crash comes between them.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// What was kept the last time; None if nothing was.
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

    /// Keeps what was issued, and answers with it as it will be read at the next start.
    pub(super) fn keep(&self, authority: &str, chain: &str, key: &str) -> Result<Stored, KeepError> {
        let text = format!("{ISSUED_BY}{authority}\n{}\n{}", chain.trim_end(), key);
        let path = self.path();
        // Looked at before it takes the place of one that is good.
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

    pub(super) fn keep_account(&self, authority: &str, account: StoredAccount) -> io::Result<()> {
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
                    "{} does not hold accounts ({error}); remove it, and a new one is opened",
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

    /// Writes a file that nobody else can read, down to the disk. What is left of a crash is written anew, not
    /// over: it could have other permissions.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Has the names of the files on the disk too.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

/// Why a certificate was not kept.
#[derive(Debug)]
pub(super) enum KeepError {
    Disk(io::Error),
    /// What the authority sent is none, or not for our key.
    Unfit(TlsError),
}

impl From<io::Error> for KeepError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<TlsError> for KeepError {
    fn from(error: TlsError) -> Self {
        Self::Unfit(error)
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
    fn what_is_kept_is_there_at_the_next_start_and_for_the_owner_alone() {
        let (dir, storage) = storage();
        assert!(storage.certificate().unwrap().is_none());
        // What a crash left, open to everybody.
        fs::write(storage.path().with_extension("new"), "half").unwrap();
        let (chain, key) = pair();
        let kept = storage.keep(AUTHORITY, &chain, &key).unwrap();
        let found = storage.certificate().unwrap().unwrap();
        assert_eq!(found.key.cert, kept.key.cert);
        assert_eq!(found.validity, kept.validity);
        assert_eq!(found.authority, AUTHORITY);
        let account = StoredAccount { email: None, credentials: json!({"id": "1"}) };
        storage.keep_account(AUTHORITY, account).unwrap();
        let directory = dir.path().join("certificates");
        assert_eq!(mode(&directory), 0o700);
        let mut files: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files, [directory.join("account.json"), directory.join("chat.example.pem")]);
        assert!(files.iter().all(|path| mode(path) == 0o600));
    }

    #[test]
    fn what_does_not_fit_never_takes_the_place_of_what_does() {
        let (_dir, storage) = storage();
        let (chain, key) = pair();
        storage.keep(AUTHORITY, &chain, &key).unwrap();
        let before = fs::read(storage.path()).unwrap();
        for (chain, key) in [("", &*key), (&*chain, &*pair().1), ("<html>", "")] {
            assert!(matches!(storage.keep(AUTHORITY, chain, key), Err(KeepError::Unfit(_))));
            assert_eq!(fs::read(storage.path()).unwrap(), before);
        }
        fs::write(storage.path(), "nothing of the kind").unwrap();
        assert!(storage.certificate().is_err());
    }

    #[test]
    fn each_authority_has_an_account_of_its_own() {
        let (_dir, storage) = storage();
        let account = |id: &str| StoredAccount { email: None, credentials: json!({"id": id}) };
        storage.keep_account(AUTHORITY, account("1")).unwrap();
        storage.keep_account("https://other.example/", account("2")).unwrap();
        let id = |authority: &str| storage.account(authority).unwrap().map(|it| it.credentials["id"].clone());
        assert_eq!(id(AUTHORITY), Some(json!("1")));
        assert_eq!(id("https://other.example/"), Some(json!("2")));
        storage.forget_account(AUTHORITY).unwrap();
        assert_eq!((id(AUTHORITY), id("https://other.example/")), (None, Some(json!("2"))));
        fs::write(storage.directory.join(ACCOUNTS), "{").unwrap();
        assert!(storage.account(AUTHORITY).unwrap_err().to_string().contains("remove it"));
    }
}
