//! Delivery reports of an IM MCU: `application/ms-imdn+xml` (conversations guide 4.6).

use super::parse_ms_sender;
use crate::domain::Address;
use crate::lync::xml::{Element, XmlError};

/// `Content-Type`.
pub const CONTENT_TYPE: &str = "application/ms-imdn+xml";

const IMDN: &str = "http://schemas.microsoft.com/rtc/2005/08/imdn";

/// Somebody who did not get a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRecipient {
    /// Who.
    pub uri: Address,
    /// SIP status; 0 when none came.
    pub status: u16,
    /// `ms-diagnostics`; may be empty.
    pub diagnostics: String,
}

/// The report on one message; nobody failed when the list is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// `Message-Id` of the 202.
    pub message_id: String,
    /// Who did not get it.
    pub failed: Vec<FailedRecipient>,
}

impl DeliveryReport {
    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let recipient = |r: &FailedRecipient| {
            let entry = (!r.diagnostics.is_empty()).then(|| {
                let e = Element::in_ns("entry", IMDN).with_leaf("key", "ms-diagnostics");
                e.with_leaf("value", r.diagnostics.as_str())
            });
            let e = Element::in_ns("recipient", IMDN).with_attr("uri", format!("<{}>", r.uri));
            e.with_leaf("status", r.status.to_string()).with_opt(entry)
        };
        Element::in_ns("imdn", IMDN)
            .with_leaf("message-id", self.message_id.as_str())
            .with_all(self.failed.iter().map(recipient))
            .to_bytes()
    }

    /// Reads the document. A status that is missing, 0, or 300 and up is a failure; others are left out.
    pub fn parse(octets: &[u8]) -> Result<DeliveryReport, XmlError> {
        let root = Element::parse_root(octets, "imdn")?;
        let message_id = root.child_value("message-id").ok_or(XmlError::Missing("message-id"))?;
        let recipient = |e: &Element| {
            let status = e.child_value("status").and_then(|s| s.parse().ok()).unwrap_or(0);
            let entry = e.children_named("entry").find(|n| n.child_value("key").is_some_and(|k| k == "ms-diagnostics"));
            let diagnostics = entry.and_then(|n| n.child_value("value")).unwrap_or_default();
            let failed = status == 0 || status >= 300;
            if failed { Some(FailedRecipient { uri: parse_ms_sender(e.attr("uri")?)?, status, diagnostics }) } else { None }
        };
        Ok(DeliveryReport { message_id, failed: root.children_named("recipient").filter_map(recipient).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_round_trips() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?><imdn xmlns="http://schemas.microsoft.com/rtc/2005/08/imdn"><message-id>14</message-id><recipient uri="&lt;sip:carol@contoso.example&gt;"><status>408</status><entry><key>ms-diagnostics</key><value>6001;reason="Request Timeout";component="ImMcu"</value></entry></recipient><recipient uri="&lt;sip:bob@contoso.example&gt;"><status>200</status></recipient></imdn>"#;
        let r = DeliveryReport::parse(text.as_bytes()).unwrap();
        assert_eq!((r.message_id.as_str(), r.failed.len(), r.failed[0].status), ("14", 1, 408));
        assert!(r.failed[0].diagnostics.starts_with("6001;"));
        assert_eq!(DeliveryReport::parse(&r.to_bytes()).unwrap(), r);
        assert!(DeliveryReport::parse(b"<imdn/>").is_err());
    }
}
