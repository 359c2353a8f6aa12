//! Invitation into a conference, and the conversation's subject (conversations guide 2.2, 1.5).

use crate::lync::xml::{Element, XmlError};

/// `Content-Type` of an invitation into a conference.
pub const CONTENT_TYPE: &str = "application/ms-conf-invite+xml";
/// `Content-Type` of the INFO that carries a subject.
pub const CONVERSATION_INFO_TYPE: &str = "application/xml+conversationinfo";

/// The invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConferenceInvitation {
    /// Where to join.
    pub focus: String,
    /// Title; may be empty.
    pub subject: String,
    /// Messages are offered.
    pub im: bool,
    /// Audio is offered.
    pub audio: bool,
}

impl ConferenceInvitation {
    /// The body of the INVITE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let im = self.im.then(|| Element::new("im").with_attr("available", true).with(Element::new("first-im")));
        let audio = self.audio.then(|| Element::new("audio").with_attr("available", true));
        Element::new("Conferencing")
            .with_attr("version", "2.0")
            .with_leaf("focus-uri", self.focus.as_str())
            .with_leaf("subject", self.subject.as_str())
            .with_opt(im)
            .with_opt(audio)
            .to_bytes()
    }

    /// Reads the body of an INVITE.
    pub fn parse(octets: &[u8]) -> Result<ConferenceInvitation, XmlError> {
        let root = Element::parse_root(octets, "Conferencing")?;
        let offers = |name: &str| root.child(name).is_some_and(|e| e.attr_bool("available").unwrap_or(true));
        Ok(ConferenceInvitation {
            focus: root.child_value("focus-uri").ok_or(XmlError::Missing("focus-uri"))?,
            subject: root.child_text("subject").unwrap_or_default(),
            im: offers("im"),
            audio: offers("audio"),
        })
    }
}

/// The subject of a conversation, told in its dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationInfo {
    /// URI of the one who says it.
    pub from: String,
    /// Title.
    pub subject: String,
}

impl ConversationInfo {
    /// The body of the INFO.
    pub fn to_bytes(&self) -> Vec<u8> {
        Element::new("ConversationInfo")
            .with(Element::new("From").with_attr("uri", &self.from))
            .with_leaf("Subject", self.subject.as_str())
            .to_bytes()
    }

    /// Reads the body of an INFO.
    pub fn parse(octets: &[u8]) -> Result<ConversationInfo, XmlError> {
        let root = Element::parse_root(octets, "ConversationInfo")?;
        Ok(ConversationInfo {
            from: root.child("From").and_then(|f| f.attr("uri")).unwrap_or("").to_owned(),
            subject: root.child_text("Subject").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_round_trips() {
        let text = r#"<Conferencing version="2.0"><focus-uri>sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX</focus-uri><subject>Budget</subject><im available="true"><first-im/></im></Conferencing>"#;
        let i = ConferenceInvitation::parse(text.as_bytes()).unwrap();
        assert_eq!((i.subject.as_str(), i.im, i.audio), ("Budget", true, false));
        assert_eq!(String::from_utf8(i.to_bytes()).unwrap(), text);
        assert!(ConferenceInvitation::parse(b"<Conferencing/>").is_err());
        let c = ConversationInfo { from: "sip:a@b".into(), subject: "S & T".into() };
        assert_eq!(ConversationInfo::parse(&c.to_bytes()).unwrap(), c);
    }
}
