//! What a mail tells of: unread mentions, and unread messages of direct rooms.

use rusqlite::OptionalExtension;

use crate::{
    store::Reader,
    types::{Involvement, MessageId, RoomId, RoomKind, UserId},
};

/// A message that a mail tells of.
#[derive(Debug)]
pub struct Untold {
    pub message: MessageId,
    pub room: RoomId,
    /// None in a direct room.
    pub room_name: Option<String>,
    pub author: String,
    pub plain: String,
}

/// More are not counted.
const COUNTED: usize = 1_000;

/// From which message on, and up to which one.
struct Range {
    user: UserId,
    room: RoomId,
    after: MessageId,
    up_to: MessageId,
}

impl Reader {
    /// The unread messages up to one that address a person, and that they were not told of: the first `most`, room by room,
    /// and how many there are. Each room of the person is looked at by its index, whatever its history.
    pub fn untold(
        &self,
        user: UserId,
        up_to: MessageId,
        most: usize,
    ) -> rusqlite::Result<(Vec<Untold>, usize)> {
        let since: Option<(MessageId, MessageId)> = self
            .statement("select told_id, first_id from mail where user_id = ? and first_id is not null")?
            .query_row((user,), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((told, first)) = since else { return Ok((Vec::new(), 0)) };
        let told = told.max(MessageId(first.0 - 1));
        let mut rooms = self.statement(
            "select room_id, kind, name, involvement, last_read_message_id from memberships
             join rooms on rooms.id = room_id and deleted_at is null
             where user_id = ? and involvement in ('mentions', 'everything') order by room_id",
        )?;
        let mut rows = rooms.query((user,))?;
        let (mut found, mut count) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let (room, kind, involvement): (_, RoomKind, Involvement) =
                (row.get(0)?, row.get(1)?, row.get(3)?);
            let name: Option<String> = row.get(2)?;
            let after = told.max(row.get(4)?);
            let is_direct = kind == RoomKind::Direct;
            let range = Range { user, room, after, up_to };
            let ids = self.addressing(&range, is_direct && involvement == Involvement::Everything)?;
            count += ids.len();
            for id in ids.into_iter().take(most.saturating_sub(found.len())) {
                let name = name.clone().filter(|_| !is_direct);
                found.extend(self.untold_message(id, room, name)?);
            }
        }
        Ok((found, count))
    }

    /// Messages of others in a room that address somebody: all of a direct room, or those that mention them.
    fn addressing(&self, range: &Range, all: bool) -> rusqlite::Result<Vec<MessageId>> {
        let sql = match all {
            true => {
                "select id from messages where room_id = ?1 and id > ?2 and id <= ?3 and creator_id <> ?4
                 order by id limit ?5"
            }
            false => {
                "select distinct message_id from mentions join messages on messages.id = message_id
                 where user_id in (?4, 0) and mentions.room_id = ?1 and message_id > ?2 and message_id <= ?3
                   and creator_id <> ?4
                 order by message_id limit ?5"
            }
        };
        self.statement(sql)?
            .query_map((range.room, range.after, range.up_to, range.user, COUNTED), |row| row.get(0))?
            .collect()
    }

    fn untold_message(
        &self,
        message: MessageId,
        room: RoomId,
        room_name: Option<String>,
    ) -> rusqlite::Result<Option<Untold>> {
        self.statement(
            "select users.name, plain from messages join users on users.id = creator_id where messages.id = ?",
        )?
        .query_row((message,), |row| {
            Ok(Untold { message, room, room_name, author: row.get(0)?, plain: row.get(1)? })
        })
        .optional()
    }
}
