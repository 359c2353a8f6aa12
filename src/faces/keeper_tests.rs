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
