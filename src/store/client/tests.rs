use super::*;
use crate::domain::contact::GroupId;
use crate::domain::conversation::TextFormat;
use std::sync::mpsc::channel;

fn me() -> AccountId {
    AccountId("alice@contoso.com".into())
}

fn bob() -> Address {
    Address::parse("bob@contoso.com").unwrap()
}

fn message(n: u64, body: &str) -> Write {
    Write::Message {
        conversation: ConversationId("c1".into()),
        peer: Peer::from(&bob()),
        message: InstantMessage {
            alone: None,
            id: MessageId(format!("m{n}")),
            author: bob(),
            at: Time(1_000 + n / 2),
            body: body.into(),
            format: TextFormat::Plain,
            state: Delivery::Received,
        },
    }
}

fn save(store: &mut dyn Store, writes: impl IntoIterator<Item = Write>) {
    store.write(&writes.into_iter().map(|w| (me(), w)).collect::<Vec<_>>()).unwrap();
}

fn page(store: &mut dyn Store, before: Option<Cursor>, limit: usize) -> Vec<Stored> {
    match store.query(&me(), &Query::Page { peer: Peer::from(&bob()), before, limit }).unwrap() {
        Answer::Page(p) => p,
        other => panic!("{other:?}"),
    }
}

fn found(store: &mut dyn Store, text: &str) -> Vec<String> {
    match store.query(&me(), &Query::Search { text: text.into(), peer: None, limit: 10 }).unwrap() {
        Answer::Found(f) => f.into_iter().map(|s| s.message.id.0).collect(),
        other => panic!("{other:?}"),
    }
}

fn tab() -> SavedConversation {
    SavedConversation {
        id: ConversationId("c1".into()),
        peer: Peer::from(&bob()),
        subject: "Budget".into(),
        participants: vec![bob()],
        focus: None,
        open: true,
        position: 0,
        used: Time(5),
        last_read: Some(MessageId("m1".into())),
    }
}

#[test]
fn paging_back_meets_every_message_once_even_with_equal_times() {
    let mut s = Sqlite::memory().unwrap();
    save(&mut s, (0..1000).map(|n| message(n, "x")));
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let p = page(&mut s, before, 33);
        if p.is_empty() {
            break;
        }
        before = Some(p[0].cursor);
        seen.splice(0..0, p.into_iter().map(|m| m.message.id.0));
    }
    assert_eq!(seen, (0..1000).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[test]
fn paging_far_back_uses_the_index() {
    let mut s = Sqlite::memory().unwrap();
    save(&mut s, (0..20_000).map(|n| message(n, "some words of a usual length in a chat")));
    let newest = page(&mut s, None, 50);
    assert_eq!(newest.last().unwrap().message.id.0, "m19999");
    let middle = page(&mut s, Some(Cursor(6_000, 0)), 50);
    assert_eq!(middle.last().unwrap().message.id.0, "m9999");
}

#[test]
fn everything_comes_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("adsum.db");
    let contact = crate::domain::contact::Contact { groups: vec![GroupId(2)], ..crate::domain::contact::Contact::new(bob()) };
    let queued = QueuedMessage {
        message: MessageId("q".into()),
        conversation: ConversationId("c1".into()),
        peer: Peer::from(&bob()),
        text: "later".into(),
        at: Time(9),
        alone: Some(bob()),
    };
    {
        let mut s = Sqlite::open(&path).unwrap();
        save(
            &mut s,
            [
                message(1, "hello"),
                Write::Conversation(tab()),
                Write::Draft { conversation: ConversationId("c1".into()), text: "half a".into() },
                Write::Enqueue(queued.clone()),
                Write::Enqueue(queued.clone()),
                Write::ContactList { groups: vec![], contacts: vec![contact.clone()] },
                Write::Presence { uri: bob(), presence: Box::default() },
                Write::Setting { name: "epid".into(), value: Some("0123456789".into()) },
            ],
        );
    }
    let mut s = Sqlite::open(&path).unwrap();
    let snap = s.snapshot(&me(), 50).unwrap();
    assert_eq!(snap.contacts, vec![contact]);
    assert_eq!(snap.presence, vec![(bob(), Box::default())]);
    assert_eq!(snap.outbox, vec![queued]);
    assert_eq!(snap.drafts, vec![(ConversationId("c1".into()), "half a".into())]);
    assert_eq!(snap.settings, vec![("epid".into(), "0123456789".into())]);
    assert_eq!((snap.tabs.len(), snap.tabs[0].tail.len()), (1, 1));
    assert_eq!(snap.tabs[0].conversation, tab());
    assert_eq!(s.snapshot(&AccountId("carol@contoso.com".into()), 50).unwrap(), Snapshot::default());
    save(
        &mut s,
        [
            Write::Dequeue(MessageId("q".into())),
            Write::Draft { conversation: ConversationId("c1".into()), text: String::new() },
            Write::RemoveContact(bob()),
        ],
    );
    let snap = s.snapshot(&me(), 50).unwrap();
    assert_eq!((snap.outbox.len(), snap.drafts.len()), (0, 0));
    assert_eq!((snap.contacts.len(), snap.presence.len()), (0, 0));
}

#[test]
fn search_finds_beginnings_of_words_newest_first_and_forgets_with_history() {
    let mut s = Sqlite::memory().unwrap();
    save(&mut s, [message(1, "The budget is fine"), message(2, "Budgets grow: Größe"), message(3, "lunch?")]);
    assert_eq!(found(&mut s, "budg"), ["m2", "m1"]);
    assert_eq!(found(&mut s, "grosse"), Vec::<String>::new());
    assert_eq!(found(&mut s, "GROßE"), ["m2"]);
    assert_eq!(found(&mut s, "budget fine"), ["m1"]);
    assert_eq!(found(&mut s, "\" OR *"), Vec::<String>::new());
    save(&mut s, [Write::DeleteHistory { peer: Peer::from(&bob()) }]);
    assert!(found(&mut s, "budget").is_empty());
    assert!(page(&mut s, None, 5).is_empty());
}

#[test]
fn messages_are_found_whether_indexed_with_others_or_alone() {
    let mut s = Sqlite::memory().unwrap();
    for n in 0..150 {
        save(&mut s, [message(n, &format!("word{n}x of many"))]);
        let newest = format!("m{n}");
        if n % 40 == 3 {
            assert_eq!(found(&mut s, &format!("word{n}x")), [newest]);
        }
    }
    assert_eq!(found(&mut s, "word0x"), ["m0"]);
    assert_eq!(found(&mut s, "word149x"), ["m149"]);
    save(&mut s, [message(150, "gone before it is indexed"), Write::DeleteHistory { peer: Peer::from(&bob()) }]);
    save(&mut s, [message(151, "takes the first free row")]);
    assert_eq!(found(&mut s, "word1"), Vec::<String>::new());
    assert_eq!(found(&mut s, "row"), ["m151"]);
}

#[test]
fn the_same_message_twice_is_one_and_only_gets_further() {
    let mut s = Sqlite::memory().unwrap();
    save(&mut s, [message(1, "first"), message(1, "forged")]);
    save(&mut s, [Write::Delivery { message: MessageId("m1".into()), state: Delivery::Failed("offline".into()) }]);
    let p = page(&mut s, None, 5);
    assert_eq!((p.len(), p[0].message.body.as_str()), (1, "first"));
    assert_eq!(p[0].message.state, Delivery::Failed("offline".into()));
}

#[test]
fn two_instances_write_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("adsum.db");
    let threads: Vec<_> = (0..2u64)
        .map(|k| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut s = Sqlite::open(&path).unwrap();
                for n in 0..50 {
                    save(&mut s, [message(n * 2 + k, "x")]);
                }
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    assert_eq!(page(&mut Sqlite::open(&path).unwrap(), None, 200).len(), 100);
}

#[test]
fn the_worker_answers_after_earlier_writes() {
    let (tx, rx) = channel();
    let worker = Worker::start(Box::new(Sqlite::memory().unwrap()), move |r| tx.send(r).unwrap()).unwrap();
    for n in 0..600 {
        worker.write(&me(), message(n, "x"));
    }
    worker.query(7, &me(), Query::Page { peer: Peer::from(&bob()), before: None, limit: 1 });
    match rx.recv().unwrap() {
        WorkerReply::Answer(7, Ok(Answer::Page(p))) => assert_eq!(p[0].message.id.0, "m599"),
        other => panic!("{other:?}"),
    }
}

/// Refuses the first few writes as a full disk does.
struct FullAtFirst(u32, Sqlite);

impl Store for FullAtFirst {
    fn snapshot(&mut self, account: &AccountId, tail: usize) -> Result<Snapshot, Error> {
        self.1.snapshot(account, tail)
    }

    fn write(&mut self, writes: &[(AccountId, Write)]) -> Result<(), Error> {
        if self.0 > 0 {
            self.0 -= 1;
            return Err(Error::Full("adsum.db".into()));
        }
        self.1.write(writes)
    }

    fn query(&mut self, account: &AccountId, query: &Query) -> Result<Answer, Error> {
        self.1.query(account, query)
    }
}

#[test]
fn a_full_disk_is_told_once_and_nothing_is_lost() {
    let (tx, rx) = channel();
    let worker = Worker::start(Box::new(FullAtFirst(2, Sqlite::memory().unwrap())), move |r| tx.send(r).unwrap()).unwrap();
    worker.write(&me(), message(1, "x"));
    assert_eq!(rx.recv().unwrap(), WorkerReply::Trouble(Error::Full("adsum.db".into())));
    worker.write(&me(), message(2, "x"));
    worker.query(1, &me(), Query::Sync);
    worker.query(2, &me(), Query::Page { peer: Peer::from(&bob()), before: None, limit: 5 });
    let replies: Vec<_> = (0..3).map(|_| rx.recv().unwrap()).collect();
    assert!(replies.contains(&WorkerReply::Recovered));
    assert!(replies.iter().any(|r| matches!(r, WorkerReply::Answer(2, Ok(Answer::Page(p))) if p.len() == 2)), "{replies:?}");
}

#[test]
fn a_disk_that_really_is_full_leaves_the_database_whole() {
    let mut s = Sqlite::memory().unwrap();
    save(&mut s, [message(1, "kept")]);
    s.limit_pages();
    let big: Vec<_> = (2..200).map(|n| (me(), message(n, &"long ".repeat(2000)))).collect();
    assert!(matches!(s.write(&big), Err(Error::Full(_))));
    assert_eq!(page(&mut s, None, 10).len(), 1);
    assert_eq!(found(&mut s, "long"), Vec::<String>::new());
}

#[test]
fn whom_alone_a_message_went_to_is_kept() {
    let mut s = Sqlite::memory().unwrap();
    let mut private = message(1, "psst");
    let Write::Message { message: m, .. } = &mut private else { panic!("a message") };
    m.alone = Some(bob());
    save(&mut s, [private, message(2, "all")]);
    let alone: Vec<Option<Address>> = page(&mut s, None, 10).into_iter().map(|s| s.message.alone).collect();
    assert_eq!(alone, [Some(bob()), None]);
}
