//! vCard 4 (RFC 6350): what other address books can give and take. Levels, tags and free data have no place there.

use super::{Book, BookContact, BookGroup, List, Mistake};
use crate::domain::Address;
use crate::domain::presence::Card;
use calcard::vcard::{VCard, VCardEntry, VCardProperty, VCardValue};

/// Octets of a content line before it is folded (RFC 6350 §3.2).
const FOLD: usize = 75;

/// Writes the list: a card a person, and one of kind group for every distribution group.
pub(super) fn write(list: &List<'_>) -> String {
    let book = list.book();
    let mut out = String::new();
    for g in book.groups.iter().filter(|g| g.address.is_some()) {
        let address = g.address.as_ref().map_or("", Address::bare);
        card(&mut out, vec!["KIND:group".into(), format!("FN:{}", escaped(&g.name)), format!("EMAIL:{}", escaped(address))]);
    }
    for c in &book.contacts {
        let known = (list.card)(&c.address).unwrap_or_default();
        card(&mut out, person(c, &known));
    }
    out
}

fn person(c: &BookContact, known: &Card) -> Vec<String> {
    let alias = c.name.as_deref().filter(|n| !n.is_empty());
    let name = alias.or(known.display_name.as_deref()).unwrap_or(c.address.bare());
    let mut lines = vec![format!("FN:{}", escaped(name)), format!("IMPP:{}", c.address)];
    // The alias is ours alone; the name above may be the person's own.
    lines.extend(alias.map(|a| format!("NICKNAME:{}", escaped(a))));
    let groups: Vec<String> = c.groups.iter().flatten().map(|g| escaped(g)).collect();
    if !groups.is_empty() {
        lines.push(format!("CATEGORIES:{}", groups.join(",")));
    }
    let mut add = |property: &str, value: &Option<String>| {
        lines.extend(value.as_deref().filter(|v| !v.is_empty()).map(|v| format!("{property}:{}", escaped(v))));
    };
    add("EMAIL", &known.email);
    add("TITLE", &known.title);
    let org = [known.company.as_deref(), known.department.as_deref()].map(|o| escaped(o.unwrap_or("")));
    if org.iter().any(|o| !o.is_empty()) {
        lines.push(format!("ORG:{}", org.join(";").trim_end_matches(';')));
    }
    for p in &known.phones {
        let kind = match p.kind.as_str() {
            "work" | "home" => p.kind.as_str(),
            "mobile" => "cell",
            _ => "voice",
        };
        let number = if p.uri.is_empty() { p.display.clone() } else { p.uri.clone() };
        lines.push(format!("TEL;VALUE=text;TYPE={kind}:{}", escaped(number.trim_start_matches("tel:"))));
    }
    lines
}

fn card(out: &mut String, lines: Vec<String>) {
    let frame = |l: &str| l.to_owned();
    let all = [frame("BEGIN:VCARD"), frame("VERSION:4.0")].into_iter().chain(lines).chain([frame("END:VCARD")]);
    for line in all {
        fold(out, &line);
    }
}

/// Ends the line, folding it before it gets too long.
fn fold(out: &mut String, line: &str) {
    let mut used = 0;
    for c in line.chars() {
        if used + c.len_utf8() > FOLD {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(c);
        used += c.len_utf8();
    }
    out.push_str("\r\n");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Reads cards one by one, so that a broken one spoils no other and its line is known.
pub(super) fn read(text: &str) -> Book {
    let mut book = Book::default();
    let (mut begin, mut lines) = (0, Vec::new());
    let is = |line: &str, word: &str| line.trim().eq_ignore_ascii_case(word);
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if is(line, "BEGIN:VCARD") {
            if !lines.is_empty() {
                book.mistakes.push(Mistake { line: begin, text: "this card has no END:VCARD".into() });
            }
            (begin, lines) = (n + 1, Vec::new());
        } else if begin == 0 && !line.trim().is_empty() {
            book.mistakes.push(Mistake { line: n + 1, text: "this line belongs to no card".into() });
            continue;
        }
        if begin > 0 {
            lines.push(line);
        }
        if is(line, "END:VCARD") && begin > 0 {
            take(&mut book, begin, &lines.join("\r\n"));
            (begin, lines) = (0, Vec::new());
        }
    }
    if begin > 0 {
        book.mistakes.push(Mistake { line: begin, text: "this card has no END:VCARD".into() });
    }
    book
}

fn take(book: &mut Book, line: usize, text: &str) {
    let mistake = |text: &str| Mistake { line, text: text.to_owned() };
    let Ok(card) = VCard::parse(text) else {
        book.mistakes.push(mistake("this card cannot be read"));
        return;
    };
    let name = first(&card, &VCardProperty::Fn).unwrap_or_default();
    let mail = first(&card, &VCardProperty::Email).and_then(|m| Address::parse(&m).ok());
    let kind = card.property(&VCardProperty::Kind).map(texts).unwrap_or_default();
    if kind.iter().any(|k| k.eq_ignore_ascii_case("group")) {
        match mail {
            Some(_) if name.trim().is_empty() => book.mistakes.push(mistake("a group needs a name (FN)")),
            Some(address) => book.groups.push(BookGroup { name, address: Some(address) }),
            None => book.mistakes.push(mistake("a group of people needs a mail address (EMAIL)")),
        }
        return;
    }
    let chat = card.properties(&VCardProperty::Impp).flat_map(texts).find_map(sip);
    let Some(address) = chat.or(mail) else {
        book.mistakes.push(mistake("this card has no address: neither IMPP with sip: nor EMAIL"));
        return;
    };
    let nick = first(&card, &VCardProperty::Nickname);
    let groups: Vec<String> = card.properties(&VCardProperty::Categories).flat_map(texts).collect();
    let alias = nick.or(Some(name)).filter(|n| !n.is_empty() && *n != address.bare());
    book.contacts.push(BookContact { name: alias, groups: Some(groups).filter(|g| !g.is_empty()), ..BookContact::new(address) });
}

fn sip(text: String) -> Option<Address> {
    let low = text.to_lowercase();
    (low.starts_with("sip:") || low.starts_with("sips:")).then(|| Address::parse(&text).ok())?
}

fn first(card: &VCard, property: &VCardProperty) -> Option<String> {
    card.properties(property).flat_map(texts).map(|t| t.trim().to_owned()).find(|t| !t.is_empty())
}

fn texts(entry: &VCardEntry) -> Vec<String> {
    let text = |v: &VCardValue| match v {
        VCardValue::Component(parts) => parts.clone(),
        VCardValue::Kind(kind) => vec![format!("{kind:?}")],
        other => other.as_text().map(str::to_owned).into_iter().collect(),
    };
    entry.values.iter().flat_map(text).filter(|t| !t.is_empty()).collect()
}
