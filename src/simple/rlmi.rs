//! `multipart/related` with `application/rlmi+xml` (RFC 4662): the presence of a whole list in one notification.

use super::limits::RESOURCES_MAX;
use crate::domain::Address;
use crate::sip::multipart::{self, Part, is_type};
use crate::xml::Element;

/// Media type of the list itself.
pub const CONTENT_TYPE: &str = "application/rlmi+xml";
/// Lists in lists that are followed.
const DEPTH: usize = 3;

/// What a list says of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A document.
    Active(Part),
    /// Nothing new.
    Unchanged,
    /// The other side has not agreed yet.
    Pending,
    /// The subscription ended: why.
    Terminated(String),
}

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Counts notifications of one subscription.
    pub version: u32,
    /// People who are not named are not on the list any more.
    pub full: bool,
    /// Who, and what of them; one entry for each instance.
    pub resources: Vec<(Address, Resource)>,
}

/// Takes a notification apart; `None` when it is no list.
pub fn parse(content_type: &str, body: &[u8]) -> Option<List> {
    related(content_type, body, DEPTH)
}

fn related(content_type: &str, body: &[u8], depth: usize) -> Option<List> {
    let parts = multipart::parse(content_type, body)?;
    let root = parts.iter().find(|p| p.is(CONTENT_TYPE))?;
    let list = Element::parse_root(&root.body, "list").ok()?;
    let mut resources = Vec::new();
    for resource in list.children_named("resource").take(RESOURCES_MAX) {
        let Some(uri) = resource.attr("uri").and_then(|u| Address::parse(u).ok()) else { continue };
        let instances: Vec<&Element> = resource.children_named("instance").collect();
        if instances.is_empty() {
            resources.push((uri.clone(), Resource::Unchanged));
        }
        for instance in instances {
            resources.extend(read(&uri, instance, &parts, depth));
        }
    }
    resources.truncate(RESOURCES_MAX);
    let full = list.attr_bool("fullState").unwrap_or(true);
    Some(List { version: list.attr_num("version").unwrap_or(0), full, resources })
}

fn read(uri: &Address, instance: &Element, parts: &[Part], depth: usize) -> Vec<(Address, Resource)> {
    let what = match instance.attr("state") {
        Some("pending") => Resource::Pending,
        Some("terminated") => Resource::Terminated(instance.attr("reason").unwrap_or("").to_owned()),
        _ => match instance.attr("cid").and_then(|cid| parts.iter().find(|p| p.content_id == cid)) {
            Some(part) if is_type(&part.content_type, "multipart/related") && depth > 0 => {
                return related(&part.content_type, &part.body, depth - 1).map(|l| l.resources).unwrap_or_default();
            }
            Some(part) => Resource::Active(part.clone()),
            None => Resource::Unchanged,
        },
    };
    vec![(uri.clone(), what)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/related;type=\"application/rlmi+xml\";start=\"<1>\";boundary=\"kQ7zB1\"";

    fn body(list: &str) -> Vec<u8> {
        format!(
            "--kQ7zB1\r\nContent-ID: <1>\r\nContent-Type: application/rlmi+xml;charset=\"UTF-8\"\r\n\r\n\
             <list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:friends@example.com' {list}</list>\r\n\
             --kQ7zB1\r\nContent-ID: <b2>\r\nContent-Type: application/pidf+xml\r\n\r\n<presence/>\r\n--kQ7zB1--\r\n"
        )
        .into_bytes()
    }

    fn users(list: &List) -> Vec<(&str, &str)> {
        let kind = |r: &Resource| match r {
            Resource::Active(_) => "active",
            Resource::Unchanged => "unchanged",
            Resource::Pending => "pending",
            Resource::Terminated(_) => "terminated",
        };
        list.resources.iter().map(|(u, r)| (u.user(), kind(r))).collect()
    }

    #[test]
    fn each_person_gets_what_the_list_says_of_them() {
        let list = parse(
            TYPE,
            &body(
                "version='2' fullState='false'><resource uri='sip:bob@example.com'><instance id='1' state='active' cid='b2'/></resource>\
                 <resource uri='sip:carol@example.com'><instance id='1' state='terminated' reason='rejected'/></resource>\
                 <resource uri='sip:dave@example.com'><instance id='1' state='pending'/></resource>\
                 <resource uri='sip:erin@example.com'/><resource uri='sip:frank@example.com'><instance id='1' state='active' cid='zz'/></resource>",
            ),
        )
        .unwrap();
        assert_eq!((list.version, list.full), (2, false));
        let expected =
            [("bob", "active"), ("carol", "terminated"), ("dave", "pending"), ("erin", "unchanged"), ("frank", "unchanged")];
        assert_eq!(users(&list), expected);
    }

    #[test]
    fn what_is_no_list_is_none() {
        assert_eq!(parse("application/pidf+xml", b"<presence/>"), None);
        assert_eq!(parse(TYPE, b"--kQ7zB1\r\nContent-Type: text/plain\r\n\r\nx\r\n--kQ7zB1--"), None);
    }
}
