//! Bodies of message sessions (`lync-conversations.md` 1.2 to 1.5), read into what this service asks of them.

use super::{CONFERENCE_INVITE, ConferenceOffer, conference_offer};
use crate::domain::Address;
use crate::domain::conversation::TextFormat;
use crate::endpoint::limits::{MAX_NAME, MAX_TOAST_BYTES};
use crate::endpoint::service::Identity;
use crate::lync::im::context::{self, ContextFault, ContextMessage};
use crate::lync::im::{ConversationInfo, DeliveryReport, MessageSdp, TextFormatHeader, message_text, sdp, typing as notice};
use crate::sip::multipart;
use crate::sip::{Name, Request};

/// Types a MESSAGE may have.
pub(in super::super) const ACCEPT_TYPES: &str = sdp::ACCEPT_TYPES;
/// Content type of the IM MCU's report.
const REPORT: &str = "application/ms-imdn+xml";

/// What an INVITE offers.
pub(in super::super) enum Offer {
    /// Messages.
    Messages,
    /// A place in a conference.
    Conference(ConferenceOffer),
    /// Something we do not have, such as audio.
    Other,
}

/// What a MESSAGE brings.
pub(in super::super) enum Content {
    /// Words.
    Text {
        /// How they are written.
        format: TextFormat,
        /// The words as they came.
        body: String,
    },
    /// The author types, or stopped.
    Typing(bool),
    /// The IM MCU's report.
    Report(Report),
    /// Nothing we can read.
    Unsupported,
}

/// Whom a message did not reach.
pub(in super::super) struct Report {
    /// `Message-Id` of the 202.
    pub message_id: String,
    /// Those without it, each with the SIP status.
    pub failed: Vec<(Address, u16)>,
}

/// Content type of a text.
pub(in super::super) fn text_type(bare: bool) -> &'static str {
    if bare { "text/plain" } else { crate::lync::im::PLAIN }
}

/// `ms-text-format` for the first words.
pub(in super::super) fn toast(text: &str) -> String {
    TextFormatHeader::plain(head(text)).to_string()
}

/// First words of an INVITE; empty when it has none.
pub(in super::super) fn toast_of(request: &Request) -> String {
    let header = request.headers.get(&Name::MsTextFormat).map(TextFormatHeader::parse);
    header.and_then(|h| h.body).map(|b| head(&b).to_owned()).unwrap_or_default()
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(MAX_TOAST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// Our session description as the caller.
pub(in super::super) fn offer(me: &Identity) -> Vec<u8> {
    MessageSdp::offer(host(me)).to_bytes()
}

/// Our session description as the called side.
pub(in super::super) fn answer(me: &Identity) -> Vec<u8> {
    MessageSdp::answer(host(me), me.uri.as_str()).to_bytes()
}

fn host(me: &Identity) -> &str {
    let host = me.sent_by.rsplit_once(':').map_or(me.sent_by.as_str(), |h| h.0);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// What an INVITE offers.
pub(in super::super) fn offer_of(request: &Request) -> Offer {
    let kind = content_type(request);
    if multipart::is_type(kind, CONFERENCE_INVITE) {
        return conference_offer(&request.body).map_or(Offer::Other, Offer::Conference);
    }
    let messages = multipart::is_type(kind, sdp::CONTENT_TYPE) && MessageSdp::parse(&request.body).is_some();
    if messages { Offer::Messages } else { Offer::Other }
}

/// The body of a typing notice.
pub(in super::super) fn typing(active: bool) -> Vec<u8> {
    notice::keyboard_activity(active)
}

/// Reads a typing notice.
pub(in super::super) fn typing_of(request: &Request) -> Option<bool> {
    notice::parse(&request.body)
}

/// Reads the subject another INFO carries.
pub(in super::super) fn subject_of(request: &Request) -> Option<String> {
    Some(ConversationInfo::parse(&request.body).ok()?.subject.chars().take(MAX_NAME).collect())
}

/// Body and type of the INFO that tells a new subject.
pub(in super::super) fn subject(me: &Address, subject: &str) -> (&'static str, Vec<u8>) {
    let info = ConversationInfo { from: me.as_str().to_owned(), subject: subject.to_owned() };
    (crate::lync::im::invite::CONVERSATION_INFO_TYPE, info.to_bytes())
}

/// Reads what an INFO says on the context channel.
pub(in super::super) fn context_of(request: &Request) -> Option<Result<ContextMessage, ContextFault>> {
    multipart::is_type(content_type(request), context::CONTENT_TYPE).then(|| ContextMessage::parse(&request.body))
}

/// Reads a MESSAGE.
pub(in super::super) fn content(request: &Request) -> Content {
    let kind = content_type(request);
    if multipart::is_type(kind, notice::COMPOSING_TYPE) {
        return notice::parse(&request.body).map_or(Content::Unsupported, Content::Typing);
    }
    if multipart::is_type(kind, REPORT) {
        return match DeliveryReport::parse(&request.body) {
            Ok(r) => Content::Report(Report {
                message_id: r.message_id,
                failed: r.failed.into_iter().map(|f| (f.uri, f.status)).collect(),
            }),
            Err(_) => Content::Unsupported,
        };
    }
    message_text(kind, &request.body).map_or(Content::Unsupported, |(format, body)| Content::Text { format, body })
}

fn content_type(request: &Request) -> &str {
    request.headers.get(&Name::ContentType).unwrap_or("text/plain")
}
