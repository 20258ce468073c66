//! Bots, for administrators.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{Admin, NAME_LENGTH, bots},
    store::Bot,
    types::UserId,
    wire::{Form, Problem},
    worker::Worker,
};

const MAX_URL: usize = 2_000;

fn view(worker: &Worker, bot: &Bot) -> Value {
    let state = worker.state.borrow();
    let user = state.users.get(&bot.id);
    json!({
        "id": bot.id,
        "name": user.map(|user| &*user.name),
        "avatar_url": user.map(|user| json!(user.public())["avatar_url"].take()),
        "webhook_url": bot.webhook_url,
    })
}

pub(crate) fn list(call: &Call, _: &Admin) -> Response {
    let bots: Vec<_> = call.worker.reader.bots()?.iter().map(|bot| view(&call.worker, bot)).collect();
    Ok(Reply::json(&json!({ "bots": bots })))
}

fn found(call: &Call) -> Result<Bot, Problem> {
    bots::find(&call.worker, UserId(call.id(0)?))
}

pub(crate) fn show(call: &Call, _: &Admin) -> Response {
    Ok(Reply::json(&view(&call.worker, &found(call)?)))
}

/// The webhook of a bot; Some(None) to remove it.
fn webhook_url(form: &mut Form) -> Option<Option<String>> {
    if !form.is_given("webhook_url") {
        return None;
    }
    let url = form.text("webhook_url").map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
    if let Some(url) = &url {
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        if !is_web || url.len() > MAX_URL || hyper::Uri::try_from(url.as_str()).is_err() {
            form.refuse("webhook_url", "must be a URL that starts with http:// or https://");
        }
    }
    Some(url)
}

pub(crate) fn create(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let name = form.required_line("name", NAME_LENGTH);
        let webhook_url = webhook_url(&mut form).flatten();
        form.finish()?;
        let (bot, secret) = bots::create(&call.worker, &admin, &call.device(), name, webhook_url).await?;
        Ok(Reply::written(StatusCode::CREATED, &with_key(&call, bot, &secret)))
    })
}

fn with_key(call: &Call, bot: Bot, secret: &str) -> Value {
    let mut view = view(&call.worker, &bot);
    view["key"] = format!("{}-{secret}", bot.id).into();
    view
}

pub(crate) fn change(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let bot = found(&call)?.id;
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let webhook_url = webhook_url(&mut form);
        form.finish()?;
        let bot = bots::change(&call.worker, &admin, bot, name, webhook_url).await?;
        Ok(Reply::written(StatusCode::OK, &view(&call.worker, &bot)))
    })
}

pub(crate) fn renew_key(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let bot = found(&call)?;
        let secret = bots::renew_key(&call.worker, &admin, &call.device(), bot.id).await?;
        Ok(Reply::written(StatusCode::CREATED, &with_key(&call, bot, &secret)))
    })
}

pub(crate) fn destroy(call: Call, admin: Admin) -> ResponseFuture {
    Box::pin(async move {
        let bot = found(&call)?.id;
        bots::remove(&call.worker, &admin, bot).await?;
        Ok(Reply::no_content())
    })
}
