//! The durable history: every event after a position, for those who may see it.

use bytes::Bytes;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    messages::bytes,
};
use crate::{
    types::{RoomId, Seq, UserId},
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

    /// Whom it is about, if it is a change of a user.
    pub fn user(&self) -> Option<UserId> {
        #[derive(serde::Deserialize)]
        struct Members {
            user: Id,
        }
        #[derive(serde::Deserialize)]
        struct Id {
            id: UserId,
        }
        match self {
            Self::Other(kind, members) if kind == "user.updated" => {
                let members: Option<Members> = serde_json::from_str(&format!("{{{members}}}")).ok();
                // User 0 is nobody.
                Some(members.map_or(UserId(0), |members| members.user.id))
            }
            _ => None,
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
    /// The events of a room after `since` and up to `until`, in order, and whether that is all: they end with the one
    /// that reaches `bytes` bytes.
    pub fn replay(
        &self,
        room: RoomId,
        since: Seq,
        until: Seq,
        bytes: usize,
    ) -> rusqlite::Result<(Vec<(Seq, Change)>, bool)> {
        let mut created = self.statement(
            "select id, 'message.created', null, json from messages where room_id = ? and id > ? and id <= ? order by id",
        )?;
        let mut others = self.statement(
            "select seq, events.kind, payload, messages.json
             from events left join messages on payload is null and messages.id = message_id
             where events.room_id = ? and seq > ? and seq <= ? and (payload is not null or messages.id is not null)
             order by seq",
        )?;
        let mut created = created.query((room, since, until))?;
        let mut others = others.query((room, since, until))?;
        let mut of_created = next_event(&mut created)?;
        let mut of_others = next_event(&mut others)?;
        let (mut events, mut read) = (Vec::new(), 0);
        loop {
            let is_created = match (&of_created, &of_others) {
                (None, None) => return Ok((events, true)),
                (Some((created, _)), Some((other, _))) => created < other,
                (created, _) => created.is_some(),
            };
            if read >= bytes {
                return Ok((events, false));
            }
            let (next, rows) =
                if is_created { (&mut of_created, &mut created) } else { (&mut of_others, &mut others) };
            if let Some(event) = next.take() {
                read += event.1.len();
                events.push(event);
            }
            *next = next_event(rows)?;
        }
    }

    /// How many events a room has after `since` and up to `until`, counted up to `limit`.
    pub fn count_missed(
        &self,
        room: RoomId,
        since: Seq,
        until: Seq,
        limit: usize,
    ) -> rusqlite::Result<usize> {
        self.statement(
            "select (select count(*) from (select 1 from messages where room_id = ?1 and id > ?2 and id <= ?3 limit ?4))
                  + (select count(*) from (select 1 from events where room_id = ?1 and seq > ?2 and seq <= ?3 limit ?4))",
        )?
        .query_row((room, since, until, limit), |row| row.get(0))
    }

    /// The events after `since` and up to `until`, in order, if there are at most `limit` and everybody may see all of
    /// them.
    pub fn general(
        &self,
        since: Seq,
        until: Seq,
        limit: usize,
    ) -> rusqlite::Result<Option<Vec<(Seq, Change)>>> {
        if self.statement("select 1 from messages where id > ? and id <= ?")?.exists((since, until))? {
            return Ok(None);
        }
        let mut events = self.statement(
            "select seq, kind, payload, null, room_id is null and user_id is null from events
             where seq > ? and seq <= ? order by seq limit ?",
        )?;
        let mut rows = events.query((since, until, limit + 1))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if !row.get(4)? || found.len() == limit {
                return Ok(None);
            }
            found.push(event(row)?);
        }
        Ok(Some(found))
    }

    /// The last pruned event; zero if none was. Events after an earlier `since` are not complete.
    pub fn pruned_up_to(&self) -> rusqlite::Result<Seq> {
        self.statement("select ifnull(max(seq), 0) from pruned")?.query_row((), |row| row.get(0))
    }
}

fn next_event(rows: &mut rusqlite::Rows<'_>) -> rusqlite::Result<Option<(Seq, Change)>> {
    rows.next()?.map(event).transpose()
}

/// An event from its row. The queries leave out updates of messages that were deleted since (their deletion follows), so
/// that a page of rows is a page of events.
pub(super) fn event(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Seq, Change)> {
    let kind = row.get_ref(1)?.as_str()?;
    let change = match row.get(2)? {
        Some(payload) => Change::Other(kind.to_owned(), payload),
        None if kind == "message.created" => Change::MessageCreated(bytes(row, 3)?),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Durability, store::DataDir};

    fn history(events: &[(i64, Option<i64>, Option<i64>)]) -> (tempfile::TempDir, Reader) {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let db = data.writable().unwrap();
        for (seq, room, user) in events {
            db.execute(
                "insert into events (seq, at, kind, room_id, user_id, payload) values (?, 0, 'x', ?, ?, '\"n\":1')",
                (seq, room, user),
            )
            .unwrap();
        }
        let reader = Reader::open(&data).unwrap();
        (dir, reader)
    }

    /// Case 26.
    #[test]
    fn general_events_are_told_only_if_there_are_no_others() {
        let (_dir, reader) =
            history(&[(1, Some(1), None), (2, None, None), (3, None, None), (4, None, Some(7))]);
        let seqs = |since, until, limit| {
            let found = reader.general(Seq(since), Seq(until), limit).unwrap();
            found.map(|events| events.iter().map(|(seq, _)| seq.0).collect::<Vec<_>>())
        };
        assert_eq!(seqs(1, 3, 2), Some(vec![2, 3]));
        assert_eq!(seqs(1, 3, 1), None, "too many");
        assert_eq!(seqs(0, 3, 9), None, "one of a room");
        assert_eq!(seqs(1, 4, 9), None, "one of a person");
        assert_eq!(seqs(4, 9, 9), Some(vec![]));
    }

    /// B6.
    #[test]
    fn replay_is_read_in_pieces_that_end_with_the_event_that_fills_them() {
        let events: Vec<_> = (1..=9).map(|seq| (seq, Some(1 + seq % 2), None)).collect();
        let (_dir, reader) = history(&events);
        let (mut since, mut read) = (Seq(1), Vec::new());
        loop {
            let (piece, is_all) = reader.replay(RoomId(2), since, Seq(8), 2 * "\"n\":1".len()).unwrap();
            assert!(piece.len() <= 2);
            read.extend(piece.iter().map(|(seq, _)| seq.0));
            since = piece.last().map_or(since, |(seq, _)| *seq);
            if is_all {
                break;
            }
        }
        assert_eq!(read, [3, 5, 7]);
        assert_eq!(reader.count_missed(RoomId(2), Seq(1), Seq(8), 9).unwrap(), 3);
        assert!(reader.replay(RoomId(2), Seq(7), Seq(8), 1).unwrap().1, "nothing is all");
    }
}
