//! A conference as the focus factory stores it: `conference-info` of the scheduling commands (conversations guide 3.3, 3.4).

use super::{EXT, INFO, OWN, SEPARATOR, read_role, role_name};
use crate::domain::conference::{AccessLevel, AutomaticLeaders, Conference, ConferenceId, ConferenceSettings, Invitee, Template};
use crate::domain::series::{EXCEPTIONS_MAX, Moved, Series};
use crate::domain::{Address, Time};
use crate::lync::identity;
use crate::lync::time;
use crate::lync::xml::{Element, parse_bool};

/// The document, both in requests (what the organizer wants) and in answers (what the server keeps).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConferenceRecord {
    /// Focus URI; empty in `addConference`.
    pub uri: String,
    /// Version; 0 in `addConference`.
    pub version: u32,
    /// Id, chosen by the client.
    pub id: Option<ConferenceId>,
    /// Join link; empty in requests.
    pub join_url: String,
    /// Last change; answers only.
    pub last_update: Option<Time>,
    /// Somebody is in it; answers only.
    pub is_active: bool,
    /// Digits to type when calling; answers only.
    pub phone_id: String,
    /// What the organizer decides.
    pub settings: ConferenceSettings,
    /// Elements of `conference-description` that we do not know; given back unchanged.
    pub extra: Vec<Element>,
}

/// Elements of `conference-description` that have a field of their own.
const KNOWN: [&str; 17] = [
    "subject",
    "display-text",
    "conf-uris",
    "conference-id",
    "expiry-time",
    "admission-policy",
    "separator",
    "pstn-access",
    "autopromote",
    "pstn-lobby-bypass",
    "last-update",
    "last-activate",
    "is-active",
    "join-url",
    "organizer",
    "notification-data",
    "plan",
];

impl ConferenceRecord {
    /// What `addConference` asks for.
    pub fn request(id: &ConferenceId, settings: &ConferenceSettings) -> ConferenceRecord {
        ConferenceRecord { id: Some(id.clone()), settings: settings.clone(), ..ConferenceRecord::default() }
    }

    /// From the domain.
    pub fn from_conference(c: &Conference) -> ConferenceRecord {
        ConferenceRecord {
            uri: c.uri.clone(),
            version: c.version,
            id: Some(c.id.clone()),
            join_url: c.join_url.clone(),
            last_update: c.last_update,
            is_active: c.is_active,
            phone_id: c.phone_id.clone(),
            settings: c.settings.clone(),
            extra: Vec::new(),
        }
    }

    /// For the domain; `None` when neither URI nor id name a conference.
    pub fn into_conference(self) -> Option<Conference> {
        let (organizer, from_uri) = identity::parse_focus(&self.uri)?;
        Some(Conference {
            id: self.id.unwrap_or(from_uri),
            uri: self.uri,
            join_url: self.join_url,
            organizer,
            version: self.version,
            last_update: self.last_update,
            is_active: self.is_active,
            phone_id: self.phone_id,
            answers: Default::default(),
            settings: self.settings,
        })
    }

    /// The element; `request` leaves out what only a server knows.
    pub(super) fn write(&self, request: bool) -> Element {
        let s = &self.settings;
        let roles = |p: &Invitee| {
            let roles = Element::in_ns("roles", INFO).with_leaf("entry", role_name(p.role));
            Element::in_ns("user", INFO).with_attr("entity", &p.uri).with(roles)
        };
        let view = |m: &String| Element::in_ns("entity-view", EXT).with_attr("entity", m);
        let state = Element::in_ns("conference-state", INFO)
            .with_opt((!request).then(|| Element::in_ns("active", INFO).with_text(self.is_active.to_string())))
            .with_leaf("locked", (s.access == AccessLevel::Locked).to_string());
        Element::in_ns("conference-info", INFO)
            .with_attr("entity", &self.uri)
            .with_opt_attr("version", (self.version > 0).then_some(self.version))
            .with(self.description(request))
            .with(state)
            .with(Element::in_ns("users", INFO).with_all(s.participants.iter().map(roles)))
            .with(Element::in_ns("conference-view", EXT).with_all(s.mcus.iter().map(view)))
    }

    fn description(&self, request: bool) -> Element {
        let s = &self.settings;
        let ext = |name: &str, text: String| Element::in_ns(name, EXT).with_text(text);
        let ask = |name: &str, text: Option<String>| text.map(|t| ext(name, t));
        let separator = || Element::in_ns("separator", SEPARATOR);
        let long = (!s.description.is_empty()).then(|| Element::in_ns("display-text", INFO).with_text(s.description.as_str()));
        let server = (!request).then(|| {
            [
                ask("last-update", self.last_update.map(time::seconds_z)),
                ask("is-active", Some(self.is_active.to_string())),
                ask("join-url", (!self.join_url.is_empty()).then(|| self.join_url.clone())),
            ]
        });
        Element::in_ns("conference-description", INFO)
            .with_leaf("subject", s.subject.as_str())
            .with_opt(long)
            .with_opt(ask("conference-id", self.id.as_ref().map(|i| i.0.clone())))
            .with_opt(ask("expiry-time", s.expiry.map(time::seconds_z)))
            .with(ext("admission-policy", policy(s.access).into()))
            .with_all(server.into_iter().flatten().flatten())
            .with(separator())
            .with_opt(s.phone_access.then(|| {
                let id = (!self.phone_id.is_empty()).then(|| Element::in_ns("id", EXT).with_text(self.phone_id.as_str()));
                Element::in_ns("pstn-access", EXT).with_opt(id)
            }))
            .with(separator())
            .with(ext("autopromote", autopromote(s.automatic_leaders).into()))
            .with(ext("pstn-lobby-bypass", s.lobby_bypass.to_string()))
            .with_opt(ask("notification-data", (!s.notification_data.is_empty()).then(|| s.notification_data.clone())))
            .with_all(self.extra.iter().cloned())
            .with(plan(s))
    }

    /// Reads the element; whatever is missing has its default.
    pub(super) fn read(e: &Element) -> ConferenceRecord {
        let empty = Element::default();
        let d = e.child("conference-description").unwrap_or(&empty);
        let flag = |name: &str| d.child_value(name).and_then(|t| parse_bool(&t));
        let state = e.child("conference-state");
        let state_flag = |name: &str| state.and_then(|s| s.child_value(name)).and_then(|t| parse_bool(&t));
        let access = if state_flag("locked") == Some(true) {
            AccessLevel::Locked
        } else {
            read_policy(d.child_value("admission-policy").as_deref())
        };
        let mut settings = ConferenceSettings {
            subject: d.child_text("subject").unwrap_or_default(),
            description: d.child_text("display-text").unwrap_or_default(),
            expiry: d.child_value("expiry-time").and_then(|t| time::parse(&t)),
            access,
            lobby_bypass: flag("pstn-lobby-bypass").unwrap_or(false),
            automatic_leaders: read_autopromote(d.child_value("autopromote").as_deref()),
            phone_access: d.child("pstn-access").is_some(),
            notification_data: d.child_text("notification-data").unwrap_or_default(),
            participants: e
                .child("users")
                .map(|u| u.children_named("user").filter_map(read_invitee).collect())
                .unwrap_or_default(),
            mcus: e.child("conference-view").map(read_views).unwrap_or_default(),
            ..ConferenceSettings::default()
        };
        if let Some(p) = d.child("plan") {
            read_plan(p, &mut settings);
        }
        ConferenceRecord {
            uri: e.attr("entity").unwrap_or("").to_owned(),
            version: e.attr_num("version").unwrap_or(0),
            id: d.child_value("conference-id").and_then(|i| identity::conference_id(&i)),
            join_url: d.child_value("join-url").unwrap_or_default(),
            last_update: d.child_value("last-update").and_then(|t| time::parse(&t)),
            is_active: flag("is-active").or(state_flag("active")).unwrap_or(false),
            phone_id: d.child("pstn-access").and_then(|p| p.child_value("id")).unwrap_or_default(),
            settings,
            extra: d.elements().filter(|c| !KNOWN.contains(&c.name.as_str())).cloned().collect(),
        }
    }
}

fn read_invitee(e: &Element) -> Option<Invitee> {
    let role = e.child("roles").and_then(|r| r.child_value("entry")).unwrap_or_default();
    Some(Invitee { uri: Address::parse(e.attr("entity")?).ok()?, role: read_role(&role) })
}

fn read_views(e: &Element) -> Vec<String> {
    e.children_named("entity-view").filter_map(|v| v.attr("entity")).map(str::to_owned).collect()
}

/// What the dialect has no element for: when, where on earth, and the passcode.
fn plan(s: &ConferenceSettings) -> Element {
    let leaf = |name: &str, text: Option<String>| text.map(|t| Element::in_ns(name, OWN).with_text(t));
    let zone = (!s.time_zone.is_empty()).then(|| s.time_zone.clone());
    Element::in_ns("plan", OWN)
        .with_opt(leaf("start", s.start.map(time::publish_time)))
        .with_opt(leaf("end", s.end.map(time::publish_time)))
        .with_opt(leaf("time-zone", zone))
        .with_opt(leaf("pass-code", s.passcode.clone()))
        .with_opt(leaf("pass-code-optional", (!s.passcode_optional).then(|| "false".to_owned())))
        .with_opt(leaf("announcements", s.announcements.then(|| "true".to_owned())))
        .with_opt(leaf("template", (s.template == Template::AdministratorSupplied).then(|| "administrator".to_owned())))
        .with_opt(s.series.as_ref().map(write_series))
}

fn write_series(s: &Series) -> Element {
    let cancelled = |t: &Time| Element::in_ns("cancelled", OWN).with_text(time::publish_time(*t));
    let moved = |m: &Moved| {
        Element::in_ns("moved", OWN)
            .with_attr("of", time::publish_time(m.of))
            .with_attr("start", time::publish_time(m.start))
            .with_attr("end", time::publish_time(m.end))
            .with_text(m.subject.as_str())
    };
    Element::in_ns("series", OWN)
        .with_attr("rule", &s.rule)
        .with_all(s.cancelled.iter().map(cancelled))
        .with_all(s.moved.iter().map(moved))
}

fn read_series(e: &Element) -> Series {
    let at = |m: &Element, name: &str| m.attr(name).and_then(time::parse);
    let moved = |m: &Element| {
        let (of, start, end) = (at(m, "of")?, at(m, "start")?, at(m, "end")?);
        Some(Moved { of, start, end, subject: m.text() })
    };
    let cancelled = e.children_named("cancelled").filter_map(|c| time::parse(c.text().trim()));
    Series {
        cancelled: cancelled.take(EXCEPTIONS_MAX).collect(),
        moved: e.children_named("moved").filter_map(moved).take(EXCEPTIONS_MAX).collect(),
        ..Series::new(e.attr("rule").unwrap_or(""))
    }
}

fn read_plan(e: &Element, s: &mut ConferenceSettings) {
    s.start = e.child_value("start").and_then(|t| time::parse(&t));
    s.end = e.child_value("end").and_then(|t| time::parse(&t));
    s.time_zone = e.child_value("time-zone").unwrap_or_default();
    s.passcode = e.child_value("pass-code");
    s.passcode_optional = e.child_value("pass-code-optional").and_then(|t| parse_bool(&t)).unwrap_or(true);
    s.announcements = e.child_value("announcements").and_then(|t| parse_bool(&t)).unwrap_or(false);
    if e.child_value("template").is_some_and(|t| t == "administrator") {
        s.template = Template::AdministratorSupplied;
    }
    s.series = e.child("series").map(read_series).filter(Series::is_plausible);
}

/// `admission-policy` of an access level; Locked is the strictest policy and a locked conference.
pub fn policy(access: AccessLevel) -> &'static str {
    match access {
        AccessLevel::SameEnterprise => "openAuthenticated",
        AccessLevel::Locked | AccessLevel::Invited => "closedAuthenticated",
        AccessLevel::Everyone => "anonymous",
    }
}

/// Access level of an `admission-policy`.
pub fn read_policy(text: Option<&str>) -> AccessLevel {
    match text {
        Some(t) if t.eq_ignore_ascii_case("closedAuthenticated") => AccessLevel::Invited,
        Some(t) if t.eq_ignore_ascii_case("anonymous") => AccessLevel::Everyone,
        _ => AccessLevel::SameEnterprise,
    }
}

/// `autopromote` of a choice of automatic leaders.
pub fn autopromote(a: AutomaticLeaders) -> &'static str {
    match a {
        AutomaticLeaders::Disabled => "0",
        AutomaticLeaders::SameEnterprise => "32768",
        AutomaticLeaders::Everyone => "2147483648",
    }
}

/// A bit mask; the widest bit that is set counts.
pub fn read_autopromote(text: Option<&str>) -> AutomaticLeaders {
    let mask: u64 = text.and_then(|t| t.parse().ok()).unwrap_or(0);
    if mask & 0x8000_0000 != 0 {
        AutomaticLeaders::Everyone
    } else if mask & 0x8000 != 0 {
        AutomaticLeaders::SameEnterprise
    } else {
        AutomaticLeaders::Disabled
    }
}
