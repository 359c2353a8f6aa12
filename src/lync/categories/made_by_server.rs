//! `dndState` and `legacyInterop` values, which the server derives from the state (domain guide 5.4).

use super::state::{StateKind, StateValue};
use super::value::Value;
use crate::domain::presence::Availability;
use crate::lync::roaming::CATEGORIES;
use crate::lync::xml::{Element, Node};

/// A `dndState` value: Do Not Disturb set by hand, or an empty flag. On the wire it is a `state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoNotDisturbState {
    /// 9500 while set; `None` otherwise.
    pub availability: Option<Availability>,
}

impl Value for DoNotDisturbState {
    const ROOT: &'static str = "state";
    const KNOWN: &'static [&'static str] = StateValue::KNOWN;

    fn read(root: &Element) -> Option<DoNotDisturbState> {
        StateValue::read(root).map(|s| DoNotDisturbState { availability: s.availability })
    }

    fn write(&self) -> Element {
        let mut s = StateValue::new(StateKind::User);
        (s.manual, s.availability) = (Some(true), self.availability);
        let mut e = s.write();
        e.children.retain(|n| !matches!(n, Node::Element(c) if c.name == "endpointLocation"));
        e
    }
}

/// A `legacyInterop` value: the number, for old clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyInterop {
    /// The number of the aggregate.
    pub availability: Availability,
    /// Its activity token, if any.
    pub token: Option<String>,
}

impl Value for LegacyInterop {
    const ROOT: &'static str = "legacyInterop";
    const KNOWN: &'static [&'static str] = &["availability", "token"];

    fn read(root: &Element) -> Option<LegacyInterop> {
        let token = root.attr("token").filter(|t| !t.is_empty()).map(str::to_owned);
        Some(LegacyInterop { availability: Availability(root.attr_num("availability")?), token })
    }

    fn write(&self) -> Element {
        Element::in_ns("legacyInterop", CATEGORIES)
            .with_attr("availability", self.availability.0)
            .with_opt_attr("token", self.token.as_deref())
    }
}

/// The value of `dndState` while Do Not Disturb is set by hand; an empty flag otherwise.
pub fn dnd_state(active: bool) -> String {
    DoNotDisturbState { availability: active.then_some(Availability::DO_NOT_DISTURB) }.to_xml()
}

/// The value of `legacyInterop`.
pub fn legacy_interop(availability: Availability, token: Option<&str>) -> String {
    LegacyInterop { availability, token: token.map(str::to_owned) }.to_xml()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_an_empty_user_state() {
        let off = "manual=\"true\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"userState\"/>";
        assert!(dnd_state(false).ends_with(off));
        assert_eq!(DoNotDisturbState::parse(&dnd_state(true)).unwrap().availability, Some(Availability(9500)));
        assert!(legacy_interop(Availability::BUSY, None).ends_with("availability=\"6500\"/>"));
    }
}
