//! Boosts.

use hyper::StatusCode;
use unicode_segmentation::UnicodeSegmentation;

use super::{
    form::Form,
    messages::visible,
    request::{Call, Viewer},
    response::Reply,
    router::Later,
};
use crate::{
    store::{AddBoost, RemoveBoost},
    types::{BoostId, MessageId},
};

/// Characters as people count them: a family of four is one.
const MAX_CHARACTERS: usize = 16;

/// Bytes that such characters may take; some are made of many.
const MAX_BYTES: usize = 256;

/// What a boost says, checked.
pub(crate) fn content(form: &mut Form) -> String {
    let content = form.required_line("content", 1..=MAX_BYTES);
    if content.graphemes(true).count() > MAX_CHARACTERS || content.len() > MAX_BYTES {
        form.refuse("content", format!("has to have {MAX_CHARACTERS} characters or fewer"));
    }
    content
}

pub(crate) fn create(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        visible(&call, &viewer)?;
        let mut form = call.form()?;
        let content = content(&mut form);
        form.finish()?;
        let command = AddBoost { message: MessageId(call.id(0)?), user: viewer.user, content };
        let boosted = call.worker.writer.write(command).await?;
        let status = if boosted.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written(status, &boosted.boost))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let boost = BoostId(call.id(0)?);
        call.worker.writer.write(RemoveBoost { boost, user: viewer.user, message: None }).await?;
        Ok(Reply::no_content())
    })
}

#[cfg(test)]
mod tests {
    use super::{super::problem::Problem, *};

    #[test]
    fn characters_are_counted_as_people_see_them() {
        let check = |text: &str| {
            let fields = serde_json::json!({ "content": text });
            let serde_json::Value::Object(fields) = fields else { unreachable!() };
            let mut form = Form::of(fields);
            content(&mut form);
            form.finish().map_err(|problem: Problem| problem.status)
        };
        assert_eq!(check("👨‍👩‍👧‍👦"), Ok(()));
        assert_eq!(check("sixteen letters!"), Ok(()));
        assert_eq!(check("seventeen letters"), Err(422));
        assert_eq!(check(&"👨‍👩‍👧‍👦".repeat(17)), Err(422));
        assert_eq!(check(" "), Err(422));
        assert_eq!(check(&format!("e{}", "\u{301}".repeat(300))), Err(422));
    }
}
