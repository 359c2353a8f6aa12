//! `state` values (guide 6.4): what machines, users, calendars and phones publish, and what the server makes of it.

use super::value::Value;
use crate::domain::Time;
use crate::domain::presence::{Activity, Availability};
use crate::lync::time;
use crate::lync::xml::Element;

const STATE: &str = "http://schemas.microsoft.com/2006/09/sip/state";
const COMMON: &str = "http://schemas.microsoft.com/2006/09/sip/commontypes";

/// Who says it (`xsi:type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateKind {
    /// A device.
    Machine,
    /// A person, by hand.
    User,
    /// A calendar.
    Calendar,
    /// A phone.
    Phone,
    /// The server: everything together.
    Aggregate,
    /// The server: the most active device.
    AggregateMachine,
    /// Something else.
    Other(String),
}

impl StateKind {
    /// From `xsi:type`.
    pub fn parse(text: &str) -> StateKind {
        match text {
            "machineState" => StateKind::Machine,
            "userState" => StateKind::User,
            "calendarState" => StateKind::Calendar,
            "phoneState" => StateKind::Phone,
            "aggregateState" => StateKind::Aggregate,
            "aggregateMachineState" => StateKind::AggregateMachine,
            other => StateKind::Other(other.into()),
        }
    }

    /// As `xsi:type`.
    pub fn as_str(&self) -> &str {
        match self {
            StateKind::Machine => "machineState",
            StateKind::User => "userState",
            StateKind::Calendar => "calendarState",
            StateKind::Phone => "phoneState",
            StateKind::Aggregate => "aggregateState",
            StateKind::AggregateMachine => "aggregateMachineState",
            StateKind::Other(t) => t,
        }
    }
}

/// A `state` value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateValue {
    /// Who says it.
    pub kind: StateKind,
    /// Set by hand.
    pub manual: Option<bool>,
    /// Mailbox of a calendar state.
    pub uri: Option<String>,
    /// Since when (calendar).
    pub start: Option<Time>,
    /// The number.
    pub availability: Option<Availability>,
    /// The activity.
    pub activity: Option<Activity>,
    /// Where (`endpointLocation`).
    pub location: Option<String>,
    /// computer, mobile, deskphone, web: lower case.
    pub device: Option<String>,
    /// Minutes, west positive.
    pub time_zone_bias: Option<i32>,
    /// Windows name of the zone.
    pub time_zone_name: Option<String>,
    /// Short name of the zone.
    pub time_zone_abbreviation: Option<String>,
    /// Last activity, with idle and away states.
    pub last_active: Option<Time>,
    /// Meeting.
    pub meeting_subject: Option<String>,
    /// Meeting place.
    pub meeting_location: Option<String>,
    /// Which endpoint (aggregateMachineState).
    pub endpoint_id: Option<String>,
}

impl StateValue {
    /// A value that says nothing.
    pub fn new(kind: StateKind) -> StateValue {
        StateValue {
            kind,
            manual: None,
            uri: None,
            start: None,
            availability: None,
            activity: None,
            location: None,
            device: None,
            time_zone_bias: None,
            time_zone_name: None,
            time_zone_abbreviation: None,
            last_active: None,
            meeting_subject: None,
            meeting_location: None,
            endpoint_id: None,
        }
    }

    /// What a device publishes.
    pub fn machine(availability: Availability) -> StateValue {
        StateValue { manual: Some(false), availability: Some(availability), ..StateValue::new(StateKind::Machine) }
    }

    /// What a person sets by hand.
    pub fn user(availability: Availability) -> StateValue {
        StateValue { manual: Some(true), availability: Some(availability), ..StateValue::new(StateKind::User) }
    }

    /// What the server makes of all.
    pub fn aggregate(availability: Availability) -> StateValue {
        StateValue { availability: Some(availability), ..StateValue::new(StateKind::Aggregate) }
    }
}

impl Value for StateValue {
    const ROOT: &'static str = "state";
    const KNOWN: &'static [&'static str] = &[
        "manual",
        "uri",
        "startTime",
        "type",
        "lastActive",
        "endpointId",
        "availability",
        "activity",
        "token",
        "minAvailability",
        "maxAvailability",
        "custom",
        "LCID",
        "endpointLocation",
        "meetingSubject",
        "meetingLocation",
        "delimiter",
        "end",
        "timeZoneBias",
        "timeZoneName",
        "timeZoneAbbreviation",
        "device",
    ];

    fn read(e: &Element) -> Option<StateValue> {
        if e.name != "state" {
            return None;
        }
        Some(StateValue {
            kind: StateKind::parse(e.xsi_type().unwrap_or("")),
            manual: e.attr_bool("manual"),
            uri: e.attr("uri").map(str::to_owned),
            start: e.attr("startTime").and_then(time::parse),
            availability: e.child_value("availability").and_then(|a| a.parse().ok()).map(Availability),
            activity: e.child("activity").and_then(read_activity),
            location: e.child_value("endpointLocation"),
            device: e.child_value("device").map(|d| d.to_lowercase()),
            time_zone_bias: e.child_value("timeZoneBias").and_then(|b| b.parse().ok()),
            time_zone_name: e.child_value("timeZoneName"),
            time_zone_abbreviation: e.child_value("timeZoneAbbreviation"),
            last_active: e.attr("lastActive").and_then(time::parse),
            meeting_subject: e.child_value("meetingSubject"),
            meeting_location: e.child_value("meetingLocation"),
            endpoint_id: e.attr("endpointId").map(str::to_lowercase),
        })
    }

    /// Input states always carry `endpointLocation`, as known clients write it.
    fn write(&self) -> Element {
        let e = Element::in_ns("state", STATE)
            .with_opt_attr("manual", self.manual)
            .with_opt_attr("uri", self.uri.as_deref())
            .with_opt_attr("startTime", self.start.map(time::seconds_z))
            .with_xsi_type(self.kind.as_str())
            .with_opt_attr("lastActive", self.last_active.map(time::publish_time))
            .with_opt_attr("endpointId", self.endpoint_id.as_deref());
        let leaf = |name: &str, text: &Option<String>| text.as_ref().map(|t| Element::in_ns(name, STATE).with_text(t.as_str()));
        let number = self.availability.map(|a| Element::in_ns("availability", STATE).with_text(a.0.to_string()));
        let input = matches!(self.kind, StateKind::Machine | StateKind::User | StateKind::Calendar);
        let place = leaf("endpointLocation", &self.location).or(input.then(|| Element::in_ns("endpointLocation", STATE)));
        e.with_opt(number)
            .with_opt(self.activity.as_ref().map(write_activity))
            .with_opt(place)
            .with_opt(leaf("meetingSubject", &self.meeting_subject))
            .with_opt(leaf("meetingLocation", &self.meeting_location))
            .with_all(self.extension())
    }
}

impl StateValue {
    /// Zone and device stand between `delimiter` and `end` of the common types.
    fn extension(&self) -> Vec<Element> {
        let leaf = |name: &str, text: String| Element::in_ns(name, STATE).with_text(text);
        let device = self.device.as_ref().map(|d| if d == "mobile" { "Mobile".to_owned() } else { d.clone() });
        let inner: Vec<Element> = [
            self.time_zone_bias.map(|b| leaf("timeZoneBias", b.to_string())),
            self.time_zone_name.clone().map(|n| leaf("timeZoneName", n)),
            self.time_zone_abbreviation.clone().map(|n| leaf("timeZoneAbbreviation", n)),
            device.map(|d| leaf("device", d)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if inner.is_empty() {
            return inner;
        }
        let mut out = vec![Element::in_ns("delimiter", COMMON)];
        out.extend(inner);
        out.push(Element::in_ns("end", COMMON));
        out
    }

    /// Reads a publication's value; `None` when it is no `state`.
    pub fn parse(value: &str) -> Option<StateValue> {
        <StateValue as Value>::parse(value)
    }

    /// The value as text.
    pub fn to_xml(&self) -> String {
        self.write().to_string()
    }
}

fn read_activity(e: &Element) -> Option<Activity> {
    let custom: Vec<(u32, String)> = e
        .children_named("custom")
        .map(|c| (c.attr_num("LCID").unwrap_or(0), c.text().trim().to_owned()))
        .filter(|c| !c.1.is_empty())
        .collect();
    let token = e.attr("token").filter(|t| !t.is_empty()).map(str::to_owned);
    if token.is_none() && custom.is_empty() {
        return None;
    }
    let min = e.attr_num("minAvailability").unwrap_or(0);
    Some(Activity { token, custom, min, max: e.attr_num("maxAvailability").unwrap_or(u32::MAX) })
}

fn write_activity(a: &Activity) -> Element {
    let custom = |(lcid, text): &(u32, String)| Element::in_ns("custom", STATE).with_attr("LCID", lcid).with_text(text.as_str());
    Element::in_ns("activity", STATE)
        .with_opt_attr("token", a.token.as_deref())
        .with_opt_attr("minAvailability", (a.min > 0).then_some(a.min))
        .with_opt_attr("maxAvailability", (a.max < u32::MAX).then_some(a.max))
        .with_all(a.custom.iter().map(custom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_guide_read() {
        let c = StateValue::parse(r#"<state xmlns="http://schemas.microsoft.com/2006/09/sip/state" manual="false" uri="alice@contoso.com" startTime="2014-01-15T13:00:00Z" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="calendarState"><availability>6500</availability><activity token="in-a-meeting" minAvailability="6500" maxAvailability="8999"/><endpointLocation/><meetingSubject>Budget</meetingSubject><meetingLocation>Room 7</meetingLocation></state>"#).unwrap();
        assert_eq!((c.kind.clone(), c.availability), (StateKind::Calendar, Some(Availability::BUSY)));
        assert_eq!(c.activity, Some(Activity::token("in-a-meeting")));
        assert_eq!(c.meeting_location.as_deref(), Some("Room 7"));
        assert_eq!(StateValue::parse(&c.to_xml()), Some(c));

        let u = StateValue::parse(r#"<state xmlns="http://schemas.microsoft.com/2006/09/sip/state" manual="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="userState"><availability>6500</availability><activity><custom LCID="1033">Writing the report</custom><custom LCID="1031">Bericht schreiben</custom></activity></state>"#).unwrap();
        assert_eq!(u.activity.as_ref().unwrap().text(1031), Some("Bericht schreiben"));
        assert_eq!(StateValue::parse(&u.to_xml()), Some(u));

        let a = StateValue::parse(r#"<state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState" lastActive="2014-01-15T09:30:02"><availability>6500</availability><delimiter xmlns="http://schemas.microsoft.com/2006/09/sip/commontypes"/><timeZoneBias>-60</timeZoneBias><timeZoneName>W. Europe Standard Time</timeZoneName><device>Mobile</device><end xmlns="http://schemas.microsoft.com/2006/09/sip/commontypes"/></state>"#).unwrap();
        assert_eq!((a.device.as_deref(), a.time_zone_bias), (Some("mobile"), Some(-60)));
        assert!(a.to_xml().contains("<device>Mobile</device><end xmlns="));
        assert_eq!(StateValue::parse(&a.to_xml()), Some(a));
    }

    #[test]
    fn written_states_look_like_those_of_known_clients() {
        assert_eq!(
            StateValue::machine(Availability::AVAILABLE).to_xml(),
            "<state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" manual=\"false\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"machineState\"><availability>3500</availability><endpointLocation/></state>"
        );
        assert_eq!(StateValue::parse("<note/>"), None);
        assert_eq!(StateValue::parse("<state><availability>x</availability></state>").unwrap().availability, None);
    }
}
