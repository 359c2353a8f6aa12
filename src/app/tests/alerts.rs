//! Being told when somebody becomes available, goes offline, or changes (and 5.9 of the domain guide).

use super::*;
use crate::app::effect::StoreRequest;
use crate::app::event::{Snapshot, StoreReply};
use crate::domain::presence::{Container, Expiry, Level, Member, Publication, PublicationKey, SelfPresence, Subscriber};
use crate::domain::watching::ViewId;
use std::time::Duration;

impl Stage {
    /// Takes the last toast away and returns its words.
    fn told(&mut self) -> Option<String> {
        self.state.toast.take().map(|t| t.text)
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.event(Event::Tick);
    }

    fn kept_alerts(&self) -> Vec<crate::app::alerts::Alert> {
        let kept = self.effects.iter().rev().find_map(|e| match e {
            Effect::Store(_, StoreRequest::SaveAlerts(all)) => Some(all.clone()),
            _ => None,
        });
        kept.expect("the alerts were kept")
    }

    fn publishes(&mut self, alerts: &str, containers: Vec<Container>) {
        let key = PublicationKey { category: "alerts".into(), instance: 0, container: 1 };
        let value = format!("<alerts>{alerts}</alerts>");
        let p = Publication { key, version: 1, expiry: Expiry::Static, publish_time: None, endpoint_id: None, value };
        let own = SelfPresence { publications: vec![p], containers, ..SelfPresence::default() };
        self.says(endpoint::Event::SelfPresence(Box::new(own)));
    }
}

/// Bob is busy; the cursor is on him.
fn on_bob() -> Stage {
    let mut s = Stage::new();
    s.state.people.selection = Some(RowId::Contact(GroupId(2), a("bob")));
    s
}

#[test]
fn one_key_makes_an_alert_that_fires_once() {
    let mut s = on_bob();
    s.keys("t Enter Enter");
    assert_eq!(s.told().as_deref(), Some("You will be told when Bob Kelly becomes available"));
    assert!(s.asked().contains(&Operation::Watch { view: ViewId::alerts(), uris: vec![a("bob")] }));
    s.presence("bob", Availability::AWAY);
    assert_eq!(s.told(), None);
    s.effects.clear();
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now available"));
    assert!(s.effects.contains(&Effect::Bell));
    assert!(s.asked().contains(&Operation::Unwatch { view: ViewId::alerts(), uris: vec![a("bob")] }));
    s.presence("bob", Availability::AWAY);
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told(), None);
}

#[test]
fn an_alert_that_stays_fires_every_time_it_becomes_true() {
    let mut s = on_bob();
    s.keys("t j j Enter j Enter");
    assert_eq!(s.told().as_deref(), Some("You will be told when Bob Kelly goes offline"));
    for _ in 0..2 {
        s.presence("bob", Availability::OFFLINE);
        assert_eq!(s.told().as_deref(), Some("Bob Kelly is now offline"));
        s.presence("bob", Availability::OFFLINE);
        assert_eq!(s.told(), None, "the same again is no news");
        s.presence("bob", Availability::AVAILABLE);
        assert_eq!(s.told(), None);
    }
}

#[test]
fn what_is_the_case_already_counts_from_the_next_time_on() {
    let mut s = on_bob();
    s.presence("bob", Availability::AVAILABLE);
    s.keys("t Enter Enter");
    assert_eq!(s.told().as_deref(), Some("You will be told when Bob Kelly becomes available again"));
    s.wait(300);
    assert_eq!(s.told(), None);
}

#[test]
fn two_quiet_minutes_are_two_minutes_of_being_available() {
    let mut s = on_bob();
    s.keys("t j Enter Enter");
    s.told();
    s.presence("bob", Availability::AVAILABLE);
    s.wait(119);
    assert_eq!(s.told(), None);
    s.presence("bob", Availability::IDLE);
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.state.next_deadline().map(|t| t.min(s.now + Duration::from_secs(60))), s.state.next_deadline());
    s.wait(119);
    assert_eq!(s.told(), None, "the two minutes began anew");
    s.wait(1);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly has been available for two minutes"));
}

#[test]
fn every_change_of_status_can_be_told() {
    let mut s = on_bob();
    s.keys("t j j j Enter j Enter");
    s.told();
    s.presence("bob", Availability::AWAY);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now away"));
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now available"));
}

#[test]
fn the_first_of_a_group_is_waited_for() {
    let mut s = Stage::new();
    s.presence("carol", Availability::AWAY);
    s.state.people.selection = Some(RowId::Group(GroupId(3)));
    s.keys("t Enter Enter");
    assert_eq!(s.told().as_deref(), Some("You will be told when the first of Team becomes available"));
    s.presence("erin", Availability::AVAILABLE);
    assert_eq!(s.told(), None, "Erin is not of the team");
    s.presence("dan", Availability::AVAILABLE);
    assert_eq!(s.told().as_deref(), Some("dan@contoso.example of Team is available"));
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told(), None, "only the first");
}

#[test]
fn a_reconnection_is_not_the_first_of_a_group_becoming_available() {
    let mut s = Stage::new();
    s.state.people.selection = Some(RowId::Group(GroupId(3)));
    s.keys("t Enter j Enter");
    s.told();
    s.says(endpoint::Event::State { state: EndpointState::Reestablishing, reason: Reason::None, retry_at: None });
    s.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
    s.told();
    s.presence("bob", Availability::BUSY);
    s.presence("carol", Availability::AVAILABLE);
    assert_eq!(s.told(), None, "Carol was available before");
    s.presence("carol", Availability::AWAY);
    s.presence("dan", Availability::OFFLINE);
    assert_eq!(s.told(), None);
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly of Team is available"));
}

#[test]
fn the_conversation_opens_but_takes_the_keys_from_nobody_who_writes() {
    let mut s = on_bob();
    s.keys("t Enter j j Enter");
    s.wait(60);
    s.told();
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!((s.state.pane, s.tabs().as_str()), (Pane::Conversations, "[Bob Kelly]"));
    let mut s = on_bob();
    s.keys("t Enter j j Enter Alt-3");
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!((s.state.pane, s.state.conversations.tabs.len()), (Pane::Meetings, 1));
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now available: the conversation is open"));
}

#[test]
fn the_prepared_text_is_sent_at_that_moment_and_goes_back_when_the_alert_is_cancelled() {
    let mut s = on_bob();
    s.keys("Enter \"lunch?\" Alt-1 t Enter j j j j Enter");
    assert_eq!(s.composer(), "");
    assert!(!s.asked().iter().any(|o| matches!(o, Operation::SendMessage { .. })));
    s.keys("T Enter");
    assert_eq!(s.composer(), "lunch?");
    s.keys("Alt-1 t Enter j j j j Enter");
    s.told();
    s.effects.clear();
    s.presence("bob", Availability::AVAILABLE);
    let sent = s.asked().into_iter().find_map(|o| match o {
        Operation::SendMessage { text, .. } => Some(text),
        _ => None,
    });
    assert_eq!(sent.as_deref(), Some("lunch?"));
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now available: your message was sent"));
}

#[test]
fn alerts_survive_a_restart_and_what_happened_meanwhile_is_told() {
    let mut s = on_bob();
    s.keys("t Enter Enter");
    let kept = s.kept_alerts();
    let text = serde_json::to_string(&kept).unwrap();
    let mut s = Stage::new();
    let alerts = serde_json::from_str(&text).unwrap();
    s.event(Event::Store(StoreReply::Snapshot(Box::new(Snapshot { alerts, ..Snapshot::default() }))));
    assert!(s.asked().contains(&Operation::Watch { view: ViewId::alerts(), uris: vec![a("bob")] }));
    s.told();
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now available"));
    assert!(s.kept_alerts().is_empty());
}

#[test]
fn without_the_link_nothing_fires_and_nothing_is_armed() {
    let mut s = on_bob();
    s.presence("bob", Availability::AVAILABLE);
    s.keys("t Enter Enter");
    s.says(endpoint::Event::State { state: EndpointState::Reestablishing, reason: Reason::None, retry_at: None });
    s.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
    s.told();
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told(), None, "he was available all the time, as far as anybody knows");
}

#[test]
fn alerts_are_listed_and_cancelled() {
    let mut s = on_bob();
    s.keys("T");
    assert_eq!(s.told().as_deref(), Some("you wait for nobody; t on a person or a group of the list makes an alert"));
    s.keys("t Enter Enter t j j Enter j Enter T");
    let Some(Overlay::Picker(p)) = s.state.overlays.last() else { panic!() };
    let rows: Vec<(&str, &str)> = p.rows.iter().map(|r| (r.0.as_str(), r.1.as_str())).collect();
    let expected = [("Bob Kelly becomes available", "once, tells you"), ("Bob Kelly goes offline", "every time, tells you")];
    assert_eq!(rows, expected);
    s.keys("Enter");
    assert_eq!(s.told().as_deref(), Some("You will not be told when Bob Kelly becomes available"));
    assert_eq!(s.state.alerts.list.len(), 1);
}

#[test]
fn own_do_not_disturb_keeps_alerts_back_until_it_is_over() {
    let mut s = on_bob();
    s.keys("t Enter Enter");
    s.told();
    s.state.account.availability = Some(Availability::DO_NOT_DISTURB);
    s.presence("bob", Availability::AVAILABLE);
    assert_eq!(s.told(), None);
    s.state.account.availability = Some(Availability::AVAILABLE);
    s.event(Event::Tick);
    assert_eq!(s.told().as_deref(), Some("Bob Kelly is now available"));
}

#[test]
fn alerts_when_do_not_disturb_shows_all_those_of_the_workgroup_or_none() {
    let workgroup = Container { id: Level::Workgroup.container(), version: 1, members: vec![Member::User(a("carol"))] };
    let rings = |value: &str, from: &str| {
        let mut s = Stage::new();
        s.publishes(&format!("<alertsWhenDoNotDisturb>{value}</alertsWhenDoNotDisturb>"), vec![workgroup.clone()]);
        s.state.account.availability = Some(Availability::DO_NOT_DISTURB);
        s.keys("Alt-3");
        let c = s.conversation("c9", &[from], ConversationState::Established);
        s.says(endpoint::Event::Conversation(Box::new(c)));
        s.effects.clear();
        s.message("c9", "2", from, "chat");
        s.effects.contains(&Effect::Bell)
    };
    assert_eq!((rings("displayAllAlerts", "dan"), rings("displayAllAlerts", "carol")), (true, true));
    assert_eq!((rings("displayAlertsFromHighPresence", "dan"), rings("displayAlertsFromHighPresence", "carol")), (false, true));
    assert_eq!((rings("noAlerts", "dan"), rings("noAlerts", "carol")), (false, false));
}

#[test]
fn notify_addition_to_contact_list_decides_whether_new_watchers_are_asked_about() {
    for (value, asked) in [("true", 1), ("false", 0)] {
        let mut s = Stage::new();
        s.publishes(&format!("<notifyAdditionToContactList>{value}</notifyAdditionToContactList>"), Vec::new());
        let new = Subscriber::new(a("zoe"), "Zoe");
        let own = SelfPresence { subscribers: vec![new], ..s.state.own.replica.clone() };
        s.says(endpoint::Event::SelfPresence(Box::new(own)));
        assert_eq!(s.state.questions.len(), asked, "{value}");
    }
}

#[test]
fn show_message_text_for_incoming_conversation_decides_whether_the_toast_is_shown() {
    use crate::domain::conversation::Invitation;
    for (value, toast) in [("true", "hi there"), ("false", "")] {
        let mut s = Stage::new();
        s.publishes(
            &format!("<showMessageTextForIncomingConversation>{value}</showMessageTextForIncomingConversation>"),
            Vec::new(),
        );
        let mut c = s.conversation("c9", &["carol"], ConversationState::Incoming);
        c.invitation = Some(Invitation {
            from: a("carol"),
            toast: "hi there".into(),
            conference: false,
            priority: Default::default(),
            auto_accept: None,
        });
        s.says(endpoint::Event::Conversation(Box::new(c)));
        let crate::app::state::QuestionKind::Invitation { toast: shown, .. } = &s.state.question().unwrap().kind else {
            panic!()
        };
        assert_eq!(shown, toast);
    }
}

#[test]
fn what_cannot_show_costs_no_frame() {
    let mut s = Stage::new();
    let record = crate::app::state::WireRecord::new(NOW, false, "BENOTIFY sip:a SIP/2.0");
    let wire = Event::Wire(record);
    assert!(!crate::app::shows(&s.state, &wire));
    s.event(wire.clone());
    s.event(Event::RoundTrip(12));
    assert!(!crate::app::shows(&s.state, &Event::RoundTrip(12)));
    assert!(crate::app::shows(&s.state, &Event::RoundTrip(13)));
    s.keys("Alt-5");
    assert!(crate::app::shows(&s.state, &wire));
    assert_eq!(s.state.wire.records.len(), 1, "it is kept all the same");
}
