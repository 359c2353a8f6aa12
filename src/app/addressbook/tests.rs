use super::plan::{make_group, plan, steps};
use super::*;
use crate::domain::contact::GroupId;
use crate::endpoint::Operation;

fn a(user: &str) -> Address {
    Address::parse(&format!("{user}@contoso.example")).unwrap()
}

/// A list as the server would hold it.
#[derive(Clone, Default)]
struct Held {
    groups: Vec<Group>,
    contacts: Vec<Contact>,
    levels: Vec<(Address, Level)>,
}

impl Held {
    fn sample() -> Held {
        let dg = Group { extension: Some(contact_data::distribution(&a("all"))), ..Group::new(GroupId(4), "All hands") };
        let mut bob =
            Contact { name: "Bob; the, \\ \"one\"".into(), groups: vec![GroupId(2), GroupId(3)], ..Contact::new(a("bob")) };
        bob.extension =
            contact_data::with_tag(Some(r#"<contactExtension><x xmlns="urn:x">y</x></contactExtension>"#), true).unwrap();
        let carol = Contact {
            subscribed: false,
            external_uri: "ldap:carol".into(),
            groups: vec![GroupId(1)],
            ..Contact::new(a("carol"))
        };
        Held {
            groups: vec![Group::new(GroupId(1), "~"), Group::new(GroupId(2), "Team"), Group::new(GroupId(3), "A, B"), dg],
            contacts: vec![bob, carol],
            levels: vec![(a("bob"), Level::Workgroup)],
        }
    }

    fn with<T>(&self, work: impl FnOnce(&List<'_>) -> T) -> T {
        let level = |u: &Address| self.levels.iter().find(|l| l.0 == *u).map(|l| l.1);
        let card = |_: &Address| Some(Card { title: Some("Lead, of\nmany".into()), ..Card::default() });
        work(&List {
            owner: a("alice").bare().to_owned(),
            groups: self.groups.iter().collect(),
            contacts: self.contacts.iter().collect(),
            level: &level,
            card: &card,
        })
    }

    fn write(&self, format: Format) -> String {
        self.with(|l| write(format, l))
    }

    /// Does what the server would.
    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::AddGroup { name } => self.add_group(Group::new(GroupId(0), name)),
            Operation::AddDistributionGroup { name, address } => {
                let extension = Some(contact_data::distribution(&address));
                self.add_group(Group { extension, ..Group::new(GroupId(0), name) });
            }
            Operation::AddContact { uri, name, groups, options } => {
                self.levels.extend(options.level.map(|l| (uri.clone(), l)));
                self.contacts.push(Contact {
                    uri,
                    name,
                    groups,
                    subscribed: !options.without_presence,
                    external_uri: options.data,
                    extension: options.extension,
                });
            }
            Operation::RenameContact { uri, name } => self.contact(&uri).name = name,
            Operation::Regroup { uri, join, leave } => {
                let c = self.contact(&uri);
                c.groups.retain(|g| !leave.contains(g) && g.0 != 1);
                c.groups.extend(join);
            }
            Operation::SetContactPresence { uri, wanted } => self.contact(&uri).subscribed = wanted,
            Operation::SetContactData { uri, data, extension } => {
                let c = self.contact(&uri);
                (c.external_uri, c.extension) = (data, extension);
            }
            Operation::TagContact { uri, tagged } => {
                let c = self.contact(&uri);
                c.extension = contact_data::with_tag(c.extension.as_deref(), tagged).unwrap();
            }
            Operation::SetLevel { uri, level } => {
                self.levels.retain(|l| l.0 != uri);
                self.levels.extend(level.map(|l| (uri, l)));
            }
            other => panic!("{other:?}"),
        }
    }

    fn add_group(&mut self, group: Group) {
        let id = GroupId(self.groups.iter().map(|g| g.id.0).max().unwrap_or(1) + 1);
        self.groups.push(Group { id, ..group });
    }

    fn contact(&mut self, uri: &Address) -> &mut Contact {
        self.contacts.iter_mut().find(|c| c.uri == *uri).unwrap()
    }

    fn import(&mut self, text: &str) -> plan::Plan {
        let book = read(text).unwrap();
        let planned = self.with(|l| plan::plan(&book, l));
        planned.groups.iter().for_each(|g| self.apply(make_group(g)));
        for c in &book.contacts {
            let steps = self.with(|l| steps(c, l));
            steps.into_iter().for_each(|s| self.apply(s));
        }
        planned
    }
}

fn empty() -> Held {
    Held { groups: vec![Group::new(GroupId(1), "~")], ..Held::default() }
}

#[test]
fn a_list_written_as_json_comes_back_whole() {
    let text = Held::sample().write(Format::Json);
    let mut other = empty();
    let planned = other.import(&text);
    assert_eq!((planned.groups.len(), planned.new.len(), planned.mistakes.len()), (3, 2, 0));
    let without_numbers = |h: &Held| {
        let names = |c: &Contact| h.with(|l| l.groups_of(c).into_iter().map(str::to_owned).collect::<Vec<_>>());
        let rows = h.contacts.iter().map(|c| (Contact { groups: Vec::new(), ..c.clone() }, names(c)));
        (rows.collect::<Vec<_>>(), h.levels.clone(), h.groups.iter().map(|g| g.extension.clone()).collect::<Vec<_>>())
    };
    assert_eq!(without_numbers(&other), without_numbers(&Held::sample()));
}

#[test]
fn the_same_file_twice_changes_nothing_the_second_time() {
    for format in [Format::Json, Format::Vcard] {
        let text = Held::sample().write(format);
        let mut other = empty();
        assert!(!other.import(&text).is_empty());
        let again = other.import(&text);
        assert!(again.is_empty() && again.same == 2, "{format:?}: {}", again.summary());
        // Nor does a list change by its own file.
        assert!(Held::sample().import(&text).is_empty(), "{format:?}");
    }
}

#[test]
fn the_json_names_its_format_and_version() {
    let text = empty().write(Format::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((value["format"].as_str(), value["version"].as_u64()), (Some("adsum-contacts"), Some(1)));
    let newer = text.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(read(&newer), Err("the file has version 2; this adsum reads up to 1".into()));
    assert!(read("{}").unwrap_err().contains("no contact list"));
    assert!(read("{\n \"format\": oops }").unwrap_err().starts_with("line 2:"));
    assert!(read("name;address\n").unwrap_err().contains("neither"));
}

#[test]
fn what_cannot_be_used_is_named_with_its_line_and_the_rest_is_taken() {
    let text = r#"{ "format": "adsum-contacts", "version": 1,
  "groups": [ { "name": "Team" }, { "name": " " } ],
  "contacts": [
    { "address": "bob@contoso.example", "level": "boss" },
    { "address": "no address" },
    { "address": "carol@contoso.example", "groups": ["Team"] },
    { "address": "dan@contoso.example", "shoe": 43 },
    { "address": "alice@contoso.example" }
  ] }"#;
    let book = read(text).unwrap();
    assert_eq!(book.mistakes.iter().map(|m| m.line).collect::<Vec<_>>(), [2, 4, 5, 7], "{:?}", book.mistakes);
    let planned = empty().with(|l| plan(&book, l));
    assert_eq!(planned.new, [a("carol")]);
    assert_eq!(planned.mistakes.last().unwrap().text, "alice@contoso.example is your own address");
    assert_eq!(planned.summary(), "1 new group, 1 new contact, 5 mistakes");
}

#[test]
fn vcards_of_other_programs_are_read() {
    let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bob\\, the\r\n  first\r\nEMAIL;TYPE=work:bob@contoso.example\r\nCATEGORIES:Team,A\\, B\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Carol\r\nIMPP;PREF=1:sip:carol@contoso.example\r\nIMPP:xmpp:c@x\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Nobody\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nFN:Torn\r\n";
    let book = read(text).unwrap();
    let people: Vec<_> = book.contacts.iter().map(|c| (c.address.clone(), c.name.clone(), c.groups.clone())).collect();
    assert_eq!(people[0], (a("bob"), Some("Bob, the first".into()), Some(vec!["Team".into(), "A, B".into()])));
    assert_eq!(people[1], (a("carol"), Some("Carol".into()), None));
    let lines: Vec<usize> = book.mistakes.iter().map(|m| m.line).collect();
    assert_eq!(lines, [14, 18], "{:?}", book.mistakes);
}

#[test]
fn lines_of_a_vcard_are_folded_and_names_cannot_break_out() {
    let mut held = empty();
    let name = format!("{}\r\nEND:VCARD\u{1b}[31m", "é".repeat(60));
    held.contacts.push(Contact { name: name.clone(), ..Contact::new(a("bob")) });
    let text = held.write(Format::Vcard);
    assert!(text.split("\r\n").all(|l| l.len() <= 75) && !text.contains('\u{1b}'), "{text}");
    assert_eq!(text.matches("\r\nEND:VCARD").count(), 1);
    assert_eq!(read(&text).unwrap().contacts.len(), 1);
}
