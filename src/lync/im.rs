//! Instant message sessions: session description, first message, typing, delivery reports, invitations into
//! conferences (guide 11, conversations guide 1, 2.2, 4.6).

pub mod context;
pub mod invite;
pub mod report;
pub mod sdp;
pub mod text;
pub mod typing;

pub use invite::{ConferenceInvitation, ConversationInfo};
pub use report::{DeliveryReport, FailedRecipient};
pub use sdp::MessageSdp;
pub use text::{TextFormatHeader, message_text};

use crate::domain::Address;

/// `Supported` tokens of an IM INVITE, one header line each.
pub const INVITE_SUPPORTED: [&str; 4] = ["ms-sender", "ms-delayed-accept", "ms-conf-invite", "timer"];

/// `Supported` token on a 480 of a server that keeps messages for people who are not signed in: a MESSAGE outside dialogs is
/// answered 202 with a `Message-Id`, and a delivery report under that id follows when it has arrived.
pub const KEEPS_MESSAGES: &str = "adsum-kept-messages";

/// `Content-Type` of a plain text message.
pub const PLAIN: &str = "text/plain; charset=UTF-8";

/// `Supported` token of an IM MCU of ours: a message that comes again under the same name is not relayed again.
pub const ONCE: &str = "adsum-once";

/// The header that names a message for [`ONCE`].
pub fn message_name() -> crate::sip::Name {
    crate::sip::Name::parse("Adsum-Message")
}

/// Author of a message relayed by an IM MCU: the part between `<` and `>`, cut at the first `;`.
pub fn parse_ms_sender(value: &str) -> Option<Address> {
    let inner = value.split_once('<').map_or(value, |p| p.1);
    Address::parse(inner.split(['>', ';']).next()?).ok()
}

/// `Ms-Sender` for an author.
pub fn ms_sender(author: &Address) -> String {
    format!("<{author}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_found_in_every_form() {
        let bob = Address::parse("bob@contoso.example").unwrap();
        for text in [
            "<sip:bob@contoso.example;opaque=user:epid:Tt7oP3u1Q0K9wIhZxkG5cQAA;gruu>",
            "sip:Bob@contoso.example;x=1",
            "\"Bob\" <sip:bob@contoso.example>",
        ] {
            assert_eq!(parse_ms_sender(text), Some(bob.clone()), "{text}");
        }
        assert_eq!(parse_ms_sender(&ms_sender(&bob)), Some(bob));
        assert_eq!(parse_ms_sender("nobody"), None);
    }
}
