//! Whatever octets a peer sends, reading a document ends with a value or an error: no panic, no endless growth.
//! The inputs are documents of the guides, damaged by a seeded generator; a failing seed replays exactly.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::domain::presence::{Presence, SelfPresence};
use adsum::domain::{Address, Rng, Time};
use adsum::lync::categories::value::Value;
use adsum::lync::{
    Element, batch, categories, cccp, confinfo, contacts, containers, diagnostics, identity, im, provisioning, publish,
    registration, roaming, search, soap, time,
};
use adsum::sip::multipart;

const SEEDS: &[&str] = &[
    r#"<contactList deltaNum="12"><group id="1" name="~" externalURI=""/><contact uri="bob@contoso.com" name="" groups="1" subscribed="true" externalURI=""><contactExtension><x/></contactExtension></contact></contactList>"#,
    r#"<contactDelta deltaNum="13" prevDeltaNum="12"><addedGroup id="3" name="S"/><deletedContact uri="sip:c@f.com"/></contactDelta>"#,
    r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/winrtc/2002/11/sip"><s:Body><m:setContact><m:groups>1 3</m:groups><m:URI>sip:bob@contoso.com</m:URI><m:deltaNum>13</m:deltaNum></m:setContact></s:Body></s:Envelope>"#,
    r##"<s:Envelope xmlns:s="x" xmlns:m="y"><s:Body><m:directorySearch><m:filter m:href="#a"/><m:maxResults>100</m:maxResults></m:directorySearch><m:Array m:id="a"><m:row m:attrib="sn" m:value="exa" m:uri="sip:b@c.d"/></m:Array></s:Body></s:Envelope>"##,
    r#"<roamingData><categories uri="sip:a@b.c"><category name="state" instance="1" container="2" version="41" expireType="time" expires="9" publishTime="2014-01-15T09:30:02.120"><state xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="userState"><availability>6500</availability><activity token="x" minAvailability="1"/></state></category><category name="note"/></categories><containers><container id="4" version="2"><member type="user" value="b@c"/></container></containers><subscribers><subscriber user="d@c" acknowledged="false"/></subscribers></roamingData>"#,
    r#"<publish><publications uri="sip:a@b.c"><publication categoryName="device" instance="1820334953" container="2" version="0" expireType="endpoint"><device/></publication></publications></publish>"#,
    r#"<Fault><Faultcode>x</Faultcode><details><operation index="4" version="7" curVersion="9"/></details></Fault>"#,
    r#"<setContainerMembers><container id="400" version="2"><member action="remove" type="user" value="b@c"/></container></setContainerMembers>"#,
    r#"<setSubscribers><subscriber user="d@c" acknowledged="true"/></setSubscribers>"#,
    r#"<batchSub uri="sip:a@b.c" name=""><action name="subscribe" id="4"><adhocList><resource uri="sip:b@c"><context/></resource></adhocList><categoryList><category name="state"/></categoryList></action></batchSub>"#,
    r#"<categories uri="sip:b@c"><category name="state" instance="1" publishTime="2014-01-15T09:20:11.417"><state xsi:type="aggregateState" lastActive="2014-01-15T09:20:11"><availability>6500</availability></state></category><category name="contactCard" instance="0"><contactCard><identity><name><displayName>B</displayName></name></identity><phone type="work"><uri>tel:1</uri></phone></contactCard></category><category name="note"><note><body type="OOF" startTime="2014-01-16T00:00:00Z">t</body></note></category></categories>"#,
    "--b\r\nContent-ID: resourceList\r\nContent-Type: application/rlmi+xml\r\n\r\n<list uri=\"sip:a@b.c\" version=\"0\"><resource uri=\"sip:b@c\"><instance id=\"0\" state=\"resubscribe\"/></resource></list>\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n",
    r#"<provisionGroupList><provisionGroup name="ServerConfiguration"><focusFactoryUri>sip:a</focusFactoryUri></provisionGroup></provisionGroupList>"#,
    r#"<request C3PVersion="1" to="t" from="f" requestId="2"><addConference><conference-info entity=""><conference-description><subject>B</subject><conference-id>K7M2Q9TX</conference-id><autopromote>32768</autopromote></conference-description><users><user entity="sip:b@c"><roles><entry>presenter</entry></roles></user></users></conference-info></addConference></request>"#,
    r#"<request requestId="7"><addUser><conferenceKeys confEntity="x"/><user entity="sip:b@c"><roles><entry>attendee</entry></roles><endpoint entity="{5}"/></user></addUser></request>"#,
    r#"<response requestId="2" from="f" to="t" code="failure"><addConference reason="conferenceExists"/></response>"#,
    r#"<conference-info entity="sip:a@b;gruu;opaque=app:conf:focus:id:K7M2Q9TX" state="partial" version="4294967295"><users state="partial"><user entity="sip:b@c" state="full"><endpoint entity="{5}" session-type="chat"><status>connected</status><media id="1"><type>chat</type></media></endpoint></user></users></conference-info>"#,
    r#"<imdn><message-id>14</message-id><recipient uri="&lt;sip:c@d&gt;"><status>408</status></recipient></imdn>"#,
    r#"<Conferencing version="2.0"><focus-uri>sip:a</focus-uri><im available="true"/></Conferencing>"#,
    r#"<KeyboardActivity><status status="type"/></KeyboardActivity>"#,
    "v=0\r\nc=IN IP4 192.0.2.10\r\nm=message 5060 sip null\r\na=accept-types:text/plain text/html\r\n",
    "text/plain; charset=UTF-8;msgr=WAAtAE0ATQBTAC0ASQBN;ms-body=SGkgQm9iLCBnb3QgYSBtaW51dGU/",
    "3014;reason=\"Failed \\\"auth\\\"\";source=\"fe1.contoso.example\"",
    "<sip:192.0.2.10:50001;transport=tls>;expires=600;+sip.instance=\"<urn:uuid:b143f5ff-8f08-50a3-b656-3cfc251b5b28>\";gruu=\"sip:a@b;gruu\"",
    "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:K7M2Q9TX",
    "https://meet.contoso.com/al%69ce/K7M2Q9TX?x",
    "2014-01-15T09:30:02.120",
];

fn damage(rng: &mut Rng, text: &str) -> Vec<u8> {
    let mut out = text.as_bytes().to_vec();
    for _ in 0..=rng.below(4) {
        let at = usize::try_from(rng.below(out.len() as u64 + 1)).unwrap();
        match rng.below(6) {
            0 if at < out.len() => out[at] = u8::try_from(rng.below(256)).unwrap(),
            1 => out.truncate(at),
            2 => out.insert(at, b"<>&\"'/=;%\0-"[usize::try_from(rng.below(11)).unwrap()]),
            3 if at < out.len() => drop(out.remove(at)),
            4 => out.splice(at..at, "ä€\u{202e}😀".bytes()).for_each(drop),
            5 => {
                let copy: Vec<u8> = out[..at].to_vec();
                out.splice(at..at, copy).for_each(drop);
            }
            _ => {}
        }
    }
    out
}

/// What is read as a category prints, and prints over what it was read from.
fn every_value(e: &Element, text: &str) {
    fn one<V: Value>(e: &Element, text: &str) {
        if let Some(v) = V::read(e) {
            let _ = (v.to_xml(), v.edit(text));
        }
    }
    one::<categories::state::StateValue>(e, text);
    one::<categories::note::Notes>(e, text);
    one::<categories::calendar::CalendarData>(e, text);
    one::<categories::calendar::OwnWorkingHours>(e, text);
    one::<categories::device::Device>(e, text);
    one::<categories::device::Services>(e, text);
    one::<categories::made_by_server::LegacyInterop>(e, text);
    one::<categories::made_by_server::DoNotDisturbState>(e, text);
    one::<categories::options::OtherOptions>(e, text);
    one::<categories::options::RccOptions>(e, text);
    one::<categories::options::Routing>(e, text);
    one::<categories::own_data::UserProperties>(e, text);
    one::<categories::own_data::UserInformation>(e, text);
    one::<categories::own_data::MessageWaiting>(e, text);
    one::<categories::alerts::Alerts>(e, text);
}

fn read_everything(bytes: &[u8]) {
    if let Ok(e) = Element::parse(bytes) {
        assert_eq!(Element::parse(&e.to_bytes()).unwrap(), e, "what was read prints and reads the same");
        let _ = (categories::card::read(&e), categories::note::read(&e));
        every_value(&e, &e.to_string());
    }
    if let Ok(contacts::ContactDocument::List(l)) = contacts::ContactDocument::parse(bytes) {
        l.to_bytes();
    }
    if let Ok(r) = soap::ContactRequest::parse(bytes) {
        assert_eq!(soap::ContactRequest::parse(&r.to_bytes()).map(|a| a.delta), Ok(r.delta));
    }
    let _ = (soap::parse_add_group_answer(bytes), soap::SoapFault::parse(bytes), search::DirectorySearch::parse(bytes));
    let _ = (search::DirectoryAnswer::parse(bytes), publish::PublishRequest::parse(bytes), publish::VersionFault::parse(bytes));
    if let Ok(d) = roaming::RoamingData::parse(bytes) {
        let mut p = SelfPresence::default();
        roaming::apply(&mut p, &d);
        assert!(!roaming::apply(&mut p.clone(), &d), "the same document twice changes nothing");
    }
    let _ = (containers::SetContainerMembers::parse(bytes), containers::SetSubscribers::parse(bytes));
    let _ = (batch::BatchRequest::parse(bytes), provisioning::Provisioning::parse(bytes), provisioning::parse_request(bytes));
    for kind in ["multipart/related;boundary=b", "application/rlmi+xml", "application/pidf+xml", "multipart/x;boundary=\"\""] {
        for d in batch::parse_presence(kind, bytes).documents {
            categories::merge_categories(&mut Presence::default(), &d, Time(1));
        }
        let _ = (multipart::parse(kind, bytes), im::message_text(kind, bytes));
    }
    let _ = (cccp::C3pRequest::parse(bytes), cccp::C3pResponse::parse(bytes));
    if let Ok(doc) = confinfo::ConferenceInfo::parse(bytes) {
        let mut known = Some(doc.clone());
        confinfo::apply(&mut known, doc);
    }
    let _ = (im::DeliveryReport::parse(bytes), im::ConferenceInvitation::parse(bytes), im::typing::parse(bytes));
    let _ = (im::MessageSdp::parse(bytes), im::ConversationInfo::parse(bytes));
    let text = String::from_utf8_lossy(bytes);
    let _ = (im::TextFormatHeader::parse(&text).to_string(), im::parse_ms_sender(&text), diagnostics::Diagnostics::parse(&text));
    let _ = (registration::own_gruu([&*text], "b143f5ff-8f08-50a3-b656-3cfc251b5b28"), registration::keep_alive_timeout(&text));
    let _ = (registration::Notice::parse(&text), registration::contact_instance(&text), time::parse(&text));
    let _ =
        (identity::parse_join(&text), identity::mcu(&text, "chat"), identity::gruu_token(&text), identity::instance_id(&text));
    let user = Address::parse("alice@contoso.com").unwrap();
    identity::gruu(&user, &text);
}

#[test]
fn damaged_documents_never_bring_a_reader_down() {
    for text in SEEDS {
        read_everything(text.as_bytes());
    }
    let rounds: u64 = std::env::var("ADSUM_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(150);
    for seed in 0..rounds {
        let mut rng = Rng::seeded(seed);
        for text in SEEDS {
            read_everything(&damage(&mut rng, text));
        }
    }
}
