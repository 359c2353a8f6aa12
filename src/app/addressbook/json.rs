//! Our own file: one JSON object with a version (docs/json.md).

use super::{Book, BookContact, BookGroup, List, Mistake, level_named, level_word};
use crate::domain::Address;
use crate::endpoint::contact_data;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the file says it is.
pub const FORMAT: &str = "adsum-contacts";
/// The version written, and the newest one read.
pub const VERSION: u64 = 1;

#[derive(Serialize)]
struct File {
    format: &'static str,
    version: u64,
    owner: String,
    groups: Vec<Group>,
    contacts: Vec<Contact>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contact {
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    presence: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tagged: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    /// Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
}

/// Writes the list.
pub(super) fn write(list: &List<'_>) -> String {
    let book = list.book();
    let bare = |a: Address| a.bare().to_owned();
    let file = File {
        format: FORMAT,
        version: VERSION,
        owner: list.owner.clone(),
        groups: book.groups.into_iter().map(|g| Group { name: g.name, address: g.address.map(bare) }).collect(),
        contacts: book
            .contacts
            .into_iter()
            .map(|c| Contact {
                address: bare(c.address),
                alias: c.name,
                groups: c.groups,
                level: c.level.map(|l| level_word(l).to_owned()),
                presence: c.presence,
                tagged: c.tagged,
                data: c.data,
                extension: c.extension.map(Option::unwrap_or_default),
            })
            .collect(),
    };
    // Nothing in it can fail to be written.
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Book, String> {
    let text = text.trim_start_matches('\u{feff}');
    let root: Value = serde_json::from_str(text).map_err(|e| format!("line {}: the JSON is broken: {e}", e.line()))?;
    match (root.get("format").and_then(Value::as_str), root.get("version").and_then(Value::as_u64)) {
        (Some(FORMAT), Some(1..=VERSION)) => {}
        (Some(FORMAT), Some(newer)) => return Err(format!("the file has version {newer}; this adsum reads up to {VERSION}")),
        _ => return Err(format!("this is no contact list: “format” must be “{FORMAT}” and “version” a number")),
    }
    let mut book = Book::default();
    let mut at = Lines { text, from: 0 };
    for value in array(&root, "groups") {
        let line = at.of(value.get("name"));
        match group(value) {
            Ok(g) => book.groups.push(g),
            Err(text) => book.mistakes.push(Mistake { line, text }),
        }
    }
    for value in array(&root, "contacts") {
        let line = at.of(value.get("address"));
        match contact(value) {
            Ok(c) => book.contacts.push(c),
            Err(text) => book.mistakes.push(Mistake { line, text }),
        }
    }
    Ok(book)
}

fn array<'a>(root: &'a Value, name: &str) -> &'a [Value] {
    root.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Finds the lines of values, which the parser has forgotten, by looking for them one after the other.
struct Lines<'a> {
    text: &'a str,
    from: usize,
}

impl Lines<'_> {
    fn of(&mut self, value: Option<&Value>) -> usize {
        let Some(found) = value.and_then(|v| self.text.get(self.from..)?.find(&v.to_string())) else { return 0 };
        self.from += found + 1;
        self.text.get(..self.from).unwrap_or("").matches('\n').count() + 1
    }
}

fn group(value: &Value) -> Result<BookGroup, String> {
    let g = Group::deserialize(value).map_err(|e| e.to_string())?;
    if g.name.trim().is_empty() {
        return Err("a group needs a name".into());
    }
    let address = g.address.map(|a| Address::parse(&a)).transpose().map_err(|e| e.to_string())?;
    Ok(BookGroup { name: g.name, address })
}

fn contact(value: &Value) -> Result<BookContact, String> {
    let c = Contact::deserialize(value).map_err(|e| e.to_string())?;
    let level = c.level.map(|l| level_named(&l).ok_or(format!("“{l}” is no level"))).transpose()?;
    if c.extension.as_deref().is_some_and(|x| !x.is_empty() && !contact_data::is_extension(x)) {
        return Err("“extension” must be a well-formed contactExtension element of at most 1024 characters".into());
    }
    Ok(BookContact {
        name: c.alias,
        groups: c.groups,
        level,
        presence: c.presence,
        tagged: c.tagged,
        data: c.data,
        extension: c.extension.map(|x| Some(x).filter(|x| !x.is_empty())),
        ..BookContact::new(Address::parse(&c.address).map_err(|e| e.to_string())?)
    })
}
