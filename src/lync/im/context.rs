//! What two clients say on a context channel: an INFO in the message dialog. The wire form of Microsoft's own channel is not
//! known, so this one is ours; other clients answer it and take no notice (`docs/decisions/conversations.md`).

use crate::lync::xml::{Element, XmlError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `Content-Type`.
pub const CONTENT_TYPE: &str = "application/x-adsum-context+xml";
/// Octets of the data after base64 (`domain.md` 3.8).
pub const MAX_DATA: usize = 4096;
/// Characters of the application's name.
pub const MAX_APPLICATION: usize = 50;
/// Characters of the toast.
pub const MAX_TOAST: usize = 80;
/// Characters of a channel's name.
const MAX_ID: usize = 64;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextAction {
    /// Open a channel.
    Establish,
    /// The channel is open.
    Accept,
    /// Data.
    Data,
    /// The channel ends.
    End,
}

const ACTIONS: [(ContextAction, &str); 4] = [
    (ContextAction::Establish, "establish"),
    (ContextAction::Accept, "accept"),
    (ContextAction::Data, "data"),
    (ContextAction::End, "end"),
];

/// One word on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextMessage {
    /// What is said.
    pub action: ContextAction,
    /// The channel's name, chosen by the side that opens it.
    pub id: String,
    /// Name of the application; empty after the channel is open.
    pub application: String,
    /// One line for a person; may be empty.
    pub toast: String,
    /// Data; may be empty.
    pub data: String,
}

/// Why a word cannot be sent or taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextFault {
    /// Over one of the limits.
    #[error("the {what} of a context channel may have at most {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it may be, with its unit.
        limit: &'static str,
    },
    /// No application is named.
    #[error("a context channel needs the name of an application")]
    Nameless,
    /// The first data are no well-formed XML.
    #[error("the first data of a context channel must be well-formed XML: {0}")]
    Data(XmlError),
    /// No document of this kind.
    #[error("this is no word of a context channel")]
    Unreadable,
}

impl ContextMessage {
    /// Whether every part keeps the limits of `domain.md` 3.8.
    pub fn check(&self) -> Result<(), ContextFault> {
        let long = |what, limit| Err(ContextFault::TooLong { what, limit });
        if self.application.chars().count() > MAX_APPLICATION {
            return long("application name", "50 characters");
        }
        if self.toast.chars().count() > MAX_TOAST {
            return long("toast", "80 characters");
        }
        if self.data.len().div_ceil(3) * 4 > MAX_DATA || self.id.chars().count() > MAX_ID {
            return long("data", "4 KB after base64");
        }
        if self.action == ContextAction::Establish {
            if self.application.trim().is_empty() {
                return Err(ContextFault::Nameless);
            }
            if !self.data.is_empty() {
                Element::parse(self.data.as_bytes()).map_err(ContextFault::Data)?;
            }
        }
        Ok(())
    }

    /// The body of the INFO.
    pub fn to_bytes(&self) -> Vec<u8> {
        let word = ACTIONS.iter().find(|a| a.0 == self.action).map_or("", |a| a.1);
        let data = (!self.data.is_empty()).then(|| Element::new("data").with_text(STANDARD.encode(&self.data)));
        Element::new("context")
            .with_attr("action", word)
            .with_attr("id", &self.id)
            .with_attr("application", &self.application)
            .with_attr("toast", &self.toast)
            .with_opt(data)
            .to_bytes()
    }

    /// Reads the body of an INFO; what breaks a limit is refused, not cut.
    pub fn parse(octets: &[u8]) -> Result<ContextMessage, ContextFault> {
        let root = Element::parse_root(octets, "context").map_err(|_| ContextFault::Unreadable)?;
        let word = root.attr("action").unwrap_or("");
        let action = ACTIONS.iter().find(|a| a.1 == word).map(|a| a.0).ok_or(ContextFault::Unreadable)?;
        let data = match root.child_value("data") {
            Some(coded) if coded.len() > MAX_DATA => {
                return Err(ContextFault::TooLong { what: "data", limit: "4 KB after base64" });
            }
            Some(coded) => {
                let octets = STANDARD.decode(coded.trim()).map_err(|_| ContextFault::Unreadable)?;
                String::from_utf8(octets).map_err(|_| ContextFault::Unreadable)?
            }
            None => String::new(),
        };
        let text = |name: &str| root.attr(name).unwrap_or("").to_owned();
        let said = ContextMessage { action, id: text("id"), application: text("application"), toast: text("toast"), data };
        said.check()?;
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(action: ContextAction, data: &str) -> ContextMessage {
        ContextMessage { action, id: "7".into(), application: "orders".into(), toast: "Order 12".into(), data: data.into() }
    }

    #[test]
    fn every_word_reads_back() {
        for (action, _) in ACTIONS {
            let said = word(action, "<o n=\"12\">ä & ö</o>".replace('&', "&amp;").as_str());
            assert_eq!(ContextMessage::parse(&said.to_bytes()), Ok(said));
        }
        assert_eq!(ContextMessage::parse(b"<context action=\"sing\"/>"), Err(ContextFault::Unreadable));
        assert_eq!(ContextMessage::parse(b"<KeyboardActivity/>"), Err(ContextFault::Unreadable));
    }

    #[test]
    fn data_may_have_4_kb_after_base64() {
        assert_eq!(word(ContextAction::Data, &"x".repeat(3072)).check(), Ok(()));
        let long = word(ContextAction::Data, &"x".repeat(3073));
        assert!(matches!(long.check(), Err(ContextFault::TooLong { what: "data", .. })));
        assert!(matches!(ContextMessage::parse(&long.to_bytes()), Err(ContextFault::TooLong { .. })));
    }

    #[test]
    fn an_application_name_may_have_50_characters_and_a_toast_80() {
        let mut said = word(ContextAction::Establish, "");
        said.application = "ä".repeat(50);
        said.toast = "ä".repeat(80);
        assert_eq!(said.check(), Ok(()));
        said.toast.push('x');
        assert!(matches!(said.check(), Err(ContextFault::TooLong { what: "toast", .. })));
        said.toast.pop();
        said.application.push('x');
        assert!(matches!(said.check(), Err(ContextFault::TooLong { what: "application name", .. })));
    }

    #[test]
    fn the_first_data_are_well_formed_xml() {
        assert!(matches!(word(ContextAction::Establish, "<a>").check(), Err(ContextFault::Data(_))));
        assert_eq!(word(ContextAction::Establish, "<a/>").check(), Ok(()));
        assert_eq!(word(ContextAction::Data, "<a>").check(), Ok(()));
        assert_eq!(
            ContextMessage { application: " ".into(), ..word(ContextAction::Establish, "") }.check(),
            Err(ContextFault::Nameless)
        );
    }
}
