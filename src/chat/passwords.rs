//! Passwords: Argon2id (RFC 9106) with OWASP's parameters, off the workers.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use crate::{
    wire::Problem,
    worker::{Shared, Worker},
};

/// Callers that wait for a hash at most; the next is told to come back.
const MAX_WAITING: usize = 64;

/// 19 MiB, two passes, one lane: OWASP's first choice for Argon2id (Password Storage Cheat Sheet).
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A password's hash as a PHC string. Takes tens of milliseconds: not for a worker's own thread.
pub(crate) fn hash_password(password: &str) -> String {
    argon2().hash_password(password.as_bytes()).expect("any text can be hashed").to_string()
}

fn is_right(password: &str, hash: &str) -> bool {
    if is_bcrypt(hash) {
        // What an import brought along. Only its first 72 bytes ever counted.
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

/// A hash that nobody has the password of, so that an unknown address takes as long as a wrong password.
fn unknown_hash() -> &'static str {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| hash_password(&crate::types::random_token()))
}

async fn run_blocking<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let waiting = shared.hashing_waiting.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let done = if waiting >= MAX_WAITING {
        Err(Problem::overloaded())
    } else {
        // The semaphore is never closed.
        let _turn = shared.hashing.acquire().await;
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
    };
    shared.hashing_waiting.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    done
}

pub(crate) async fn hash(worker: &Worker, password: String) -> Result<String, Problem> {
    run_blocking(&worker.shared, move || hash_password(&password)).await
}

/// None if the password is wrong; otherwise a better hash of it, where the stored one is of an older kind. Without a hash
/// it takes as long, and is wrong.
pub(crate) async fn verify(
    worker: &Worker,
    password: String,
    hash: Option<String>,
) -> Result<Option<Option<String>>, Problem> {
    run_blocking(&worker.shared, move || match hash {
        Some(hash) if is_right(&password, &hash) => Some(is_bcrypt(&hash).then(|| hash_password(&password))),
        Some(_) => None,
        None => {
            is_right(&password, unknown_hash());
            None
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_and_no_other_is_verified() {
        let hash = hash_password("correct horse");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(is_right("correct horse", &hash));
        assert!(!is_right("correct horsf", &hash));
        assert!(!is_right("correct horse", "not a hash"));
        let imported = bcrypt::hash("correct horse", 4).unwrap();
        assert!(is_right("correct horse", &imported) && is_bcrypt(&imported));
        assert!(!is_right("correct horsf", &imported));
    }
}
