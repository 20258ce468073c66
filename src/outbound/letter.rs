//! Mails as they are sent: a plain text, the same as HTML, and the headers of RFC 5322, 3834 and 8058.

use lettre::{
    Address,
    message::{
        Mailbox, Message, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use url::Host;

/// Characters of a subject. lettre does not fold what has no spaces, and a line has at most 998 bytes (RFC 5322, section
/// 2.1.1).
const MAX_SUBJECT: usize = 150;

/// Characters of a word in it, and of a name.
const MAX_WORD: usize = 60;
const MAX_NAME: usize = 80;

/// Bytes of the part of an address before the @ (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// What is in a mail.
#[derive(Debug)]
pub struct Letter<'a> {
    /// A name and an address.
    pub from: (&'a str, &'a str),
    pub to: (&'a str, &'a str),
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
    /// The same at every attempt, so that a receiver can recognise doubles.
    pub id: &'a str,
    /// `en` or `de`.
    pub language: &'static str,
    /// Where one click ends mails of this kind (RFC 8058).
    pub unsubscribe: Option<&'a str>,
}

/// An address that is none, with what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct BadAddress(pub &'static str);

/// An address in the form in which it can be sent to: the name of the host in ASCII. More strict than lettre, which takes
/// `a@b`, and than RFC 5321, as far as nobody uses that.
pub fn checked(address: &str) -> Result<String, BadAddress> {
    let (local, domain) = address.rsplit_once('@').ok_or(BadAddress("it has no @"))?;
    if local.is_empty() || local.len() > MAX_LOCAL {
        return Err(BadAddress("it has too little or too much before the @"));
    }
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "\"(),:;<>@[\\]".contains(c);
    if local.contains(is_odd) || local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(BadAddress("it has a character before the @ that does not belong there"));
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else {
        return Err(BadAddress("what is behind the @ is no name"));
    };
    let labels = domain.trim_end_matches('.').split('.');
    if labels.clone().count() < 2 || labels.clone().any(|label| label.is_empty() || label.len() > 63) {
        return Err(BadAddress("what is behind the @ is not a name like example.org"));
    }
    let checked = format!("{local}@{domain}");
    if checked.len() > 254 || checked.parse::<Address>().is_err() {
        return Err(BadAddress("it is not an address that mail can be sent to"));
    }
    Ok(checked)
}

/// Between the signs that begin an encoded word. lettre leaves a word alone that looks like one, so whoever is called
/// `=?utf-8?q?Ada?=` would be Ada in other people's mails.
const WORD_JOINER: char = '\u{2060}';

/// A text on one line, without what could end it or would be decoded, and without words that cannot be folded.
fn line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let text = text.replace("=?", &format!("={WORD_JOINER}?"));
    let mut left = most;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if left == 0 {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let kept = left.min(MAX_WORD);
        line.extend(word.chars().take(kept));
        if word.chars().nth(kept).is_some() {
            line.push('…');
        }
        left = left.saturating_sub(word.chars().count() + 1);
    }
    line
}

fn mailbox((name, address): (&str, &str)) -> Result<Mailbox, BadAddress> {
    let name = line(name, MAX_NAME);
    let address = checked(address)?.parse().map_err(|_| BadAddress("it is not an address"))?;
    Ok(Mailbox::new((!name.is_empty()).then_some(name), address))
}

impl Letter<'_> {
    /// Its bytes, in lines of at most 998.
    pub fn bytes(&self) -> Result<Vec<u8>, BadAddress> {
        let header =
            |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let mut message = Message::builder()
            .from(mailbox(self.from)?)
            .to(mailbox(self.to)?)
            .subject(line(self.subject, MAX_SUBJECT))
            .message_id(Some(format!("<{}>", self.id)))
            // No answer by a program (RFC 3834).
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", self.language));
        if let Some(url) = self.unsubscribe {
            message = message
                .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let part = |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
        let parts = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, self.text))
            .singlepart(part(ContentType::TEXT_HTML, self.html));
        let message = message.multipart(parts).map_err(|_| BadAddress("it is not an address"))?;
        Ok(message.formatted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(name: &str, subject: &str, text: &str) -> Vec<u8> {
        let letter = Letter {
            from: ("Kontor", "chat@example.org"),
            to: (name, "ana@example.org"),
            subject,
            text,
            html: "<p>x</p>",
            id: "1@chat.example",
            language: "en",
            unsubscribe: Some("https://chat.example/unsubscribe/abc"),
        };
        letter.bytes().unwrap()
    }

    #[test]
    fn addresses_are_checked_more_strictly_than_by_lettre() {
        for (given, expected) in [
            ("ana@example.org", "ana@example.org"),
            ("Ana.Silva+chat@Example.ORG", "Ana.Silva+chat@example.org"),
            ("ana@b\u{fc}cher.example", "ana@xn--bcher-kva.example"),
            ("\u{e1}na@example.org", "\u{e1}na@example.org"),
            ("o'neil!#$%&*-/=?^_`{|}~@example.org", "o'neil!#$%&*-/=?^_`{|}~@example.org"),
        ] {
            assert_eq!(checked(given).as_deref(), Ok(expected));
        }
        for wrong in [
            "",
            "ana",
            "@example.org",
            "ana@",
            "ana@b",
            "ana@localhost",
            "ana@127.0.0.1",
            "ana@[127.0.0.1]",
            "ana@@example.org",
            "a na@example.org",
            "ana\r\n@example.org",
            "<ana@example.org>",
            "a..b@example.org",
            ".a@example.org",
            "ana@example..org",
            "ana@exa mple.org",
            "\"ana\"@example.org",
            "ana@example.org\r\nRCPT TO:<b@example.org>",
        ] {
            assert!(checked(wrong).is_err(), "{wrong:?}");
        }
        assert!(checked(&format!("{}@example.org", "a".repeat(65))).is_err());
    }

    #[test]
    fn no_name_and_no_subject_can_add_a_header_or_a_long_line() {
        for text in [
            "Ana\r\nBcc: eve@example.org",
            "Ana\nBcc: eve@example.org",
            "\u{85}Bcc: eve@example.org\u{2028}Bcc: eve@example.org",
            &"x".repeat(5_000),
            &"word ".repeat(2_000),
            &"\u{202e}\u{5d0}\u{5d1}".repeat(700),
            &"👨‍👩‍👧‍👦".repeat(300),
            "\"quoted\" \\ <a@b.example>, ()",
            "=?utf-8?q?not_encoded?=",
            "",
            " ",
        ] {
            let bytes = letter(text, text, &format!("{text}\r\n.\r\n{text}"));
            let mail = String::from_utf8(bytes).unwrap();
            assert!(mail.is_ascii() && mail.split("\r\n").all(|line| line.len() <= 998), "{mail}");
            assert!(!mail.replace("\r\n", "").contains(['\r', '\n']), "bare line ends: {mail:?}");
            let head = mail.split("\r\n\r\n").next().unwrap();
            assert!(head.lines().all(|line| !line.to_lowercase().starts_with("bcc")), "{head}");
            assert_eq!(head.matches("\r\nSubject:").count(), 1, "{head}");
        }
    }

    #[test]
    fn headers_are_those_of_a_program_with_one_click() {
        let mail = String::from_utf8(letter("Ana", "Hello", "x")).unwrap();
        for header in [
            "From: Kontor <chat@example.org>\r\n",
            "To: Ana <ana@example.org>\r\n",
            "Subject: Hello\r\n",
            "Message-ID: <1@chat.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "List-Unsubscribe: <https://chat.example/unsubscribe/abc>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: multipart/alternative",
        ] {
            assert!(mail.contains(header), "no {header:?} in {mail}");
        }
        assert!(mail.contains("\r\nDate: ") && !mail.contains("Reply-To") && !mail.contains("Bcc"), "{mail}");
    }

    /// RFC 2047, section 6.2: whoever reads it decodes what looks like an encoded word.
    #[test]
    fn name_that_looks_encoded_is_not_decoded() {
        let mail = String::from_utf8(letter("=?utf-8?q?Ada?=", "Hello =?utf-8?b?QWRh?=", "x")).unwrap();
        assert!(!mail.contains("=?utf-8?q?Ada?=") && !mail.contains("=?utf-8?b?QWRh?="), "{mail}");
    }

    #[test]
    fn subject_is_cut_and_long_words_are_broken_off() {
        assert_eq!(line("  a \t b\r\nc ", 150), "a b c");
        assert_eq!(line(&"x".repeat(100), 150).chars().count(), 61);
        let long = line(&"word ".repeat(100), 150);
        assert!(long.chars().count() <= 160, "{long}");
    }
}
