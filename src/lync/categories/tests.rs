use super::*;
use crate::domain::presence::{Availability, Expiry, PublicationKey};

const EXAMPLE: &str = r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com"><category name="state" instance="1" publishTime="2014-01-15T09:20:11.417"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>6500</availability><activity token="on-the-phone" minAvailability="6500" maxAvailability="8999"/></state></category><category name="contactCard" instance="0" publishTime="2014-01-10T08:00:00.000"><contactCard xmlns="http://schemas.microsoft.com/2006/09/sip/contactcard"><identity><name><displayName>Bob Example</displayName></name><email>bob@contoso.com</email></identity></contactCard></category><category name="note" instance="0" publishTime="2014-01-15T08:00:00.000"><note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">In the Oslo office</body></note></category></categories>"#;

#[test]
fn the_example_round_trips_and_merges() {
    let doc = WatchedCategories::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(doc.to_bytes()).unwrap(), EXAMPLE);
    let mut p = Presence::default();
    merge_categories(&mut p, &doc, Time(5));
    assert_eq!(p.availability, Some(Availability::BUSY));
    assert_eq!(p.activity.as_ref().unwrap().token.as_deref(), Some("on-the-phone"));
    assert_eq!(p.note.as_ref().unwrap().text, "In the Oslo office");
    assert_eq!(p.card.display_name.as_deref(), Some("Bob Example"));
    assert_eq!(p.freshness, Freshness::Known { at: Time(5) });
    let once = p.clone();
    merge_categories(&mut p, &doc, Time(5));
    assert_eq!(p, once);
}

#[test]
fn the_epoch_is_no_time() {
    let never = EXAMPLE.replace("2014-01-15T09:20:11.417", "1970-01-01T00:00:00.000");
    let doc = WatchedCategories::parse(never.as_bytes()).unwrap();
    assert_eq!(doc.categories[0].publish_time, None);
    assert!(doc.categories[1].publish_time.is_some());
}

#[test]
fn only_what_occurs_is_replaced_and_the_empty_clears() {
    let mut p = Presence::default();
    merge_categories(&mut p, &WatchedCategories::parse(EXAMPLE.as_bytes()).unwrap(), Time(1));
    let mut doc = WatchedCategories::new(Address::parse("bob@contoso.com").unwrap());
    doc.push_empty("note");
    doc.push(&Publication {
        key: PublicationKey { category: "state".into(), instance: 1, container: 200 },
        version: 4,
        expiry: Expiry::User,
        publish_time: Some(Time(9)),
        endpoint_id: None,
        value: StateValue::aggregate(Availability::AWAY).to_xml(),
    });
    let text = String::from_utf8(doc.to_bytes()).unwrap();
    assert!(text.contains("<category name=\"note\"/>") && !text.contains("container=") && !text.contains("version="), "{text}");
    merge_categories(&mut p, &WatchedCategories::parse(text.as_bytes()).unwrap(), Time(2));
    assert_eq!((p.availability, p.activity.clone(), p.note.clone()), (Some(Availability::AWAY), None, None));
    assert_eq!(p.card.display_name.as_deref(), Some("Bob Example"));
    let mut doc = WatchedCategories::new(doc.uri);
    doc.push_empty("state");
    merge_categories(&mut p, &doc, Time(3));
    assert_eq!(p.availability, None);
}

#[test]
fn an_activity_outside_its_limits_is_not_shown() {
    let text = EXAMPLE.replace("<availability>6500", "<availability>3500");
    let mut p = Presence::default();
    merge_categories(&mut p, &WatchedCategories::parse(text.as_bytes()).unwrap(), Time(1));
    assert_eq!((p.availability, p.activity), (Some(Availability::AVAILABLE), None));
}
