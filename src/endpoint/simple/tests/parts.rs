//! Long texts without a session.

use super::*;
use crate::endpoint::limits::{MAX_TEXT_PARTS, PART_PACE};

fn long(bench: &mut Bench, s: &mut Messages, words: usize) {
    let text = "many words ".repeat(words);
    bench.operate(s, Operation::SendMessage { conversation: talk(), message: MessageId("long".into()), text });
}

/// The next part, when it is time for it.
fn part(bench: &mut Bench, s: &mut Messages) -> (Token, Request) {
    bench.pass(s, PART_PACE);
    bench.request()
}

fn words(r: &(Token, Request)) -> String {
    String::from_utf8_lossy(&r.1.body).into_owned()
}

#[test]
fn a_long_text_leaves_in_numbered_parts_one_after_the_other() {
    let (mut bench, mut s) = talking();
    long(&mut bench, &mut s, 100);
    say(&mut bench, &mut s, "short");
    let mut parts = Vec::new();
    loop {
        let sent = part(&mut bench, &mut s);
        assert!(bench.sent.is_empty(), "one at a time");
        bench.answer(&mut s, &sent, 200, "", "");
        assert!(bench.sent.is_empty() || words(&sent).starts_with("(3/3)"), "not in a burst");
        let over = words(&sent) == "text short";
        parts.push(words(&sent));
        if over {
            break;
        }
    }
    assert_eq!(parts.len(), 4, "{parts:?}");
    assert!(parts[0].starts_with("(1/3) many words") && parts[2].starts_with("(3/3) "), "the short one keeps its place");
    let ended: Vec<_> = states(&mut bench).into_iter().map(|s| s.0).collect();
    assert_eq!(ended, ["long", "short"], "the whole text has one state");
}

#[test]
fn a_part_that_is_refused_says_how_much_arrived() {
    let (mut bench, mut s) = talking();
    long(&mut bench, &mut s, 100);
    let first = part(&mut bench, &mut s);
    bench.answer(&mut s, &first, 200, "", "");
    let second = part(&mut bench, &mut s);
    bench.answer(&mut s, &second, 503, "", "");
    bench.pass(&mut s, Duration::from_secs(5));
    let again = bench.request();
    assert_eq!(words(&again), words(&second), "only this part leaves again");
    bench.answer(&mut s, &again, 480, "", "");
    let Some((_, Delivery::Failed(why))) = states(&mut bench).pop() else { panic!() };
    assert!(why.starts_with("only the first of its 3 parts arrived: ") && why.contains("keeps no messages"), "{why}");
    bench.pass(&mut s, Duration::from_secs(60));
    assert!(bench.sent.is_empty(), "the rest stays here");
}

#[test]
fn a_text_of_which_a_part_is_kept_by_the_server_is_kept() {
    let (mut bench, mut s) = talking();
    long(&mut bench, &mut s, 100);
    for status in [200, 202, 200] {
        let sent = part(&mut bench, &mut s);
        bench.answer(&mut s, &sent, status, "", "");
    }
    assert!(bench.events.iter().any(|e| matches!(e, Event::Kept { .. })));
    assert_eq!(states(&mut bench), [("long".into(), Delivery::Sent)]);
}

#[test]
fn a_text_that_a_server_finds_too_long_leaves_in_parts() {
    let (mut bench, mut s) = talking();
    long(&mut bench, &mut s, 50);
    let whole = bench.request();
    assert!(words(&whole).starts_with("many"));
    bench.answer(&mut s, &whole, 513, "", "");
    let first = part(&mut bench, &mut s);
    assert!(words(&first).starts_with("(1/"), "{}", words(&first));
    bench.answer(&mut s, &first, 513, "", "");
    let Some((_, Delivery::Failed(why))) = states(&mut bench).pop() else { panic!() };
    assert!(why.contains("too long for the server"), "{why}");
}

#[test]
fn a_text_of_too_many_parts_is_refused_and_the_next_one_leaves() {
    let (mut bench, mut s) = talking();
    long(&mut bench, &mut s, 100 * MAX_TEXT_PARTS);
    let Some((_, Delivery::Failed(why))) = states(&mut bench).pop() else { panic!() };
    assert!(why.contains("too long for messages"), "{why}");
    say(&mut bench, &mut s, "short");
    assert_eq!(words(&bench.request()), "text short");
}
