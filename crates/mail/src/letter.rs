//! A letter.

use crate::Error;
use entente_world::World;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use std::time::{Duration, SystemTime};

/// Characters of a subject at most; longer ones are cut.
const SUBJECT_CHARS_MAX: usize = 200;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 100;

/// What is sent to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// What they are called; may be empty.
    pub name: String,
    /// What it is about, in a line: cut after 200 characters.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// What the letter is called: two with one name are one letter to whoever reads them.
    pub id: String,
}

/// A text that is no address to which a letter could be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an address, such as Entente <files@example.com>")]
pub struct WrongAddress;

impl Letter {
    /// Whether a text can be a sender. `WrongAddress`.
    pub fn check_sender(text: &str) -> Result<(), WrongAddress> {
        text.parse::<Mailbox>().map(drop).map_err(|_| WrongAddress)
    }

    pub(crate) fn message(&self, from: Mailbox, world: &World) -> Result<Message, Error> {
        let wrong = |what: &str| Error::Refused(what.to_owned());
        let address: Address = self.to.parse().map_err(|_| wrong("the receiver has no address"))?;
        let name = line(&self.name, NAME_CHARS_MAX);
        let domain = from.email.domain().to_owned();
        let millis = u64::try_from(world.now().millis()).unwrap_or(0);
        let generated = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let mut builder = Message::builder()
            .from(from)
            .to(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
            .subject(line(&self.subject, SUBJECT_CHARS_MAX))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!("<{}@{domain}>", line(&self.id, NAME_CHARS_MAX))));
        // RFC 3834: nobody answers by themselves that they are on holiday.
        builder = builder.raw_header(generated);
        let part = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(self.text.clone());
        builder.singlepart(part).map_err(|_| wrong("it cannot be written down"))
    }
}

/// A line without anything that could end it.
fn line(text: &str, chars_max: usize) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        Letter {
            to: to.to_owned(),
            name: "Ünal \"Bobby\" <b>".to_owned(),
            subject: subject.to_owned(),
            text: "Grüße\n.\nfrom a line with a dot".to_owned(),
            id: "invitation-7".to_owned(),
        }
    }

    fn written(letter: &Letter) -> Result<String, Error> {
        let from = "Entente <files@example.com>".parse().unwrap();
        Ok(String::from_utf8(letter.message(from, &World::real())?.formatted()).unwrap())
    }

    #[test]
    fn what_people_typed_begins_no_header() {
        let text = written(&letter("anna@example.org", "Hello\r\nBcc: everybody@example.org\r\n\r\nbody")).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
        assert!(head.contains("Subject: Hello  Bcc: everybody@example.org    body"), "{head}");
        assert_eq!(head.matches("@example.org").count(), 2, "{head}");
        assert!(head.contains("Message-ID: <invitation-7@example.com>"), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "anna",
            "anna@",
            "anna@example.org\r\nBcc: b@example.org",
            "a b@example.org",
            "anna@example.org, b@c.de",
        ] {
            assert!(matches!(written(&letter(bad, "x")), Err(Error::Refused(_))), "{bad}");
        }
        assert!(Letter::check_sender("files@example.com").is_ok());
        assert!(Letter::check_sender("Entente <files@example.com>").is_ok());
        assert_eq!(Letter::check_sender("Entente"), Err(WrongAddress));
    }
}
