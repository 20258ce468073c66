//! The durable history: every event after a position, for those who may see it.

use bytes::Bytes;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    messages::bytes,
};
use crate::{
    types::{RoomId, Seq},
    wire::event::{durable_json, message_json},
};

/// Hours for which events are retained: a week.
const EVENT_HOURS: i64 = 7 * 24;

/// Events pruned in one command.
const PRUNE_STEP: usize = 2_000;

/// An event of the history. Creations and updates of messages are read from the messages' rows.
#[derive(Debug)]
pub enum Change {
    MessageCreated(Bytes),
    MessageUpdated(Bytes),
    /// Its type, and the members of its JSON object after `type` and `seq`.
    Other(String, String),
}

impl Change {
    /// Bytes of what is read of it.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::MessageCreated(json) | Self::MessageUpdated(json) => json.len(),
            Self::Other(_, members) => members.len(),
        }
    }

    /// The event's JSON as clients get it.
    pub fn json(&self, seq: Seq) -> Vec<u8> {
        match self {
            Self::MessageCreated(json) => message_json("message.created", seq, json),
            Self::MessageUpdated(json) => message_json("message.updated", seq, json),
            Self::Other(kind, members) => durable_json(kind, seq, members.as_bytes()),
        }
    }
}

impl Reader {
    /// The events of a room after `since` and up to `until`, in order: `limit` + 1 of them at most, so that the caller
    /// can tell that there are more.
    pub fn replay(
        &self,
        room: RoomId,
        since: Seq,
        until: Seq,
        limit: usize,
    ) -> rusqlite::Result<Vec<(Seq, Change)>> {
        let mut events = Vec::new();
        let mut created = self.statement(
            "select id, json from messages where room_id = ? and id > ? and id <= ? order by id limit ?",
        )?;
        let mut rows = created.query((room, since, until, limit + 1))?;
        while let Some(row) = rows.next()? {
            events.push((row.get(0)?, Change::MessageCreated(bytes(row, 1)?)));
        }
        let mut others = self.statement(
            "select seq, events.kind, payload, messages.json
             from events left join messages on payload is null and messages.id = message_id
             where events.room_id = ? and seq > ? and seq <= ? and (payload is not null or messages.id is not null)
             order by seq limit ?",
        )?;
        let mut rows = others.query((room, since, until, limit + 1))?;
        while let Some(row) = rows.next()? {
            events.push(event(row)?);
        }
        events.sort_unstable_by_key(|(seq, _)| *seq);
        events.truncate(limit + 1);
        Ok(events)
    }

    /// The last pruned event; zero if none was. Events after an earlier `since` are not complete.
    pub fn pruned_up_to(&self) -> rusqlite::Result<Seq> {
        self.statement("select ifnull(max(seq), 0) from pruned")?.query_row((), |row| row.get(0))
    }
}

/// An event from its row. The queries leave out updates of messages that were deleted since (their deletion follows), so
/// that a page of rows is a page of events.
pub(super) fn event(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Seq, Change)> {
    let change = match row.get(2)? {
        Some(payload) => Change::Other(row.get(1)?, payload),
        None => Change::MessageUpdated(bytes(row, 3)?),
    };
    Ok((row.get(0)?, change))
}

/// Removes up to 2,000 events that are older than a week. The newest event stays, since positions are counted from it.
/// True if there may be more.
#[derive(Debug)]
pub struct PruneEvents;

impl Command for PruneEvents {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let horizon = tx.now.hours_ago(EVENT_HOURS);
        let pruned: Vec<Seq> = tx
            .statement(
                "delete from events where seq in (
                   select seq from events where at < ? and seq < (select max(seq) from events) order by seq limit ?
                 ) returning seq",
            )?
            .query_map((horizon, PRUNE_STEP), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if let Some(last) = pruned.iter().max() {
            tx.statement("insert into pruned (id, seq) values (1, ?) on conflict (id) do update set seq = max(seq, excluded.seq)")?
                .execute((last,))?;
        }
        Ok(pruned.len() == PRUNE_STEP)
    }
}
