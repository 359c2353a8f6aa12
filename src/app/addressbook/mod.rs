//! The contact list as a file: JSON of our own (docs/json.md) and vCard 4, both ways.
//!
//! Reading gives a [`Book`] and the mistakes with their lines; [`plan::plan`] compares it with the list and says what is to be
//! done, so that the same file twice changes nothing the second time.

pub mod json;
pub mod plan;
mod vcard;

#[cfg(test)]
mod tests;

use crate::domain::Address;
use crate::domain::contact::{Contact, Group, GroupKind};
use crate::domain::presence::{Card, Level};
use crate::endpoint::contact_data;

/// Largest file that is read, in octets.
pub const MAX_FILE: usize = 8 * 1024 * 1024;

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own.
    Json,
    /// vCard 4 (RFC 6350).
    Vcard,
}

impl Format {
    /// By the name of a file; JSON unless it ends as vCards do.
    pub fn of_file(name: &str) -> Format {
        let low = name.to_lowercase();
        if low.ends_with(".vcf") || low.ends_with(".vcard") { Format::Vcard } else { Format::Json }
    }
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// Groups that are to be there, in order.
    pub groups: Vec<BookGroup>,
    /// Contacts in order, each address once.
    pub contacts: Vec<BookContact>,
    /// What could not be read.
    pub mistakes: Vec<Mistake>,
}

/// A group of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookGroup {
    /// Its name.
    pub name: String,
    /// Address of a distribution group.
    pub address: Option<Address>,
}

/// A contact of a file; what is `None` the file says nothing about, and it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookContact {
    /// Who.
    pub address: Address,
    /// Alias; empty: none.
    pub name: Option<String>,
    /// Names of all groups.
    pub groups: Option<Vec<String>>,
    /// Privacy level.
    pub level: Option<Level>,
    /// Presence is wanted.
    pub presence: Option<bool>,
    /// Tagged.
    pub tagged: Option<bool>,
    /// Free data.
    pub data: Option<String>,
    /// XML of other programs; inner `None`: there is none.
    pub extension: Option<Option<String>>,
}

impl BookContact {
    /// A contact of which only the address is known.
    pub fn new(address: Address) -> BookContact {
        BookContact { address, name: None, groups: None, level: None, presence: None, tagged: None, data: None, extension: None }
    }
}

/// Something in a file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1; 0: not known.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            n => write!(f, "line {n}: {}", self.text),
        }
    }
}

/// Reads a file of either kind; which one it is the content says.
///
/// # Errors
/// One sentence, when nothing of it can be used.
pub fn read(text: &str) -> Result<Book, String> {
    if text.len() > MAX_FILE {
        return Err(format!("the file is too large; at most {} MB are read", MAX_FILE / 1024 / 1024));
    }
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    let mut book = if begin.starts_with('{') {
        json::read(text)?
    } else if begin.get(..11).is_some_and(|b| b.eq_ignore_ascii_case("BEGIN:VCARD")) {
        vcard::read(text)
    } else {
        return Err("this is neither a contact list in JSON nor a vCard file".into());
    };
    let mut seen = std::collections::BTreeSet::new();
    book.contacts.retain(|c| seen.insert(c.address.clone()));
    Ok(book)
}

/// Writes the list.
pub fn write(format: Format, list: &List<'_>) -> String {
    match format {
        Format::Json => json::write(list),
        Format::Vcard => vcard::write(list),
    }
}

/// The list as it is, for writing and comparing.
pub struct List<'a> {
    /// Whose.
    pub owner: String,
    /// Groups.
    pub groups: Vec<&'a Group>,
    /// Contacts.
    pub contacts: Vec<&'a Contact>,
    /// The level somebody was put on.
    pub level: &'a dyn Fn(&Address) -> Option<Level>,
    /// What is known of somebody.
    pub card: &'a dyn Fn(&Address) -> Option<Card>,
}

impl List<'_> {
    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().copied().find(|g| g.name == name)
    }

    /// Names of a contact's groups; the default group counts for none.
    pub fn groups_of(&self, contact: &Contact) -> Vec<&str> {
        let mine = self.groups.iter().filter(|g| contact.groups.contains(&g.id));
        mine.filter(|g| g.kind() != GroupKind::Default).map(|g| g.name.as_str()).collect()
    }

    /// The list as a file would say it.
    fn book(&self) -> Book {
        let group = |g: &&&Group| g.kind() != GroupKind::Default;
        let groups = self
            .groups
            .iter()
            .filter(group)
            .map(|g| BookGroup { name: g.name.clone(), address: contact_data::distribution_address(g) });
        let contacts = self.contacts.iter().map(|c| BookContact {
            address: c.uri.clone(),
            name: Some(c.name.clone()),
            groups: Some(self.groups_of(c).into_iter().map(str::to_owned).collect()),
            level: (self.level)(&c.uri),
            presence: Some(c.subscribed),
            tagged: Some(contact_data::is_tagged(c)),
            data: Some(c.external_uri.clone()),
            extension: Some(contact_data::with_tag(c.extension.as_deref(), false).flatten()),
        });
        Book { groups: groups.collect(), contacts: contacts.collect(), mistakes: Vec::new() }
    }
}

const LEVELS: [(Level, &str); 6] = [
    (Level::Everyone, "everyone"),
    (Level::External, "external"),
    (Level::Colleagues, "colleagues"),
    (Level::Workgroup, "workgroup"),
    (Level::Personal, "personal"),
    (Level::Blocked, "blocked"),
];

/// The word for a level in files and on the command line.
pub fn level_word(level: Level) -> &'static str {
    LEVELS.iter().find(|l| l.0 == level).map_or("everyone", |l| l.1)
}

/// The level of a word.
pub fn level_named(word: &str) -> Option<Level> {
    LEVELS.iter().find(|l| l.1.eq_ignore_ascii_case(word.trim())).map(|l| l.0)
}
