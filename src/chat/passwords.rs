//! Passwords: Argon2id (RFC 9106) with OWASP's parameters, on threads of the blocking pool.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use crate::{
    wire::Problem,
    worker::{Shared, Worker},
};

/// Callers that wait for a hash; beyond it, requests are answered with 503.
const MAX_WAITING: usize = 64;

/// 19 MiB, two passes, one lane: OWASP's first choice for Argon2id (Password Storage Cheat Sheet).
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A password's hash as a PHC string. It takes tens of milliseconds, so not on a worker's thread.
pub(crate) fn hash_password(password: &str) -> String {
    argon2().hash_password(password.as_bytes()).expect("any text can be hashed").to_string()
}

fn matches_hash(password: &str, hash: &str) -> bool {
    if is_bcrypt(hash) {
        // Of an imported account. bcrypt uses only the first 72 bytes.
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
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
    shared: &Shared,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let waiting = Waiting::begin(&shared.hashing_waiting);
    if waiting.before >= MAX_WAITING {
        return Err(Problem::overloaded());
    }
    let turn = Arc::clone(&shared.hashing).acquire_owned().await.map_err(|_| Problem::internal())?;
    // The turn goes along, since the work goes on when the caller is dropped.
    let work = move || {
        let _turn = turn;
        work()
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
