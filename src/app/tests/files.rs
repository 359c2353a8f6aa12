use super::*;
use crate::domain::file::{Transfer, TransferId, TransferState};
use crate::endpoint::ErrorKind;

/// Alice talks with Bob; the conversation is up.
fn with_bob() -> Stage {
    let mut s = Stage::new();
    s.keys("j Enter \"hi\" Enter");
    let id = s.current_id().0;
    let c = s.conversation(&id, &["bob"], ConversationState::Established);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.effects.clear();
    s
}

fn transfer(s: &Stage, outgoing: bool, state: TransferState) -> Transfer {
    Transfer {
        id: TransferId("t1".into()),
        conversation: s.current_id(),
        with: a("bob"),
        outgoing,
        name: "report v2.pdf".into(),
        size: 4_000_000,
        media: "application/pdf".into(),
        at: s.now,
        state,
    }
}

fn stands(s: &mut Stage, outgoing: bool, state: TransferState) -> String {
    let t = transfer(s, outgoing, state);
    s.says(endpoint::Event::Transfer(Box::new(t)));
    s.transcript().lines().last().unwrap_or("").to_owned()
}

#[test]
fn a_file_that_is_sent_stands_in_one_line_that_changes() {
    let mut s = with_bob();
    s.keys("\"/send ~/report v2.pdf\" Enter");
    let asked = s.asked();
    assert!(matches!(asked.as_slice(), [Operation::SendFile { path, .. }] if path == "~/report v2.pdf"), "{asked:?}");
    assert_eq!(s.composer(), "");
    let file = "== report v2.pdf · 4.0 MB";
    for (state, words) in [
        (TransferState::Offered, "offered; Bob Kelly has not answered yet"),
        (TransferState::Starting, "making the way…"),
        (TransferState::Running { octets: 1_000_000 }, "25% · 1.0 MB of 4.0 MB"),
        (TransferState::Running { octets: 3_999_999 }, "99% · 3.9 MB of 4.0 MB"),
        (TransferState::Done { path: None }, "Bob Kelly has it"),
    ] {
        assert_eq!(stands(&mut s, true, state), format!("{file} ({words})"));
        assert_eq!(s.transcript().lines().count(), 2);
    }
    let kept = |e: &Effect| matches!(e, Effect::Store(_, StoreRequest::SaveMessage { message, .. }) if message.body.ends_with("(Bob Kelly has it)"));
    assert_eq!(s.effects.iter().filter(|e| kept(e)).count(), 1, "only what became of it is kept");
}

#[test]
fn every_end_of_a_transfer_is_a_sentence_on_both_sides() {
    for (outgoing, state, words) in [
        (true, TransferState::Declined, "Bob Kelly does not want it"),
        (false, TransferState::Declined, "you declined it"),
        (true, TransferState::Cancelled { here: true }, "you broke it off"),
        (false, TransferState::Cancelled { here: false }, "Bob Kelly broke it off"),
        (true, TransferState::Failed("the connection broke".into()), "not sent: the connection broke"),
        (false, TransferState::Failed("the disk is full".into()), "not saved: the disk is full"),
        (
            false,
            TransferState::Done { path: Some("/home/alice/Downloads/report.pdf".into()) },
            "saved as /home/alice/Downloads/report.pdf",
        ),
    ] {
        let mut s = with_bob();
        stands(&mut s, outgoing, TransferState::Offered);
        stands(&mut s, outgoing, TransferState::Running { octets: 1 });
        s.effects.clear();
        assert_eq!(stands(&mut s, outgoing, state), format!("== report v2.pdf · 4.0 MB ({words})"));
        let kept = |e: &&Effect| matches!(e, Effect::Store(_, StoreRequest::SaveMessage { message, .. }) if message.body.contains(words));
        assert_eq!(s.effects.iter().filter(kept).count(), 1);
        // Nothing more can be done with it.
        s.keys("\"/cancel\" Enter");
        assert!(s.asked().is_empty());
    }
}

#[test]
fn an_offered_file_asks_and_is_taken_declined_or_broken_off() {
    for (key, state) in [("Alt-y", TransferState::Starting), ("Alt-n", TransferState::Declined)] {
        let mut s = with_bob();
        stands(&mut s, false, TransferState::Offered);
        assert_eq!(s.state.questions.len(), 1);
        s.effects.clear();
        s.keys(key);
        let id = TransferId("t1".into());
        let asked = if key == "Alt-y" { Operation::AcceptFile { transfer: id } } else { Operation::EndFile { transfer: id } };
        assert_eq!(s.asked(), [asked]);
        stands(&mut s, false, state);
        assert!(s.state.questions.is_empty());
    }
    let mut s = with_bob();
    stands(&mut s, false, TransferState::Running { octets: 5 });
    s.effects.clear();
    s.keys("\"/cancel\" Enter");
    assert_eq!(s.asked(), [Operation::EndFile { transfer: TransferId("t1".into()) }]);
}

#[test]
fn an_offer_that_is_taken_back_asks_no_more() {
    let mut s = with_bob();
    s.keys("Alt-3");
    stands(&mut s, false, TransferState::Offered);
    assert_eq!((s.state.questions.len(), s.tabs().as_str()), (1, "[Bob Kelly(1)]"));
    stands(&mut s, false, TransferState::Cancelled { here: false });
    assert!(s.state.questions.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let mut s = with_bob();
    s.keys("\"/send /nowhere\" Enter");
    s.completes(Err(Error::new(ErrorKind::InvalidArgument, "there is no file /nowhere")));
    assert!(s.toast().contains("there is no file /nowhere"), "{}", s.toast());
    assert_eq!(s.transcript().lines().count(), 1);
}

#[test]
fn the_path_of_a_file_is_completed_part_by_part() {
    let mut s = with_bob();
    let listed = |s: &mut Stage, begin: &str, names: &[&str]| {
        assert_eq!(s.effects.last(), Some(&Effect::ListFiles { begin: begin.into() }));
        s.event(Event::Files { begin: begin.into(), names: names.iter().map(|n| (*n).to_owned()).collect() });
    };
    s.keys("\"/send ~/do\" Tab");
    listed(&mut s, "~/do", &["documents/"]);
    assert_eq!(s.composer(), "/send ~/documents/");
    s.keys("Tab");
    listed(&mut s, "~/documents/", &["my report.pdf", "other.txt"]);
    assert_eq!(s.composer(), "/send ~/documents/my report.pdf");
    s.keys("Tab");
    assert_eq!(s.composer(), "/send ~/documents/other.txt");
    s.keys("Shift-Tab");
    assert_eq!(s.composer(), "/send ~/documents/my report.pdf");
    s.keys("Enter");
    assert!(matches!(s.asked().as_slice(), [Operation::SendFile { path, .. }] if path == "~/documents/my report.pdf"));
    s.keys("\"/send zz\" Tab");
    listed(&mut s, "zz", &[]);
    assert!(s.toast().contains("there is no file “zz…”"));
    // What comes too late changes nothing.
    s.keys("\"x\"");
    s.event(Event::Files { begin: "zz".into(), names: vec!["zzz".into()] });
    assert_eq!(s.composer(), "/send zzx");
}

#[test]
fn whom_a_command_takes_is_completed() {
    let mut s = with_bob();
    s.keys("\"/invite car\" Tab");
    assert!(s.composer().starts_with("/invite @Carol"), "{}", s.composer());
}
