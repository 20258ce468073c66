//! Web Push subscriptions: the devices that get notifications.

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::{
    types::event::Change,
    types::{SubscriptionId, Timestamp, UserId},
};

/// Devices of one person; the oldest are removed.
const MAX_SUBSCRIPTIONS: i64 = 20;

/// Adds a device. An earlier subscription with the same endpoint is replaced.
#[derive(Debug)]
pub struct Subscribe {
    pub user: UserId,
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    pub user_agent: String,
}

impl Command for Subscribe {
    type Output = SubscriptionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SubscriptionId, Refusal> {
        // An endpoint belongs to a browser, in which another person may have been signed in before.
        tx.statement("delete from push_subscriptions where endpoint = ?")?.execute((&self.endpoint,))?;
        tx.statement(
            "insert into push_subscriptions (user_id, endpoint, p256dh, auth, user_agent, created_at) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute((self.user, &self.endpoint, &self.p256dh, &self.auth, &self.user_agent, tx.now))?;
        let id = SubscriptionId(tx.db.last_insert_rowid());
        tx.statement(
            "delete from push_subscriptions where user_id = ?1 and id not in
               (select id from push_subscriptions where user_id = ?1 order by id desc limit ?2)",
        )?
        .execute((self.user, MAX_SUBSCRIPTIONS))?;
        tx.notify(Change::PushSet { user: self.user, on: true });
        Ok(id)
    }
}

/// Removes a device: a person's own, or, without `user`, one whose push service says that it is gone.
#[derive(Debug)]
pub struct Unsubscribe {
    pub subscription: SubscriptionId,
    pub user: Option<UserId>,
}

impl Command for Unsubscribe {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let user: UserId = tx
            .statement("delete from push_subscriptions where id = ? and user_id = ifnull(?, user_id) returning user_id")?
            .query_row((self.subscription, self.user), |row| row.get(0))?;
        let on = tx.statement("select 1 from push_subscriptions where user_id = ?")?.exists((user,))?;
        tx.notify(Change::PushSet { user, on });
        Ok(())
    }
}

/// Removes all devices of a person.
pub(super) fn remove_subscriptions(tx: &mut Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.statement("delete from push_subscriptions where user_id = ?")?.execute((user,))?;
    tx.notify(Change::PushSet { user, on: false });
    Ok(())
}

/// Where a device's pushes go, and the keys they are encrypted with (RFC 8291).
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub user: UserId,
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    pub user_agent: String,
    pub created_at: Timestamp,
}

impl Reader {
    /// A person's devices, the newest first.
    pub fn subscriptions(&self, user: UserId) -> rusqlite::Result<Vec<Subscription>> {
        self.statement(
            "select id, user_id, endpoint, p256dh, auth, user_agent, created_at from push_subscriptions
             where user_id = ? order by id desc",
        )?
        .query_map((user,), subscription)?
        .collect()
    }

    /// A device.
    pub fn subscription(&self, id: SubscriptionId) -> rusqlite::Result<Option<Subscription>> {
        use rusqlite::OptionalExtension;
        self.statement(
            "select id, user_id, endpoint, p256dh, auth, user_agent, created_at from push_subscriptions where id = ?",
        )?
        .query_row((id,), subscription)
        .optional()
    }
}

fn subscription(row: &rusqlite::Row<'_>) -> rusqlite::Result<Subscription> {
    Ok(Subscription {
        id: row.get(0)?,
        user: row.get(1)?,
        endpoint: row.get(2)?,
        p256dh: row.get(3)?,
        auth: row.get(4)?,
        user_agent: row.get(5)?,
        created_at: row.get(6)?,
    })
}
