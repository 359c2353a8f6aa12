use super::*;
use crate::domain::presence::Member;

const EXAMPLE: &str = r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"
 xmlns:cat="http://schemas.microsoft.com/2006/09/sip/categories"
 xmlns:del="http://schemas.microsoft.com/2007/09/sip/delegates">
<cat:categories uri="sip:Alice@contoso.com">
<cat:category name="contactCard" instance="0" publishTime="2014-01-10T08:00:00.000" container="0" version="1" expireType="static">
<contactCard xmlns="http://schemas.microsoft.com/2006/09/sip/contactcard"><identity><name><displayName>Alice Example</displayName></name><email>alice@contoso.com</email></identity></contactCard>
</cat:category>
<cat:category name="state" instance="536870912" publishTime="2014-01-15T09:12:04.310" container="2" version="7" expireType="static">
<state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="userState" manual="true"><availability>6500</availability></state>
</cat:category>
<cat:category name="state" instance="1" publishTime="2014-01-15T09:30:02.120" container="2" version="41" expireType="time" expires="60" endpointId="B143F5FF-8F08-50A3-B656-3CFC251B5B28"/>
<cat:category name="note" instance="0" publishTime="2014-01-14T16:20:00.000" container="200" version="2" expireType="static">
<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">Back on Thursday</body></note>
</cat:category>
<cat:category name="note" container="300"/>
<cat:category name="device"/>
</cat:categories>
<containers xmlns="http://schemas.microsoft.com/2006/09/sip/containers">
<container id="0" version="0"/>
<container id="100" version="1"><member type="federated"/></container>
<container id="400" version="2"><member type="user" value="bob@contoso.com"/></container>
</containers>
<subscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers">
<subscriber user="dave@contoso.com" displayName="Dave Example" acknowledged="false" type="sameEnterprise"><context/></subscriber>
</subscribers>
<delegates xmlns="http://schemas.microsoft.com/2007/09/sip/delegates" version="0"/>
</roamingData>"#;

fn published(category: &str, instance: u32, container: u32, version: u32) -> Publication {
    Publication {
        key: PublicationKey { category: category.into(), instance, container },
        version,
        expiry: Expiry::Static,
        publish_time: None,
        endpoint_id: None,
        value: String::new(),
    }
}

#[test]
fn the_example_reads_and_round_trips() {
    let d = RoamingData::parse(EXAMPLE.as_bytes()).unwrap();
    let entries = d.categories.as_ref().unwrap();
    assert_eq!(entries.len(), 6);
    let CategoryEntry::Published(state) = &entries[1] else { panic!() };
    assert_eq!((state.key.instance, state.version, state.expiry), (536870912, 7, Expiry::Static));
    assert!(state.value.starts_with("<state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\""), "{}", state.value);
    assert!(state.value.contains("xsi:type=\"userState\""));
    assert!(matches!(&entries[2], CategoryEntry::Published(p) if p.expiry == Expiry::Time(60) && p.value.is_empty()));
    assert_eq!(entries[4], CategoryEntry::EmptyContainer { category: "note".into(), container: 300 });
    assert_eq!(entries[5], CategoryEntry::Gone("device".into()));
    let containers = d.containers.as_ref().unwrap();
    assert_eq!(containers[2].members, [Member::User(Address::parse("bob@contoso.com").unwrap())]);
    assert!(!d.subscribers.as_ref().unwrap()[0].acknowledged);
    let text = String::from_utf8(d.to_bytes()).unwrap();
    assert!(text.contains("value=\"bob@contoso.com\"") && text.contains("user=\"dave@contoso.com\""));
    assert_eq!(RoamingData::parse(text.as_bytes()).unwrap(), d);
}

#[test]
fn documents_replace_per_category_and_container_and_are_idempotent() {
    let me = Address::parse("alice@contoso.com").unwrap();
    let mut p = SelfPresence::default();
    let all =
        [published("note", 0, 200, 1), published("note", 0, 300, 1), published("state", 1, 2, 1), published("state", 2, 2, 1)];
    assert!(apply(&mut p, &RoamingData::categories(&me, &["note", "state"], &all)));
    assert_eq!(p.publications.len(), 4);

    // A later document about container 2 names what is left there; container 200 stays as it was.
    let partial =
        RoamingData { categories: Some(vec![CategoryEntry::Published(published("state", 1, 2, 2))]), ..RoamingData::default() };
    assert!(apply(&mut p, &partial));
    assert!(!apply(&mut p, &partial));
    assert_eq!(p.publications.iter().filter(|k| k.key.category == "state").count(), 1);
    assert_eq!(p.publications.iter().filter(|k| k.key.category == "note").count(), 2);

    let empty = CategoryEntry::EmptyContainer { category: "note".into(), container: 200 };
    apply(&mut p, &RoamingData { categories: Some(vec![empty]), ..RoamingData::default() });
    assert_eq!(p.publications.iter().filter(|k| k.key.category == "note").count(), 1);
    apply(&mut p, &RoamingData::categories(&me, &["note"], &[]));
    assert_eq!(p.publications.iter().filter(|k| k.key.category == "note").count(), 0);

    assert!(replace(&mut p, &RoamingData { categories: Some(vec![]), ..RoamingData::default() }));
    assert_eq!(p, SelfPresence::default());
}

#[test]
fn the_subscription_names_its_parts() {
    assert_eq!(parse_subscribe(&subscribe_body()), ["categories", "containers", "subscribers", "delegates"]);
    assert_eq!(parse_subscribe(b""), ["categories", "containers", "subscribers"]);
}
