use super::*;
use crate::store::client::Sqlite;
use std::sync::mpsc::{Receiver, channel};

const BOB: &str = "sip:bob@contoso.example";
const MESSAGES: usize = 2 * MAX_PAGE + 7;

/// A keeper over a store with many messages of Bob.
fn full() -> (Keeper, Receiver<WorkerReply>) {
    let (tx, rx) = channel();
    let worker = Worker::start(Box::new(Sqlite::memory().unwrap()), move |r| drop(tx.send(r))).unwrap();
    let keeper = Keeper::new(worker, AccountId("me".into()), &Stored::default());
    for n in 0..MESSAGES {
        let message = InstantMessage {
            alone: None,
            id: MessageId(format!("m{n}")),
            author: Address::parse(BOB).unwrap(),
            at: Time(n as u64),
            body: "x".into(),
            format: TextFormat::Plain,
            state: Delivery::Received,
        };
        keeper.write(Write::Message { conversation: ConversationId(BOB.into()), peer: Peer(BOB.into()), message });
    }
    (keeper, rx)
}

#[test]
fn an_export_has_everything_in_order() {
    let (mut keeper, rx) = full();
    keeper.request(StoreRequest::Export { thread: BOB.into(), path: "x".into() });
    let export = loop {
        match keeper.reply(rx.recv().unwrap()) {
            Kept::Export(export) => break export,
            Kept::Nothing => {}
            Kept::Reply(reply) => panic!("{reply:?}"),
        }
    };
    assert_eq!(export.messages.len(), MESSAGES);
    assert!(export.messages.is_sorted_by_key(|m| m.at));
}

#[test]
fn a_page_larger_than_the_store_gives_is_not_taken_for_the_last() {
    let (mut keeper, rx) = full();
    keeper.request(StoreRequest::LoadHistory { thread: BOB.into(), before: None, limit: MAX_PAGE + 500 });
    let Kept::Reply(StoreReply::History { messages, more, .. }) = keeper.reply(rx.recv().unwrap()) else { panic!() };
    assert_eq!((messages.len(), more), (MAX_PAGE, true));
}

#[test]
fn what_is_still_to_be_said_of_meetings_is_handed_back_and_a_broken_list_is_no_loss() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store");
    let letters = vec![crate::domain::conference::Letter {
        to: Address::parse(BOB).unwrap(),
        meeting: crate::domain::conference::ConferenceId("M".into()),
        says: crate::domain::conference::Says::Invitation,
    }];
    let me = AccountId("me".into());
    let worker = Worker::start(Box::new(Sqlite::open(&file).unwrap()), |_| {}).unwrap();
    let mut keeper = Keeper::new(worker, me.clone(), &Stored::default());
    keeper.request(StoreRequest::SaveLetters(letters.clone()));
    drop(keeper);
    let read = |file| crate::store::client::Store::snapshot(&mut Sqlite::open(file).unwrap(), &me, 1).unwrap();
    let mut stored = read(&file);
    assert_eq!(known_meetings(&stored).letters, letters);
    stored.settings.iter_mut().for_each(|s| s.1 = "[{".into());
    assert_eq!(known_meetings(&stored).letters, []);
    let worker = Worker::start(Box::new(Sqlite::open(&file).unwrap()), |_| {}).unwrap();
    let mut keeper = Keeper::new(worker, me.clone(), &Stored::default());
    keeper.request(StoreRequest::SaveLetters(Vec::new()));
    drop(keeper);
    assert!(read(&file).settings.is_empty(), "all has arrived");
}
