//! The account: setting it up, its name, settings, logo and join code.

use rusqlite::OptionalExtension;

use super::{
    command::{Audience, Command, Refusal, Tx},
    files::{Image, put_image},
    people::CreateUser,
    reader::{ACCOUNT, Reader, account},
    rooms::{CreateRoom, RoomMade},
    sessions::NewSession,
};
use crate::{
    types::event::Change,
    types::{Account, Role, RoomId, RoomKind, SecondFactorOf, Settings, SignInMethod, UserId},
    wire::Event,
};

/// The name of the open room that is made together with the account.
const FIRST_ROOM: &str = "All Talk";

/// Sets the account up, with its first administrator and its first room. Refused with `Conflict` if there is an account.
#[derive(Debug)]
pub struct SetUp {
    pub account_name: String,
    pub join_code: String,
    pub name: String,
    pub email: String,
    pub password_hash: String,
    pub session: NewSession,
}

/// What [`SetUp`] made.
#[derive(Debug)]
pub struct SetUpDone {
    pub user: UserId,
    pub room: RoomId,
}

impl Command for SetUp {
    type Output = SetUpDone;

    fn apply(self, tx: &mut Tx<'_>) -> Result<SetUpDone, Refusal> {
        if load(tx)?.is_some() {
            return Err(Refusal::Conflict("This account is set up already: sign in instead."));
        }
        let user = CreateUser {
            name: self.name,
            email: self.email,
            password_hash: self.password_hash,
            role: Role::Admin,
        };
        let done = create_account(tx, &self.account_name, &self.join_code, user)?;
        self.session.start_by(tx, done.user, SignInMethod::Setup)?;
        Ok(done)
    }
}

fn create_account(
    tx: &mut Tx<'_>,
    account_name: &str,
    join_code: &str,
    first: CreateUser,
) -> Result<SetUpDone, Refusal> {
    tx.statement("insert into account (id, name, join_code, created_at) values (1, ?, ?, ?)")?.execute((
        account_name,
        join_code,
        tx.now,
    ))?;
    record_account_update(tx)?;
    let user = first.apply(tx)?;
    let RoomMade { room, .. } =
        CreateRoom { creator: user, kind: RoomKind::Open, name: Some(FIRST_ROOM.into()), members: vec![] }
            .apply(tx)?;
    Ok(SetUpDone { user, room })
}

/// Makes an administrator from the command line. Without an account it sets the account up too, so that nobody else can
/// do so on the page afterwards.
#[derive(Debug)]
pub struct CreateAdministrator {
    pub user: CreateUser,
    /// Used only if there is no account yet.
    pub account_name: String,
    pub join_code: String,
}

impl Command for CreateAdministrator {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        match load(tx)? {
            Some(_) => self.user.apply(tx),
            None => Ok(create_account(tx, &self.account_name, &self.join_code, self.user)?.user),
        }
    }
}

fn load(tx: &Tx<'_>) -> rusqlite::Result<Option<Account>> {
    tx.statement(&format!("select {ACCOUNT} from account"))?.query_row((), account).optional()
}

/// Whether this is the account's join code.
pub(super) fn join_code_is(tx: &Tx<'_>, code: &str) -> rusqlite::Result<bool> {
    Ok(load(tx)?.is_some_and(|account| &*account.join_code == code))
}

pub(super) fn record_account_update(tx: &mut Tx<'_>) -> Result<Account, Refusal> {
    let account = load(tx)?.ok_or(Refusal::NotFound)?;
    let event = Event::AccountUpdated { account: account.public() };
    tx.record(Audience::Everybody, None, &event, |json| Change::AccountUpdated {
        account: account.clone(),
        json,
    })?;
    Ok(account)
}

/// The settings of the account.
pub(super) fn settings(tx: &Tx<'_>) -> rusqlite::Result<Settings> {
    Ok(load(tx)?.map(|account| account.settings).unwrap_or_default())
}

/// Days after which messages are removed; None: never.
pub(super) fn retention_days(tx: &Tx<'_>) -> rusqlite::Result<Option<u32>> {
    Ok(settings(tx)?.retention_days)
}

/// Changes the fields that are given. `NotFound` if there is no account.
#[derive(Debug, Default)]
pub struct ChangeAccount {
    pub name: Option<String>,
    pub custom_css: Option<String>,
    pub restrict_room_creation: Option<bool>,
    /// Some(None): messages are never removed.
    pub retention_days: Option<Option<u32>>,
    pub members_may_invite: Option<bool>,
    pub members_see_join_link: Option<bool>,
    pub second_factor: Option<SecondFactorOf>,
}

impl Command for ChangeAccount {
    type Output = Account;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Account, Refusal> {
        let before = load(tx)?.ok_or(Refusal::NotFound)?;
        let mut settings = before.settings;
        let flags = [
            (&mut settings.restrict_room_creation, self.restrict_room_creation),
            (&mut settings.members_may_invite, self.members_may_invite),
            (&mut settings.members_see_join_link, self.members_see_join_link),
        ];
        for (flag, wanted) in flags {
            *flag = wanted.unwrap_or(*flag);
        }
        settings.second_factor = self.second_factor.unwrap_or(settings.second_factor);
        settings.retention_days = self.retention_days.unwrap_or(settings.retention_days);
        let settings = serde_json::to_string(&settings).expect("settings serialise to JSON");
        tx.statement(
            "update account set name = ifnull(?, name), custom_css = ifnull(?, custom_css), settings = ?",
        )?
        .execute((&self.name, &self.custom_css, settings))?;
        record_account_update(tx)
    }
}

/// Sets or removes the account's logo.
#[derive(Debug)]
pub struct PutLogo(pub Option<Image>);

impl Command for PutLogo {
    type Output = Account;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Account, Refusal> {
        put_image(tx.db, "logo", None, self.0.as_ref())?;
        tx.statement("update account set logo_version = ?")?.execute((self.0.map(|_| tx.now),))?;
        record_account_update(tx)
    }
}

/// Replaces the join code. The old one stops working.
#[derive(Debug)]
pub struct RenewJoinCode {
    pub code: String,
}

impl Command for RenewJoinCode {
    type Output = Account;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Account, Refusal> {
        tx.statement("update account set join_code = ?")?.execute((&self.code,))?;
        record_account_update(tx)
    }
}

impl Reader {
    /// The account's name; empty before the first run.
    pub fn account_name(&self) -> rusqlite::Result<String> {
        let name = self.statement("select name from account")?.query_row((), |row| row.get(0)).optional()?;
        Ok(name.unwrap_or_default())
    }
}
