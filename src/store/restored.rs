//! What ends when a database is put back: since the backup was made, sessions may have been signed out, links used and jobs
//! done, and the backup knows nothing of that.

use std::path::Path;

use rusqlite::Connection;

/// What is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing, as when a server moves to another machine.
    Nothing,
    /// Sessions on devices with their links and push subscriptions, and jobs that call others.
    Sessions,
    /// These, and personal API tokens and the keys of bots.
    Everything,
}

/// What was ended, and what was left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub sessions: usize,
    pub links: usize,
    pub jobs: usize,
    /// Personal tokens and bot keys that work as they did when the backup was made.
    pub tokens_left: usize,
}

/// Jobs that would call others a second time. The rest finish what was begun.
const CALLS: &str = "kind in ('webhook', 'push', 'notify', 'preview', 'await_mail', 'mail_unread', 'mail') and dead_at is null";

/// Ends what is to end in a database that nobody has opened yet. Older schemas have fewer tables and columns.
pub fn end_access(database: &Path, ending: Ending) -> rusqlite::Result<Ended> {
    let mut db = Connection::open(database)?;
    let tx = db.transaction()?;
    let has = |table: &str, column: &str| {
        let sql = "select exists (select 1 from pragma_table_info(?) where name = ?)";
        tx.query_row(sql, (table, column), |row| row.get::<_, bool>(0))
    };
    let has_kinds = has("sessions", "kind")?;
    let is_of_a_device = if has_kinds { "kind = 'device'" } else { "true" };
    let mut ended = Ended::default();
    if ending != Ending::Nothing {
        ended.sessions = tx.execute(&format!("delete from sessions where {is_of_a_device}"), ())?;
        ended.links = tx.execute("delete from one_time_tokens", ())?;
        if has("invitations", "id")? {
            // The backup may have some that were used up or revoked since.
            tx.execute("delete from invitation_rooms", ())?;
            ended.links += tx.execute("delete from invitations", ())?;
        }
        if has("push_subscriptions", "id")? {
            tx.execute("delete from push_subscriptions", ())?;
        }
        if has("mail", "due_at")? {
            tx.execute("update mail set first_id = null, last_id = null, due_at = null", ())?;
        }
        if has("jobs", "dead_at")? {
            ended.jobs = tx.execute(&format!("delete from jobs where {CALLS}"), ())?;
        }
    }
    if ending == Ending::Everything {
        tx.execute("delete from sessions", ())?;
    }
    ended.tokens_left =
        tx.query_row(&format!("select count(*) from sessions where not ({is_of_a_device})"), (), |row| {
            row.get(0)
        })?;
    tx.commit()?;
    Ok(ended)
}
