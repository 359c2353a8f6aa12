//! `message/imdn+xml` (RFC 5438): a message arrived, failed, or was read.

use super::limits::MESSAGE_ID_MAX;
use super::time;
use crate::domain::Time;
use crate::xml::{Element, XmlError};

/// Media type.
pub const CONTENT_TYPE: &str = "message/imdn+xml";
const NS: &str = "urn:ietf:params:xml:ns:imdn";

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It is on the other side.
    Delivered,
    /// It did not get there.
    Failed,
    /// A server keeps it.
    Stored,
    /// It was read.
    Displayed,
    /// The other side tells nothing.
    Forbidden,
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The `imdn.Message-ID` it speaks of.
    pub message: String,
    /// When that message was written.
    pub at: Option<Time>,
    /// What became of it.
    pub disposition: Disposition,
}

/// The notice as a document.
pub fn write(n: &Notice) -> String {
    let (kind, state) = match n.disposition {
        Disposition::Delivered => ("delivery-notification", "delivered"),
        Disposition::Failed => ("delivery-notification", "failed"),
        Disposition::Forbidden => ("delivery-notification", "forbidden"),
        Disposition::Stored => ("processing-notification", "stored"),
        Disposition::Displayed => ("display-notification", "displayed"),
    };
    let status = Element::in_ns("status", NS).with(Element::in_ns(state, NS));
    let root = Element::in_ns("imdn", NS)
        .with_leaf("message-id", n.message.as_str())
        .with_leaf("datetime", n.at.map(time::write).unwrap_or_default())
        .with(Element::in_ns(kind, NS).with(status));
    root.to_document()
}

/// Reads a notice; `None` inside when it says nothing known.
pub fn parse(octets: &[u8]) -> Result<Option<Notice>, XmlError> {
    let root = Element::parse_root(octets, "imdn")?;
    let state = |kind: &str| root.path(&[kind, "status"]).and_then(|s| s.elements().next()).map(|s| s.name.clone());
    let (delivery, processing, display) =
        (state("delivery-notification"), state("processing-notification"), state("display-notification"));
    let disposition = match (delivery.as_deref(), processing.as_deref(), display.as_deref()) {
        (Some("delivered"), ..) => Disposition::Delivered,
        (Some("failed" | "error"), ..) => Disposition::Failed,
        (Some("forbidden"), ..) | (_, _, Some("forbidden")) => Disposition::Forbidden,
        (_, Some("stored"), _) => Disposition::Stored,
        (_, _, Some("displayed")) => Disposition::Displayed,
        _ => return Ok(None),
    };
    let Some(message) = root.child_value("message-id").filter(|id| id.len() <= MESSAGE_ID_MAX) else { return Ok(None) };
    let at = root.child_value("datetime").and_then(|t| time::parse(&t));
    Ok(Some(Notice { message, at, disposition }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_reads_back() {
        use Disposition as D;
        for disposition in [D::Delivered, D::Failed, D::Stored, D::Displayed, D::Forbidden] {
            let notice = Notice { message: "5rT8yUq2LmXw".into(), at: time::parse("2026-03-03T09:15:04Z"), disposition };
            assert_eq!(parse(write(&notice).as_bytes()), Ok(Some(notice)));
        }
    }

    #[test]
    fn notices_that_say_nothing_known_are_nothing() {
        let with = |inner: &str| parse(format!("<imdn xmlns='{NS}'>{inner}</imdn>").as_bytes());
        assert_eq!(with("<message-id>1</message-id>"), Ok(None));
        assert_eq!(with("<delivery-notification><status><delivered/></status></delivery-notification>"), Ok(None));
        assert!(parse(b"<html/>").is_err());
    }
}
