//! Where and why a relay did not take a mail, and whose fault that is.

use std::fmt;

/// Characters of an answer that are passed on.
const MAX_SAID: usize = 200;

/// Where a conversation with a relay failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Connect,
    Encrypt,
    SignIn,
    Sender,
    Recipient,
    Content,
}

/// Why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It may work another time.
    Failed(String),
    Timeout,
    /// A code of 400 or more.
    Answered(Answer),
    /// The relay lacks what is needed.
    Unable(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub step: Step,
    pub why: Why,
}

impl Fault {
    /// Whether another try would fail as well.
    pub fn is_permanent(&self) -> bool {
        match &self.why {
            Why::Failed(_) | Why::Timeout => false,
            Why::Answered(answer) => answer.code >= 500,
            Why::Unable(_) => true,
        }
    }

    /// Whether the recipient's address is at fault, and not our side or the relay: the codes of RFC 3463 for addresses and
    /// mailboxes, or a refusal of the recipient without such a code. Those of policies (5.7.x) mean us.
    pub fn is_of_recipient(&self) -> bool {
        let Why::Answered(answer) = &self.why else {
            return self.step == Step::Recipient && self.is_permanent();
        };
        self.step == Step::Recipient
            && answer.code >= 500
            && match answer.enhanced() {
                Some(status) => status.starts_with("5.1.") || status == "5.2.1",
                None => matches!(answer.code, 550 | 551 | 553),
            }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.step {
            Step::Connect => "the mail server cannot be reached",
            Step::Encrypt => "the connection to the mail server cannot be encrypted",
            Step::SignIn => "the mail server does not let us in",
            Step::Sender => "the mail server refuses the sender",
            Step::Recipient => "the mail server refuses the recipient",
            Step::Content => "the mail server refuses the mail",
        };
        match &self.why {
            Why::Failed(why) => write!(f, "{what}: {why}"),
            Why::Timeout => write!(f, "{what}: it took too long"),
            Why::Answered(answer) => write!(f, "{what}: it answered {answer}"),
            Why::Unable(why) => write!(f, "{what}: {why}"),
        }
    }
}

/// An answer of a relay. As text it is without addresses, since answers repeat them and the log must not have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: u16,
    /// Its lines, without the codes before them.
    pub text: String,
}

impl Answer {
    /// The code of RFC 3463, like `5.1.1`.
    pub fn enhanced(&self) -> Option<&str> {
        let word = self.text.split_whitespace().next()?;
        let is_number =
            |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        (word.split('.').count() == 3 && word.split('.').all(is_number)).then_some(word)
    }

    /// The beginning of what it says, on one line.
    pub fn said(&self) -> String {
        let plain = self.text.chars().map(|c| if c.is_control() { ' ' } else { c });
        plain.take(MAX_SAID).collect::<String>().trim().to_owned()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for word in self.said().split_whitespace() {
            write!(f, " {}", if word.contains('@') { "(address)" } else { word })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step, code: u16, text: &str) -> Fault {
        Fault { step, why: Why::Answered(Answer { code, text: text.into() }) }
    }

    #[test]
    fn address_is_at_fault_only_where_the_relay_says_so() {
        for (code, text, is_of_recipient) in [
            (550, "5.1.1 <ana@example.org>: Recipient address rejected", true),
            (550, "No such user here", true),
            (553, "sorry, that domain is not in my list", true),
            (550, "5.2.1 This mailbox is disabled", true),
            (550, "5.7.1 Relaying denied", false),
            (554, "5.7.1 <ana@example.org>: Relay access denied", false),
            (554, "Relay access denied", false),
            (552, "5.2.2 Over quota", false),
            (530, "5.7.0 Must issue a STARTTLS command first", false),
            (450, "4.2.0 Greylisted", false),
        ] {
            let fault = refused(Step::Recipient, code, text);
            assert_eq!(fault.is_of_recipient(), is_of_recipient, "{code} {text}");
            assert_eq!(fault.is_permanent(), code >= 500);
            assert!(!refused(Step::Content, code, text).is_of_recipient());
        }
        let lacks = Fault { step: Step::Recipient, why: Why::Unable("it does not support SMTPUTF8") };
        assert!(lacks.is_of_recipient() && lacks.is_permanent());
    }

    #[test]
    fn fault_names_no_address() {
        let fault = refused(Step::Recipient, 550, "5.1.1 <ana@example.org>: no\nsuch\tuser ana@example.org");
        assert_eq!(
            fault.to_string(),
            "the mail server refuses the recipient: it answered 550 5.1.1 (address) no such user (address)"
        );
        let long = refused(Step::Content, 554, &"x ".repeat(1_000));
        assert!(long.to_string().len() < 300);
    }
}
