//! Reading the document. Elements of other name spaces are passed over.

use super::{Description, Document, EndpointChange, Extent, Media, Standing, Status, UserChange};
use crate::simple::limits::{CONFERENCE_ENDPOINTS_MAX, CONFERENCE_MEDIA_MAX, CONFERENCE_ROLES_MAX, CONFERENCE_USERS_MAX};
use crate::xml::{Element, XmlError, parse_bool};

const NS: &str = "urn:ietf:params:xml:ns:conference-info";

impl Document {
    /// Reads a document.
    pub fn parse(octets: &[u8]) -> Result<Document, XmlError> {
        let root = Element::parse_root(octets, "conference-info")?;
        let entity = root.attr("entity").filter(|e| !e.trim().is_empty()).ok_or(XmlError::Missing("entity"))?;
        let users = root.child("users").map(|u| {
            let all = own(u, "user").filter_map(user).take(CONFERENCE_USERS_MAX).collect();
            (extent(u), all)
        });
        Ok(Document {
            entity: entity.trim().to_owned(),
            extent: extent(&root),
            version: root.attr_num("version"),
            description: root.child("conference-description").map(description),
            status: root.child("conference-state").map(status),
            web_page: root.child("host-info").map(|h| h.child_text("web-page").unwrap_or_default()),
            users,
        })
    }
}

/// Children of the document's own name space (or of none, as some servers write them).
fn own<'a>(e: &'a Element, name: &'a str) -> impl Iterator<Item = &'a Element> {
    e.children_named(name).filter(|c| c.ns.is_empty() || c.ns == NS)
}

fn extent(e: &Element) -> Extent {
    match e.attr("state").map(str::trim) {
        Some("partial") => Extent::Partial,
        Some("deleted") => Extent::Deleted,
        _ => Extent::Full,
    }
}

fn description(e: &Element) -> Description {
    Description {
        subject: e.child_text("subject").unwrap_or_default(),
        display_text: e.child_text("display-text").unwrap_or_default(),
        maximum: e.child_value("maximum-user-count").and_then(|n| n.parse().ok()),
    }
}

fn status(e: &Element) -> Status {
    let flag = |name: &str| e.child_value(name).as_deref().and_then(parse_bool);
    Status {
        count: e.child_value("user-count").and_then(|n| n.parse().ok()),
        active: flag("active"),
        locked: flag("locked").unwrap_or(false),
    }
}

fn user(e: &Element) -> Option<UserChange> {
    let roles = e.child("roles").map(|r| {
        own(r, "entry").take(CONFERENCE_ROLES_MAX).map(|r| r.text().trim().to_owned()).filter(|r| !r.is_empty()).collect()
    });
    Some(UserChange {
        entity: e.attr("entity").map(str::trim).filter(|e| !e.is_empty())?.to_owned(),
        extent: extent(e),
        display_text: e.child_text("display-text"),
        // An extension (RFC 6501, RFC 7701), by whoever defined it.
        nickname: e.child_text("nickname"),
        roles,
        endpoints: own(e, "endpoint").take(CONFERENCE_ENDPOINTS_MAX).map(endpoint).collect(),
    })
}

fn endpoint(e: &Element) -> EndpointChange {
    let media = own(e, "media").take(CONFERENCE_MEDIA_MAX).map(|m| Media {
        id: m.attr("id").unwrap_or("").to_owned(),
        kind: m.child_text("type").unwrap_or_default(),
        status: m.child_text("status").unwrap_or_default(),
    });
    EndpointChange {
        entity: e.attr("entity").unwrap_or("").trim().to_owned(),
        extent: extent(e),
        standing: e.child_value("status").map(|s| standing(&s)),
        left_by: e.child_text("disconnection-method"),
        media: media.collect(),
    }
}

fn standing(word: &str) -> Standing {
    match word {
        "dialing-out" => Standing::DialingOut,
        "dialing-in" => Standing::DialingIn,
        "alerting" => Standing::Alerting,
        "on-hold" => Standing::OnHold,
        "connected" => Standing::Connected,
        "muted-via-focus" => Standing::Muted,
        "disconnecting" => Standing::Disconnecting,
        "disconnected" => Standing::Disconnected,
        _ => Standing::Pending,
    }
}
