//! Presence of others: the batch subscription and its answers (guide 8).

use super::categories::value::Value as _;
use super::categories::{self, WatchedCategories, WatchedCategory, state::StateValue};
use super::limits::CONTEXT_MAX_OCTETS;
use super::xml::{Element, XmlError};
use crate::domain::Address;
use crate::domain::presence::Availability;
use crate::sip::multipart::{self, Part, is_type};

/// Event package.
pub const EVENT: &str = "presence";
/// `Content-Type` of the request.
pub const CONTENT_TYPE: &str = "application/msrtc-adrl-categorylist+xml";
/// `Content-Type` of the list.
pub const RLMI_TYPE: &str = "application/rlmi+xml";
/// `Accept` of the request.
pub const ACCEPT: &str = "application/rlmi+xml, multipart/related, text/xml+msrtc.pidf, application/msrtc-event-categories+xml, application/xpidf+xml, application/pidf+xml";
/// Categories a client asks for.
pub const DEFAULT_CATEGORIES: [&str; 5] = ["calendarData", "contactCard", "note", "services", "state"];

/// `reason` with `statusCode` 403 for somebody who has as many watchers as they may (`domain.md` 5.10).
pub const TOO_MANY_WATCHERS: &str = "too many watchers";

const BATCH: &str = "http://schemas.microsoft.com/2006/01/sip/batch-subscribe";
const CATEGORY_LIST: &str = "http://schemas.microsoft.com/2006/09/sip/categorylist";
const RLMI: &str = "urn:ietf:params:xml:ns:rlmi";

/// Add to the list or take from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Add.
    Subscribe,
    /// Take away.
    Unsubscribe,
}

/// One person of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Who.
    pub uri: Address,
    /// Just added by the user: the server tells them (guide 7.3), with these words; they may be empty.
    pub context: Option<String>,
}

/// The request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRequest {
    /// Who asks.
    pub owner: Address,
    /// What to do.
    pub action: Action,
    /// Any number, unique per action in the dialog.
    pub id: u64,
    /// Whom.
    pub resources: Vec<Resource>,
    /// Wanted categories.
    pub categories: Vec<String>,
}

impl BatchRequest {
    /// Subscribes to people in the default categories.
    pub fn subscribe(owner: &Address, id: u64, resources: Vec<Resource>) -> BatchRequest {
        let categories = DEFAULT_CATEGORIES.map(String::from).to_vec();
        BatchRequest { owner: owner.clone(), action: Action::Subscribe, id, resources, categories }
    }

    /// The body of the SUBSCRIBE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let name = if self.action == Action::Subscribe { "subscribe" } else { "unsubscribe" };
        let resource = |r: &Resource| {
            let context = r.context.as_deref().map(|words| Element::in_ns("context", BATCH).with_text(words));
            Element::in_ns("resource", BATCH).with_attr("uri", &r.uri).with_opt(context)
        };
        let category = |c: &String| Element::in_ns("category", CATEGORY_LIST).with_attr("name", c);
        let categories = (!self.categories.is_empty())
            .then(|| Element::in_ns("categoryList", CATEGORY_LIST).with_all(self.categories.iter().map(category)));
        let action = Element::in_ns("action", BATCH)
            .with_attr("name", name)
            .with_attr("id", self.id)
            .with(Element::in_ns("adhocList", BATCH).with_all(self.resources.iter().map(resource)))
            .with_opt(categories);
        Element::in_ns("batchSub", BATCH).with_attr("uri", &self.owner).with_attr("name", "").with(action).to_bytes()
    }

    /// Reads the body of a SUBSCRIBE: the first action. Resources whose address does not read are left out.
    pub fn parse(octets: &[u8]) -> Result<BatchRequest, XmlError> {
        let root = Element::parse_root(octets, "batchSub")?;
        let owner = root.attr("uri").and_then(|u| Address::parse(u).ok()).ok_or(XmlError::Missing("uri"))?;
        let action = root.child("action").ok_or(XmlError::Missing("action"))?;
        let resource = |e: &Element| Some(Resource { uri: Address::parse(e.attr("uri")?).ok()?, context: read_context(e) });
        let list = action.child("adhocList").ok_or(XmlError::Missing("adhocList"))?;
        let categories = action.child("categoryList");
        let categories =
            categories.map(|c| c.children_named("category").filter_map(|e| e.attr("name")).map(str::to_owned).collect());
        Ok(BatchRequest {
            owner,
            action: match action.attr("name") {
                Some(n) if n.eq_ignore_ascii_case("unsubscribe") => Action::Unsubscribe,
                _ => Action::Subscribe,
            },
            id: action.attr_num("id").unwrap_or(0),
            resources: list.children_named("resource").filter_map(resource).collect(),
            categories: categories.unwrap_or_default(),
        })
    }
}

/// What the list says about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// A categories document follows (or comes later).
    Active,
    /// Subscribe elsewhere: to the pool in one batch, or to the person.
    Resubscribe {
        /// `poolFqdn`, a URI.
        pool: Option<String>,
    },
    /// Not available.
    Terminated {
        /// SIP status, such as 404.
        status: Option<u16>,
        /// Words.
        reason: Option<String>,
    },
}

/// The `rlmi` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceList {
    /// Whose list.
    pub uri: Address,
    /// Version.
    pub version: u32,
    /// Names everybody.
    pub full: bool,
    /// People.
    pub resources: Vec<(Address, InstanceState)>,
}

impl ResourceList {
    /// Reads a list from its root; unreadable entries are left out.
    pub fn from_element(root: &Element) -> Option<ResourceList> {
        let entry = |e: &Element| {
            let instance = e.child("instance")?;
            let state = match instance.attr("state")? {
                "resubscribe" => {
                    InstanceState::Resubscribe { pool: instance.attr("poolFqdn").filter(|p| !p.is_empty()).map(str::to_owned) }
                }
                "terminated" => InstanceState::Terminated {
                    status: instance.attr_num("statusCode"),
                    reason: instance.attr("reason").map(str::to_owned),
                },
                _ => InstanceState::Active,
            };
            Some((Address::parse(e.attr("uri")?).ok()?, state))
        };
        Some(ResourceList {
            uri: Address::parse(root.attr("uri")?).ok()?,
            version: root.attr_num("version").unwrap_or(0),
            full: root.attr_bool("fullState").unwrap_or(false),
            resources: root.children_named("resource").filter_map(entry).collect(),
        })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let entry = |(uri, state): &(Address, InstanceState)| {
            let e = Element::in_ns("instance", RLMI).with_attr("id", 0);
            let e = match state {
                InstanceState::Active => e.with_attr("state", "active").with_attr("cid", uri.bare()),
                InstanceState::Resubscribe { pool } => {
                    e.with_attr("state", "resubscribe").with_opt_attr("poolFqdn", pool.as_deref())
                }
                InstanceState::Terminated { status, reason } => e
                    .with_attr("state", "terminated")
                    .with_opt_attr("statusCode", *status)
                    .with_opt_attr("reason", reason.as_deref()),
            };
            Element::in_ns("resource", RLMI).with_attr("uri", uri).with(e)
        };
        Element::in_ns("list", RLMI)
            .with_attr("uri", &self.uri)
            .with_attr("version", self.version)
            .with_attr("fullState", self.full)
            .with_all(self.resources.iter().map(entry))
            .to_bytes()
    }
}

/// What a presence body brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresenceBody {
    /// The list, if there was one.
    pub list: Option<ResourceList>,
    /// Documents in order.
    pub documents: Vec<WatchedCategories>,
    /// Parts that could not be read.
    pub broken: usize,
}

/// Reads the body of a presence notification or answer: multipart, a single categories document, a lone list, or PIDF.
/// A part that does not read harms no other part.
pub fn parse_presence(content_type: &str, body: &[u8]) -> PresenceBody {
    let mut out = PresenceBody::default();
    if multipart::is_multipart(content_type) {
        match multipart::parse(content_type, body) {
            Some(parts) => parts.iter().for_each(|p| read_part(&mut out, &p.content_type, &p.body)),
            None => out.broken = 1,
        }
    } else {
        read_part(&mut out, content_type, body);
    }
    out
}

fn read_part(out: &mut PresenceBody, content_type: &str, body: &[u8]) {
    if body.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let Ok(root) = Element::parse(body) else {
        out.broken += 1;
        return;
    };
    let read = match root.name.as_str() {
        "list" => ResourceList::from_element(&root).map(|l| out.list = Some(l)),
        "categories" => WatchedCategories::from_element(&root).ok().map(|d| out.documents.push(d)),
        "presence" if is_type(content_type, "application/pidf+xml") || content_type.contains("pidf") => {
            pidf(&root).map(|d| out.documents.push(d))
        }
        _ => None,
    };
    if read.is_none() {
        out.broken += 1;
    }
}

/// Presence of people outside the dialect (RFC 3863), in the dialect's numbers.
fn pidf(root: &Element) -> Option<WatchedCategories> {
    let uri = root.attr("entity")?;
    let uri = Address::parse(uri.strip_prefix("pres:").unwrap_or(uri)).ok()?;
    let status = root.path(&["tuple", "status"]);
    let open = status.and_then(|s| s.child_value("basic")).is_some_and(|b| b.eq_ignore_ascii_case("open"));
    let activity = status.and_then(|s| s.path(&["activities"])).and_then(|a| a.child_value("activity"));
    let number = match activity.as_deref() {
        _ if !open => Availability::OFFLINE,
        Some("busy") => Availability::BUSY,
        Some("away") => Availability::AWAY,
        _ => Availability::AVAILABLE,
    };
    let value = Some(StateValue::aggregate(number).write());
    let state = WatchedCategory { name: "state".into(), instance: Some(1), publish_time: None, value };
    Some(WatchedCategories { uri, categories: vec![state] })
}

/// Builds a multipart answer: `Content-Type` and body. `seed` is hexadecimal digits for the boundary.
pub fn build_presence(seed: &str, list: &ResourceList, documents: &[WatchedCategories]) -> (String, Vec<u8>) {
    let mut parts = vec![Part::new(RLMI_TYPE, line(list.to_bytes())).with_id("resourceList")];
    for d in documents {
        parts.push(Part::new(categories::CONTENT_TYPE, line(d.to_bytes())).with_id(d.uri.bare()));
    }
    let boundary = multipart::boundary(seed, &parts);
    let content_type = format!("multipart/related;type=\"{RLMI_TYPE}\";start=resourceList;boundary={boundary}");
    (content_type, multipart::build(&boundary, &parts))
}

/// Ends a document with a line end of its own: libpurple takes four octets off the end of every part, the line end
/// before the delimiter and one more.
fn line(mut document: Vec<u8>) -> Vec<u8> {
    document.extend_from_slice(b"\r\n");
    document
}

/// The words of a `context` child, cut to [`CONTEXT_MAX_OCTETS`]; `None`: there is none.
pub(super) fn read_context(e: &Element) -> Option<String> {
    let words = e.child_text("context")?;
    let end = words.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= CONTEXT_MAX_OCTETS).last();
    Some(words.get(..end.unwrap_or(0)).unwrap_or("").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(t: &str) -> Address {
        Address::parse(t).unwrap()
    }

    const REQUEST: &str = r#"<batchSub xmlns="http://schemas.microsoft.com/2006/01/sip/batch-subscribe" uri="sip:alice@contoso.com" name="">
<action name="subscribe" id="41250731">
<adhocList>
<resource uri="sip:bob@contoso.com"/>
<resource uri="sip:dave@contoso.com"><context/></resource>
</adhocList>
<categoryList xmlns="http://schemas.microsoft.com/2006/09/sip/categorylist">
<category name="calendarData"/>
<category name="state"/>
</categoryList>
</action>
</batchSub>"#;

    #[test]
    fn the_request_round_trips() {
        let r = BatchRequest::parse(REQUEST.as_bytes()).unwrap();
        assert_eq!((r.id, r.action, r.resources.len()), (41250731, Action::Subscribe, 2));
        assert!(r.resources[1].context.as_deref() == Some("") && r.resources[0].context.is_none());
        assert_eq!(String::from_utf8(r.to_bytes()).unwrap(), REQUEST.replace('\n', ""));
        assert!(BatchRequest::parse(b"<batchSub uri='sip:a@b'/>").is_err());
    }

    #[test]
    fn the_answer_round_trips() {
        let mut bob = WatchedCategories::new(address("bob@contoso.com"));
        bob.push_empty("note");
        let dave = WatchedCategories::new(address("dave@contoso.com"));
        let list = ResourceList {
            uri: address("alice@contoso.com"),
            version: 0,
            full: false,
            resources: vec![
                (address("bob@contoso.com"), InstanceState::Active),
                (address("dave@contoso.com"), InstanceState::Active),
                (address("carol@fabrikam.com"), InstanceState::Resubscribe { pool: Some("sip:pool02@contoso.com;gruu".into()) }),
                (address("x@contoso.com"), InstanceState::Terminated { status: Some(404), reason: Some("no user".into()) }),
            ],
        };
        let (kind, body) = build_presence("7f31", &list, &[bob.clone(), dave.clone()]);
        assert!(kind.contains("application/rlmi+xml"));
        let read = parse_presence(&kind, &body);
        assert_eq!(read, PresenceBody { list: Some(list), documents: vec![bob.clone(), dave], broken: 0 });
        let single = parse_presence(categories::CONTENT_TYPE, &bob.to_bytes());
        assert_eq!(single.documents, [bob]);
    }

    #[test]
    fn libpurple_cuts_no_document_short() {
        let list = ResourceList { uri: address("alice@contoso.com"), version: 0, full: false, resources: Vec::new() };
        let (_, body) = build_presence("7f31", &list, &[WatchedCategories::new(address("bob@contoso.com"))]);
        let body = String::from_utf8(body).unwrap();
        let parts: Vec<_> = body.split("--part-7f31").filter_map(|p| p.split_once("\r\n\r\n")).map(|p| p.1).collect();
        assert_eq!(parts.len(), 2);
        for part in parts {
            assert!(part[..part.len() - 4].ends_with('>'), "{part:?}");
        }
    }

    #[test]
    fn the_example_of_the_guide_and_broken_parts_read() {
        let body = "--rlmi-7f31\r\nContent-Transfer-Encoding: binary\r\nContent-ID: resourceList\r\nContent-Type: application/rlmi+xml\r\n\r\n<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:alice@contoso.com\" version=\"0\" fullState=\"false\">\r\n<resource uri=\"sip:carol@fabrikam.com\"><instance id=\"0\" state=\"resubscribe\"/></resource>\r\n</list>\r\n--rlmi-7f31\r\nContent-Type: application/msrtc-event-categories+xml\r\n\r\n<broken\r\n--rlmi-7f31\r\nContent-Type: application/msrtc-event-categories+xml\r\n\r\n<categories uri=\"sip:dave@contoso.com\"/>\r\n--rlmi-7f31--\r\n";
        let read = parse_presence(
            "multipart/related;type=\"application/rlmi+xml\";start=resourceList;boundary=rlmi-7f31",
            body.as_bytes(),
        );
        assert_eq!((read.documents.len(), read.broken), (1, 1));
        assert_eq!(read.list.unwrap().resources[0].1, InstanceState::Resubscribe { pool: None });
        assert_eq!(parse_presence("multipart/related", body.as_bytes()).broken, 1);
    }

    #[test]
    fn pidf_becomes_numbers() {
        let doc = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:x@msn.example'><tuple id='0'><status><basic>open</basic><activities><activity>away</activity></activities></status></tuple></presence>";
        let read = parse_presence("application/pidf+xml", doc.as_bytes());
        let s = StateValue::read(read.documents[0].categories[0].value.as_ref().unwrap()).unwrap();
        assert_eq!(s.availability, Some(Availability::AWAY));
    }
}
