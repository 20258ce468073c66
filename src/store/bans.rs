//! Bans: a person's sessions end, their messages are removed, and their addresses are blocked.

use std::net::IpAddr;

use rusqlite::Connection;

use super::{
    command::{Command, NewJob, Refusal, Tx},
    invitations::end_invitations_by,
    links::remove_links,
    people::{load, record_user_update, require_another_administrator},
    sessions::end_sessions,
};
use crate::{
    types::event::{Change, SessionEnd},
    types::{JobKind, Role, Status, UserId, network_of},
};

/// Bans a person: ends the sessions, blocks the public addresses of those sessions, and queues the removal of the
/// messages. Does nothing if they are banned already. Refused with `Conflict` for a deactivated person and for the last
/// administrator.
#[derive(Debug)]
pub struct Ban {
    pub user: UserId,
}

impl Command for Ban {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let before = load(tx, self.user)?;
        match before.status {
            Status::Banned => return Ok(()),
            Status::Deactivated => return Err(Refusal::Conflict("A deactivated person cannot be banned.")),
            Status::Active => {}
        }
        if before.role == Role::Admin {
            require_another_administrator(tx, self.user)?;
        }
        tx.statement("update users set status = ? where id = ?")?.execute((Status::Banned, self.user))?;
        let addresses: Vec<String> = tx
            .statement("select distinct ip_address from sessions where user_id = ?")?
            .query_map((self.user,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut block =
            tx.statement("insert or ignore into blocked_addresses (user_id, address) values (?, ?)")?;
        for address in addresses.iter().filter_map(|address| address.parse().ok()).filter(|it| is_public(*it))
        {
            block.execute((self.user, network_of(address).to_string()))?;
        }
        drop(block);
        end_sessions(tx, self.user, None, None, SessionEnd::Banned)?;
        remove_links(tx, self.user)?;
        end_invitations_by(tx, self.user)?;
        let job = NewJob { kind: JobKind::RemoveMessages, target: Some(self.user.0), payload: None };
        tx.add_job(&job, None)?;
        notify_blocked(tx)?;
        record_user_update(tx, self.user, Vec::new())?;
        Ok(())
    }
}

/// Lifts a ban and unblocks its addresses. Removed messages stay removed.
#[derive(Debug)]
pub struct LiftBan {
    pub user: UserId,
}

impl Command for LiftBan {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        if load(tx, self.user)?.status != Status::Banned {
            return Ok(());
        }
        tx.statement("update users set status = ? where id = ?")?.execute((Status::Active, self.user))?;
        tx.statement("delete from blocked_addresses where user_id = ?")?.execute((self.user,))?;
        notify_blocked(tx)?;
        record_user_update(tx, self.user, Vec::new())?;
        Ok(())
    }
}

fn notify_blocked(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    let addresses = blocked_addresses(tx.db)?;
    tx.notify(Change::AddressesBlocked { addresses });
    Ok(())
}

pub(super) fn blocked_addresses(db: &Connection) -> rusqlite::Result<Vec<IpAddr>> {
    let mut statement = db.prepare_cached("select distinct address from blocked_addresses")?;
    let addresses: Vec<String> =
        statement.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(addresses.iter().filter_map(|address| address.parse().ok()).collect())
}

/// Whether an address is a public one. Private, link-local and carrier-grade NAT (RFC 6598) addresses may be those of a
/// proxy, an office or this machine, which others use too.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_carrier_grade_nat = first == 100 && (64..128).contains(&second);
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || is_carrier_grade_nat)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn private_and_local_addresses_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "169.254.1.1",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
