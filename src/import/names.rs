//! Names and addresses of people and rooms, as this server has them.

use super::{
    model::{Person, Room},
    report::Report,
};

/// Characters of a name, of a biography and of a room's name.
const MAX_NAME: usize = 100;
const MAX_BIO: usize = 500;

/// Makes a name, an address and a biography fit.
pub(super) fn tidy(person: &mut Person, report: &mut Report) {
    person.name = line(&person.name, "Somebody", report);
    if person.bio.chars().count() > MAX_BIO {
        report.changed("biographies of more than 500 characters: they are cut", &person.name);
        person.bio = person.bio.chars().take(MAX_BIO).collect();
    }
    person.bio.retain(|c| c == '\n' || !c.is_control());
    if let Some(email) = person.email.take() {
        let trimmed = email.trim();
        match crate::wire::looks_like_email(trimmed) {
            true => person.email = Some(trimmed.to_owned()),
            false if trimmed.is_empty() => {}
            false => report
                .changed("e-mail addresses that are none: these people need another to sign in", trimmed),
        }
    }
}

pub(super) fn tidy_room(room: &mut Room, report: &mut Report) {
    room.name = room.name.take().map(|name| line(&name, "Room", report));
}

/// One line of at most 100 characters.
fn line(name: &str, empty: &str, report: &mut Report) -> String {
    let visible: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let one = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let one = match crate::text::line_fault(&one) {
        None => one,
        Some(_) => one.chars().filter(|c| crate::text::line_fault(&c.to_string()).is_none()).collect(),
    };
    if one.chars().count() > MAX_NAME {
        report.changed("names of more than 100 characters: they are cut", &one);
        return one.chars().take(MAX_NAME).collect::<String>().trim_end().to_owned();
    }
    if !crate::text::has_visible(&one) {
        report.changed("names without a letter: they have one now", empty);
        return empty.to_owned();
    }
    one
}
