//! Chat rooms (RFC 7701): words by a connection of their own, nicknames, words to one person alone.

use super::*;

/// The answer of a chat room.
const CHAT: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n\
    a=path:msrp://192.0.2.7:2855/room7;tcp\r\na=setup:passive\r\na=accept-types:message/cpim\r\na=chatroom:nickname private-messages\r\n";

/// What leaves over the connection to the room.
fn frames(bench: &mut Bench) -> Vec<String> {
    let sent = bench.beside.drain(..).filter_map(|b| match b {
        Beside::Pipe(_, PipeAsk::Send(octets)) => Some(String::from_utf8(octets).unwrap()),
        _ => None,
    });
    sent.collect()
}

fn told(bench: &Bench) -> Vec<(String, String)> {
    let all = bench.events.iter().filter_map(|e| match e {
        Event::Message { message, .. } => {
            let alone = message.alone.as_ref().map(|to| format!("{}< ", to.user())).unwrap_or_default();
            Some((message.author.user().to_owned(), alone + &message.body))
        }
        _ => None,
    });
    all.collect()
}

#[test]
fn in_a_chat_room_words_go_by_a_session_and_names_are_taken() {
    let (mut bench, mut s) = service(None);
    bench.operate(&mut s, join(ROOM));
    let invite = bench.request();
    let offer = String::from_utf8_lossy(&invite.1.body).into_owned();
    assert!(offer.contains("a=chatroom:nickname private-messages") && offer.contains("a=setup:active"), "{offer}");
    let ours = offer.lines().find_map(|l| l.strip_prefix("a=path:")).unwrap().to_owned();
    bench.answer(&mut s, &invite, 200, &format!("{IN}\nContent-Type: application/sdp"), CHAT);
    let Some(Beside::Pipe(pipe, PipeAsk::Open { host, port: 2855, .. })) = bench.beside.pop() else {
        panic!("no connection is opened")
    };
    assert_eq!(host, "192.0.2.7");
    bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Opened("192.0.2.1:5".into())));
    let first = frames(&mut bench);
    assert!(first[0].contains("To-Path: msrp://192.0.2.7:2855/room7;tcp\r\n"), "{first:?}");
    bench.operate(&mut s, Operation::SendMessage { conversation: id(), message: MessageId("m1".into()), text: "hello".into() });
    let said = frames(&mut bench).remove(0);
    assert!(said.contains("SEND") && said.contains("To: <sip:room@conf.contoso.com>") && said.contains("hello"), "{said}");
    let tid = said.split(' ').nth(1).unwrap();
    let ok = format!("MSRP {tid} 200 OK\r\nTo-Path: {ours}\r\nFrom-Path: msrp://192.0.2.7:2855/room7;tcp\r\n-------{tid}$\r\n");
    bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Bytes(ok.into_bytes())));
    let sent = |e: &Event| matches!(e, Event::MessageState { state: Delivery::Sent, .. });
    assert!(bench.events.iter().any(sent));
    for (to, text) in [("sip:room@conf.contoso.com", "hi"), ("sip:alice@contoso.com", "psst")] {
        let body = format!("From: <sip:bob@contoso.com>\r\nTo: <{to}>\r\n\r\nContent-Type: text/plain\r\n\r\n{text}");
        let n = body.len();
        let frame = format!(
            "MSRP x{text}1 SEND\r\nTo-Path: {ours}\r\nFrom-Path: msrp://192.0.2.7:2855/room7;tcp\r\nMessage-ID: i{text}\r\n\
             Byte-Range: 1-{n}/{n}\r\nContent-Type: message/cpim\r\n\r\n{body}\r\n-------x{text}1$\r\n"
        );
        bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Bytes(frame.into_bytes())));
    }
    assert_eq!(told(&bench), [("bob".to_owned(), "hi".to_owned()), ("bob".into(), "alice< psst".into())]);
    frames(&mut bench);
    let op = bench.operate(&mut s, Operation::SetNickname { conversation: id(), name: "Alice W.".into() });
    let asked = frames(&mut bench).remove(0);
    assert!(asked.contains("NICKNAME") && asked.contains("Use-Nickname: \"Alice W.\""), "{asked}");
    let tid = asked.split(' ').nth(1).unwrap();
    let taken =
        format!("MSRP {tid} 425 Taken\r\nTo-Path: {ours}\r\nFrom-Path: msrp://192.0.2.7:2855/room7;tcp\r\n-------{tid}$\r\n");
    bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Bytes(taken.into_bytes())));
    assert!(bench.result(op).unwrap().unwrap_err().text.contains("somebody else"));
    bench.operate(&mut s, Operation::EndConversation { conversation: id() });
    assert!(bench.beside.iter().any(|b| matches!(b, Beside::Pipe(p, PipeAsk::Close) if *p == pipe)));
}

#[test]
fn when_the_connection_to_a_room_breaks_words_go_by_requests() {
    for opened in [true, false] {
        let (mut bench, mut s) = service(None);
        bench.operate(&mut s, join(ROOM));
        let invite = bench.request();
        bench.answer(&mut s, &invite, 200, &format!("{IN}\nContent-Type: application/sdp"), CHAT);
        let Some(Beside::Pipe(pipe, _)) = bench.beside.pop() else { panic!("no connection is opened") };
        bench.sent.clear();
        let say =
            |name: &str| Operation::SendMessage { conversation: id(), message: MessageId(name.into()), text: "hello".into() };
        let failed = |e: &Event| matches!(e, Event::MessageState { state: Delivery::Failed(why), .. } if why.contains("broke"));
        bench.operate(&mut s, say("m1"));
        assert!(bench.sent.is_empty() && frames(&mut bench).is_empty());
        if opened {
            bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Opened("192.0.2.1:5".into())));
        }
        bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Closed("refused".into())));
        // What has left may have arrived; what has not leaves another way.
        assert_eq!(bench.events.iter().any(failed), opened);
        if opened {
            bench.operate(&mut s, say("m2"));
        }
        assert_eq!(bench.request().1.method, Method::Message);
    }
}

/// Alice is in a chat room with bob; the connection to it is not open yet.
fn waiting(answer: &str) -> (Room, PipeId) {
    let (mut bench, mut s) = service(None);
    bench.operate(&mut s, join(ROOM));
    let invite = bench.request();
    bench.answer(&mut s, &invite, 200, &format!("{IN}\nContent-Type: application/sdp"), answer);
    let Some(Beside::Pipe(pipe, _)) = bench.beside.pop() else { panic!("no connection is opened") };
    assert_eq!(bench.request().1.method, Method::Ack);
    let subscribe = bench.request();
    bench.answer(&mut s, &subscribe, 200, "Contact: <sip:room@conf.contoso.com>\nExpires: 3600", "");
    let mut room = Room { bench, s, invite, subscribe, cseq: 10, notified: 0 };
    room.notify("active;expires=3600", &roster("full", 1, &(user("alice", "connected", "") + &user("bob", "connected", ""))));
    room.bench.sent.clear();
    (room, pipe)
}

/// The same, with the connection open.
fn chat(answer: &str) -> (Room, PipeId) {
    let (mut room, pipe) = waiting(answer);
    room.bench.call(&mut room.s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Opened("192.0.2.1:5".into())));
    frames(&mut room.bench);
    (room, pipe)
}

fn privately(name: &str, to: &str) -> Operation {
    Operation::SendPrivately { conversation: id(), to: who(to), message: MessageId(name.into()), text: "between us".into() }
}

#[test]
fn words_to_one_person_of_a_room_name_that_person() {
    let (mut room, pipe) = chat(CHAT);
    assert!(room.looks().meeting.private_messages);
    room.operate(privately("m1", "bob"));
    let said = frames(&mut room.bench).remove(0);
    assert!(said.contains("To: <sip:bob@contoso.com>\r\n") && !said.contains(ROOM) && said.contains("between us"), "{said}");
    let tid = said.split(' ').nth(1).unwrap();
    let ours = said.lines().find_map(|l| l.strip_prefix("From-Path: ")).unwrap();
    let refused =
        format!("MSRP {tid} 404 Gone\r\nTo-Path: {ours}\r\nFrom-Path: msrp://192.0.2.7:2855/room7;tcp\r\n-------{tid}$\r\n");
    room.bench.call(&mut room.s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Bytes(refused.into_bytes())));
    let failed =
        |e: &Event| matches!(e, Event::MessageState { state: Delivery::Failed(why), .. } if why.contains("not in the meeting"));
    assert!(room.bench.events.iter().any(failed));
    for (name, words) in [("alice", "that is you"), ("mallory", "they are not in the meeting")] {
        let op = room.operate(privately("m2", name));
        assert!(room.bench.result(op).unwrap().unwrap_err().text.contains(words));
    }
    assert!(frames(&mut room.bench).is_empty());
}

#[test]
fn words_to_one_person_never_go_to_everybody() {
    let (mut room, _) = chat(&CHAT.replace(" private-messages", ""));
    assert!(!room.looks().meeting.private_messages);
    let op = room.operate(privately("m1", "bob"));
    assert!(room.bench.result(op).unwrap().unwrap_err().text.contains("no messages on to one person alone"));
    assert!(frames(&mut room.bench).is_empty() && room.bench.sent.is_empty());
    // What waits when the way of the room breaks may not leave by the other way, which everybody hears.
    let (mut room, pipe) = waiting(CHAT);
    room.operate(privately("m1", "bob"));
    room.operate(Operation::SendMessage { conversation: id(), message: MessageId("m2".into()), text: "for all".into() });
    room.bench.call(&mut room.s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Closed("refused".into())));
    let failed = |e: &Event| matches!(e, Event::MessageState { message, state: Delivery::Failed(_), .. } if message.0 == "m1");
    assert!(room.bench.events.iter().any(failed));
    let sent: Vec<String> = room.bench.sent.iter().map(|r| String::from_utf8_lossy(&r.1.body).into_owned()).collect();
    assert!(sent.len() == 1 && sent[0].contains("for all"), "{sent:?}");
}

#[test]
fn a_nickname_stands_in_the_roster() {
    let (mut room, _) = chat(CHAT);
    let named = user("bob", "connected", "")
        .replace("<display-text>", "<nickname xmlns='urn:ietf:params:xml:ns:xcon-conference-info'>Boss</nickname><display-text>");
    room.notify("active;expires=3600", &roster("partial", 2, &named));
    assert_eq!(room.looks().participants[0].display_name, "bob (Boss)");
}

#[test]
fn a_room_that_speaks_nonsense_is_left_with_a_sentence() {
    let (mut bench, mut s) = service(None);
    bench.operate(&mut s, join(ROOM));
    let invite = bench.request();
    let only_room = IN.replace(", MESSAGE", "");
    bench.answer(&mut s, &invite, 200, &format!("{only_room}\nContent-Type: application/sdp"), CHAT);
    let Some(Beside::Pipe(pipe, _)) = bench.beside.pop() else { panic!("no connection is opened") };
    bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Opened("192.0.2.1:5".into())));
    let nonsense = b"MSRP abcd 200 OK\r\nTo-Path: msrp://192.0.2.1:9/x;tcp\r\nFrom-Path: nobody\r\n-------abcd$\r\n".to_vec();
    bench.call(&mut s, |s, ctx| s.on_pipe(ctx, pipe, PipeNews::Bytes(nonsense)));
    let told = |e: &Event| matches!(e, Event::Notice(t) if t.contains("From-Path is malformed") && t.contains("join it again"));
    assert!(bench.events.iter().any(told));
    let say = Operation::SendMessage { conversation: id(), message: MessageId("m1".into()), text: "hello".into() };
    let op = bench.operate(&mut s, say);
    assert!(bench.result(op).unwrap().unwrap_err().text.contains("is gone"));
}
