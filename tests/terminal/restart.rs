//! Quitting, starting again, a server that is away, a second device.

use crate::place::Place;
use crate::two::{PEOPLE, acquaint, open_first};

#[test]
fn everything_is_there_again_even_before_the_server() {
    let mut place = Place::new(&PEOPLE);
    let (mut alice, mut bob) = (place.signed_in("alice"), place.signed_in("bob"));
    acquaint(&mut alice, &mut bob);
    open_first(&mut alice, "Bob Kelly · Available");
    alice.enter("see you tomorrow");
    alice.wait_row(&["see you tomorrow", "✓✓"]);
    alice.send("half a thought");
    alice.wait("half a thought");
    alice.alt('3');
    alice.send("n");
    alice.wait("New meeting");
    alice.send("Retrospective\ttomorrow 9:30 30m");
    alice.wait("09:30 to 10:00");
    alice.ctrl('s');
    alice.wait_row(&["09:30–10:00", "Retrospective"]);
    alice.quit();
    bob.quit();

    // Without the server: what was known, and when the next try is.
    let address = place.stop();
    let mut alice = place.screen("alice");
    alice.wait_row(&["Bob Kelly"]);
    alice.wait("see you tomorrow");
    alice.wait("half a thought");
    alice.wait("next try");
    alice.wait("is the server running, and is the port right?");
    alice.alt('2');
    alice.enter(" and the rest");
    alice.wait_row(&["half a thought and the rest", "…"]);
    // With it, what waited goes out; Bob is not there, so the server keeps it until he is.
    place.serve(&address);
    alice.wait("⇅ tcp");
    alice.wait("the server keeps what");
    let mut bob = place.signed_in("bob");
    alice.wait_row(&["●", "Bob Kelly"]);
    alice.wait_row(&["half a thought and the rest", "✓✓"]);
    bob.wait("half a thought and the rest");
    alice.alt('3');
    alice.wait_row(&["09:30–10:00", "Retrospective"]);
    alice.quit();
    bob.quit();
}

#[test]
fn a_second_device_sees_the_same_and_one_of_them_answers() {
    let place = Place::new(&PEOPLE);
    let (mut alice, mut bob) = (place.signed_in("alice"), place.signed_in("bob"));
    acquaint(&mut alice, &mut bob);
    let other = place.path().join("laptop");
    let mut laptop = place.screen_of("alice", 100, 30, &["--data", other.to_str().unwrap()]);
    laptop.wait_row(&["●", "Bob Kelly"]);
    alice.alt('4');
    alice.wait("This device");
    alice.wait("Another device");
    alice.alt('1');

    // A message shows on both; one takes the conversation, the other forgets the question.
    open_first(&mut bob, "alice · Available");
    bob.enter("which of you?");
    for device in [&mut alice, &mut laptop] {
        device.wait("Bob Kelly wants to talk");
        device.wait("which of you?");
    }
    laptop.alt('y');
    laptop.wait_row(&["Bob Kelly", "which of you?"]);
    alice.wait_gone("wants to talk");
    bob.wait_row(&["which of you?", "✓✓"]);
    laptop.alt('2');
    laptop.enter("the laptop");
    bob.wait_row(&["alice", "the laptop"]);

    // What one device changes, the other sees.
    laptop.alt('1');
    laptop.send("n");
    laptop.wait("New group");
    laptop.enter("Friends");
    alice.wait("Friends");
    alice.quit();
    laptop.quit();
    bob.quit();
}
