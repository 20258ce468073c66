//! Web Push subscriptions: the devices that get notifications.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
};
use crate::{
    types::event::Change,
    types::{SessionId, SubscriptionId, Timestamp, UserId},
};

/// Devices of one person; the oldest are removed.
const MAX_SUBSCRIPTIONS: i64 = 20;

/// Adds a device. An earlier subscription with the same endpoint is replaced.
#[derive(Debug)]
pub struct Subscribe {
    pub user: UserId,
    /// It ends with this session.
    pub session: SessionId,
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    pub user_agent: String,
    /// The https URL by which the device reaches this server, if it does.
    pub origin: Option<String>,
}

impl Command for Subscribe {
    type Output = SubscriptionId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SubscriptionId, Refusal> {
        // An endpoint belongs to a browser, in which another person may have been signed in before.
        tx.statement("delete from push_subscriptions where endpoint = ?")?.execute((&self.endpoint,))?;
        let id = tx
            .statement(
                "insert into push_subscriptions (user_id, session_id, endpoint, p256dh, auth, user_agent, origin, created_at)
                 select user_id, id, ?, ?, ?, ?, ?, ? from sessions where user_id = ? and id = ? returning id",
            )?
            .query_row(
                (
                    &self.endpoint,
                    &self.p256dh,
                    &self.auth,
                    &self.user_agent,
                    &self.origin,
                    tx.now,
                    self.user,
                    self.session,
                ),
                |row| row.get(0),
            )?;
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
        Ok(notify_removed(tx, user)?)
    }
}

fn notify_removed(tx: &mut Tx<'_>, user: UserId) -> rusqlite::Result<()> {
    let on = tx.statement("select 1 from push_subscriptions where user_id = ?")?.exists((user,))?;
    tx.notify(Change::PushSet { user, on });
    Ok(())
}

/// Removes the subscriptions that a session has made.
pub(super) fn remove_subscriptions_of_session(
    tx: &mut Tx<'_>,
    user: UserId,
    session: SessionId,
) -> rusqlite::Result<()> {
    let removed = tx.statement("delete from push_subscriptions where session_id = ?")?.execute((session,))?;
    if removed > 0 { notify_removed(tx, user) } else { Ok(()) }
}

/// Records that a push service refused a push to a device, or (None) that it takes them again.
#[derive(Debug)]
pub struct RecordPushError {
    pub subscription: SubscriptionId,
    /// The status, and what the service said.
    pub error: Option<(u16, String)>,
}

impl Command for RecordPushError {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (status, detail) = self.error.unzip();
        tx.statement(
            "update push_subscriptions set error_status = ?1, error_detail = ?2, error_at = iif(?1 is null, null, ?3)
             where id = ?4",
        )?
        .execute((status, detail, tx.now, self.subscription))?;
        Ok(())
    }
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
    /// See [`Subscribe`].
    pub origin: Option<String>,
    /// The last refusal of the push service, unless it has taken a push since.
    pub last_error: Option<PushError>,
}

/// A refusal of a push service.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PushError {
    pub status: u16,
    pub detail: String,
    pub at: Timestamp,
}

const SUBSCRIPTION: &str = "id, user_id, endpoint, p256dh, auth, user_agent, created_at, origin, error_status, error_detail, error_at";

impl Reader {
    /// A person's devices, the newest first.
    pub fn subscriptions(&self, user: UserId) -> rusqlite::Result<Vec<Subscription>> {
        self.statement(&format!(
            "select {SUBSCRIPTION} from push_subscriptions where user_id = ? order by id desc"
        ))?
        .query_map((user,), subscription)?
        .collect()
    }

    /// A device.
    pub fn subscription(&self, id: SubscriptionId) -> rusqlite::Result<Option<Subscription>> {
        self.statement(&format!("select {SUBSCRIPTION} from push_subscriptions where id = ?"))?
            .query_row((id,), subscription)
            .optional()
    }

    /// The devices whose push services refused the last push, the newest refusal first.
    pub fn refused_subscriptions(&self) -> rusqlite::Result<Vec<Subscription>> {
        self.statement(&format!(
            "select {SUBSCRIPTION} from push_subscriptions where error_status is not null order by error_at desc"
        ))?
        .query_map((), subscription)?
        .collect()
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
        origin: row.get(7)?,
        last_error: match row.get(8)? {
            Some(status) => Some(PushError { status, detail: row.get(9)?, at: row.get(10)? }),
            None => None,
        },
    })
}
