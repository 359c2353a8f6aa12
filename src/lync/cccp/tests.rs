use super::*;
use crate::domain::conference::{
    AccessLevel, AutomaticLeaders, ConferenceId, ConferenceSettings, Invitee, PhoneNumber, Template,
};
use crate::domain::series::{Moved, Series};
use crate::domain::{Address, Time};

const FACTORY: &str = "sip:alice@contoso.example;gruu;opaque=app:conf:focusfactory";
const FOCUS: &str = "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX";
const ALICE: &str = "sip:alice@contoso.example";

const ADD: &str = r#"<?xml version="1.0"?><request xmlns="urn:ietf:params:xml:ns:cccp" xmlns:mscp="http://schemas.microsoft.com/rtc/2005/08/cccpextensions" C3PVersion="1" to="sip:alice@contoso.example;gruu;opaque=app:conf:focusfactory" from="sip:alice@contoso.example" requestId="2">
 <addConference>
  <ci:conference-info xmlns:ci="urn:ietf:params:xml:ns:conference-info" entity="" xmlns:msci="http://schemas.microsoft.com/rtc/2005/08/confinfoextensions">
   <ci:conference-description>
    <ci:subject>Budget</ci:subject>
    <msci:conference-id>K7M2Q9TX</msci:conference-id>
    <msci:expiry-time>2026-09-01T17:00:00Z</msci:expiry-time>
    <msci:admission-policy>openAuthenticated</msci:admission-policy>
    <cis:separator xmlns:cis="urn:ietf:params:xml:ns:conference-info-separator"/>
    <msci:pstn-access/>
    <cis:separator xmlns:cis="urn:ietf:params:xml:ns:conference-info-separator"/>
    <msci:autopromote>32768</msci:autopromote>
    <msci:pstn-lobby-bypass>true</msci:pstn-lobby-bypass>
    <x:blob xmlns:x="urn:x">data</x:blob>
   </ci:conference-description>
   <ci:conference-state><ci:locked>false</ci:locked></ci:conference-state>
   <ci:users>
    <ci:user entity="sip:bob@contoso.example"><ci:roles><ci:entry>presenter</ci:entry></ci:roles></ci:user>
    <ci:user entity="sip:carol@contoso.example"><ci:roles><ci:entry>attendee</ci:entry></ci:roles></ci:user>
   </ci:users>
   <msci:conference-view>
    <msci:entity-view entity="chat"/>
    <msci:entity-view entity="audio-video"/>
   </msci:conference-view>
  </ci:conference-info>
 </addConference>
</request>"#;

fn address(t: &str) -> Address {
    Address::parse(t).unwrap()
}

fn id() -> ConferenceId {
    ConferenceId("K7M2Q9TX".into())
}

#[test]
fn the_scheduling_example_reads() {
    let r = C3pRequest::parse(ADD.as_bytes()).unwrap();
    assert_eq!((r.request_id.as_str(), r.to.as_str(), r.from.as_str()), ("2", FACTORY, ALICE));
    let Command::AddConference(c) = &r.command else { panic!() };
    assert_eq!((c.id.clone(), c.uri.as_str(), c.version), (Some(id()), "", 0));
    let s = &c.settings;
    assert_eq!(
        (s.subject.as_str(), s.access, s.automatic_leaders),
        ("Budget", AccessLevel::SameEnterprise, AutomaticLeaders::SameEnterprise)
    );
    assert!(s.lobby_bypass && s.phone_access && s.expiry.is_some());
    assert_eq!(s.participants[0], Invitee { uri: address("bob@contoso.example"), role: Role::Leader });
    assert_eq!(s.mcus, ["chat", "audio-video"]);
    assert_eq!(c.extra[0].text(), "data");
    assert_eq!(C3pRequest::parse(&r.to_bytes()).unwrap(), r);
}

#[test]
fn changes_and_mutes_of_a_running_conference_round_trip() {
    let change = Change {
        conference: FOCUS.into(),
        access: Some(AccessLevel::Invited),
        lobby_bypass: Some(true),
        leaders: Some(AutomaticLeaders::Disabled),
        announcements: Some(false),
        mute_all: Some(true),
        self_unmute: Some(false),
        recording: Some(true),
        invited: vec![address("dave@fabrikam.example")],
    };
    let locked = Change { conference: FOCUS.into(), access: Some(AccessLevel::Locked), ..Change::default() };
    for change in [change, locked] {
        let r = C3pRequest::new(1, FOCUS, ALICE, Command::Change(Box::new(change)));
        let read = C3pRequest::parse(&r.to_bytes()).unwrap();
        // Locked is told by the lock and the strictest policy together.
        let Command::Change(c) = &read.command else { panic!("{read:?}") };
        assert_eq!(Command::Change(c.clone()), r.command);
    }
    for muted in [true, false] {
        let mute = Mute {
            conference: FOCUS.into(),
            mcu: "sip:alice@contoso.example;gruu;opaque=app:conf:chat:id:K7M2Q9TX".into(),
            user: address("bob@contoso.example"),
            endpoint: "{5C2B}".into(),
            media: "1".into(),
            kind: "chat".into(),
            muted,
        };
        let r = C3pRequest::new(1, FOCUS, ALICE, Command::Mute(Box::new(mute)));
        assert_eq!(C3pRequest::parse(&r.to_bytes()).unwrap(), r);
    }
}

#[test]
fn every_setting_survives_the_way_to_the_server_and_back() {
    for access in [AccessLevel::SameEnterprise, AccessLevel::Locked, AccessLevel::Invited, AccessLevel::Everyone] {
        let settings = ConferenceSettings {
            subject: "Budget <2>".into(),
            description: "long\ntext".into(),
            start: Some(Time(1_800_000_000_500)),
            end: Some(Time(1_800_003_600_000)),
            time_zone: "Europe/Oslo".into(),
            expiry: Some(Time(1_900_000_000_000)),
            access,
            lobby_bypass: true,
            automatic_leaders: AutomaticLeaders::Everyone,
            announcements: true,
            passcode: Some("12&34".into()),
            passcode_optional: false,
            phone_access: true,
            participants: vec![Invitee { uri: address("bob@contoso.example"), role: Role::Attendee }],
            mcus: vec!["chat".into()],
            series: Some(Series {
                cancelled: vec![Time(1_800_600_000_000)],
                moved: vec![Moved { of: Time(1), start: Time(2), end: Time(3), subject: "a <b>".into() }],
                ..Series::new("FREQ=WEEKLY;COUNT=4")
            }),
            notification_data: "for others".into(),
            template: Template::AdministratorSupplied,
        };
        let request =
            C3pRequest::new(5, FACTORY, ALICE, Command::AddConference(Box::new(ConferenceRecord::request(&id(), &settings))));
        let read = C3pRequest::parse(&request.to_bytes()).unwrap();
        assert_eq!(read, request);
        let Command::AddConference(mut record) = read.command.clone() else { panic!() };
        record.uri = FOCUS.into();
        record.version = 1;
        record.join_url = "https://meet.contoso.example/alice/K7M2Q9TX".into();
        record.last_update = Some(Time(1_700_000_000_000));
        record.is_active = true;
        record.phone_id = "20417".into();
        let response = read.answer(Answer::Conference(record.clone()));
        let back = C3pResponse::parse(&response.to_bytes()).unwrap();
        assert_eq!(back, response);
        let conference = record.into_conference().unwrap();
        assert_eq!((conference.organizer.as_str(), conference.settings), (ALICE, settings));
    }
}

#[test]
fn every_command_round_trips() {
    let focus = || FOCUS.to_owned();
    let bob = address("bob@contoso.example");
    let mut dial = AddUser::join(FOCUS, &bob, "Bob", "{D2A6C0B4-7E19-4B55-9C3F-08E1F7A2B6C4}");
    dial.dial_out = Some(DialOut { mcu: "sip:mcu@x".into(), target: "sip:bob@contoso.example".into() });
    dial.lobby_capable = false;
    for command in [
        Command::GetConferencingCapabilities,
        Command::GetAvailableMcuTypes,
        Command::GetConferences,
        Command::GetConference(id()),
        Command::CancelConference(id()),
        Command::FindConference("123456".into()),
        Command::VerifyPasscode { conference: focus(), passcode: Some("4711".into()) },
        Command::VerifyPasscode { conference: focus(), passcode: None },
        Command::EndConference { conference: focus() },
        Command::AddUser(Box::new(AddUser::join(FOCUS, &bob, "", "{5C2B7A90-1F3E-4D68-9B0A-7E51C4D2F8A6}"))),
        Command::AddUser(Box::new(dial)),
        Command::DeleteUser { conference: focus(), user: bob.clone() },
        Command::ModifyConferenceLock { conference: focus(), locked: true },
        Command::ModifyUserRoles { conference: focus(), user: bob.clone(), role: Role::Leader },
        Command::SetLobbyAccess { conference: focus(), users: vec![bob.clone()], granted: false },
        Command::Other(Element::in_ns("renameUser", C3P).with_leaf("x", "y")),
    ] {
        let r = C3pRequest::new(9, FOCUS, ALICE, command);
        assert_eq!(C3pRequest::parse(&r.to_bytes()).unwrap(), r);
        let done = r.done();
        let back = C3pResponse::parse(&done.to_bytes()).unwrap();
        assert_eq!(
            (back.request_id.as_str(), back.from.as_str(), back.to.as_str(), back.code),
            ("9", FOCUS, ALICE, Code::Success)
        );
        let failed = C3pResponse::parse(&r.fail(FailureReason::Forbidden).to_bytes()).unwrap();
        assert_eq!(failed.into_result(), Err(FailureReason::Forbidden));
    }
}

#[test]
fn the_join_example_and_its_answer() {
    let text = r#"<?xml version="1.0"?><request xmlns="urn:ietf:params:xml:ns:cccp" C3PVersion="1" to="sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX" from="sip:bob@contoso.example" requestId="7">
 <addUser>
  <conferenceKeys confEntity="sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX"/>
  <ci:user xmlns:ci="urn:ietf:params:xml:ns:conference-info" entity="sip:bob@contoso.example">
   <ci:roles><ci:entry>attendee</ci:entry></ci:roles>
   <ci:endpoint entity="{5C2B7A90-1F3E-4D68-9B0A-7E51C4D2F8A6}" xmlns:msci="http://schemas.microsoft.com/rtc/2005/08/confinfoextensions">
    <msci:clientInfo><cis:separator xmlns:cis="urn:ietf:params:xml:ns:conference-info-separator"/><msci2:lobby-capable xmlns:msci2="http://schemas.microsoft.com/rtc/2008/12/confinfoextensions">true</msci2:lobby-capable></msci:clientInfo>
   </ci:endpoint>
  </ci:user>
 </addUser>
</request>"#;
    let r = C3pRequest::parse(text.as_bytes()).unwrap();
    let Command::AddUser(a) = &r.command else { panic!() };
    assert!(a.lobby_capable && a.dial_out.is_none() && a.conference == FOCUS);
    let answer = Answer::User { conference: FOCUS.into(), user: "sip:bob@contoso.example".into(), role: Role::Leader };
    let back = C3pResponse::parse(&r.answer(answer.clone()).to_bytes()).unwrap();
    assert_eq!(back.into_result(), Ok(answer));
}

#[test]
fn answers_round_trip() {
    let r = C3pRequest::new(1, FACTORY, ALICE, Command::GetConferencingCapabilities);
    let phones = vec![
        PhoneNumber { region: "Main".into(), number: "+15550100".into() },
        PhoneNumber { region: "Oslo".into(), number: "+4721000000".into() },
    ];
    let caps = Answer::Capabilities(Capabilities { mcus: vec!["chat".into()], anonymous: true, phones });
    assert_eq!(C3pResponse::parse(&r.answer(caps.clone()).to_bytes()).unwrap().answer, caps);
    let r = C3pRequest::new(1, FACTORY, ALICE, Command::GetConferences);
    let list = Answer::Conferences(vec![ConferenceRecord {
        uri: FOCUS.into(),
        version: 1,
        id: Some(id()),
        ..ConferenceRecord::default()
    }]);
    assert_eq!(C3pResponse::parse(&r.answer(list.clone()).to_bytes()).unwrap().answer, list);
    let none = Answer::Conferences(Vec::new());
    assert_eq!(C3pResponse::parse(&r.answer(none.clone()).to_bytes()).unwrap().answer, none);
    assert_eq!(is_request(&r.to_bytes()), Some(true));
}

#[test]
fn reasons_are_read_in_any_spelling() {
    assert_eq!(FailureReason::parse("ConferenceDoesntExist"), FailureReason::ConferenceDoesNotExist);
    assert_eq!(FailureReason::parse("INVALIDVERSION"), FailureReason::InvalidVersion);
    assert_eq!(FailureReason::parse("odd"), FailureReason::Unknown("odd".into()));
    for bad in ["<request/>", "<request requestId='1'/>", "<request requestId='1'><addUser/></request>", "<response"] {
        assert!(C3pRequest::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}
