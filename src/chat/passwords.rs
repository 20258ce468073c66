//! Passwords: Argon2id (RFC 9106) with OWASP's parameters, on threads of the blocking pool; and where there are none.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, CustomizedPasswordHasher, PasswordHasher, PasswordVerifier,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

use super::Viewer;
use crate::{
    outbound::oidc::Provider,
    types::{Timestamp, UserId},
    wire::Problem,
    worker::{Shared, Worker},
};

/// Callers that wait for a hash; beyond it, requests are answered with 503.
const MAX_WAITING: usize = 64;

/// Who has no password shows by a sign-in of the last so many milliseconds who they are.
const FRESH: i64 = 600_000;

/// Memory of hashes that are done, for those that wait. The allocator would give it back some time after it was freed, and
/// the next hash would take as much beside it: too much for a machine of 64 MB.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

fn memory() -> MutexGuard<'static, Vec<Vec<Block>>> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Argon2 in memory that is used again.
struct Hasher;

impl CustomizedPasswordHasher<PasswordHash> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let mut out = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let mut blocks = memory().pop().unwrap_or_default();
        blocks.resize(params.block_count(), Block::default());
        let hashed = Argon2::new(algorithm, version, params.clone()).hash_password_into_with_memory(
            password,
            salt,
            &mut out,
            &mut blocks[..],
        );
        memory().push(blocks);
        hashed?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(&out)?),
        })
    }
}

impl PasswordHasher<PasswordHash> for Hasher {
    /// 19 MiB, two passes, one lane: OWASP's first choice for Argon2id (Password Storage Cheat Sheet).
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> password_hash::Result<PasswordHash> {
        let params = Params::new(19 * 1024, 2, 1, None)?;
        self.hash_password_customized(password, salt, Some("argon2id"), None, params)
    }
}

/// A password's hash as a PHC string. It takes tens of milliseconds, so not on a worker's thread.
pub(crate) fn hash_password(password: &str) -> String {
    Hasher.hash_password(password.as_bytes()).expect("any text can be hashed").to_string()
}

fn matches_hash(password: &str, hash: &str) -> bool {
    if is_bcrypt(hash) {
        // Of an imported account. bcrypt uses only the first 72 bytes.
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|hash| Hasher.verify_password(password.as_bytes(), &hash).is_ok())
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

/// A hash of a random password, verified for unknown addresses so that they take as long as known ones.
fn unknown_hash() -> &'static str {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| hash_password(&crate::types::random_token()))
}

async fn run_blocking<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let waiting = Waiting::begin(&shared.hashing_waiting);
    if waiting.before >= MAX_WAITING {
        return Err(Problem::overloaded());
    }
    let turn = Arc::clone(&shared.hashing).acquire_owned().await.map_err(|_| Problem::internal())?;
    // The turn goes along, since the work goes on when the caller is dropped.
    let ours = Arc::clone(shared);
    let work = move || {
        let _turn = turn;
        let done = work();
        if ours.hashing_waiting.load(Ordering::Relaxed) <= 1 {
            // Nobody is behind this one.
            memory().clear();
        }
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
}

/// A caller that is counted until it is dropped, which also happens in the middle: when an HTTP/2 stream is reset.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        Self { count, before: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) async fn hash(worker: &Worker, password: String) -> Result<String, Problem> {
    run_blocking(&worker.shared, move || hash_password(&password)).await
}

/// None if the password is wrong or `hash` is None, which take the same time. Otherwise a new hash to store, if the
/// old one is bcrypt.
pub(crate) async fn verify(
    worker: &Worker,
    password: String,
    hash: Option<String>,
) -> Result<Option<Option<String>>, Problem> {
    run_blocking(&worker.shared, move || match hash {
        Some(hash) if matches_hash(&password, &hash) => {
            Some(is_bcrypt(&hash).then(|| hash_password(&password)))
        }
        Some(_) => None,
        None => {
            matches_hash(&password, unknown_hash());
            None
        }
    })
    .await
}

/// 403 where people sign in by a provider only. An administrator's password works until an administrator has signed in by a
/// provider: until then nobody could mend the settings of one that does not work.
pub(crate) fn check_passwords(worker: &Worker, is_admin: bool) -> Result<(), Problem> {
    let config = worker.config();
    if config.password_sign_in || is_admin && !worker.reader.administrator_has_identity()? {
        return Ok(());
    }
    let names: Vec<&str> = config.oidc.iter().map(Provider::label).collect();
    Err(Problem::forbidden(format!("Passwords are switched off here: sign in with {}.", names.join(" or "))))
}

/// The same for a person who may have been made on the command line a moment ago, before the state is read again.
pub(crate) fn check_passwords_of(worker: &Worker, user: UserId) -> Result<(), Problem> {
    let is_admin = !worker.config().password_sign_in && is_administrator(worker, user)?;
    check_passwords(worker, is_admin)
}

/// Whether somebody is an administrator, as the database has it.
pub(crate) fn is_administrator(worker: &Worker, user: UserId) -> Result<bool, Problem> {
    Ok(worker.reader.user(user)?.is_some_and(|user| user.is_admin()))
}

/// Who has no password proves who they are by having signed in a moment ago. 403 unless they have.
pub(crate) fn check_fresh(worker: &Worker, viewer: &Viewer) -> Result<(), Problem> {
    let now = Timestamp::now().0;
    match worker.reader.provider_of(viewer.session)? {
        Some((_, since)) if now - since.0 < FRESH => Ok(()),
        _ => Err(Problem::forbidden(
            "You have no password here: sign out and in again, and change this within ten minutes.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_verified_and_no_other_is() {
        let hash = hash_password("correct horse");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches_hash("correct horse", &hash));
        assert!(!matches_hash("correct horsf", &hash));
        assert!(!matches_hash("correct horse", "not a hash"));
        let imported = bcrypt::hash("correct horse", 4).unwrap();
        assert!(matches_hash("correct horse", &imported) && is_bcrypt(&imported));
        assert!(!matches_hash("correct horsf", &imported));
    }
}
