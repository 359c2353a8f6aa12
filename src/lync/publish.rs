//! Publishing: the request and the version fault (guide 6.1, 6.2).

use super::roaming::{read_expiry, value_element, write_expiry};
use super::xml::{Element, XmlError};
use crate::domain::Address;
use crate::domain::presence::{Publication, PublicationKey};

/// `Content-Type` of a publication.
pub const CONTENT_TYPE: &str = "application/msrtc-category-publish+xml";
/// `Content-Type` of a fault.
pub const FAULT_TYPE: &str = "application/msrtc-fault+xml";
/// `ms-diagnostics` number of an outdated version.
pub const VERSION_DIAGNOSTICS: u32 = 2044;

const RICH_PRESENCE: &str = "http://schemas.microsoft.com/2006/09/sip/rich-presence";
const FAULT: &str = "http://schemas.microsoft.com/2006/09/sip/fault/";

/// One publication to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishItem {
    /// Key, expected version, expiry and value; the other fields are not sent.
    pub publication: Publication,
    /// Take it away instead (`expires="0"`).
    pub delete: bool,
}

/// The request; applied as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishRequest {
    /// Whose presence.
    pub owner: Address,
    /// What, in order; faults count these from 1.
    pub items: Vec<PublishItem>,
}

impl PublishRequest {
    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let list = Element::in_ns("publications", RICH_PRESENCE).with_attr("uri", &self.owner);
        Element::in_ns("publish", RICH_PRESENCE).with(list.with_all(self.items.iter().map(write_item))).to_bytes()
    }

    /// Reads the body of a SERVICE. An item without category, instance or container spoils the whole request.
    pub fn parse(octets: &[u8]) -> Result<PublishRequest, XmlError> {
        let root = Element::parse_root(octets, "publish")?;
        let list = root.child("publications").ok_or(XmlError::Missing("publications"))?;
        let owner = list.attr("uri").and_then(|u| Address::parse(u).ok()).ok_or(XmlError::Missing("uri"))?;
        let items = list.children_named("publication").map(read_item).collect::<Option<_>>();
        Ok(PublishRequest { owner, items: items.ok_or(XmlError::Missing("publication"))? })
    }
}

fn write_item(i: &PublishItem) -> Element {
    let p = &i.publication;
    let e = Element::in_ns("publication", RICH_PRESENCE)
        .with_attr("categoryName", &p.key.category)
        .with_attr("instance", p.key.instance)
        .with_attr("container", p.key.container)
        .with_attr("version", p.version);
    let mut e = write_expiry(e, p.expiry);
    if i.delete {
        e.attrs.retain(|a| a.0 != "expires");
        return e.with_attr("expires", 0);
    }
    e.with_opt(value_element(&p.value))
}

fn read_item(e: &Element) -> Option<PublishItem> {
    let key = PublicationKey {
        category: e.attr("categoryName").filter(|n| !n.is_empty())?.to_owned(),
        instance: e.attr_num("instance")?,
        container: e.attr_num("container")?,
    };
    let publication = Publication {
        key,
        version: e.attr_num("version").unwrap_or(0),
        expiry: read_expiry(e),
        publish_time: None,
        endpoint_id: None,
        value: e.elements().next().map(Element::to_string).unwrap_or_default(),
    };
    Some(PublishItem { publication, delete: e.attr_num::<u32>("expires") == Some(0) })
}

/// One operation with an outdated version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which operation of the request, counted from 1.
    pub index: usize,
    /// Version in the request.
    pub version: u32,
    /// Version the server has; 0: it does not exist.
    pub current: u32,
}

/// Body of a 409.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionFault {
    /// Every wrong operation.
    pub conflicts: Vec<Conflict>,
}

impl VersionFault {
    /// The body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let operation = |c: &Conflict| {
            Element::in_ns("operation", FAULT)
                .with_attr("index", c.index)
                .with_attr("version", c.version)
                .with_attr("curVersion", c.current)
        };
        Element::in_ns("Fault", FAULT)
            .with_leaf("Faultcode", super::soap::WRONG_DELTA)
            .with(Element::in_ns("details", FAULT).with_all(self.conflicts.iter().map(operation)))
            .to_bytes()
    }

    /// Reads the body of a 409, if it says which versions are wrong.
    pub fn parse(octets: &[u8]) -> Option<VersionFault> {
        let root = Element::parse(octets).ok()?;
        let details = root.child_any_case("details")?;
        let read = |e: &Element| {
            let version = e.attr_num("version").unwrap_or(0);
            Some(Conflict { index: e.attr_num("index")?, version, current: e.attr_num("curVersion")? })
        };
        let conflicts: Vec<_> = details.children_named("operation").filter_map(read).collect();
        (!conflicts.is_empty()).then_some(VersionFault { conflicts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::presence::Expiry;

    const EXAMPLE: &str = r#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:alice@contoso.com">
<publication categoryName="device" instance="1820334953" container="2" version="0" expireType="endpoint">
<device xmlns="http://schemas.microsoft.com/2006/09/sip/device" endpointId="b143f5ff-8f08-50a3-b656-3cfc251b5b28"><capabilities preferred="false" uri="sip:alice@contoso.com"><text capture="true" render="true" publish="false"/></capabilities></device>
</publication>
<publication categoryName="note" instance="0" container="200" version="2" expireType="static" expires="0"/>
<publication categoryName="state" instance="603979776" container="2" version="0" expireType="time" expires="86400"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state"/></publication>
</publications></publish>"#;

    #[test]
    fn the_example_round_trips() {
        let r = PublishRequest::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(r.items.len(), 3);
        assert_eq!(r.items[0].publication.key.instance, 1820334953);
        assert!(r.items[0].publication.value.starts_with("<device xmlns="));
        assert!(r.items[1].delete && r.items[1].publication.expiry == Expiry::Static);
        assert_eq!((r.items[2].publication.expiry, r.items[2].delete), (Expiry::Time(86400), false));
        assert_eq!(String::from_utf8(r.to_bytes()).unwrap(), EXAMPLE.replace('\n', ""));
        assert!(PublishRequest::parse(EXAMPLE.replace("container=\"2\"", "").as_bytes()).is_err());
    }

    #[test]
    fn the_fault_round_trips() {
        let f = VersionFault {
            conflicts: vec![Conflict { index: 4, version: 7, current: 9 }, Conflict { index: 5, version: 7, current: 9 }],
        };
        let text = String::from_utf8(f.to_bytes()).unwrap();
        assert_eq!(
            text,
            "<Fault xmlns=\"http://schemas.microsoft.com/2006/09/sip/fault/\"><Faultcode>Client.BadCall.WrongDelta</Faultcode><details><operation index=\"4\" version=\"7\" curVersion=\"9\"/><operation index=\"5\" version=\"7\" curVersion=\"9\"/></details></Fault>"
        );
        assert_eq!(VersionFault::parse(text.as_bytes()), Some(f));
        assert_eq!(VersionFault::parse(b"<Fault/>"), None);
    }
}
