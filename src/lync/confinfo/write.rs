//! Writing `conference-info`, in the shape that the strictest known reader needs.

use super::{
    ConferenceInfo, ConferenceState, Description, ElementState, Endpoint, EntityView, McuUri, Media, Organizer, User, Users,
};
use crate::lync::cccp::{EXT, INFO, OWN, role_name};
use crate::lync::xml::Element;

impl ConferenceInfo {
    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        Element::in_ns("conference-info", INFO)
            .with_attr("entity", &self.entity)
            .with_attr("state", self.state.as_str())
            .with_attr("version", self.version)
            .with_opt(self.description.as_ref().map(description))
            .with_opt(self.conference.as_ref().map(conference))
            .with_opt(self.users.as_ref().map(users))
            .with_opt(self.views.as_ref().map(|v| views(self.state, v)))
            .to_bytes()
    }
}

impl ElementState {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ElementState::Full => "full",
            ElementState::Partial => "partial",
            ElementState::Deleted => "deleted",
        }
    }
}

fn leaf(ns: &str, name: &str, text: Option<&String>) -> Option<Element> {
    text.map(|t| Element::in_ns(name, ns).with_text(t.as_str()))
}

fn description(d: &Description) -> Element {
    let mcu = |u: &McuUri| {
        let e = Element::in_ns("entry", INFO).with_leaf("uri", u.uri.as_str());
        e.with_leaf("display-text", u.purpose.as_str()).with_leaf("purpose", u.purpose.as_str())
    };
    let organizer = |o: &Organizer| {
        let e = Element::in_ns("organizer", EXT).with_leaf("display-name", o.display_name.as_str());
        e.with_leaf("uri", o.uri.as_str())
    };
    // Without MCU URIs there is no element at all: an empty one would say "no MCUs" to a reader that looks for it.
    let uris = d.uris.as_ref().filter(|u| !u.is_empty());
    Element::in_ns("conference-description", INFO)
        .with_opt(leaf(INFO, "subject", d.subject.as_ref()))
        .with_opt(uris.map(|u| Element::in_ns("conf-uris", INFO).with_all(u.iter().map(mcu))))
        .with_opt(leaf(EXT, "conference-id", d.conference_id.as_ref()))
        .with_opt(leaf(EXT, "admission-policy", d.admission_policy.as_ref()))
        .with_opt(d.organizer.as_ref().map(organizer))
        .with_opt(leaf(EXT, "join-url", d.join_url.as_ref()))
        .with_opt(d.phone_id.as_ref().map(|i| Element::in_ns("pstn-access", EXT).with_leaf("id", i.as_str())))
        .with_opt(leaf(EXT, "autopromote", d.autopromote.as_ref()))
        .with_opt(leaf(EXT, "pstn-lobby-bypass", d.lobby_bypass.map(|b| b.to_string()).as_ref()))
        .with_opt(leaf(OWN, "announcements", d.announcements.map(|b| b.to_string()).as_ref()))
        .with_opt(leaf(OWN, "mute-all", d.mute_all.map(|b| b.to_string()).as_ref()))
        .with_opt(leaf(OWN, "self-unmute", d.self_unmute.map(|b| b.to_string()).as_ref()))
        .with_opt(leaf(OWN, "ends-at", d.ends_at.as_ref()))
}

fn conference(c: &ConferenceState) -> Element {
    let text = |name: &str, value: Option<String>| leaf(INFO, name, value.as_ref());
    Element::in_ns("conference-state", INFO)
        .with_opt(text("user-count", c.user_count.map(|n| n.to_string())))
        .with_opt(text("active", c.active.map(|n| n.to_string())))
        .with_opt(text("locked", c.locked.map(|n| n.to_string())))
}

fn users(u: &Users) -> Element {
    Element::in_ns("users", INFO).with_attr("state", u.state.as_str()).with_all(u.users.iter().map(user))
}

fn user(u: &User) -> Element {
    let e = Element::in_ns("user", INFO).with_attr("entity", &u.entity).with_attr("state", u.state.as_str());
    if u.state == ElementState::Deleted {
        return e;
    }
    let name = (!u.display_text.is_empty()).then(|| Element::in_ns("display-text", INFO).with_text(u.display_text.as_str()));
    let roles = u.role.map(|r| Element::in_ns("roles", INFO).with_leaf("entry", role_name(r)));
    let recording = u.recording.then(|| Element::in_ns("recording", OWN).with_text("true"));
    e.with_opt(name).with_opt(roles).with_all(u.endpoints.iter().map(endpoint)).with_opt(recording)
}

fn endpoint(p: &Endpoint) -> Element {
    let media = |m: &Media| {
        let e = Element::in_ns("media", INFO).with_attr("id", &m.id).with_leaf("type", m.kind.as_str());
        e.with_opt(leaf(INFO, "status", m.status.as_ref()))
    };
    let changed = (p.state != ElementState::Full).then(|| p.state.as_str());
    Element::in_ns("endpoint", INFO)
        .with_attr("entity", &p.entity)
        .with_opt_attr("state", changed)
        .with_attr("session-type", &p.session)
        .with_opt_attr("endpoint-uri", p.uri.as_ref())
        .with_leaf("status", p.status.as_str())
        .with_opt(leaf(INFO, "joining-method", p.joining_method.as_ref()))
        .with_all(p.media.iter().map(media))
}

fn views(state: ElementState, all: &[EntityView]) -> Element {
    let key = format!("{{{INFO}}}state");
    let view = |v: &EntityView| {
        let entry = |m: &String| Element::in_ns("entry", INFO).with_attr("label", m).with_leaf("type", m.as_str());
        let media = (!v.media.is_empty()).then(|| Element::in_ns("media", INFO).with_all(v.media.iter().map(entry)));
        let locked = v.locked.map(|l| Element::in_ns("locked", INFO).with_text(l.to_string()));
        let inner = Element::in_ns("entity-state", EXT).with_opt(media).with_opt(locked);
        let e = Element::in_ns("entity-view", EXT).with_attr(&key, v.state.as_str()).with_attr("entity", &v.entity);
        if v.state == ElementState::Deleted { e } else { e.with(inner) }
    };
    Element::in_ns("conference-view", EXT).with_attr(&key, state.as_str()).with_all(all.iter().map(view))
}
