//! Small terminals, ASCII, no colours.

use crate::place::Place;
use crate::pty::Pty;
use crate::two::{PEOPLE, acquaint, open_first};

/// Goes through all panes and through help and palette.
fn tour(screen: &mut Pty, ascii: bool) {
    screen.alt('1');
    screen.wait("Bob Kelly");
    screen.alt('3');
    screen.wait("No meetings are planned.");
    screen.send("n");
    screen.wait("New meeting");
    screen.send("\x1b");
    screen.wait("No meetings are planned.");
    screen.alt('4');
    screen.wait("Others see");
    screen.alt('5');
    screen.wait("Wire");
    screen.send("g");
    screen.wait("connect");
    screen.send("j\r");
    screen.wait("SIP/2.0/TCP");
    screen.escape("SIP/2.0/TCP");
    screen.send("\x1bOP");
    screen.wait("Help");
    screen.escape("Help");
    screen.ctrl('k');
    screen.wait("Go to");
    screen.send("bob");
    screen.wait_row(&["> bob"]);
    screen.send("\r");
    screen.wait(if ascii { "Bob Kelly - Available" } else { "Bob Kelly · Available" });
}

#[test]
fn everything_works_at_80_by_24_and_at_40_by_12() {
    let place = Place::new(&PEOPLE);
    let (mut alice, mut bob) = (place.signed_in("alice"), place.signed_in("bob"));
    acquaint(&mut alice, &mut bob);
    for (columns, rows) in [(80, 24), (40, 12)] {
        alice.resize(columns, rows);
        tour(&mut alice, false);
        alice.enter(&format!("at {columns}"));
        open_first(&mut bob, "alice · Available");
        bob.wait(&format!("at {columns}"));
        bob.enter(&format!("seen {columns}"));
        alice.wait(&format!("seen {columns}"));
    }
    alice.quit();
    bob.quit();
}

#[test]
fn ascii_is_ascii_and_no_color_is_without_colour() {
    let place = Place::new(&PEOPLE);
    let (mut alice, mut bob) = (place.signed_in("alice"), place.signed_in("bob"));
    acquaint(&mut alice, &mut bob);
    alice.quit();
    let mut alice = Pty::start_with(&place.home("alice"), 80, 24, &["--ascii"], &[("NO_COLOR", "1")]);
    alice.wait("<> tcp");
    tour(&mut alice, true);
    alice.enter("plain words");
    alice.wait_row(&["plain words", "vv"]);
    open_first(&mut bob, "alice · Available");
    bob.send("x");
    alice.wait("Bob Kelly is typing");
    let raw = alice.quit();
    if let Some(at) = raw.iter().position(|b| *b >= 0x80) {
        panic!("not ASCII: {}", String::from_utf8_lossy(&raw[at.saturating_sub(60)..(at + 60).min(raw.len())]).escape_debug());
    }
    let text = String::from_utf8(raw).unwrap();
    for sequence in text.split("\x1b[").skip(1) {
        let Some((parameters, _)) = sequence.split_once('m').filter(|(p, _)| p.chars().all(|c| c.is_ascii_digit() || c == ';'))
        else {
            continue;
        };
        let coloured =
            parameters.split(';').filter_map(|p| p.parse::<u8>().ok()).any(|p| matches!(p, 30..=38 | 40..=48 | 90..=107));
        assert!(!coloured, "a colour: {parameters}");
    }
    bob.quit();
}
