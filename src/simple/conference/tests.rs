use super::*;

const FULL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:conf7h2@conf.example.com" state="full" version="1">
  <conference-description><subject>Sprint review</subject><maximum-user-count>20</maximum-user-count></conference-description>
  <conference-state><user-count>2</user-count><active>true</active><locked>false</locked></conference-state>
  <users state="full">
    <user entity="sip:alice@example.com" state="full"><display-text>Alice</display-text><roles><entry>moderator</entry></roles>
      <endpoint entity="sip:alice@198.51.100.7:40112" state="full"><status>connected</status><joining-method>dialed-in</joining-method>
        <media id="1"><type>audio</type><label>11</label><src-id>432424</src-id><status>sendrecv</status></media></endpoint></user>
    <user entity="sip:bob@example.com" state="full"><endpoint entity="sip:bob@203.0.113.4"><status>alerting</status></endpoint></user>
  </users>
</conference-info>"#;

const PARTIAL: &str = r#"<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:conf7h2@conf.example.com" state="partial" version="2">
  <conference-state><user-count>2</user-count></conference-state>
  <users state="partial">
    <user entity="sip:bob@example.com" state="partial"><endpoint entity="sip:bob@203.0.113.4" state="partial"><status>connected</status></endpoint></user>
    <user entity="sip:carol@example.com" state="deleted"/>
  </users>
</conference-info>"#;

fn document(state: &str, version: u32, inside: &str) -> Document {
    let xml = format!(
        "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='sip:conf7h2@conf.example.com' \
         state='{state}' version='{version}'>{inside}</conference-info>"
    );
    Document::parse(xml.as_bytes()).unwrap()
}

fn known() -> Conference {
    let mut c = Conference::default();
    assert_eq!(c.apply(Document::parse(FULL.as_bytes()).unwrap()), Applied::Applied);
    c
}

fn inside(c: &Conference) -> Vec<&str> {
    c.users.iter().filter(|u| u.is_in()).map(|u| u.entity.as_str()).collect()
}

#[test]
fn the_documents_of_the_guide_build_the_state_they_describe() {
    let mut c = known();
    assert_eq!((c.description.subject.as_str(), c.description.maximum), ("Sprint review", Some(20)));
    assert_eq!((c.status.count, c.status.active, c.status.locked), (Some(2), Some(true), false));
    assert_eq!((c.users[0].display_text.as_str(), c.users[0].roles.as_slice()), ("Alice", &["moderator".to_owned()][..]));
    assert_eq!(c.users[0].endpoints[0].media[0].kind, "audio");
    assert_eq!(inside(&c), ["sip:alice@example.com"]);
    assert!(c.users[1].is_coming());
    assert_eq!(c.apply(Document::parse(PARTIAL.as_bytes()).unwrap()), Applied::Applied);
    assert_eq!(inside(&c), ["sip:alice@example.com", "sip:bob@example.com"]);
    // What has no key is replaced as a whole.
    assert_eq!((c.status.count, c.status.active), (Some(2), None));
    assert_eq!(c.description.subject, "Sprint review");
}

#[test]
fn old_changes_are_passed_over_and_a_gap_asks_for_a_whole_document() {
    let mut c = known();
    let before = c.clone();
    assert_eq!(c.apply(document("partial", 1, "<users state='full'/>")), Applied::Ignored);
    assert_eq!(c.apply(document("full", 0, "")), Applied::Ignored);
    assert_eq!(c.apply(document("partial", 3, "<users state='full'/>")), Applied::Gap);
    assert_eq!(c, before);
    assert_eq!(c.apply(document("full", 7, "<users/>")), Applied::Applied);
    assert!(c.users.is_empty() && c.description.subject.is_empty());
    assert_eq!(Conference::default().apply(document("partial", 1, "")), Applied::Gap);
}

#[test]
fn a_new_subscription_counts_from_anew_and_begins_with_a_whole_document() {
    let mut c = known();
    c.renew();
    assert_eq!(c.apply(document("partial", 2, "")), Applied::Gap);
    assert_eq!(inside(&c), ["sip:alice@example.com"]);
    assert_eq!(c.apply(document("full", 0, "<users><user entity='sip:dave@example.com'/></users>")), Applied::Applied);
    assert_eq!(inside(&c), ["sip:dave@example.com"]);
}

#[test]
fn people_and_devices_merge_by_their_names_and_full_children_replace() {
    let mut c = known();
    let change = "<users state='partial'><user entity='SIP:alice@example.com' state='partial'>\
                  <endpoint entity='sip:alice@198.51.100.7:40112' state='deleted'/>\
                  <endpoint entity='sip:alice@tablet'><status>on-hold</status></endpoint></user></users>";
    assert_eq!(c.apply(document("partial", 2, change)), Applied::Applied);
    assert_eq!(c.users[0].display_text, "Alice");
    assert_eq!(c.users[0].endpoints.iter().map(|e| e.entity.as_str()).collect::<Vec<_>>(), ["sip:alice@tablet"]);
    let change = "<users state='partial'><user entity='sip:alice@example.com'><display-text>A.</display-text></user></users>";
    assert_eq!(c.apply(document("partial", 3, change)), Applied::Applied);
    assert_eq!((c.users[0].display_text.as_str(), c.users[0].roles.len(), c.users[0].endpoints.len()), ("A.", 0, 0));
    let change = "<users state='partial'><user entity='sip:alice@example.com' state='deleted'/></users>";
    assert_eq!(c.apply(document("partial", 4, change)), Applied::Applied);
    assert!(inside(&c).is_empty());
}

#[test]
fn another_conference_changes_nothing_and_a_deleted_one_is_over() {
    let mut c = known();
    let other =
        "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='sip:other@conf.example.com' version='9'/>";
    assert_eq!(c.apply(Document::parse(other.as_bytes()).unwrap()), Applied::Ignored);
    assert_eq!(c.apply(document("deleted", 2, "")), Applied::Over);
}

#[test]
fn a_document_without_version_is_whole_and_more_than_a_thousand_people_are_not_kept() {
    let many: String = (0..1_200).map(|n| format!("<user entity='sip:u{n}@example.com'/>")).collect();
    let xml =
        format!("<conference-info entity='sip:conf7h2@conf.example.com' state='partial'><users>{many}</users></conference-info>");
    let mut c = known();
    assert_eq!(c.apply(Document::parse(xml.as_bytes()).unwrap()), Applied::Applied);
    assert_eq!(c.users.len(), CONFERENCE_USERS_MAX);
}

#[test]
fn what_is_no_document_is_refused() {
    for bad in [
        "",
        "<conference-info/>",
        "<!DOCTYPE x><conference-info entity='a'/>",
        "<other entity='a'/>",
        "<conference-info entity='a'>",
    ] {
        assert!(Document::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let d = document("partial", 2, "<users><user/><user entity=''/><x:user xmlns:x='urn:x' entity='sip:a@b'/></users>");
    assert_eq!(d.users, Some((Extent::Full, Vec::new())));
}
