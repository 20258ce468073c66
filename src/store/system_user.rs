//! The system user: a bot named Campfire, as which the server itself posts to the room in the settings. It has no key, so
//! nothing else can post as it.

use rusqlite::OptionalExtension;

use super::{
    command::{Command, Refusal, Tx},
    memberships::enter_silently,
    people::{load, record_user_update},
};
use crate::types::{Role, RoomId, RoomKind, UserId};

const NAME: &str = "Campfire";

/// The name of the secret that contains its id. Databases of released versions have it.
const SECRET_NAME: &str = "voice";

/// Makes the system user a member of a room, and makes the user if there is none. Returns its id. Refused with `Invalid`
/// for a direct room.
#[derive(Debug)]
pub struct JoinSystemUser {
    pub room: RoomId,
}

impl Command for JoinSystemUser {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        let room = super::rooms::load(tx, self.room)?;
        if room.kind == RoomKind::Direct {
            return Err(Refusal::Invalid("room_id", "is a direct room, which belongs to its members"));
        }
        let system_user =
            match existing(tx)? {
                Some(system_user) => system_user,
                None => {
                    tx.statement("insert into users (name, role, created_at) values (?, ?, ?)")?
                        .execute((NAME, Role::Bot, tx.now))?;
                    let system_user = UserId(tx.db.last_insert_rowid());
                    tx.statement("insert or replace into secrets (name, value) values (?, ?)")?
                        .execute((SECRET_NAME, system_user.0.to_be_bytes().to_vec()))?;
                    system_user
                }
            };
        if enter_silently(tx, room.id, system_user, room.kind.default_involvement())? {
            record_user_update(tx, system_user, vec![room.id])?;
        }
        Ok(system_user)
    }
}

/// The system user, unless there is none or it was deactivated.
pub(super) fn existing(tx: &Tx<'_>) -> Result<Option<UserId>, Refusal> {
    let stored: Option<Vec<u8>> = tx
        .statement("select value from secrets where name = ?")?
        .query_row((SECRET_NAME,), |row| row.get(0))
        .optional()?;
    let Some(bytes) = stored.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) else { return Ok(None) };
    Ok(Some(load(tx, UserId(i64::from_be_bytes(bytes)))?).filter(|user| user.is_active()).map(|user| user.id))
}
