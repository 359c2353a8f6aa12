//! Who may act for the owner: the `delegates` part of roaming-self and `setDelegates` (guide 9.3).
//! How the request looks is our own reading of the guide's few words: `docs/decisions/access.md`.

use super::xml::{Element, XmlError};
use crate::domain::Address;
use crate::domain::presence::Delegates;

/// `Content-Type` of a change of delegates.
pub const CONTENT_TYPE: &str = "application/msrtc-setdelegates+xml";
/// `ms-diagnostics` code of a version that is out of date.
pub const VERSION_DIAGNOSTICS: u32 = 2141;

const DELEGATES: &str = "http://schemas.microsoft.com/2007/09/sip/delegates";
const MANAGEMENT: &str = "http://schemas.microsoft.com/2007/09/sip/delegate-management";

/// A change of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetDelegates {
    /// Version the author knows.
    pub version: u32,
    /// Who, and whether they come (`true`) or go.
    pub changes: Vec<(Address, bool)>,
}

impl SetDelegates {
    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let entry = |(who, add): &(Address, bool)| {
            let action = if *add { "add" } else { "remove" };
            Element::in_ns("delegate", MANAGEMENT).with_attr("action", action).with_attr("user", who.bare())
        };
        let root = Element::in_ns("setDelegates", MANAGEMENT).with_attr("version", self.version);
        root.with_all(self.changes.iter().map(entry)).to_bytes()
    }

    /// Reads the body of a SERVICE; an unknown action or a broken address spoils it.
    pub fn parse(octets: &[u8]) -> Result<SetDelegates, XmlError> {
        let root = Element::parse_root(octets, "setDelegates")?;
        let read = |e: &Element| {
            let add = match e.attr("action")? {
                "add" => true,
                "remove" => false,
                _ => return None,
            };
            Some((who(e)?, add))
        };
        let changes = root.children_named("delegate").map(read).collect::<Option<Vec<_>>>();
        match changes {
            Some(changes) if !changes.is_empty() => Ok(SetDelegates { version: root.attr_num("version").unwrap_or(0), changes }),
            _ => Err(XmlError::Missing("delegate")),
        }
    }
}

fn who(e: &Element) -> Option<Address> {
    let named = e.attr("user").or_else(|| e.attr("uri")).or_else(|| e.attr("value"))?;
    Address::parse(named).ok()
}

/// Reads the part of a roaming document.
pub(super) fn read(e: &Element) -> Delegates {
    Delegates { version: e.attr_num("version").unwrap_or(0), members: e.children_named("delegate").filter_map(who).collect() }
}

/// Writes the part of a roaming document.
pub(super) fn write(d: &Delegates) -> Element {
    let entry = |a: &Address| Element::in_ns("delegate", DELEGATES).with_attr("user", a.bare());
    Element::in_ns("delegates", DELEGATES).with_attr("version", d.version).with_all(d.members.iter().map(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_delegates_round_trips() {
        let dave = Address::parse("dave@contoso.com").unwrap();
        let r = SetDelegates { version: 3, changes: vec![(dave.clone(), true), (dave, false)] };
        assert_eq!(SetDelegates::parse(&r.to_bytes()).unwrap(), r);
        let text = String::from_utf8(r.to_bytes()).unwrap();
        assert!(SetDelegates::parse(text.replace("\"add\"", "\"put\"").as_bytes()).is_err());
        assert!(SetDelegates::parse(b"<setDelegates version='1'/>").is_err());
    }

    #[test]
    fn the_list_of_delegates_is_read_and_written() {
        let text = r#"<delegates xmlns="http://schemas.microsoft.com/2007/09/sip/delegates" version="2"><delegate user="dave@contoso.com"/></delegates>"#;
        let d = read(&Element::parse(text.as_bytes()).unwrap());
        assert_eq!((d.version, d.members.len()), (2, 1));
        assert_eq!(write(&d).to_string(), text);
    }
}
