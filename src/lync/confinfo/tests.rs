use super::*;

const FOCUS: &str = "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX";

const FULL: &str = r#"<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" xmlns:msci="http://schemas.microsoft.com/rtc/2005/08/confinfoextensions" entity="sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX" state="full" version="1">
 <conference-description>
  <subject>Budget</subject>
  <conf-uris>
   <entry><uri>sip:alice@contoso.example;gruu;opaque=app:conf:chat:id:K7M2Q9TX</uri><display-text>chat</display-text><purpose>chat</purpose></entry>
   <entry><uri>sip:alice@contoso.example;gruu;opaque=app:conf:audio-video:id:K7M2Q9TX</uri><display-text>audio-video</display-text><purpose>audio-video</purpose></entry>
  </conf-uris>
  <msci:conference-id>K7M2Q9TX</msci:conference-id>
  <msci:admission-policy>openAuthenticated</msci:admission-policy>
  <msci:organizer><msci:display-name>Alice Ray</msci:display-name><msci:uri>sip:alice@contoso.example</msci:uri></msci:organizer>
  <msci:join-url>https://meet.contoso.example/alice/K7M2Q9TX</msci:join-url>
  <msci:pstn-access><msci:id>20417</msci:id></msci:pstn-access>
 </conference-description>
 <conference-state><user-count>1</user-count><active>true</active><locked>false</locked></conference-state>
 <users state="full">
  <user entity="sip:alice@contoso.example" state="full">
   <display-text>Alice Ray</display-text>
   <roles><entry>presenter</entry></roles>
   <endpoint entity="{0E6F2C11-9A4B-4C37-8D52-B1A07F3E6C90}" session-type="focus" endpoint-uri="sip:alice@contoso.example;opaque=user:epid:q0Yt1pZkXEm7cJrYl0a2uwAA;gruu"><status>connected</status><joining-method>dialed-in</joining-method></endpoint>
   <endpoint entity="{0E6F2C11-9A4B-4C37-8D52-B1A07F3E6C90}" session-type="chat"><status>connected</status><joining-method>dialed-in</joining-method><media id="1"><type>chat</type></media></endpoint>
  </user>
 </users>
 <msci:conference-view xmlns:ci="urn:ietf:params:xml:ns:conference-info" ci:state="full">
  <msci:entity-view ci:state="full" entity="sip:alice@contoso.example;gruu;opaque=app:conf:chat:id:K7M2Q9TX">
   <msci:entity-state><media><entry label="chat"><type>chat</type></entry></media><locked>false</locked></msci:entity-state>
  </msci:entity-view>
 </msci:conference-view>
</conference-info>"#;

fn address(t: &str) -> Address {
    Address::parse(t).unwrap()
}

fn bob(session: &[&str]) -> User {
    let mut u = User::new(address("bob@contoso.example"), "Bob Ode", Role::Attendee);
    u.endpoints = session.iter().map(|s| Endpoint::connected("{5C2B}", s)).collect();
    u
}

#[test]
fn the_full_example_round_trips() {
    let c = ConferenceInfo::parse(FULL.as_bytes()).unwrap();
    assert_eq!(c.mcu("chat"), Some("sip:alice@contoso.example;gruu;opaque=app:conf:chat:id:K7M2Q9TX"));
    let alice = c.user(&address("alice@contoso.example")).unwrap();
    assert!(alice.connected_to("chat") && alice.role == Some(Role::Leader) && !alice.in_lobby());
    assert_eq!(alice.endpoints[1].media[0].kind, "chat");
    assert_eq!(c.description.as_ref().unwrap().phone_id.as_deref(), Some("20417"));
    assert_eq!(ConferenceInfo::parse(&c.to_bytes()).unwrap(), c);
    assert!(!c.locked());
}

#[test]
fn partial_documents_follow_the_version_rule() {
    let mut state = None;
    let full = ConferenceInfo::parse(FULL.as_bytes()).unwrap();
    let join = |v| ConferenceInfo::user_changes(FOCUS, v, vec![bob(&["focus", "chat"])]);
    assert_eq!(apply(&mut state, join(1)), Applied::Gap);
    assert_eq!(apply(&mut state, full.clone()), Applied::Applied);
    assert_eq!(apply(&mut state, join(1)), Applied::Discarded);
    assert_eq!(apply(&mut state, join(3)), Applied::Gap);
    assert_eq!(apply(&mut state, ConferenceInfo::parse(&join(2).to_bytes()).unwrap()), Applied::Applied);
    assert!(state.as_ref().unwrap().user(&address("bob@contoso.example")).unwrap().connected_to("chat"));
    let left = ConferenceInfo::user_changes(FOCUS, 3, vec![User::gone(address("bob@contoso.example"))]);
    assert_eq!(apply(&mut state, ConferenceInfo::parse(&left.to_bytes()).unwrap()), Applied::Applied);
    assert_eq!(state.as_ref().unwrap().people().len(), 1);
    let other = ConferenceInfo::partial("sip:x@y;gruu;opaque=app:conf:focus:id:ABCDEFGH", 4);
    assert_eq!(apply(&mut state, other), Applied::Discarded);
    assert_eq!(apply(&mut state, full), Applied::Applied);
    assert_eq!(state.unwrap().version, 1);
}

#[test]
fn a_lock_is_told_twice() {
    let mut state = Some(ConferenceInfo::parse(FULL.as_bytes()).unwrap());
    let chat = state.as_ref().unwrap().mcu("chat").unwrap().to_owned();
    let doc = ConferenceInfo::lock_change(FOCUS, 2, &chat, true);
    let text = String::from_utf8(doc.to_bytes()).unwrap();
    assert_eq!(text.matches("locked").count(), 4, "{text}");
    assert!(text.contains("ci:state=\"full\""), "{text}");
    apply(&mut state, ConferenceInfo::parse(text.as_bytes()).unwrap());
    assert!(state.unwrap().locked());
}

#[test]
fn partial_users_merge_their_endpoints() {
    let mut state = Some(ConferenceInfo::parse(FULL.as_bytes()).unwrap());
    apply(&mut state, ConferenceInfo::user_changes(FOCUS, 2, vec![bob(&["focus"])]));
    let mut change = bob(&["chat"]);
    change.state = ElementState::Partial;
    change.role = Some(Role::Leader);
    apply(&mut state, ConferenceInfo::user_changes(FOCUS, 3, vec![change]));
    let known = state.unwrap();
    let b = known.user(&address("bob@contoso.example")).unwrap();
    assert_eq!((b.endpoints.len(), b.role, b.state), (2, Some(Role::Leader), ElementState::Full));
}

#[test]
fn somebody_in_the_lobby_is_seen_as_such() {
    let mut u = bob(&["focus"]);
    u.endpoints[0].status = EndpointStatus::OnHold;
    let doc = ConferenceInfo {
        entity: FOCUS.into(),
        version: 1,
        users: Some(Users { state: ElementState::Full, users: vec![u] }),
        ..ConferenceInfo::default()
    };
    let read = ConferenceInfo::parse(&doc.to_bytes()).unwrap();
    assert!(read.people()[0].in_lobby());
    assert_eq!(read, doc);
}
