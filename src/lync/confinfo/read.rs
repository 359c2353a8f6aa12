//! Reading `conference-info`.

use super::{
    ConferenceInfo, ConferenceState, Description, ElementState, Endpoint, EndpointStatus, EntityView, McuUri, Media, Organizer,
    User, Users,
};
use crate::domain::Address;
use crate::lync::cccp::read_role;
use crate::lync::xml::{Element, XmlError, parse_bool};

impl ConferenceInfo {
    /// Reads the document; people whose address does not read are left out.
    pub fn parse(octets: &[u8]) -> Result<ConferenceInfo, XmlError> {
        let root = Element::parse_root(octets, "conference-info")?;
        Ok(ConferenceInfo {
            entity: root.attr("entity").filter(|e| !e.is_empty()).ok_or(XmlError::Missing("entity"))?.to_owned(),
            state: state(&root),
            version: root.attr_num("version").unwrap_or(0),
            description: root.child("conference-description").map(description),
            conference: root.child("conference-state").map(conference),
            users: root
                .child("users")
                .map(|u| Users { state: state(u), users: u.children_named("user").filter_map(user).collect() }),
            views: root.child("conference-view").map(|v| v.children_named("entity-view").filter_map(view).collect()),
        })
    }
}

fn state(e: &Element) -> ElementState {
    match e.attr("state") {
        Some(s) if s.eq_ignore_ascii_case("partial") => ElementState::Partial,
        Some(s) if s.eq_ignore_ascii_case("deleted") => ElementState::Deleted,
        _ => ElementState::Full,
    }
}

fn flag(e: &Element, name: &str) -> Option<bool> {
    e.child_value(name).and_then(|t| parse_bool(&t))
}

fn description(e: &Element) -> Description {
    let mcu = |entry: &Element| {
        let purpose = entry.child_value("purpose").or_else(|| entry.child_value("display-text"))?;
        Some(McuUri { uri: entry.child_value("uri")?, purpose })
    };
    let organizer = |o: &Element| {
        let display_name = o.child_text("display-name").unwrap_or_default();
        Some(Organizer { display_name, uri: Address::parse(&o.child_value("uri")?).ok()? })
    };
    Description {
        subject: e.child_text("subject"),
        uris: e.child("conf-uris").map(|u| u.children_named("entry").filter_map(mcu).collect()),
        conference_id: e.child_value("conference-id"),
        admission_policy: e.child_value("admission-policy"),
        organizer: e.child("organizer").and_then(organizer),
        join_url: e.child_value("join-url"),
        phone_id: e.child("pstn-access").and_then(|p| p.child_value("id")),
        autopromote: e.child_value("autopromote"),
        lobby_bypass: flag(e, "pstn-lobby-bypass"),
        announcements: flag(e, "announcements"),
        mute_all: flag(e, "mute-all"),
        self_unmute: flag(e, "self-unmute"),
        ends_at: e.child("ends-at").map(|t| t.text().trim().to_owned()),
    }
}

fn conference(e: &Element) -> ConferenceState {
    ConferenceState {
        user_count: e.child_value("user-count").and_then(|c| c.parse().ok()),
        active: flag(e, "active"),
        locked: flag(e, "locked"),
    }
}

fn user(e: &Element) -> Option<User> {
    Some(User {
        entity: Address::parse(e.attr("entity")?).ok()?,
        state: state(e),
        display_text: e.child_text("display-text").unwrap_or_default(),
        role: e.child("roles").and_then(|r| r.child_value("entry")).map(|r| read_role(&r)),
        endpoints: e.children_named("endpoint").map(endpoint).collect(),
        recording: flag(e, "recording").unwrap_or(false),
    })
}

fn endpoint(e: &Element) -> Endpoint {
    let media = |m: &Element| Media {
        id: m.attr("id").unwrap_or("").to_owned(),
        kind: m.child_value("type").unwrap_or_default(),
        status: m.child_value("status"),
    };
    Endpoint {
        entity: e.attr("entity").unwrap_or("").to_owned(),
        state: state(e),
        session: e.attr("session-type").unwrap_or("").to_owned(),
        uri: e.attr("endpoint-uri").map(str::to_owned),
        status: e.child_value("status").map_or(EndpointStatus::Pending, |s| EndpointStatus::parse(&s)),
        joining_method: e.child_value("joining-method"),
        media: e.children_named("media").map(media).collect(),
    }
}

fn view(e: &Element) -> Option<EntityView> {
    let inner = e.child("entity-state");
    let media = inner.and_then(|i| i.child("media"));
    Some(EntityView {
        entity: e.attr("entity")?.to_owned(),
        state: state(e),
        media: media.map(|m| m.children_named("entry").filter_map(|n| n.child_value("type")).collect()).unwrap_or_default(),
        locked: inner.and_then(|i| flag(i, "locked")),
    })
}

impl EndpointStatus {
    /// From the wire.
    pub fn parse(text: &str) -> EndpointStatus {
        match text {
            "pending" => EndpointStatus::Pending,
            "dialing-out" => EndpointStatus::DialingOut,
            "dialing-in" => EndpointStatus::DialingIn,
            "alerting" => EndpointStatus::Alerting,
            "on-hold" => EndpointStatus::OnHold,
            "connected" => EndpointStatus::Connected,
            "muted-via-focus" => EndpointStatus::MutedViaFocus,
            "disconnecting" => EndpointStatus::Disconnecting,
            "disconnected" => EndpointStatus::Disconnected,
            other => EndpointStatus::Other(other.to_owned()),
        }
    }

    /// As on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            EndpointStatus::Pending => "pending",
            EndpointStatus::DialingOut => "dialing-out",
            EndpointStatus::DialingIn => "dialing-in",
            EndpointStatus::Alerting => "alerting",
            EndpointStatus::OnHold => "on-hold",
            EndpointStatus::Connected => "connected",
            EndpointStatus::MutedViaFocus => "muted-via-focus",
            EndpointStatus::Disconnecting => "disconnecting",
            EndpointStatus::Disconnected => "disconnected",
            EndpointStatus::Other(t) => t,
        }
    }
}
