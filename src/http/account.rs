//! First run, joining, and the settings of the account.

use fast_qr::{
    QRBuilder,
    convert::{Builder, Shape, svg::SvgBuilder},
};
use hyper::{StatusCode, header};
use serde_json::{Value, json};

use super::{
    providers::ways,
    request::{Call, viewer},
    response::Reply,
    rooms::room_value,
    router::{Response, ResponseFuture},
    session::{session_cookie, signed_in, user_value},
};
use crate::{
    chat::{
        Admin, NAME_LENGTH, Viewer,
        account::{self, MAX_CSS, NewPerson},
    },
    store::ChangeAccount,
    types::Account,
    wire::{Form, required_email, required_password},
};

/// Whether the account is still to be set up; with `with=account` also its name and logo, whether the caller is
/// signed in, and whether a forgotten password can be replaced by mail.
pub(crate) fn setup_needed(call: &Call) -> Response {
    if call.query().text("with") != Some("account") {
        let needed = call.worker.state.borrow().account.is_none();
        return Ok(Reply::json(&json!({ "needed": needed })));
    }
    let signed_in = viewer(&call.worker, &call.headers, &call.method, call.address)?.is_some();
    let state = call.worker.state.borrow();
    let account = state.account.as_ref().map(shown);
    let mut setup = json!({ "needed": account.is_none(), "signed_in": signed_in, "account": account });
    if call.worker.config().smtp_url.is_some() {
        setup["sends_mail"] = true.into();
    }
    if let Some(ways) = ways(&call.worker) {
        setup["sign_in"] = ways;
    }
    Ok(Reply::json(&setup))
}

/// What everybody may see who comes to the door.
pub(super) fn shown(account: &Account) -> Value {
    let shown = json!(account.public());
    json!({ "name": shown["name"], "logo_url": shown["logo_url"] })
}

pub(crate) fn set_up(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let worker = &call.worker;
        account::check_not_set_up(worker)?;
        let mut form = call.form()?;
        let account_name = form.required_line("account_name", NAME_LENGTH);
        let first = person(&mut form);
        form.finish()?;
        let (done, token) = account::set_up(worker, &call.device(), account_name, first).await?;
        let reply = Reply::written(
            StatusCode::CREATED,
            &json!({
                "user": user_value(worker, done.user),
                "account": account::account(worker)?.private(),
                "room": room_value(worker, done.room, done.user)?,
                "token": token,
            }),
        );
        Ok(reply.with(header::SET_COOKIE, session_cookie(&call, &token)))
    })
}

fn person(form: &mut Form) -> NewPerson {
    let name = form.required_line("name", NAME_LENGTH);
    let email = required_email(form, "email");
    let password = required_password(form, "password");
    NewPerson { name, email, password }
}

/// Whether a join code is the account's, so that nobody fills in a form in vain. Wrong ones count as guesses.
pub(crate) fn invitation(call: &Call) -> Response {
    account::check_join_code(&call.worker, call.address, &call.param(0))?;
    let account = account::account(&call.worker)?;
    Ok(Reply::json(&json!({ "account": shown(&account) })).cache_control("no-store"))
}

pub(crate) fn join(call: Call) -> ResponseFuture {
    Box::pin(async move {
        let code = call.param(0).into_owned();
        account::check_join_code(&call.worker, call.address, &code)?;
        let mut form = call.form()?;
        let person = person(&mut form);
        form.finish()?;
        signed_in(&call, account::join(&call.worker, &call.device(), code, person).await?)
    })
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    let account = account::account(&call.worker)?;
    if !account::sees_join_code(&account, viewer) {
        return Ok(Reply::json(&account.public()));
    }
    let url = join_url(call, &account);
    let mut shown = json!(account.private());
    shown["qr_svg"] = qr_svg(&url).into();
    shown["join_url"] = url.into();
    Ok(Reply::json(&shown))
}

fn join_url(call: &Call, account: &Account) -> String {
    format!("{}/join/{}", call.base_url(), account.join_code)
}

pub(crate) fn change(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let custom_css = form.text("custom_css");
        if custom_css.as_ref().is_some_and(|css| css.len() > MAX_CSS) {
            form.refuse("custom_css", "must have at most 65536 bytes");
        }
        // The settings may be in an object `settings`, as in responses, or beside the name.
        let nested = form.object("settings").map(Form::of);
        let mut change = ChangeAccount { name, custom_css, ..ChangeAccount::default() };
        settings(&mut form, &mut change);
        form.finish()?;
        if let Some(mut nested) = nested {
            settings(&mut nested, &mut change);
            nested.finish()?;
        }
        let account = account::change(&call.worker, &admin, change).await?;
        Ok(Reply::written(StatusCode::OK, &account.private()))
    })
}

/// Takes the settings that are given out of a form.
fn settings(form: &mut Form, change: &mut ChangeAccount) {
    let retention_days = form.nullable_number("retention_days", 1..=36_500);
    change.retention_days = retention_days.or(change.retention_days);
    change.second_factor = form.word("second_factor").or(change.second_factor);
    for (name, setting) in [
        ("restrict_room_creation", &mut change.restrict_room_creation),
        ("members_may_invite", &mut change.members_may_invite),
        ("members_see_join_link", &mut change.members_see_join_link),
    ] {
        *setting = form.flag(name).or(*setting);
    }
}

pub(crate) fn renew_join_code(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let account = account::renew_join_code(&call.worker, &admin).await?;
        let url = join_url(&call, &account);
        let body = json!({ "join_code": &*account.join_code, "qr_svg": qr_svg(&url), "url": url });
        Ok(Reply::written(StatusCode::CREATED, &body))
    })
}

/// A QR code of a URL, as an SVG image.
pub(crate) fn qr_svg(url: &str) -> String {
    let code = QRBuilder::new(url).build().expect("a URL fits into a QR code");
    SvgBuilder::default().shape(Shape::Square).to_str(&code)
}
