//! What a person has missed: the durable events of all their rooms, of theirs alone and of everybody, after a position.
//!
//! The positions of the events are looked up first, each by a range of an index, and the events themselves only as far as
//! they are returned. So a page takes little time and memory however much there is to catch up.

use rusqlite::OptionalExtension;

use super::{Reader, SyncChange, messages::bytes, sync::event};
use crate::types::{RoomId, Seq, UserId};

/// A page of events, in order.
#[derive(Debug, Default)]
pub struct Missed {
    pub events: Vec<(Seq, SyncChange)>,
    /// The position that the page reaches: no event up to here is left out.
    pub seq: Seq,
}

impl Reader {
    /// The events after `since` and up to `until` that the person may see: `limit` at most, and those after the one that
    /// reaches `max_bytes` are left for the next page. `rooms` are the person's rooms that have such events.
    pub fn missed_by(
        &self,
        user: UserId,
        rooms: &[RoomId],
        (since, until): (Seq, Seq),
        limit: usize,
        max_bytes: usize,
    ) -> rusqlite::Result<Missed> {
        let mut places = Places { found: Vec::new(), until, limit };
        let mut created = self.statement(
            "select id from messages where room_id = ? and id > ? and id <= ? order by id limit ?",
        )?;
        let mut changed = self.statement(
            "select seq from events where room_id = ? and seq > ? and seq <= ? order by seq limit ?",
        )?;
        for room in rooms {
            places.add(created.query((room, since, places.until, limit))?, true)?;
            places.add(changed.query((room, since, places.until, limit))?, false)?;
        }
        // Of everybody, of the person, and of an audience that is listed: three ranges of one index.
        let mut everybodys = self.statement(
            "select seq from events where room_id is null and user_id is null and seq > ? and seq <= ? order by seq limit ?",
        )?;
        places.add(everybodys.query((since, places.until, limit))?, false)?;
        let mut own = self.statement(
            "select seq from events where room_id is null and user_id = ? and seq > ? and seq <= ? order by seq limit ?",
        )?;
        places.add(own.query((user, since, places.until, limit))?, false)?;
        let mut listed = self.statement(
            "select seq from events where room_id is null and user_id = 0 and seq > ?2 and seq <= ?3
               and exists (select 1 from event_audience where event_audience.seq = events.seq and event_audience.user_id = ?1)
             order by seq limit ?4",
        )?;
        places.add(listed.query((user, since, places.until, limit))?, false)?;
        places.cut();
        let mut missed = Missed { events: Vec::with_capacity(places.found.len()), seq: places.until };
        let mut message =
            self.statement("select id, 'message.created', null, json from messages where id = ?")?;
        let mut other = self.statement(
            "select seq, events.kind, payload, messages.json
             from events left join messages on payload is null and messages.id = message_id
             where seq = ? and (payload is not null or messages.id is not null)",
        )?;
        let mut size = 0;
        for (seq, is_message) in places.found {
            if size >= max_bytes {
                return Ok(missed);
            }
            let read = match is_message {
                true => message
                    .query_row((seq,), |row| Ok((seq, SyncChange::MessageCreated(bytes(row, 3)?))))
                    .optional()?,
                false => other.query_row((seq,), event).optional()?,
            };
            // A change of a message that was deleted since has nothing to tell; the deletion follows.
            if let Some(event) = read {
                size += event.1.len();
                missed.events.push(event);
            }
            missed.seq = seq;
        }
        missed.seq = places.until;
        Ok(missed)
    }
}

/// The positions of events, each with whether it is that of a message.
struct Places {
    found: Vec<(Seq, bool)>,
    /// Events after this position are not needed.
    until: Seq,
    limit: usize,
}

impl Places {
    fn add(&mut self, mut rows: rusqlite::Rows<'_>, is_message: bool) -> rusqlite::Result<()> {
        while let Some(row) = rows.next()? {
            self.found.push((row.get(0)?, is_message));
        }
        if self.found.len() > self.limit {
            self.cut();
        }
        Ok(())
    }

    /// Sorts, and leaves the first ones. As many as the limit may be all that one query gave of more.
    fn cut(&mut self) {
        self.found.sort_unstable();
        if self.found.len() >= self.limit {
            self.found.truncate(self.limit);
            self.until = self.found.last().map_or(self.until, |(seq, _)| *seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Durability, store::DataDir};

    /// B19.
    #[test]
    fn what_was_missed_is_found_by_indexes() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let db = data.writable().unwrap();
        for who in ["user_id is null", "user_id = 5", "user_id = 0"] {
            let sql = format!(
                "explain query plan select seq from events where room_id is null and {who} and seq > 1 and seq <= 9 order by seq limit 3"
            );
            let plan: String = db.query_row(&sql, (), |row| row.get(3)).unwrap();
            assert!(plan.contains("events_by_user (user_id=? AND rowid>? AND rowid<?)"), "{plan}");
        }
    }

    /// B19.
    #[test]
    fn page_ends_with_its_limit_of_events_or_bytes_and_the_next_one_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let db = data.writable().unwrap();
        for seq in 1..=40 {
            let (room, user) = match seq % 4 {
                0 => (Some(1), None),
                1 => (None, None),
                2 => (None, Some(5)),
                // Somebody else's.
                _ => (None, Some(6)),
            };
            db.execute(
                "insert into events (seq, at, kind, room_id, user_id, payload) values (?, 0, 'x', ?, ?, ?)",
                (seq, room, user, "p".repeat(100)),
            )
            .unwrap();
        }
        let reader = Reader::open(&data).unwrap();
        for (limit, max_bytes, most) in
            [(7, usize::MAX, 7), (100, 450, 5), (100, 1, 1), (100, usize::MAX, 30)]
        {
            let (mut since, mut found) = (Seq(0), Vec::new());
            loop {
                let page =
                    reader.missed_by(UserId(5), &[RoomId(1)], (since, Seq(40)), limit, max_bytes).unwrap();
                assert!(page.events.len() <= most, "{limit} {max_bytes}: {}", page.events.len());
                found.extend(page.events.iter().map(|(seq, _)| seq.0));
                if page.seq == since {
                    break;
                }
                since = page.seq;
            }
            let wanted: Vec<i64> = (1..=40).filter(|seq| seq % 4 != 3).collect();
            assert_eq!(found, wanted, "{limit} {max_bytes}");
        }
    }
}
