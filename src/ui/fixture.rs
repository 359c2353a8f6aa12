//! A morning at Contoso, for tests: fixed clock, fixed zone.

use crate::app::state::conversations::{Entry, Part, Tab, Thread};
use crate::app::state::people::Loaded;
use crate::app::state::{Account, Field, FieldId, FieldValue, Form, OwnEndpoint, Pane, Row, RowId, State, View, WireRecord};
use crate::app::{Editor, state::AccountId};
use crate::domain::conference::{AccessLevel, Conference, ConferenceId, ConferenceSettings, Invitee};
use crate::domain::contact::{Contact, DEFAULT_GROUP, Group, GroupId};
use crate::domain::conversation::*;
use crate::domain::presence::*;
use crate::domain::{Address, Rng, Time};
use crate::endpoint::EndpointState;

/// 2026-11-21 09:42:00 UTC, a Saturday.
pub fn now() -> Time {
    at("09:42:00")
}

/// A moment of that day.
pub fn at(clock: &str) -> Time {
    Time::from_timestamp(format!("2026-11-21T{clock}Z").parse().unwrap())
}

pub fn address(user: &str) -> Address {
    Address::parse(&format!("{user}@contoso.example")).unwrap()
}

/// The screen of the design sketch.
pub fn state(columns: u16, rows: u16) -> State {
    let view = View { columns, rows, now: now(), ..View::default() };
    let note = Note { text: "Back at 3".into(), out_of_office: false, start: None, end: None };
    let account = Account {
        id: AccountId("alice".into()),
        address: Some(address("alice")),
        name: "Alice Adams".into(),
        name_from_card: false,
        application: false,
        guest: None,
        availability: Some(Availability::AVAILABLE),
        activity: None,
        note: Some(note),
    };
    let mut s = State::new(account, view, Rng::seeded(7));
    s.link.state = EndpointState::Established;
    s.link.server = "contoso.example".into();
    s.link.round_trip = Some(12);
    people(&mut s);
    conversations(&mut s);
    meetings(&mut s);
    own(&mut s);
    wire(&mut s);
    s.pane = Pane::Conversations;
    s.main = Pane::Conversations;
    s
}

fn presence(number: u32, minutes: u64) -> Presence {
    let since = Time(now().0 - minutes * 60_000);
    let p = Presence {
        availability: Some(Availability(number)),
        since: Some(since),
        freshness: Freshness::Known { at: since },
        ..Presence::default()
    };
    Presence { last_active: (number >= 12_000 || number == 5_000).then_some(since), ..p }
}

fn people(s: &mut State) {
    let p = &mut s.people;
    p.loaded = Loaded::Known;
    let groups = [(2, "Pinned"), (3, "Platform team"), (4, "Customers"), (1, "~")];
    p.groups = groups.iter().map(|(id, n)| Group::new(GroupId(*id), *n)).collect();
    let mut add = |user: &str, name: &str, group: u32, presence: Presence| {
        let uri = address(user);
        p.contacts.insert(uri.clone(), Contact { name: name.into(), groups: vec![GroupId(group)], ..Contact::new(uri.clone()) });
        p.presence.insert(uri, Box::new(presence));
    };
    let note = |t: &str| Some(Note { text: t.into(), out_of_office: false, start: None, end: None });
    let bob = Presence {
        activity: Some(Activity::token("in-a-meeting")),
        location: Some("Building 34".into()),
        meeting_subject: Some("Budget review".into()),
        card: Card {
            display_name: Some("Bob Kelly".into()),
            title: Some("Controller".into()),
            department: Some("Finance".into()),
            company: Some("Contoso".into()),
            office: Some("34/2.017".into()),
            email: Some("bob@contoso.example".into()),
            phones: vec![Phone { kind: "work".into(), uri: "tel:+14255550134".into(), display: "+1 425 555 0134".into() }],
            automaton: false,
            ..Card::default()
        },
        capabilities: vec!["text".into()],
        ..presence(6500, 12)
    };
    add("bob", "Bob Kelly", 2, bob);
    add("carol", "Carol Diaz", 2, Presence { note: note("shipping"), ..presence(3500, 70) });
    add("dan", "Dan Evans", 3, presence(15500, 12));
    let activity = Some(Activity::token("in-presentation"));
    add("erin", "Erin Frost", 3, Presence { activity, ..presence(9500, 20) });
    add("frank", "Frank Gray", 3, presence(18500, 3 * 1440));
    add("grace", "Grace Hopper-Montgomery", 3, Presence { device: Some("mobile".into()), ..presence(5000, 7) });
    add("mei", "美玲 陈", 3, presence(3500, 3));
    add("yael", "יעל כהן", 3, presence(12500, 4));
    add("zoe", "Zoe 👩‍🔬 Quinn", 3, Presence { freshness: Freshness::Stale { since: now() }, ..presence(6500, 44) });
    add("hank", "Hank Ivers", 4, presence(3500, 1));
    add("ida", "Ida Jones", 1, Presence::default());
    let contact = |g: u32, u: &str| Row::Contact { group: GroupId(g), uri: address(u) };
    let group =
        |id: u32, name: &str, online, total, folded| Row::Group { id: GroupId(id), name: name.into(), online, total, folded };
    p.rows =
        vec![group(2, "Pinned", 2, 2, false), contact(2, "bob"), contact(2, "carol"), group(3, "Platform team", 6, 7, false)];
    p.rows.extend(["dan", "erin", "frank", "grace", "mei", "yael", "zoe"].map(|u| contact(3, u)));
    p.rows.push(group(4, "Customers", 1, 1, true));
    p.rows.push(group(DEFAULT_GROUP.0, "~", 0, 1, false));
    p.rows.push(contact(1, "ida"));
    p.counts = (9, 11);
    p.selection = Some(RowId::Contact(GroupId(2), address("bob")));
}

pub fn message(n: u32, author: &str, clock: &str, body: &str, state: Delivery) -> Entry {
    let message = InstantMessage {
        alone: None,
        id: MessageId(format!("m{n}")),
        author: address(author),
        at: at(clock),
        body: body.into(),
        format: TextFormat::Plain,
        state,
    };
    Entry::Message { message, mention: false }
}

pub fn tab(thread: Thread, subject: &str, participants: Vec<Participant>) -> Tab {
    let id = ConversationId(thread.key());
    let focus = if let Thread::Conference(f) = &thread { Some(f.clone()) } else { None };
    let conversation = Conversation {
        id,
        state: if focus.is_some() { ConversationState::Conferenced } else { ConversationState::Established },
        subject: subject.into(),
        priority: crate::domain::conversation::Priority::Normal,
        participants,
        my_role: focus.is_some().then_some(Role::Leader),
        focus,
        locked: false,
        meeting: Box::default(),
        invitation: None,
        end_reason: None,
        recovering: false,
        derived_from: None,
        context: None,
    };
    Tab::new(thread, conversation)
}

pub fn participant(user: &str, role: Role) -> Participant {
    Participant { role, has_messages: true, ..Participant::new(address(user)) }
}

fn conversations(s: &mut State) {
    let mut bob =
        tab(Thread::Person(address("bob")), "", vec![Participant { typing: true, ..participant("bob", Role::Attendee) }]);
    bob.entries = vec![
        message(1, "bob", "09:38:00", "did the numbers land?", Delivery::Received),
        message(2, "alice", "09:39:00", "yes, 3rd tab of the sheet\nhttps://wiki.contoso.example/q3", Delivery::Delivered),
        message(3, "bob", "09:41:00", "thanks — can Carol join us?", Delivery::Received),
        message(4, "bob", "09:42:00", "I'm free at ten", Delivery::Received),
    ];
    bob.unread_from = Some(MessageId("m4".into()));
    bob.composer = Editor::new("inviting her now");
    let mut budget = tab(
        Thread::Conversation(ConversationId("b".into())),
        "Budget review",
        vec![participant("carol", Role::Attendee), participant("dan", Role::Attendee)],
    );
    budget.unread = 2;
    let mut people: Vec<Participant> = ["bob", "carol", "erin"].map(|u| participant(u, Role::Attendee)).into();
    people[0].role = Role::Leader;
    people.push(Participant { in_lobby: true, ..participant("hank", Role::Attendee) });
    let mut standup =
        tab(Thread::Conference("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:STANDUP1".into()), "Stand-up", people);
    standup.entries = vec![
        Entry::Notice { id: MessageId("n1".into()), at: at("09:30:00"), text: "Carol Diaz joined".into() },
        message(11, "carol", "09:30:20", "good morning everyone", Delivery::Received),
        message(12, "alice", "09:30:40", "morning! release notes are out, see https://contoso.example/notes", Delivery::Sent),
        message(
            13,
            "alice",
            "09:31:10",
            "the build is green again",
            Delivery::Failed("the meeting server did not answer".into()),
        ),
        message(14, "erin", "09:32:00", "/me waves from the train", Delivery::Received),
        message(
            15,
            "bob",
            "09:33:00",
            "日本のチームにも伝えてください。来週の火曜日に会議がありますので、資料を準備しておいてください。よろしくお願いします 👍🏽",
            Delivery::Received,
        ),
        message(16, "alice", "09:33:30", "will do", Delivery::Queued),
    ];
    if let Entry::Message { mention, .. } = &mut standup.entries[5] {
        *mention = true;
    }
    s.conversations.tabs = vec![bob, budget, standup];
    s.conversations.part = Part::Composer;
}

fn meetings(s: &mut State) {
    let meeting = |id: &str, subject: &str, start: &str, end: &str, invited: &[&str]| Conference {
        id: ConferenceId(id.into()),
        uri: format!("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:{id}"),
        join_url: format!("https://meet.contoso.example/alice/{id}"),
        organizer: address("alice"),
        version: 1,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: Default::default(),
        settings: ConferenceSettings {
            subject: subject.into(),
            start: (!start.is_empty()).then(|| Time::from_timestamp(start.parse().unwrap())),
            end: (!end.is_empty()).then(|| Time::from_timestamp(end.parse().unwrap())),
            time_zone: "Europe/Berlin".into(),
            access: AccessLevel::SameEnterprise,
            participants: invited.iter().map(|u| Invitee { uri: address(u), role: Role::Attendee }).collect(),
            ..ConferenceSettings::default()
        },
    };
    let mut list = vec![
        meeting("STANDUP1", "Stand-up", "2026-11-21T09:30:00Z", "2026-11-21T09:45:00Z", &["bob", "carol", "erin"]),
        meeting("BUDGET22", "Budget review", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z", &["bob", "carol"]),
        meeting(
            "PLANNING",
            "Planning the winter release, with everybody who wants to come",
            "2026-11-22T08:00:00Z",
            "2026-11-22T09:30:00Z",
            &[],
        ),
        meeting("ONEONONE", "1:1 Dan", "2026-11-26T13:00:00Z", "2026-11-26T13:30:00Z", &["dan"]),
        meeting("OPENROOM", "Open room", "", "", &[]),
    ];
    list[0].is_active = true;
    list[1].settings.description = "Third quarter, and what it means for next year.\nBring the sheet.".into();
    s.meetings.loaded = true;
    s.meetings.list = list;
    s.meetings.selection = Some(ConferenceId("BUDGET22".into()));
    s.meetings.built_for = None;
    s.meetings.settle(s.view.now);
}

pub fn field(id: FieldId, label: &'static str, help: &'static str, value: FieldValue) -> Field {
    Field { id, label, help, value, error: None, reading: None }
}

pub fn text(t: &str) -> FieldValue {
    FieldValue::Text(Editor::new(t))
}

pub fn choice(options: &[&str], at: usize) -> FieldValue {
    FieldValue::Choice { options: options.iter().map(|o| (*o).to_owned()).collect(), at }
}

/// A form that schedules, half filled in.
pub fn meeting_form() -> Form {
    let mut fields = vec![
        field(FieldId::Subject, "Subject", "what it is about", text("Budget")),
        field(FieldId::When, "When", "tomorrow 10:00 1h", text("tomorrow 10:00 1h")),
        field(FieldId::Zone, "Time zone", "Europe/Berlin", text("Europe/Atlantis")),
        field(FieldId::Access, "Who gets in", "", choice(&["organisation", "invited", "everyone", "only me"], 0)),
        field(FieldId::Invitees, "Invite", "names or addresses, with commas", text("Bob Kelly, carol@contoso.example")),
        field(FieldId::Description, "Description", "anything worth knowing", text("")),
    ];
    fields[1].reading = Some("Sun 22 Nov 2026, 10:00 to 11:00".into());
    fields[2].error = Some("There is no time zone of this name; write Europe/Berlin or UTC.".into());
    Form { fields, at: 1, changed: true, ..Form::default() }
}

fn own(s: &mut State) {
    let o = &mut s.own;
    o.loaded = true;
    let statuses = ["Available", "Busy", "Do not disturb", "Be right back", "Away", "Off work", "Appear offline", "Reset"];
    o.form.fields = vec![
        field(FieldId::Status, "Status", "what others see", choice(&statuses, 0)),
        field(FieldId::Activity, "Activity", "own words, such as “In the lab”", text("")),
        field(FieldId::Until, "Until", "15:00, 2h, tomorrow", text("")),
        field(FieldId::Note, "Note", "a line for everybody who sees you", text("Back at 3")),
        field(FieldId::Location, "Location", "office, home, or where you are", text("Building 7")),
    ];
    let device = |instance: &str, number: u32, device: &str, here, wins| OwnEndpoint {
        instance: instance.into(),
        source: "machineState".into(),
        availability: Availability(number),
        activity: String::new(),
        device: device.into(),
        since: Some(at("08:12:00")),
        here,
        wins,
    };
    o.endpoints = vec![device("aa", 3500, "Building 7", true, true), device("bb", 15500, "mobile", false, false)];
    o.states = vec![OwnEndpoint {
        source: "calendarState".into(),
        activity: "In a meeting".into(),
        ..device("", 6500, "", false, false)
    }];
    o.reason = "this device is in use and nothing else is set".into();
    let container = |id, members| Container { id, version: 1, members };
    o.replica.containers = vec![
        container(400, vec![Member::User(address("carol"))]),
        container(300, vec![Member::User(address("bob")), Member::User(address("dan"))]),
        container(200, vec![Member::SameEnterprise]),
        container(32000, vec![]),
    ];
    let subscriber = |user: &str, name: &str, acknowledged| Subscriber { acknowledged, ..Subscriber::new(address(user), name) };
    o.replica.subscribers = vec![subscriber("bob", "Bob Kelly", true), subscriber("karl", "Karl Lang", false)];
}

/// Own presence with something at every level: devices, a status by hand, a note, phones, delegates, new and old watchers.
pub fn rich_replica(s: &mut State) {
    use crate::domain::presence::{Delegates, Expiry, Publication, PublicationKey};
    use crate::lync::aggregate;
    use crate::lync::categories::state::StateValue;
    use crate::lync::categories::{card, note};
    let (owner, now) = (address("alice"), s.view.now);
    let published = |category: &str, instance, container, expiry, minutes: u64, value: String| Publication {
        key: PublicationKey { category: category.into(), instance, container },
        version: 1,
        expiry,
        publish_time: Some(Time(now.0 - minutes * 60_000)),
        endpoint_id: None,
        value,
    };
    let mut all = Vec::new();
    for c in [2, 3] {
        let mut here = StateValue::machine(Availability(3500));
        (here.location, here.device) = (Some("Building 34".into()), Some("computer".into()));
        all.push(published("state", 0x3000_0001, c, Expiry::Endpoint, 42, here.to_xml()));
        all.push(published("state", 0x3000_0002, c, Expiry::Endpoint, 190, StateValue::machine(Availability(15500)).to_xml()));
        let hand = if c == 2 { 9500 } else { 6900 };
        all.push(published("state", 0x2400_0000, c, Expiry::Time(7200), 5, StateValue::user(Availability(hand)).to_xml()));
    }
    let words = Note { text: "Back at 3".into(), out_of_office: false, start: None, end: None };
    let phone = |kind: &str, uri: &str| Phone { kind: kind.into(), uri: uri.into(), display: String::new() };
    for c in [0, 100, 200, 300, 400, 32_000] {
        let me =
            Card { display_name: Some("Alice Adams".into()), email: Some("alice@contoso.example".into()), ..Card::default() };
        all.push(published("contactCard", 0, c, Expiry::Static, 9000, card::to_xml(&me)));
        if (200..=400).contains(&c) {
            all.push(published("note", 0, c, Expiry::Static, 30, note::to_xml(Some(&words))));
        }
        let phones = match c {
            300 => vec![phone("mobile", "tel:+15550123")],
            400 => vec![phone("mobile", "tel:+15550123"), phone("home", "tel:+15550199")],
            _ => continue,
        };
        all.push(published("contactCard", 1, c, Expiry::Static, 9000, card::to_xml(&Card { phones, ..Card::default() })));
    }
    aggregate::settle(&mut all, &owner, now);
    s.own.replica.publications = all;
    s.own.replica.delegates = Delegates { version: 1, members: vec![address("dan")] };
    s.own
        .replica
        .containers
        .iter_mut()
        .filter(|c| c.id == 32_000)
        .for_each(|c| c.members.push(Member::Domain("spam.example".into())));
    for w in &mut s.own.replica.subscribers {
        w.since = Some(Time(now.0 - 26 * 60_000));
    }
    (s.own.loaded, s.own.dirty) = (true, true);
}

fn wire(s: &mut State) {
    let head = |start: &str, from: &str, to: &str, cseq: &str| {
        format!(
            "{start}\r\nVia: SIP/2.0/TLS 192.0.2.7:51234;branch=z9hG4bK7\r\nFrom: <sip:{from}@contoso.example>;tag=1\r\nTo: <sip:{to}@contoso.example>\r\nCall-ID: 8f2c\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let list = [
        (true, "09:41:57", head("REGISTER sip:contoso.example SIP/2.0", "alice", "alice", "1 REGISTER")),
        (false, "09:41:57", head("SIP/2.0 401 Unauthorized", "alice", "alice", "1 REGISTER")),
        (true, "09:41:58", head("REGISTER sip:contoso.example SIP/2.0", "alice", "alice", "2 REGISTER")),
        (false, "09:41:58", head("SIP/2.0 200 OK", "alice", "alice", "2 REGISTER")),
        (true, "09:41:59", head("SUBSCRIBE sip:alice@contoso.example SIP/2.0", "alice", "alice", "3 SUBSCRIBE")),
        (false, "09:42:00", head("BENOTIFY sip:192.0.2.7:51234 SIP/2.0", "alice", "alice", "1 BENOTIFY")),
        (true, "09:42:00", head("INVITE sip:bob@contoso.example SIP/2.0", "alice", "bob", "1 INVITE")),
    ];
    for (sent, clock, text) in list {
        s.wire.push(WireRecord::new(at(clock), sent, &text));
    }
}

/// Everything another person controls tries to break the screen.
pub fn hostile(columns: u16, rows: u16) -> State {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}Mal\u{202e}lory\u{9b}31m\r\n● Alice \u{2066}Adams\u{200b}\u{0}│└ 👩‍🔬\u{301}\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}";
    let mut s = state(columns, rows);
    let uri = address("bob");
    if let Some(c) = s.people.contacts.get_mut(&uri) {
        c.name = EVIL.into();
    }
    if let Some(p) = s.people.presence.get_mut(&uri) {
        p.note = Some(Note { text: EVIL.into(), out_of_office: false, start: None, end: None });
        p.activity = Some(Activity { token: None, custom: vec![(1033, EVIL.into())], min: 0, max: u32::MAX });
        p.location = Some(EVIL.into());
        p.meeting_subject = Some(EVIL.into());
        p.card.title = Some(EVIL.into());
    }
    for g in &mut s.people.rows {
        if let Row::Group { name, id, .. } = g
            && id.0 == 3
        {
            *name = EVIL.into();
        }
    }
    for t in &mut s.conversations.tabs {
        t.conversation.subject = EVIL.into();
        t.conversation.end_reason = Some(EVIL.into());
        t.composer_error = Some(EVIL.into());
        for (n, format) in [TextFormat::Plain, TextFormat::Html, TextFormat::Rtf].into_iter().enumerate() {
            let Entry::Message { mut message, .. } =
                message(90 + n as u32, "bob", "09:42:00", EVIL, Delivery::Failed(EVIL.into()))
            else {
                continue;
            };
            message.format = format;
            t.entries.push(Entry::Message { message, mention: false });
        }
    }
    for m in &mut s.meetings.list {
        m.settings.subject = EVIL.into();
        m.settings.description = EVIL.into();
        m.join_url = EVIL.into();
    }
    s.meetings.built_for = None;
    s.meetings.settle(s.view.now);
    s.own.reason = EVIL.into();
    s.own.endpoints[1].device = EVIL.into();
    s.own.replica.subscribers[1].display_name = EVIL.into();
    s.wire.push(WireRecord::new(now(), false, &format!("INVITE {EVIL} SIP/2.0\r\nFrom: <{EVIL}>\r\nCSeq: 1 {EVIL}\r\n\r\n")));
    s.account.note = Some(Note { text: EVIL.into(), out_of_office: false, start: None, end: None });
    s.account.name = EVIL.into();
    s
}
