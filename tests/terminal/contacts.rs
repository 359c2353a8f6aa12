//! The contact manager by keyboard.

use crate::place::Place;
use crate::pty::Pty;

/// Answers a one-line question.
fn answer(screen: &mut Pty, question: &str, text: &str) {
    screen.wait(question);
    screen.ctrl('u');
    screen.enter(text);
    screen.wait_gone(question);
}

/// The contact rows of a group, in order.
fn members(screen: &str, group: &str) -> Vec<String> {
    let cell = |l: &str| l.split('│').nth(1).unwrap_or_default().trim().to_owned();
    let rows: Vec<String> = screen.lines().map(cell).collect();
    let Some(at) = rows.iter().position(|r| r.contains(group)) else { return Vec::new() };
    rows[at + 1..].iter().take_while(|r| !r.is_empty() && !r.contains('▾') && !r.contains('▸')).cloned().collect()
}

fn has(group: &'static str, names: &'static [&'static str]) -> impl Fn(&str) -> bool {
    move |screen| {
        let rows = members(screen, group);
        screen.contains(group) && rows.len() == names.len() && rows.iter().zip(names).all(|(r, n)| r.contains(n))
    }
}

#[test]
fn groups_and_contacts_are_managed() {
    let place = Place::new(&[("alice", ""), ("bob", "Bob Kelly"), ("carol", "Carol Diaz")]);
    let mut alice = place.signed_in("alice");
    for name in ["bob", "carol"] {
        alice.send("a");
        answer(&mut alice, "Add a contact", &format!("{name}@contoso.example"));
    }
    alice.wait_for("both", has("Other contacts", &["Bob Kelly", "Carol Diaz"]));
    for group in ["Red", "Blue"] {
        alice.send("n");
        answer(&mut alice, "New group", group);
        alice.wait_row(&["▾", group]);
    }
    // Into Red, and a copy into Blue.
    choose(&mut alice, "Bob Kelly");
    alice.send("m");
    pick(&mut alice, "Move Bob Kelly to", "Red");
    alice.wait_for("Bob in Red", has("Red", &["Bob Kelly"]));
    alice.wait_for("Carol alone", has("Other contacts", &["Carol Diaz"]));
    alice.send("y");
    pick(&mut alice, "Copy Bob Kelly to", "Blue");
    alice.wait_for("Bob in Blue", has("Blue", &["Bob Kelly"]));
    alice.wait_for("Bob still in Red", has("Red", &["Bob Kelly"]));
    // Other names, for the group and for the person.
    choose(&mut alice, "Red");
    alice.send("r");
    answer(&mut alice, "Rename group", "Crimson");
    alice.wait_for("the new name", has("Crimson", &["Bob Kelly"]));
    choose(&mut alice, "Carol Diaz");
    alice.send("e");
    answer(&mut alice, "Name for Carol Diaz", "Caro");
    alice.wait_for("Caro", has("Other contacts", &["Caro"]));
    // Groups go, people stay.
    for group in ["Crimson", "Blue"] {
        choose(&mut alice, group);
        alice.send("X");
        alice.wait(&format!("Delete the group {group}?"));
        alice.send("y");
        alice.wait_for("the group gone", |s| members(s, group).is_empty() && !s.contains(&format!("▾ {group}")));
    }
    alice.wait_for("everybody", has("Other contacts", &["Bob Kelly", "Caro"]));
    // And a person.
    choose(&mut alice, "Caro");
    alice.send("D");
    alice.wait("Delete Caro (carol@contoso.example)");
    alice.send("y");
    alice.wait_for("Bob alone", has("Other contacts", &["Bob Kelly"]));
    alice.wait("Caro is deleted");
    alice.alt('u');
    alice.wait_for("Caro again", has("Other contacts", &["Bob Kelly", "Caro"]));
    // The list is the server's: another run sees it.
    alice.quit();
    let mut alice = place.signed_in("alice");
    alice.wait_for("both", has("Other contacts", &["Bob Kelly", "Caro"]));
    alice.quit();
}

/// Selects the first row that shows `name`, by the filter.
fn choose(screen: &mut Pty, name: &str) {
    screen.alt('1');
    let rows: Vec<String> = screen.text().lines().map(|l| l.split('│').nth(1).unwrap_or_default().to_owned()).collect();
    let inside: Vec<&String> = rows.iter().filter(|r| !r.trim().is_empty()).collect();
    let at = inside.iter().position(|r| r.contains(name)).unwrap_or_else(|| panic!("no {name}:\n{}", screen.text()));
    screen.send("g");
    screen.send(&"j".repeat(at));
}

/// Picks a row of an open list.
fn pick(screen: &mut Pty, title: &str, row: &str) {
    screen.wait(title);
    let text = screen.text();
    let from = text.lines().position(|l| l.contains(title)).unwrap();
    let at = text.lines().skip(from + 1).position(|l| l.contains(row)).unwrap_or_else(|| panic!("no {row}:\n{text}"));
    screen.send("g");
    screen.send(&"j".repeat(at));
    screen.send("\r");
    screen.wait_gone(title);
}
