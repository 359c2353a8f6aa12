//! `contactCard` values: several instances make one card (guide 6.6, domain guide 5.7).

use crate::domain::presence::{Card, Phone};
use crate::lync::xml::Element;

const CARD: &str = "http://schemas.microsoft.com/2006/09/sip/contactcard";

/// Reads one instance.
pub fn read(e: &Element) -> Card {
    if e.name != "contactCard" {
        return Card::default();
    }
    let phone = |p: &Element| {
        let uri = p.child_text("uri").unwrap_or_default();
        let display = p.child_text("displayString").unwrap_or_default();
        let kind = p.attr("type").unwrap_or("other").to_owned();
        (!uri.is_empty() || !display.is_empty()).then_some(Phone { kind, uri, display })
    };
    let identity = e.child("identity");
    Card {
        display_name: identity.and_then(|i| i.child("name")?.child_value("displayName")),
        email: identity.and_then(|i| i.child_value("email")).or_else(|| e.child_value("email")),
        title: e.child_value("title"),
        company: e.child_value("company"),
        department: e.child_value("department"),
        office: e.child_value("office"),
        phones: e.children_named("phone").filter_map(phone).collect(),
        automaton: e.child_value("automaton").is_some_and(|a| a.eq_ignore_ascii_case("true")),
    }
}

/// Reads a publication's value.
pub fn parse(value: &str) -> Card {
    Element::parse(value.as_bytes()).map(|e| read(&e)).unwrap_or_default()
}

/// Merges instances in the order of their numbers: a later one adds fields and replaces those it names.
pub fn merge<'a>(instances: impl Iterator<Item = (u32, &'a Element)>) -> Card {
    let mut all: Vec<_> = instances.collect();
    all.sort_by_key(|i| i.0);
    let mut card = Card::default();
    for (_, e) in all {
        add(&mut card, read(e));
    }
    card
}

/// Adds one instance to a card.
pub fn add(card: &mut Card, more: Card) {
    let fill = |to: &mut Option<String>, from: Option<String>| {
        if from.is_some() {
            *to = from;
        }
    };
    fill(&mut card.display_name, more.display_name);
    fill(&mut card.email, more.email);
    fill(&mut card.title, more.title);
    fill(&mut card.company, more.company);
    fill(&mut card.department, more.department);
    fill(&mut card.office, more.office);
    for p in more.phones {
        card.phones.retain(|known| known.kind != p.kind || known.uri != p.uri);
        card.phones.push(p);
    }
    card.automaton |= more.automaton;
}

/// The element of one instance: the fields that are set.
pub fn write(c: &Card) -> Element {
    let leaf = |name: &str, text: &Option<String>| text.as_ref().map(|t| Element::in_ns(name, CARD).with_text(t.as_str()));
    let name = leaf("displayName", &c.display_name).map(|n| Element::in_ns("name", CARD).with(n));
    let email = leaf("email", &c.email);
    let identity = (name.is_some() || email.is_some()).then(|| Element::in_ns("identity", CARD).with_opt(name).with_opt(email));
    let phone = |p: &Phone| {
        let display = (!p.display.is_empty()).then(|| Element::in_ns("displayString", CARD).with_text(p.display.as_str()));
        Element::in_ns("phone", CARD).with_attr("type", &p.kind).with_leaf("uri", p.uri.as_str()).with_opt(display)
    };
    Element::in_ns("contactCard", CARD)
        .with_opt(identity)
        .with_opt(leaf("company", &c.company))
        .with_opt(leaf("department", &c.department))
        .with_opt(leaf("title", &c.title))
        .with_opt(leaf("office", &c.office))
        .with_all(c.phones.iter().map(phone))
        .with_opt(c.automaton.then(|| Element::in_ns("automaton", CARD).with_text("true")))
}

/// The value of one instance as text.
pub fn to_xml(c: &Card) -> String {
    write(c).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"<contactCard xmlns="http://schemas.microsoft.com/2006/09/sip/contactcard" isUCEnabled="true"><identity><name><displayName>Alice Example</displayName></name><email>alice@contoso.com</email></identity><company>Contoso</company><department>Sales</department><title>Account manager</title><office>B 2.14</office><url>https://my.contoso.com/alice</url><phone type="work"><uri>tel:+15551230100;ext=100</uri><displayString>+1 (555) 123-0100 x100</displayString></phone><phone type="mobile"><uri>tel:+15551230199</uri></phone><automaton>false</automaton></contactCard>"#;

    #[test]
    fn cards_round_trip_and_merge() {
        let c = parse(FULL);
        assert_eq!((c.display_name.as_deref(), c.office.as_deref(), c.phones.len()), (Some("Alice Example"), Some("B 2.14"), 2));
        assert_eq!(parse(&to_xml(&c)), c);
        let directory = write(&Card { display_name: Some("A".into()), email: Some("a@b".into()), ..Card::default() });
        let title = write(&Card { title: Some("Boss".into()), automaton: true, ..Card::default() });
        let merged = merge([(6, &title), (0, &directory)].into_iter());
        assert_eq!((merged.display_name.as_deref(), merged.title.as_deref(), merged.automaton), (Some("A"), Some("Boss"), true));
        assert_eq!(parse("<other/>"), Card::default());
    }
}
