//! Boosts: what is pinned to a message in passing.

use super::{
    command::{Audience, Command, Refusal, Tx},
    messages::{rewrite, stored},
};
use crate::{
    types::event::Change,
    types::{Boost, BoostId, Message, MessageId, UserId},
    wire::Event,
};

/// Boosts on one message. Past it they are noise, and every copy of the message carries them.
const MAX_BOOSTS: usize = 200;

/// Gives a boost. The same one of the same person is given once only.
#[derive(Debug)]
pub struct AddBoost {
    pub message: MessageId,
    pub user: UserId,
    pub content: String,
}

#[derive(Debug)]
pub struct Boosted {
    pub boost: Boost,
    /// False if it had been given before.
    pub fresh: bool,
}

impl Command for AddBoost {
    type Output = Boosted;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Boosted, Refusal> {
        let (mut message, _) = stored(tx, self.message)?;
        let is_known = |boost: &&Boost| boost.user_id == self.user && boost.content == self.content;
        if let Some(boost) = message.boosts.iter().find(is_known) {
            return Ok(Boosted { boost: boost.clone(), fresh: false });
        }
        if message.boosts.len() >= MAX_BOOSTS {
            return Err(Refusal::Conflict("This message has as many boosts as one can have."));
        }
        tx.statement("insert into boosts (message_id, user_id, content, created_at) values (?, ?, ?, ?)")?
            .execute((self.message, self.user, &self.content, tx.now))?;
        let id = BoostId(tx.db.last_insert_rowid());
        let boost = Boost { id, user_id: self.user, content: self.content };
        message.boosts.push(boost.clone());
        let (room_id, message_id) = (message.room_id, message.id);
        record_boost_change(tx, &message, &Event::BoostCreated { room_id, message_id, boost: &boost })?;
        Ok(Boosted { boost, fresh: true })
    }
}

/// Takes one's own boost back.
#[derive(Debug)]
pub struct RemoveBoost {
    pub boost: BoostId,
    pub user: UserId,
    /// For a caller who names the message too.
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
            return Err(Refusal::Forbidden("Only who gave a boost may take it back."));
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
