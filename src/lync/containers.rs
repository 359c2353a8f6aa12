//! Who may see what: `setContainerMembers` and `setSubscribers` (guide 7).

use super::roaming::SUBSCRIBERS;
use super::xml::{Element, XmlError};
use crate::domain::Address;
use crate::domain::presence::Member;

/// `Content-Type` of a change of members.
pub const MEMBERS_TYPE: &str = "application/msrtc-setcontainermembers+xml";
/// `Content-Type` of an acknowledgement of a watcher.
pub const SUBSCRIBERS_TYPE: &str = "application/msrtc-presence-setsubscriber+xml";

const MANAGEMENT: &str = "http://schemas.microsoft.com/2006/09/sip/container-management";

/// Add or take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Put in.
    Add(Member),
    /// Take out.
    Remove(Member),
}

/// Changes of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerChange {
    /// Which.
    pub id: u32,
    /// Version the author knows.
    pub version: u32,
    /// Changes in order.
    pub changes: Vec<MemberChange>,
}

/// The request; each container at most once. A 409 carries [`super::publish::VersionFault`] with container positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetContainerMembers {
    /// Containers in order.
    pub containers: Vec<ContainerChange>,
}

impl SetContainerMembers {
    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let member = |c: &MemberChange| {
            let (action, m) = match c {
                MemberChange::Add(m) => ("add", m),
                MemberChange::Remove(m) => ("remove", m),
            };
            write_member(Element::in_ns("member", MANAGEMENT).with_attr("action", action), m)
        };
        let container = |c: &ContainerChange| {
            let e = Element::in_ns("container", MANAGEMENT).with_attr("id", c.id).with_attr("version", c.version);
            e.with_all(c.changes.iter().map(member))
        };
        Element::in_ns("setContainerMembers", MANAGEMENT).with_all(self.containers.iter().map(container)).to_bytes()
    }

    /// Reads the body of a SERVICE; unknown actions or members and repeated containers spoil it.
    pub fn parse(octets: &[u8]) -> Result<SetContainerMembers, XmlError> {
        let root = Element::parse_root(octets, "setContainerMembers")?;
        let mut containers: Vec<ContainerChange> = Vec::new();
        for c in root.children_named("container") {
            let id = c.attr_num("id").ok_or(XmlError::Missing("container id"))?;
            if containers.iter().any(|k| k.id == id) {
                return Err(XmlError::Malformed("a container occurs twice".into()));
            }
            let changes = c.children_named("member").map(read_change).collect::<Option<_>>();
            let changes = changes.ok_or(XmlError::Missing("member"))?;
            containers.push(ContainerChange { id, version: c.attr_num("version").unwrap_or(0), changes });
        }
        Ok(SetContainerMembers { containers })
    }
}

fn read_change(e: &Element) -> Option<MemberChange> {
    let member = read_member(e)?;
    match e.attr("action")? {
        "add" => Some(MemberChange::Add(member)),
        "remove" => Some(MemberChange::Remove(member)),
        _ => None,
    }
}

/// Reads `type` and `value` of a `member` element.
pub(super) fn read_member(e: &Element) -> Option<Member> {
    Some(match e.attr("type")? {
        "user" => Member::User(Address::parse(e.attr("value")?).ok()?),
        "domain" => Member::Domain(e.attr("value")?.trim().to_lowercase()),
        "sameEnterprise" => Member::SameEnterprise,
        "federated" => Member::Federated,
        "publicCloud" => Member::PublicCloud,
        "everyone" => Member::Everyone,
        _ => return None,
    })
}

/// Writes `type` and `value`; addresses without `sip:`.
pub(super) fn write_member(e: Element, m: &Member) -> Element {
    match m {
        Member::User(a) => e.with_attr("type", "user").with_attr("value", a.bare()),
        Member::Domain(d) => e.with_attr("type", "domain").with_attr("value", d),
        Member::SameEnterprise => e.with_attr("type", "sameEnterprise"),
        Member::Federated => e.with_attr("type", "federated"),
        Member::PublicCloud => e.with_attr("type", "publicCloud"),
        Member::Everyone => e.with_attr("type", "everyone"),
    }
}

/// Answers to watchers; a client sends exactly one per request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetSubscribers {
    /// Who, and whether acknowledged.
    pub entries: Vec<(Address, bool)>,
}

impl SetSubscribers {
    /// Acknowledges one.
    pub fn acknowledge(who: &Address) -> SetSubscribers {
        SetSubscribers { entries: vec![(who.clone(), true)] }
    }

    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let entry = |(who, yes): &(Address, bool)| {
            Element::in_ns("subscriber", SUBSCRIBERS).with_attr("user", who.bare()).with_attr("acknowledged", yes)
        };
        Element::in_ns("setSubscribers", SUBSCRIBERS).with_all(self.entries.iter().map(entry)).to_bytes()
    }

    /// Reads the body of a SERVICE.
    pub fn parse(octets: &[u8]) -> Result<SetSubscribers, XmlError> {
        let root = Element::parse_root(octets, "setSubscribers")?;
        let read = |e: &Element| Some((Address::parse(e.attr("user")?).ok()?, e.attr_bool("acknowledged")?));
        let entries = root.children_named("subscriber").map(read).collect::<Option<Vec<_>>>();
        match entries {
            Some(entries) if !entries.is_empty() => Ok(SetSubscribers { entries }),
            _ => Err(XmlError::Missing("subscriber")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: &str = r#"<setContainerMembers xmlns="http://schemas.microsoft.com/2006/09/sip/container-management">
<container id="400" version="2"><member action="remove" type="user" value="bob@contoso.com"/></container>
<container id="300" version="0"><member action="add" type="user" value="bob@contoso.com"/></container>
</setContainerMembers>"#;

    #[test]
    fn members_round_trip() {
        let r = SetContainerMembers::parse(MEMBERS.as_bytes()).unwrap();
        assert_eq!(r.containers.len(), 2);
        assert_eq!(String::from_utf8(r.to_bytes()).unwrap(), MEMBERS.replace('\n', ""));
        let all = [
            Member::Domain("fabrikam.com".into()),
            Member::SameEnterprise,
            Member::Federated,
            Member::PublicCloud,
            Member::Everyone,
        ];
        let changes = all.into_iter().map(MemberChange::Add).collect();
        let r = SetContainerMembers { containers: vec![ContainerChange { id: 200, version: 1, changes }] };
        assert_eq!(SetContainerMembers::parse(&r.to_bytes()).unwrap(), r);
        assert!(SetContainerMembers::parse(MEMBERS.replace("300", "400").as_bytes()).is_err());
        assert!(SetContainerMembers::parse(MEMBERS.replace("\"add\"", "\"put\"").as_bytes()).is_err());
    }

    #[test]
    fn subscribers_round_trip() {
        let r = SetSubscribers::acknowledge(&Address::parse("dave@contoso.com").unwrap());
        let text = String::from_utf8(r.to_bytes()).unwrap();
        assert!(text.contains("<subscriber user=\"dave@contoso.com\" acknowledged=\"true\"/>"), "{text}");
        assert_eq!(SetSubscribers::parse(text.as_bytes()).unwrap(), r);
        assert!(SetSubscribers::parse(b"<setSubscribers/>").is_err());
    }
}
