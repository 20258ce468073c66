//! The texts of mails, in the languages of the page.

use unicode_segmentation::UnicodeSegmentation;

use super::layout::Layout;
use crate::{
    store::Untold,
    types::{Language, Timestamp},
};

/// Characters of a message in a mail.
const MAX_QUOTE: usize = 300;

/// A mail without its addresses.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

fn words(language: Language, subject: String, layout: Layout) -> Words {
    let (text, html) = layout.finish(language.into_str());
    Words { subject, text, html }
}

/// A link to choose a new password.
pub(crate) fn reset(language: Language, account: &str, url: &str, hours: i64) -> Words {
    let (subject, lead, button, small) = match language {
        Language::En => (
            format!("A new password for {account}"),
            format!("Somebody, probably you, asked for a new password for {account}."),
            "Choose a new password",
            format!(
                "The link works once, within {} minutes. Whoever has it can sign in as you: pass it on to nobody. If it was not you, do nothing: your password stays.",
                hours * 60
            ),
        ),
        Language::De => (
            format!("Ein neues Passwort für {account}"),
            format!("Jemand, vermutlich du, möchte ein neues Passwort für {account}."),
            "Neues Passwort wählen",
            format!(
                "Der Link gilt einmal, innerhalb von {} Minuten. Wer ihn hat, kann sich als du anmelden: Gib ihn nicht weiter. Wenn du das nicht warst, tu nichts: Dein Passwort bleibt.",
                hours * 60
            ),
        ),
    };
    words(language, subject, Layout::new().words(&lead).button(button, url).small(&small, &[]))
}

/// An invitation. Without `by` it does not say by whom.
pub(crate) fn invitation(
    language: Language,
    account: &str,
    by: Option<&str>,
    url: &str,
    expires_at: Timestamp,
) -> Words {
    let day = jiff::Timestamp::from_millisecond(expires_at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let (subject, lead, button, small) = match language {
        Language::En => (
            format!("Invitation to {account}"),
            match by {
                Some(by) => format!("{by} invites you to {account}, a team chat."),
                None => format!("You are invited to {account}, a team chat."),
            },
            "Accept the invitation",
            format!(
                "The link works until {} (UTC). It is for you alone: pass it on to nobody.",
                day.strftime("%Y-%m-%d %H:%M")
            ),
        ),
        Language::De => (
            format!("Einladung zu {account}"),
            match by {
                Some(by) => format!("{by} lädt dich zu {account} ein, einem Chat fürs Team."),
                None => format!("Du bist zu {account} eingeladen, einem Chat fürs Team."),
            },
            "Einladung annehmen",
            format!(
                "Der Link gilt bis zum {} (UTC). Er ist nur für dich: Gib ihn nicht weiter.",
                day.strftime("%d.%m.%Y, %H:%M Uhr")
            ),
        ),
    };
    words(language, subject, Layout::new().words(&lead).button(button, url).small(&small, &[]))
}

/// A mail that shows that mails arrive.
pub(crate) fn test(language: Language, account: &str, url: &str) -> Words {
    let (subject, lead, button) = match language {
        Language::En => (
            format!("Mails from {account} reach you"),
            "This is the mail that you asked for. It has arrived.",
            "Open",
        ),
        Language::De => (
            format!("Mails von {account} kommen an"),
            "Das ist die Mail, die du haben wolltest. Sie ist angekommen.",
            "Öffnen",
        ),
    };
    words(language, subject, Layout::new().words(lead).button(button, url))
}

/// The addresses in a mail about unread messages.
pub(crate) struct Addresses<'a> {
    /// Of this server.
    pub(crate) base: &'a str,
    pub(crate) unsubscribe: &'a str,
}

/// What is unread: some of the messages, and how many there are.
pub(crate) fn unread(
    language: Language,
    account: &str,
    shown: &[Untold],
    count: usize,
    addresses: &Addresses<'_>,
) -> Words {
    let subject = match (language, shown) {
        (Language::En, [only]) if count == 1 => match &only.room_name {
            Some(room) => format!("{} mentioned you in {room}", only.author),
            None => format!("{} wrote to you", only.author),
        },
        (Language::De, [only]) if count == 1 => match &only.room_name {
            Some(room) => format!("{} hat dich in {room} erwähnt", only.author),
            None => format!("{} hat dir geschrieben", only.author),
        },
        (Language::En, _) => format!("{count} unread messages for you in {account}"),
        (Language::De, _) => format!("{count} ungelesene Nachrichten für dich in {account}"),
    };
    let mut layout = Layout::new();
    for message in shown {
        let title = match (language, &message.room_name) {
            (Language::En, Some(room)) => format!("{} in {room}", message.author),
            (Language::De, Some(room)) => format!("{} in {room}", message.author),
            (Language::En, None) => format!("{}, to you", message.author),
            (Language::De, None) => format!("{}, an dich", message.author),
        };
        let url = format!("{}/rooms/{}/@{}", addresses.base, message.room, message.message);
        layout = layout.quote(&title, &cut(&message.plain), &url);
    }
    let more = count.saturating_sub(shown.len());
    if more > 0 {
        layout = layout.words(&match language {
            Language::En => format!("And {more} more."),
            Language::De => format!("Und {more} weitere."),
        });
    }
    let settings = format!("{}/settings/notifications", addresses.base);
    let (button, small, when, end) = match language {
        Language::En => (
            "Open",
            format!("You get this mail since you were not in {account} when somebody wrote to you."),
            "When you get such mails",
            "No more such mails",
        ),
        Language::De => (
            "Öffnen",
            format!(
                "Du bekommst diese Mail, weil du nicht in {account} warst, als dir jemand geschrieben hat."
            ),
            "Wann du solche Mails bekommst",
            "Keine solchen Mails mehr",
        ),
    };
    let layout = layout
        .button(button, addresses.base)
        .small(&small, &[(when, &settings), (end, addresses.unsubscribe)]);
    words(language, subject, layout)
}

/// The beginning of a text. No character as people see it is torn apart.
fn cut(text: &str) -> String {
    let mut kept = String::new();
    for (count, character) in text.trim().graphemes(true).enumerate() {
        // A character may have any number of bytes.
        if count == MAX_QUOTE || kept.len() > 8 * MAX_QUOTE {
            kept.push('…');
            break;
        }
        kept.push_str(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{MessageId, RoomId};

    fn message(id: i64, room_name: Option<&str>, plain: &str) -> Untold {
        Untold {
            message: MessageId(id),
            room: RoomId(3),
            room_name: room_name.map(str::to_owned),
            author: "Bär".into(),
            plain: plain.into(),
        }
    }

    #[test]
    fn subject_says_who_wrote_or_how_much() {
        let addresses =
            Addresses { base: "https://chat.example", unsubscribe: "https://chat.example/unsubscribe/x" };
        let of = |language, shown: &[Untold], count| unread(language, "Kontor", shown, count, &addresses);
        let one = of(Language::En, &[message(7, Some("Küche"), "Hello")], 1);
        assert_eq!(one.subject, "Bär mentioned you in Küche");
        assert!(one.text.contains("Bär in Küche\n> Hello\nhttps://chat.example/rooms/3/@7"), "{}", one.text);
        assert!(one.text.contains("No more such mails: https://chat.example/unsubscribe/x"));
        let one = of(Language::De, &[message(7, None, "Hallo")], 1);
        assert_eq!(one.subject, "Bär hat dir geschrieben");
        let many = of(Language::De, &[message(7, None, "a"), message(8, None, "b")], 30);
        assert_eq!(many.subject, "30 ungelesene Nachrichten für dich in Kontor");
        assert!(many.text.contains("Und 28 weitere."), "{}", many.text);
        assert!(many.html.contains("<html lang=\"de\">"));
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let family = "👨‍👩‍👧‍👦";
        let shown = cut(&family.repeat(1_000));
        assert!(shown.ends_with('…') && shown.trim_end_matches('…').len().is_multiple_of(family.len()));
        assert_eq!(cut("  short "), "short");
        assert!(cut(&format!("e{}", "\u{301}".repeat(10_000))).len() < 30_000);
    }
}
