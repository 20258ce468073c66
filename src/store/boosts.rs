//! Boosts: short reactions to a message.

use super::{
    command::{Audience, Command, Refusal, Tx},
    messages::{rewrite, stored},
};
use crate::{
    types::event::Change,
    types::{Boost, BoostId, Message, MessageId, Timestamp, UserId},
    wire::Event,
};

/// Boosts on one message at most: every copy of the message contains them all.
const MAX_BOOSTS: usize = 200;

/// Adds a boost. The same content by the same person is added once. Refused with `Conflict` beyond 200 boosts.
#[derive(Debug)]
pub struct AddBoost {
    pub message: MessageId,
    pub user: UserId,
    pub content: String,
}

/// A boost, new or found.
#[derive(Debug)]
pub struct Boosted {
    pub boost: Boost,
    pub created_at: Timestamp,
    /// False if it existed already.
    pub fresh: bool,
}

impl Command for AddBoost {
    type Output = Boosted;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Boosted, Refusal> {
        let (mut message, _) = stored(tx, self.message)?;
        let is_known = |boost: &&Boost| boost.user_id == self.user && boost.content == self.content;
        if let Some(boost) = message.boosts.iter().find(is_known) {
            let created_at = tx
                .statement("select created_at from boosts where id = ?")?
                .query_row((boost.id,), |row| row.get(0))?;
            return Ok(Boosted { boost: boost.clone(), created_at, fresh: false });
        }
        if message.boosts.len() >= MAX_BOOSTS {
            return Err(Refusal::Conflict("A message can have 200 boosts at most."));
        }
        tx.statement("insert into boosts (message_id, user_id, content, created_at) values (?, ?, ?, ?)")?
            .execute((self.message, self.user, &self.content, tx.now))?;
        let id = BoostId(tx.db.last_insert_rowid());
        let boost = Boost { id, user_id: self.user, content: self.content };
        message.boosts.push(boost.clone());
        let (room_id, message_id) = (message.room_id, message.id);
        record_boost_change(tx, &message, &Event::BoostCreated { room_id, message_id, boost: &boost })?;
        Ok(Boosted { boost, created_at: tx.now, fresh: true })
    }
}

/// Removes one's own boost. Refused with `NotFound` unless the person is in the room, and with `Forbidden` for another
/// person's boost.
#[derive(Debug)]
pub struct RemoveBoost {
    pub boost: BoostId,
    pub user: UserId,
    /// The message that the boost has to belong to, if the caller named one.
    pub message: Option<MessageId>,
}

impl Command for RemoveBoost {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (id, user): (MessageId, UserId) = tx
            .statement("select message_id, user_id from boosts where id = ?")?
            .query_row((self.boost,), |row| Ok((row.get(0)?, row.get(1)?)))?;
        if self.message.is_some_and(|message| message != id) {
            return Err(Refusal::NotFound);
        }
        let (mut message, _) = stored(tx, id)?;
        let is_member = tx
            .statement("select 1 from memberships where room_id = ? and user_id = ?")?
            .exists((message.room_id, self.user))?;
        if !is_member {
            return Err(Refusal::NotFound);
        }
        if user != self.user {
            return Err(Refusal::Forbidden("Only the person who gave a boost may remove it."));
        }
        tx.statement("delete from boosts where id = ?")?.execute((self.boost,))?;
        let place =
            message.boosts.iter().position(|boost| boost.id == self.boost).ok_or(Refusal::NotFound)?;
        message.boosts.remove(place);
        let (room_id, message_id) = (message.room_id, message.id);
        record_boost_change(tx, &message, &Event::BoostDeleted { room_id, message_id, boost_id: self.boost })
    }
}

fn record_boost_change(tx: &mut Tx<'_>, message: &Message, event: &Event<'_>) -> Result<(), Refusal> {
    rewrite(tx, message)?;
    let (room, id) = (message.room_id, message.id);
    let kind = if matches!(event, Event::BoostCreated { .. }) { "boost.created" } else { "boost.deleted" };
    let change = |json| Change::BoostChanged { room, message: id, kind, json };
    Ok(tx.record(Audience::Room(room), Some(id), event, change)?)
}
