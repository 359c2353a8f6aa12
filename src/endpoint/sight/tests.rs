use super::*;
use crate::domain::access::default_containers;
use crate::domain::presence::{Delegates, Expiry, PublicationKey, Subscriber};
use crate::lync::categories::note;

const NOW: Time = Time(1_750_000_000_000);

fn a(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn note_in(container: u32, text: &str) -> Publication {
    let words = crate::domain::presence::Note { text: text.into(), out_of_office: false, start: None, end: None };
    Publication {
        key: PublicationKey { category: "note".into(), instance: 0, container },
        version: 1,
        expiry: Expiry::Static,
        publish_time: Some(NOW),
        endpoint_id: None,
        value: note::to_xml(Some(&words)),
    }
}

fn replica() -> SelfPresence {
    SelfPresence {
        publications: vec![note_in(200, "inside"), note_in(500, "for the few")],
        containers: default_containers(),
        subscribers: Vec::new(),
        delegates: Delegates::default(),
    }
}

fn person(uri: &str, network: SourceNetwork) -> Viewer {
    Viewer::Person { uri: a(uri), network }
}

#[test]
fn a_person_sees_what_their_network_gets_and_why_is_said() {
    let me = a("alice@contoso.com");
    let s = sight(&me, &replica(), person("bob@contoso.com", SourceNetwork::SameEnterprise), NOW);
    assert_eq!((s.container, s.level, s.by), (200, Some(Level::Colleagues), Some(Member::SameEnterprise)));
    assert_eq!(s.facts, [Fact { what: "Note".into(), words: "inside".into() }]);
    let s = sight(&me, &replica(), person("eve@evil.com", SourceNetwork::Everyone), NOW);
    assert_eq!((s.container, s.by), (0, None));
    assert_eq!(s.hidden.len(), 1);
    assert_eq!(s.hidden[0].why, "only Colleagues and container 500 may see it");
}

#[test]
fn the_network_is_as_the_server_said_of_a_watcher_else_by_the_domain() {
    let me = a("alice@contoso.com");
    let mut r = replica();
    assert_eq!(network(&me, &r, &a("bob@contoso.com")), SourceNetwork::SameEnterprise);
    assert_eq!(network(&me, &r, &a("bob@other.com")), SourceNetwork::Federated);
    let cloud = Subscriber { network: Some(SourceNetwork::PublicCloud), ..Subscriber::new(a("bob@other.com"), "Bob") };
    r.subscribers.push(cloud);
    assert_eq!(network(&me, &r, &a("bob@other.com")), SourceNetwork::PublicCloud);
}

#[test]
fn containers_with_the_same_change_are_told_together_and_people_who_move_by_name() {
    let me = a("alice@contoso.com");
    let (before, mut after) = (replica(), replica());
    after.publications = [200, 300, 400].map(|c| note_in(c, "changed")).to_vec();
    let all = differences(&me, &before, &after, [], NOW);
    let who: Vec<&Affected> = all.iter().map(|d| &d.who).collect();
    let containers = |ids: &[u32]| Affected::Containers(ids.to_vec());
    assert_eq!(who, [&containers(&[200]), &containers(&[300, 400]), &containers(&[500])]);
    assert_eq!(all[2].changes[0].after, None);
    let mut moved = replica();
    moved.containers.iter_mut().filter(|c| c.id == 32_000).for_each(|c| c.members.push(Member::User(a("bob@contoso.com"))));
    let all = differences(&me, &before, &moved, [], NOW);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].who, Affected::Person(a("bob@contoso.com"), 200, 32_000));
}
