//! `adsum demo` as a stranger meets it.

use crate::pty::Pty;

#[test]
fn a_stranger_talks_to_the_cast_and_leaves() {
    let home = tempfile::tempdir().unwrap();
    let mut me = Pty::start(home.path(), 120, 40, &["demo", "--seed", "7"]);
    for group in ["Platform team", "Leadership", "Customers"] {
        me.wait(group);
    }
    me.wait("Alice Adams · Available");
    me.wait_row(&["●", "Bob Kelly", "Quarter"]);
    me.wait_row(&["■", "Heidi Ito"]);
    // Somebody writes by himself.
    me.wait("Morning! Did the numbers land?");
    // A message, its delivery, typing, an answer.
    me.ctrl('k');
    me.wait("Go to");
    me.send("carol diaz");
    me.wait_row(&["> carol diaz"]);
    me.send("\r");
    me.wait("Carol Diaz · Available");
    me.enter("How is the build?");
    me.wait_row(&["me", "How is the build?", "✓✓"]);
    me.wait("Carol Diaz is typing…");
    me.wait_for("Carol's answer", |s| s.contains("Build 1442 is green") || s.contains("We ship at four"));
    // Presence lives.
    me.wait_row(&["Carol Diaz · ", "shipping 1442"]);
    let raw = me.quit();
    let tail = String::from_utf8_lossy(&raw[raw.len().saturating_sub(200)..]).into_owned();
    assert!(tail.contains("\x1b[?1049l") && tail.contains("\x1b[?25h"), "{tail:?}");
}
