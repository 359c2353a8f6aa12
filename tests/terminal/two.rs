//! Two screens on one front end.

use crate::place::Place;
use crate::pty::Pty;

/// Alice and Bob.
pub const PEOPLE: [(&str, &str); 2] = [("alice", ""), ("bob", "Bob Kelly")];

/// Adds Bob to Alice's list; Bob adds her too.
pub fn acquaint(alice: &mut Pty, bob: &mut Pty) {
    alice.send("a");
    alice.wait("Add a contact");
    alice.enter("bob@contoso.example");
    alice.wait_row(&["●", "Bob Kelly"]);
    bob.wait("alice added you to their contacts");
    bob.alt('y');
    bob.wait_row(&["Colleagues, as now", "and on my list too"]);
    bob.enter("");
    bob.wait_row(&["●", "alice"]);
}

/// Opens the conversation with the first contact.
pub fn open_first(screen: &mut Pty, title: &str) {
    screen.alt('1');
    screen.send("gj\r");
    screen.wait(title);
}

#[test]
fn contacts_presence_and_messages() {
    let place = Place::new(&PEOPLE);
    let (mut alice, mut bob) = (place.signed_in("alice"), place.signed_in("bob"));
    acquaint(&mut alice, &mut bob);

    // Bob is busy, by the form.
    bob.alt('4');
    bob.wait("Your only device decides");
    bob.send(" ");
    bob.wait_row(&["Status", "Available"]);
    bob.send(" ");
    bob.wait_row(&["Status", "Busy"]);
    bob.send("jjj");
    bob.enter("");
    bob.send("In the lab");
    bob.wait_row(&["Note", "In the lab"]);
    bob.ctrl('s');
    bob.wait_row(&["Others see", "Busy", "What you set by hand decides"]);
    bob.wait_row(&["Bob Kelly", "Busy", "“In the lab”"]);
    alice.wait_row(&["■", "Bob Kelly"]);
    open_first(&mut alice, "Bob Kelly · Busy");
    alice.wait("“In the lab”");

    // Both write.
    alice.enter("did it work?");
    alice.wait_row(&["did it work?", "✓✓"]);
    open_first(&mut bob, "alice · Available");
    bob.wait("did it work?");
    bob.send("ye");
    alice.wait("Bob Kelly is typing…");
    bob.enter("s, it did");
    alice.wait_row(&["Bob Kelly", "yes, it did"]);
    alice.wait_gone("is typing…");
    bob.wait_row(&["yes, it did", "✓✓"]);
    alice.send("f");
    bob.wait("alice is typing…");
    alice.enter("ine");
    bob.wait_row(&["alice", "fine"]);

    // Bob takes his status back by a command.
    bob.enter("/status reset");
    bob.wait("Bob Kelly · Available");
    alice.wait_row(&["●", "Bob Kelly"]);
    bob.enter("/status busy until 23:59 Soldering");
    alice.wait_row(&["■", "Bob Kelly", "Solde"]);
    alice.quit();
    bob.quit();
}

#[test]
fn meetings_are_planned_changed_cancelled_and_held() {
    let place = Place::new(&PEOPLE);
    let (mut alice, mut bob) = (place.signed_in("alice"), place.signed_in("bob"));
    acquaint(&mut alice, &mut bob);

    alice.alt('3');
    alice.wait("No meetings are planned.");
    alice.send("n");
    alice.wait("New meeting");
    alice.send("Budget\ttomorrow 10:00 1h");
    alice.wait("10:00 to 11:00");
    alice.send("\t\t\t ");
    alice.wait_row(&["Who gets in", "Only those invited"]);
    alice.wait("Only the invited get in");
    alice.send("\tbob kelly");
    alice.wait("→  Bob Kelly");
    alice.ctrl('s');
    alice.wait_row(&["10:00–11:00", "Budget", "1 invited"]);

    alice.send("e");
    alice.wait("Change meeting");
    alice.send(" review\t");
    alice.ctrl('u');
    alice.send("tomorrow 14:00 45m");
    alice.wait("14:00 to 14:45");
    alice.ctrl('s');
    alice.wait_row(&["14:00–14:45", "Budget review"]);
    alice.send("\r");
    alice.wait_row(&["Invited", "Bob Kelly"]);

    alice.send("x");
    alice.wait("Cancel “Budget review”");
    alice.send("y");
    alice.wait("No meetings are planned.");

    // One that begins now, with Bob.
    alice.alt('1');
    alice.send("gj ");
    alice.ctrl('k');
    alice.wait("Go to");
    alice.send("meet now");
    alice.wait_row(&["meet-now"]);
    alice.send("\r");
    alice.wait("you lead");
    bob.wait("alice invites you to a meeting");
    bob.alt('y');
    bob.wait("2 people");
    alice.wait("2 people");
    alice.enter("welcome");
    bob.wait_row(&["alice", "welcome"]);
    bob.alt('2');
    bob.enter("thank you");
    alice.wait_row(&["Bob Kelly", "thank you"]);
    bob.enter("/leave");
    alice.wait("only you");
    bob.wait("you are out");
    alice.enter("/leave");
    alice.wait("you are out");
    alice.quit();
    bob.quit();
}
