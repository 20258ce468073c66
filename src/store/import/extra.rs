//! What is beside people, rooms and messages: bans, searches, sessions, push subscriptions, secrets, the logo.

use std::net::IpAddr;

use rusqlite::OptionalExtension;

use super::Import;
use crate::{
    store::files::{Image, put_image},
    types::{Scope, SessionKind, Timestamp, TokenHash, UserId},
};

/// A push subscription of another server.
#[derive(Clone, Debug)]
pub struct OldPush {
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    pub user_agent: String,
    pub created_at: Timestamp,
}

impl Import {
    /// Blocks the network of somebody who is banned. False if it was blocked before.
    pub fn put_ban(&self, user: UserId, network: IpAddr) -> rusqlite::Result<bool> {
        let inserted = self.db.execute(
            "insert or ignore into blocked_addresses (user_id, address) values (?, ?)",
            (user, network.to_string()),
        )?;
        Ok(inserted == 1)
    }

    /// Adds a recent search, the oldest first. False if it was there.
    pub fn put_search(&self, user: UserId, query: &str, at: Timestamp) -> rusqlite::Result<bool> {
        let inserted = self.db.execute(
            "insert or ignore into searches (user_id, query, searched_at) values (?, ?, ?)",
            (user, query, at),
        )?;
        Ok(inserted == 1)
    }

    /// Adds the session of a device. False if it was there.
    pub fn put_session(
        &self,
        user: UserId,
        token: TokenHash,
        user_agent: &str,
        address: &str,
        created_at: Timestamp,
        last_active_at: Timestamp,
    ) -> rusqlite::Result<bool> {
        let inserted = self.db.execute(
            "insert or ignore into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at, kind, scope)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            (token, user, user_agent, address, created_at, last_active_at, SessionKind::Device, Scope::Admin),
        )?;
        Ok(inserted == 1)
    }

    /// Adds a push subscription, which ends with the newest session of its browser. None if its owner has no session.
    pub fn put_push(&self, user: UserId, push: &OldPush) -> rusqlite::Result<Option<bool>> {
        let session: Option<i64> = self
            .db
            .query_row(
                "select id from sessions where user_id = ? and kind = ?
                 order by user_agent = ? desc, last_active_at desc limit 1",
                (user, SessionKind::Device, &push.user_agent),
                |row| row.get(0),
            )
            .optional()?;
        let Some(session) = session else { return Ok(None) };
        let inserted = self.db.execute(
            "insert or ignore into push_subscriptions (user_id, session_id, endpoint, p256dh, auth, user_agent, created_at)
             values (?, ?, ?, ?, ?, ?, ?)",
            (user, session, &push.endpoint, &push.p256dh, &push.auth, &push.user_agent, push.created_at),
        )?;
        Ok(Some(inserted == 1))
    }

    pub fn put_secret(&self, name: &str, value: &[u8]) -> rusqlite::Result<()> {
        self.db.execute("insert or replace into secrets (name, value) values (?, ?)", (name, value)).map(drop)
    }

    pub fn put_logo(&self, image: &Image) -> rusqlite::Result<()> {
        put_image(&self.db, "logo", None, Some(image))?;
        self.db.execute("update account set logo_version = 1", ()).map(drop)
    }
}
