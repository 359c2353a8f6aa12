//! Directory search over SIP (guide 9.1).

use super::soap::{SIP, body, envelope, method};
use super::xml::{Element, XmlError, parse_bool};
use crate::domain::Address;

/// Most rows a client asks for.
pub const MAX_RESULTS: u32 = 100;

/// A search: every term must match the beginning of its attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectorySearch {
    /// Attribute (`givenName`, `sn`, `mail`, `company`, `c`, `msRTCSIP-PrimaryUserAddress`) and beginning of its value.
    pub terms: Vec<(String, String)>,
    /// Most rows wanted.
    pub max: u32,
}

/// One person found; missing texts are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct DirectoryRow {
    pub uri: Address,
    pub display_name: String,
    pub title: String,
    pub office: String,
    pub phone: String,
    pub company: String,
    pub city: String,
    pub state: String,
    pub country: String,
    pub email: String,
    /// It is a distribution group (docs/decisions/distribution-groups.md).
    pub group: bool,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryAnswer {
    /// There would be more.
    pub more: bool,
    /// Rows.
    pub rows: Vec<DirectoryRow>,
}

fn in_sip(name: &str) -> String {
    format!("{{{SIP}}}{name}")
}

impl DirectorySearch {
    /// What a person typed: an address, or given name and surname, or one word that is asked as given name.
    pub fn for_query(query: &str) -> DirectorySearch {
        let q = query.trim();
        let words: Vec<&str> = q.split_whitespace().collect();
        let pair = |a: &str, v: &str| (a.to_owned(), v.to_owned());
        let terms = match words.as_slice() {
            [one] if one.contains('@') => {
                let bare = one.strip_prefix("sip:").unwrap_or(one);
                vec![pair("msRTCSIP-PrimaryUserAddress", &format!("sip:{bare}"))]
            }
            [first, .., last] => vec![pair("givenName", first), pair("sn", last)],
            _ => vec![pair("givenName", q)],
        };
        DirectorySearch { terms, max: MAX_RESULTS }
    }

    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let row = |(a, v): &(String, String)| method("row").with_attr(&in_sip("attrib"), a).with_attr(&in_sip("value"), v);
        envelope([
            method("directorySearch")
                .with(method("filter").with_attr(&in_sip("href"), "#searchArray"))
                .with_leaf("maxResults", self.max.to_string()),
            method("Array").with_attr(&in_sip("id"), "searchArray").with_all(self.terms.iter().map(row)),
        ])
    }

    /// Reads the body of a SERVICE.
    pub fn parse(octets: &[u8]) -> Result<DirectorySearch, XmlError> {
        let body = body(octets)?;
        let search = body.child("directorySearch").ok_or(XmlError::Missing("directorySearch"))?;
        let array = body.child("Array").ok_or(XmlError::Missing("Array"))?;
        let term = |r: &Element| Some((r.attr("attrib")?.to_owned(), r.attr("value")?.to_owned()));
        Ok(DirectorySearch {
            terms: array.children_named("row").filter_map(term).collect(),
            max: search.child_value("maxResults").and_then(|m| m.parse().ok()).unwrap_or(MAX_RESULTS),
        })
    }
}

impl DirectoryAnswer {
    /// The body of the 200.
    pub fn to_bytes(&self) -> Vec<u8> {
        let row = |r: &DirectoryRow| {
            let fields = [
                ("uri", r.uri.as_str()),
                ("displayName", &r.display_name),
                ("title", &r.title),
                ("office", &r.office),
                ("phone", &r.phone),
                ("company", &r.company),
                ("city", &r.city),
                ("state", &r.state),
                ("country", &r.country),
                ("email", &r.email),
            ];
            let row = fields.iter().fold(method("row"), |e, (n, v)| e.with_attr(&in_sip(n), v));
            row.with_opt_attr(&in_sip("group"), r.group.then_some(true))
        };
        envelope([
            method("directorySearch")
                .with_leaf("moreAvailable", self.more.to_string())
                .with_leaf("returned", self.rows.len().to_string())
                .with(method("value").with_attr(&in_sip("href"), "#rows")),
            method("Array").with_attr(&in_sip("id"), "rows").with_all(self.rows.iter().map(row)),
        ])
    }

    /// Reads the body of the 200; rows without a usable address are left out.
    pub fn parse(octets: &[u8]) -> Result<DirectoryAnswer, XmlError> {
        let body = body(octets)?;
        let head = body.child("directorySearch").ok_or(XmlError::Missing("directorySearch"))?;
        let row = |r: &Element| {
            let text = |n: &str| r.attr(n).unwrap_or("").to_owned();
            Some(DirectoryRow {
                uri: Address::parse(r.attr("uri")?).ok()?,
                display_name: text("displayName"),
                title: text("title"),
                office: text("office"),
                phone: text("phone"),
                company: text("company"),
                city: text("city"),
                state: text("state"),
                country: text("country"),
                email: text("email"),
                group: r.attr("group").and_then(parse_bool).unwrap_or(false),
            })
        };
        let rows = body.child("Array").map(|a| a.children_named("row").filter_map(row).collect());
        let more = head.child_text("moreAvailable").and_then(|m| parse_bool(&m)).unwrap_or(false);
        Ok(DirectoryAnswer { more, rows: rows.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r##"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/winrtc/2002/11/sip"><s:Body>
<m:directorySearch><m:moreAvailable>false</m:moreAvailable><m:returned>1</m:returned><m:value m:href="#rows"/></m:directorySearch>
<m:Array m:id="rows"><m:row m:uri="sip:bob@contoso.com" m:displayName="Bob Example" m:title="Engineer" m:office="B 1.02" m:email="bob@contoso.com"/></m:Array>
</s:Body></s:Envelope>"##;

    #[test]
    fn both_directions() {
        let a = DirectoryAnswer::parse(ANSWER.as_bytes()).unwrap();
        assert_eq!((a.rows[0].display_name.as_str(), a.more), ("Bob Example", false));
        assert_eq!(DirectoryAnswer::parse(&a.to_bytes()).unwrap(), a);
        let s = DirectorySearch::for_query("bo exa");
        assert_eq!(s.terms, [("givenName".to_owned(), "bo".to_owned()), ("sn".to_owned(), "exa".to_owned())]);
        assert_eq!(DirectorySearch::parse(&s.to_bytes()).unwrap(), s);
        assert_eq!(DirectorySearch::for_query("bob@contoso.com").terms[0].1, "sip:bob@contoso.com");
    }
}
