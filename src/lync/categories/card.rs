//! `contactCard` values: several instances make one card (guide 6.6, domain guide 5.7).

use super::value::{Value, leaf};
use crate::domain::presence::{Card, CardLink, Phone, PostalAddress};
use crate::lync::limits::CARD_ENTRIES;
use crate::lync::xml::Element;

const CARD: &str = "http://schemas.microsoft.com/2006/09/sip/contactcard";

/// Instance with name and mail address, made by the server.
pub const IDENTITY: u32 = 0;
/// Instance with the phones the user has set.
pub const OWN_PHONES: u32 = 1;
/// Instance with addresses.
pub const ADDRESSES: u32 = 2;
/// Instance with what the address book says.
pub const ADDRESS_BOOK: u32 = 3;
/// Instance with the voice-mail link.
pub const VOICE_MAIL: u32 = 4;
/// Instance that says what kind of entity this is.
pub const ENTITY: u32 = 5;
/// Instance with title, office and photo.
pub const TITLE: u32 = 6;

impl Value for Card {
    const ROOT: &'static str = "contactCard";
    const KNOWN: &'static [&'static str] = &[
        "identity",
        "name",
        "displayName",
        "email",
        "company",
        "department",
        "title",
        "office",
        "phone",
        "displayString",
        "uri",
        "type",
        "address",
        "street",
        "city",
        "state",
        "zipcode",
        "countryCode",
        "url",
        "photo",
        "entityType",
        "automaton",
    ];

    fn read(root: &Element) -> Option<Card> {
        Some(read(root))
    }

    fn write(&self) -> Element {
        write(self)
    }
}

/// Reads one instance.
pub fn read(e: &Element) -> Card {
    if e.name != "contactCard" {
        return Card::default();
    }
    let identity = e.child("identity");
    Card {
        display_name: identity.and_then(|i| i.child("name")?.child_value("displayName")),
        email: identity.and_then(|i| i.child_value("email")).or_else(|| e.child_value("email")),
        title: e.child_value("title"),
        company: e.child_value("company"),
        department: e.child_value("department"),
        office: e.child_value("office"),
        phones: e.children_named("phone").filter_map(read_phone).take(CARD_ENTRIES).collect(),
        addresses: e.children_named("address").filter_map(read_address).take(CARD_ENTRIES).collect(),
        links: e.elements().filter_map(read_link).take(CARD_ENTRIES).collect(),
        entity: e.child_value("entityType"),
        automaton: e.child_value("automaton").is_some_and(|a| a.eq_ignore_ascii_case("true")),
    }
}

fn read_phone(p: &Element) -> Option<Phone> {
    let uri = p.child_text("uri").unwrap_or_default();
    let display = p.child_text("displayString").unwrap_or_default();
    let kind = p.attr("type").unwrap_or("other").to_owned();
    (!uri.is_empty() || !display.is_empty()).then_some(Phone { kind, uri, display })
}

fn read_address(a: &Element) -> Option<PostalAddress> {
    let text = |name| a.child_text(name).unwrap_or_default();
    let address = PostalAddress {
        kind: a.attr("type").unwrap_or("other").to_owned(),
        street: text("street"),
        city: text("city"),
        state: text("state"),
        zip: text("zipcode"),
        country: text("countryCode"),
    };
    (address != PostalAddress { kind: address.kind.clone(), ..PostalAddress::default() }).then_some(address)
}

/// `url` with its type, and `photo`, whose own types say where the picture is kept.
fn read_link(l: &Element) -> Option<CardLink> {
    let uri = l.child_value("uri").or_else(|| Some(l.text().trim().to_owned()).filter(|t| !t.is_empty()))?;
    let kind = match l.name.as_str() {
        "photo" => "photo",
        "url" => l.attr("type").unwrap_or("other"),
        _ => return None,
    };
    Some(CardLink { kind: kind.to_owned(), uri })
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
    fill(&mut card.entity, more.entity);
    for p in more.phones {
        card.phones.retain(|known| known.kind != p.kind || known.uri != p.uri);
        card.phones.push(p);
    }
    for a in more.addresses {
        card.addresses.retain(|known| known.kind != a.kind);
        card.addresses.push(a);
    }
    for l in more.links {
        card.links.retain(|known| known.kind != l.kind || (l.kind == "other" && known.uri != l.uri));
        card.links.push(l);
    }
    card.automaton |= more.automaton;
}

/// The element of one instance: the fields that are set.
pub fn write(c: &Card) -> Element {
    let leaf = |name: &str, text: &Option<String>| leaf(CARD, name, text.as_deref());
    let name = leaf("displayName", &c.display_name).map(|n| Element::in_ns("name", CARD).with(n));
    let email = leaf("email", &c.email);
    let identity = (name.is_some() || email.is_some()).then(|| Element::in_ns("identity", CARD).with_opt(name).with_opt(email));
    Element::in_ns("contactCard", CARD)
        .with_opt(identity)
        .with_opt(leaf("company", &c.company))
        .with_opt(leaf("department", &c.department))
        .with_opt(leaf("title", &c.title))
        .with_opt(leaf("office", &c.office))
        .with_all(c.links.iter().filter(|l| l.kind != "photo").map(write_link))
        .with_all(c.phones.iter().map(write_phone))
        .with_all(c.addresses.iter().map(write_address))
        .with_opt(leaf("entityType", &c.entity))
        .with_opt(c.automaton.then(|| Element::in_ns("automaton", CARD).with_text("true")))
        .with_all(c.links.iter().filter(|l| l.kind == "photo").map(write_photo))
}

fn write_phone(p: &Phone) -> Element {
    Element::in_ns("phone", CARD).with_attr("type", &p.kind).with_leaf("uri", p.uri.as_str()).with_opt(leaf(
        CARD,
        "displayString",
        Some(&p.display),
    ))
}

fn write_address(a: &PostalAddress) -> Element {
    Element::in_ns("address", CARD)
        .with_attr("type", &a.kind)
        .with_opt(leaf(CARD, "street", Some(&a.street)))
        .with_opt(leaf(CARD, "city", Some(&a.city)))
        .with_opt(leaf(CARD, "state", Some(&a.state)))
        .with_opt(leaf(CARD, "zipcode", Some(&a.zip)))
        .with_opt(leaf(CARD, "countryCode", Some(&a.country)))
}

fn write_link(l: &CardLink) -> Element {
    Element::in_ns("url", CARD).with_attr("type", &l.kind).with_text(l.uri.as_str())
}

fn write_photo(l: &CardLink) -> Element {
    Element::in_ns("photo", CARD).with_attr("type", "default").with_leaf("uri", l.uri.as_str())
}

/// The value of one instance as text.
pub fn to_xml(c: &Card) -> String {
    write(c).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"<contactCard xmlns="http://schemas.microsoft.com/2006/09/sip/contactcard" isUCEnabled="true"><identity><name><displayName>Alice Example</displayName></name><email>alice@contoso.com</email></identity><company>Contoso</company><department>Sales</department><title>Account manager</title><office>B 2.14</office><url>https://my.contoso.com/alice</url><phone type="work"><uri>tel:+15551230100;ext=100</uri><displayString>+1 (555) 123-0100 x100</displayString></phone><phone type="mobile"><uri>tel:+15551230199</uri></phone><address type="work"><street>1 Main St</street><city>Springfield</city><state>WA</state><zipcode>98000</zipcode><countryCode>us</countryCode></address><photo type="enterprise"><uri>https://lync01.contoso.com/photo/alice.jpg</uri><hash>5f4e0c11</hash></photo><automaton>false</automaton></contactCard>"#;

    #[test]
    fn cards_round_trip_and_merge() {
        let c = parse(FULL);
        assert_eq!((c.display_name.as_deref(), c.office.as_deref(), c.phones.len()), (Some("Alice Example"), Some("B 2.14"), 2));
        assert_eq!((c.addresses[0].city.as_str(), c.addresses[0].country.as_str()), ("Springfield", "us"));
        let links: Vec<_> = c.links.iter().map(|l| (l.kind.as_str(), l.uri.as_str())).collect();
        let photo = "https://lync01.contoso.com/photo/alice.jpg";
        assert_eq!(links, [("other", "https://my.contoso.com/alice"), ("photo", photo)]);
        assert_eq!(parse(&to_xml(&c)), c);
        let directory = write(&Card { display_name: Some("A".into()), email: Some("a@b".into()), ..Card::default() });
        let title = write(&Card { title: Some("Boss".into()), automaton: true, ..Card::default() });
        let merged = merge([(6, &title), (0, &directory)].into_iter());
        assert_eq!((merged.display_name.as_deref(), merged.title.as_deref(), merged.automaton), (Some("A"), Some("Boss"), true));
        assert_eq!(parse("<other/>"), Card::default());
    }
}
