//! The account: first run, joining, its settings and its join code.

use std::net::IpAddr;

use super::{
    Admin, Viewer,
    passwords::{self, check_passwords},
    sessions::{Device, SignedIn},
};
use crate::{
    store::{Audited, ChangeAccount, CreateUser, Image, Join, PutLogo, RenewJoinCode, SetUp, SetUpDone},
    types::{Account, Role, SessionKind, random_join_code},
    wire::Problem,
    worker::Worker,
};

/// Bytes of custom CSS.
pub(crate) const MAX_CSS: usize = 64 << 10;

/// The fields of a new user.
pub(crate) struct NewPerson {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: String,
}

/// 404 before the first run.
pub(crate) fn account(worker: &Worker) -> Result<Account, Problem> {
    worker.state.borrow().account.clone().ok_or_else(Problem::not_found)
}

/// Whether somebody sees the join code: administrators, and by a setting members on their devices.
pub(crate) fn sees_join_code(account: &Account, viewer: &Viewer) -> bool {
    let is_member = viewer.kind == SessionKind::Device && !viewer.is_guest;
    viewer.is_admin || account.settings.members_see_join_link && is_member
}

/// 409 once there is an account.
pub(crate) fn check_not_set_up(worker: &Worker) -> Result<(), Problem> {
    if worker.state.borrow().account.is_some() {
        return Err(Problem::conflict("This account is set up already: sign in instead."));
    }
    Ok(())
}

/// First run: creates the account, its first administrator and the first room. Returns them and the token of a session.
pub(crate) async fn set_up(
    worker: &Worker,
    device: &Device<'_>,
    account_name: String,
    first: NewPerson,
) -> Result<(SetUpDone, String), Problem> {
    let NewPerson { name, email, password } = first;
    let password_hash = passwords::hash(worker, password).await?;
    let (token, session) = device.new_session();
    let join_code = random_join_code();
    let command = SetUp { account_name, join_code, name, email, password_hash, session };
    Ok((worker.writer.write(command).await?, token))
}

/// 404 unless this is the account's join code; 429 after too many wrong ones.
pub(crate) fn check_join_code(worker: &Worker, address: IpAddr, code: &str) -> Result<(), Problem> {
    let fits = || worker.state.borrow().account.as_ref().is_some_and(|account| *account.join_code == *code);
    match worker.shared.limits.guess(address, fits).map_err(Problem::rate_limited)? {
        true => Ok(()),
        false => Err(Problem::not_found()),
    }
}

/// Creates a user by the account's join code, and signs in. 403 where there are no passwords, 429 after too many from one
/// address.
pub(crate) async fn join(
    worker: &Worker,
    device: &Device<'_>,
    code: String,
    person: NewPerson,
) -> Result<SignedIn, Problem> {
    check_passwords(worker, false)?;
    let NewPerson { name, email, password } = person;
    worker.shared.limits.join(device.address).map_err(Problem::rate_limited)?;
    let password_hash = passwords::hash(worker, password).await?;
    let (token, session) = device.new_session();
    let user = CreateUser { name, email, password_hash, role: Role::Member };
    Ok((worker.writer.write(Join { code, user, session }).await?, token))
}

/// Changes the given settings.
pub(crate) async fn change(
    worker: &Worker,
    admin: &Admin,
    change: ChangeAccount,
) -> Result<Account, Problem> {
    let act = admin.act("account.change", "account");
    let account = worker.writer.write(Audited { command: change, act }).await?;
    worker.shared.retention_changed.notify_one();
    Ok(account)
}

/// Sets the account's logo, or removes it.
pub(crate) async fn set_logo(
    worker: &Worker,
    admin: &Admin,
    image: Option<Image>,
) -> Result<Account, Problem> {
    let act = admin.act("account.logo", "account");
    Ok(worker.writer.write(Audited { command: PutLogo(image), act }).await?)
}

/// Makes a new join code; the old one stops working.
pub(crate) async fn renew_join_code(worker: &Worker, admin: &Admin) -> Result<Account, Problem> {
    let act = admin.act("account.join_code", "account");
    let command = RenewJoinCode { code: random_join_code() };
    Ok(worker.writer.write(Audited { command, act }).await?)
}
