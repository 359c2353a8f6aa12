//! A standard SIP server for tests with registrar and focus (RFC 3261, 3515, 4575, 4579), sans-IO and written from the RFCs
//! alone: it reads and writes texts, and shares nothing with the client it tests.

use std::collections::BTreeMap;

/// Domain of people and rooms.
pub const DOMAIN: &str = "example.test";
/// A leg whose connection is gone ends after so many milliseconds, as a session timer would have it.
const DEAD_LEG: u64 = 90_000;

/// A dialog with somebody.
#[derive(Clone, Debug)]
struct Leg {
    call: String,
    here: String,
    there: String,
    target: String,
    flow: u64,
    number: u32,
    version: u32,
}

/// Who is to hear how a referral went: their call, and the number of their request.
type Teller = (String, String);

#[derive(Debug, Default)]
pub struct Room {
    people: BTreeMap<String, Vec<Leg>>,
    watchers: Vec<Leg>,
    /// Called by the focus: person to leg, and who hears of it.
    calling: BTreeMap<String, (Leg, Option<Teller>, bool)>,
    leads: Option<String>,
}

/// The server.
#[derive(Debug, Default)]
pub struct Focus {
    rooms: BTreeMap<String, Room>,
    /// Where somebody is registered.
    registered: BTreeMap<String, (u64, String)>,
    closed: BTreeMap<u64, u64>,
    out: Vec<(u64, String)>,
    serial: u64,
    /// Every second document of a roster is lost, so that gaps are seen.
    pub forgetful: bool,
    /// It knows no REFER.
    pub brings_nobody: bool,
}

fn field<'a>(message: &'a str, name: &str) -> &'a str {
    let head = message.split("\r\n\r\n").next().unwrap_or("");
    let found = head.lines().find(|l| l.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    found.and_then(|l| l.split_once(':')).map_or("", |l| l.1.trim())
}

fn uri(value: &str) -> &str {
    value.split_once('<').map_or(value, |p| p.1).split('>').next().unwrap_or("")
}

fn plain(uri: &str) -> String {
    uri.split([';', '?']).next().unwrap_or("").to_lowercase()
}

fn tag(value: &str) -> &str {
    value.split(";tag=").nth(1).unwrap_or("").split(';').next().unwrap_or("")
}

fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |p| p.1)
}

impl Focus {
    /// With one room of this name.
    pub fn new(room: &str) -> Focus {
        let mut f = Focus::default();
        f.rooms.insert(room.into(), Room::default());
        f
    }

    /// Who is in, sorted.
    pub fn people(&self, room: &str) -> Vec<String> {
        self.rooms.get(room).map(|r| r.people.keys().cloned().collect()).unwrap_or_default()
    }

    /// Names of all rooms.
    pub fn rooms(&self) -> Vec<String> {
        self.rooms.keys().cloned().collect()
    }

    /// Messages to send.
    pub fn take(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.out)
    }

    /// A connection is gone.
    pub fn closed(&mut self, now: u64, flow: u64) {
        self.closed.insert(flow, now);
        self.registered.retain(|_, r| r.0 != flow);
        for room in self.rooms.values_mut() {
            room.watchers.retain(|w| w.flow != flow);
        }
        // Whoever was being called over it is not reached any more.
        for name in self.rooms() {
            let gone: Vec<String> =
                self.rooms[&name].calling.iter().filter(|c| c.1.0.flow == flow).map(|c| c.0.clone()).collect();
            for who in gone {
                let call = self.rooms.get_mut(&name).and_then(|r| r.calling.remove(&who));
                self.tell(&name, &[who]);
                self.news(&name, call.and_then(|c| c.1), 480);
            }
        }
    }

    /// Lets legs of dead connections end.
    pub fn expire(&mut self, now: u64) {
        let dead: Vec<u64> = self.closed.iter().filter(|c| c.1 + DEAD_LEG <= now).map(|c| *c.0).collect();
        for name in self.rooms() {
            let Some(room) = self.rooms.get_mut(&name) else { continue };
            let mut changed = Vec::new();
            for (who, legs) in &mut room.people {
                let before = legs.len();
                legs.retain(|l| !dead.contains(&l.flow));
                if legs.len() != before {
                    changed.push(who.clone());
                }
            }
            room.people.retain(|_, legs| !legs.is_empty());
            if !changed.is_empty() {
                self.tell(&name, &changed);
            }
        }
    }

    fn fresh(&mut self) -> String {
        self.serial += 1;
        format!("s{}", self.serial)
    }

    fn reply(&mut self, flow: u64, request: &str, status: &str, more: &str, text: &str) {
        let vias: String =
            request.lines().take_while(|l| !l.is_empty()).filter(|l| l.starts_with("Via:")).map(|l| format!("{l}\r\n")).collect();
        let to = field(request, "To");
        let to = if tag(to).is_empty() { format!("{to};tag=t{}", field(request, "Call-ID")) } else { to.to_owned() };
        let (from, call, cseq) = (field(request, "From"), field(request, "Call-ID"), field(request, "CSeq"));
        let length = text.len();
        self.out.push((
            flow,
            format!("SIP/2.0 {status}\r\n{vias}From: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n{more}Content-Length: {length}\r\n\r\n{text}"),
        ));
    }

    fn within(&mut self, leg: &mut Leg, method: &str, more: &str, text: &str) {
        leg.number += 1;
        self.ask(leg, method, leg.number, more, text);
    }

    fn ask(&mut self, leg: &Leg, method: &str, number: u32, more: &str, text: &str) {
        let branch = self.fresh();
        let Leg { call, here, there, target, flow, .. } = leg;
        let length = text.len();
        self.out.push((
            *flow,
            format!(
                "{method} {target} SIP/2.0\r\nVia: SIP/2.0/TCP focus;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\nFrom: {here}\r\nTo: {there}\r\n\
                 Call-ID: {call}\r\nCSeq: {number} {method}\r\n{more}Content-Length: {length}\r\n\r\n{text}"
            ),
        ));
    }

    /// A whole message came.
    pub fn handle(&mut self, flow: u64, message: &str) {
        if message.starts_with("SIP/2.0") {
            return self.answered(flow, message);
        }
        let mut words = message.split(' ');
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let name = plain(target).trim_start_matches("sip:").split('@').next().unwrap_or("").to_owned();
        let who = plain(uri(field(message, "From")));
        let call = field(message, "Call-ID").to_owned();
        let room = self.rooms.iter().find(|r| r.1.people.values().flatten().any(|l| l.call == call)).map(|r| r.0.clone());
        match (method, room) {
            ("ACK", _) => {}
            ("REGISTER", _) => {
                let contact = field(message, "Contact").to_owned();
                self.registered.insert(who, (flow, uri(&contact).to_owned()));
                let contact = contact.split(";expires").next().unwrap_or("").to_owned();
                self.reply(flow, message, "200 OK", &format!("Contact: {contact};expires=600\r\n"), "");
            }
            ("SUBSCRIBE", _) if field(message, "Event") == "conference" && self.rooms.contains_key(&name) => {
                self.subscribe(flow, message, &name)
            }
            ("SUBSCRIBE", _) => self.reply(flow, message, "489 Bad Event", "", ""),
            ("INVITE", None) => self.invite(flow, message, &name, &who),
            ("CANCEL", _) => self.reply(flow, message, "200 OK", "", ""),
            ("BYE", Some(room)) => {
                self.reply(flow, message, "200 OK", "", "");
                self.gone(&room, &who, Some(&call));
            }
            ("REFER", Some(_)) if self.brings_nobody => self.reply(flow, message, "501 Not Implemented", "", ""),
            ("REFER", Some(room)) => self.refer(flow, message, &room, &who),
            ("REFER", None) if tag(field(message, "To")).is_empty() => self.relay(flow, message),
            ("MESSAGE", Some(room)) => {
                self.reply(flow, message, "202 Accepted", "", "");
                let media = format!("Content-Type: {}\r\n", field(message, "Content-Type"));
                for (other, mut legs) in self.rooms[&room].people.clone() {
                    if let Some(leg) = legs.last_mut().filter(|_| other != who) {
                        self.within(leg, "MESSAGE", &media, body(message));
                        self.remember(&room, &other, leg);
                    }
                }
            }
            ("NOTIFY", _) if !tag(field(message, "To")).is_empty() => self.relay(flow, message),
            ("BYE" | "MESSAGE" | "REFER" | "NOTIFY", None) => self.reply(flow, message, "481 Unknown", "", ""),
            _ => self.reply(flow, message, "405 Method Not Allowed", "", ""),
        }
    }

    fn remember(&mut self, room: &str, who: &str, leg: &Leg) {
        let legs = self.rooms.get_mut(room).and_then(|r| r.people.get_mut(who));
        if let Some(known) = legs.and_then(|l| l.iter_mut().find(|k| k.call == leg.call)) {
            known.number = leg.number;
        }
    }

    /// As a proxy: to whoever is registered, with its own Via on top; the answer comes back the same way.
    fn relay(&mut self, flow: u64, message: &str) {
        let whom = plain(message.split(' ').nth(1).unwrap_or(""));
        let at = self.registered.get(&whom).cloned().or_else(|| {
            self.registered.values().find(|r| plain(&r.1) == whom || r.1 == message.split(' ').nth(1).unwrap_or("")).cloned()
        });
        match at {
            Some((to, _)) => {
                let (first, rest) = message.split_once("\r\n").unwrap_or((message, ""));
                self.out.push((to, format!("{first}\r\nVia: SIP/2.0/TCP relay{flow};branch=z9hG4bKr{flow}\r\n{rest}")));
            }
            None => self.reply(flow, message, "480 Not Here", "", ""),
        }
    }

    fn answered(&mut self, flow: u64, message: &str) {
        let via = field(message, "Via").to_owned();
        if let Some(back) = via.split("relay").nth(1).and_then(|v| v.split(';').next()).and_then(|v| v.parse().ok()) {
            let rest = message.replacen(&format!("Via: {via}\r\n"), "", 1);
            self.out.push((back, rest));
            return;
        }
        let (call, cseq) = (field(message, "Call-ID").to_owned(), field(message, "CSeq").to_owned());
        let status: u16 = message.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        if cseq.ends_with("NOTIFY") && status == 481 {
            for room in self.rooms.values_mut() {
                room.watchers.retain(|w| w.call != call);
            }
        }
        if !cseq.ends_with("INVITE") {
            return;
        }
        let found =
            self.rooms.iter().find_map(|(n, r)| r.calling.iter().find(|c| c.1.0.call == call).map(|c| (n.clone(), c.0.clone())));
        let Some((name, who)) = found else { return };
        let Some(room) = self.rooms.get_mut(&name) else { return };
        if status < 200 {
            let (teller, first) = match room.calling.get_mut(&who) {
                Some(c) => (c.1.clone(), !std::mem::replace(&mut c.2, true)),
                None => return,
            };
            if first && status == 180 {
                self.tell(&name, &[who]);
                self.news(&name, teller, 180);
            }
            return;
        }
        let Some((mut leg, teller, _)) = room.calling.remove(&who) else { return };
        leg.there = field(message, "To").to_owned();
        leg.number = 1;
        if status < 300 {
            leg.target = uri(field(message, "Contact")).to_owned();
            leg.flow = flow;
            room.people.entry(who.clone()).or_default().push(leg.clone());
        }
        self.ask(&leg, "ACK", 1, "", "");
        self.tell(&name, &[who]);
        self.news(&name, teller, status);
    }

    fn leg_of(&self, flow: u64, message: &str) -> Leg {
        let to = field(message, "To");
        let here = if tag(to).is_empty() { format!("{to};tag=t{}", field(message, "Call-ID")) } else { to.to_owned() };
        Leg {
            call: field(message, "Call-ID").to_owned(),
            here,
            there: field(message, "From").to_owned(),
            target: uri(field(message, "Contact")).to_owned(),
            flow,
            number: 0,
            version: 0,
        }
    }

    fn invite(&mut self, flow: u64, message: &str, name: &str, who: &str) {
        let mut name = name.to_owned();
        let mut list = Vec::new();
        if name == "factory" {
            name = format!("made{}", self.fresh());
            self.rooms.insert(name.clone(), Room::default());
            list = body(message)
                .split("<entry ")
                .skip(1)
                .filter_map(|e| e.split("uri=\"").nth(1)?.split('"').next().map(plain))
                .collect();
        }
        if !self.rooms.contains_key(&name) {
            return self.reply(flow, message, "404 Not Found", "", "");
        }
        let replaces = field(message, "Replaces").to_owned();
        let old = replaces.split(';').next().unwrap_or("").to_owned();
        let leg = self.leg_of(flow, message);
        let Some(room) = self.rooms.get_mut(&name) else { return };
        if !old.is_empty() {
            let fits = |l: &Leg| {
                l.call == old
                    && replaces.contains(&format!("to-tag={}", tag(&l.here)))
                    && replaces.contains(&format!("from-tag={}", tag(&l.there)))
            };
            let legs = room.people.entry(who.to_owned()).or_default();
            let known = legs.iter().any(fits);
            legs.retain(|l| !fits(l));
            if !known {
                room.people.retain(|_, legs| !legs.is_empty());
                return self.reply(flow, message, "481 Unknown", "", "");
            }
        }
        room.people.entry(who.to_owned()).or_default().push(leg);
        room.leads.get_or_insert_with(|| who.to_owned());
        let more = format!(
            "Contact: <sip:{name}@{DOMAIN}>;isfocus\r\nAllow: INVITE, BYE, REFER, MESSAGE\r\nContent-Type: application/sdp\r\n"
        );
        self.reply(flow, message, "200 OK", &more, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
        self.tell(&name, &[who.to_owned()]);
        for person in list {
            self.call(&name, &person, None);
        }
    }

    fn subscribe(&mut self, flow: u64, message: &str, name: &str) {
        let expires = field(message, "Expires").to_owned();
        let contact = format!("Contact: <sip:{name}@{DOMAIN}>\r\nExpires: {expires}\r\n");
        self.reply(flow, message, "200 OK", &contact, "");
        let leg = self.leg_of(flow, message);
        let Some(room) = self.rooms.get_mut(name) else { return };
        if expires == "0" {
            room.watchers.retain(|w| w.call != leg.call);
            return;
        }
        if !room.watchers.iter().any(|w| w.call == leg.call) {
            room.watchers.push(leg.clone());
        }
        let everybody: Vec<String> = room.people.keys().chain(room.calling.keys()).cloned().collect();
        self.notify(name, &leg.call, "full", &everybody);
    }

    fn refer(&mut self, flow: u64, message: &str, name: &str, who: &str) {
        let to = uri(field(message, "Refer-To")).to_owned();
        let (whom, out) = (plain(&to), to.to_lowercase().contains("method=bye"));
        let number = field(message, "CSeq").split(' ').next().unwrap_or("").to_owned();
        if out && self.rooms[name].leads.as_deref() != Some(who) {
            return self.reply(flow, message, "403 Leaders Only", "", "");
        }
        self.reply(flow, message, "202 Accepted", "", "");
        let teller = Some((field(message, "Call-ID").to_owned(), number));
        if !out {
            return self.call(name, &whom, teller);
        }
        let there = self.rooms[name].people.contains_key(&whom);
        self.news(name, teller, if there { 200 } else { 404 });
        for mut leg in self.rooms[name].people.get(&whom).cloned().unwrap_or_default() {
            self.within(&mut leg, "BYE", "", "");
        }
        self.gone(name, &whom, None);
    }

    fn call(&mut self, name: &str, whom: &str, teller: Option<Teller>) {
        let Some((flow, target)) = self.registered.get(whom).cloned() else { return self.news(name, teller, 480) };
        let (call, mine) = (self.fresh(), self.fresh());
        let here = format!("<sip:{name}@{DOMAIN}>;tag={mine}");
        let leg = Leg { call, here, there: format!("<{whom}>"), target, flow, number: 1, version: 0 };
        let Some(room) = self.rooms.get_mut(name) else { return };
        if room.people.contains_key(whom) || room.calling.contains_key(whom) {
            return self.news(name, teller, 486);
        }
        let leads = room.leads.clone().unwrap_or_default();
        room.calling.insert(whom.to_owned(), (leg.clone(), teller.clone(), false));
        self.news(name, teller, 100);
        self.tell(name, &[whom.to_owned()]);
        let more = format!("Contact: <sip:{name}@{DOMAIN}>;isfocus\r\nReferred-By: <{leads}>\r\nSubject: Plans\r\n");
        self.ask(&leg, "INVITE", 1, &more, "");
    }

    fn news(&mut self, name: &str, teller: Option<Teller>, status: u16) {
        let Some((call, number)) = teller else { return };
        let found = self
            .rooms
            .get(name)
            .and_then(|r| r.people.iter().find_map(|(w, l)| l.iter().find(|l| l.call == call).map(|l| (w.clone(), l.clone()))));
        let Some((who, mut leg)) = found else { return };
        let state = if status < 200 { "active;expires=60" } else { "terminated;reason=noresource" };
        let more =
            format!("Event: refer;id={number}\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n");
        self.within(&mut leg, "NOTIFY", &more, &format!("SIP/2.0 {status} Words\r\n"));
        self.remember(name, &who, &leg);
    }

    fn gone(&mut self, name: &str, who: &str, call: Option<&str>) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        if let Some(legs) = room.people.get_mut(who) {
            legs.retain(|l| call.is_some_and(|c| c != l.call));
        }
        room.people.retain(|_, legs| !legs.is_empty());
        self.tell(name, &[who.to_owned()]);
    }

    /// Tells everybody who watches of these people.
    fn tell(&mut self, name: &str, changed: &[String]) {
        let watchers: Vec<String> = self.rooms[name].watchers.iter().map(|w| w.call.clone()).collect();
        for call in watchers {
            self.notify(name, &call, "partial", changed);
        }
    }

    fn notify(&mut self, name: &str, call: &str, state: &str, people: &[String]) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        let user = |who: &String| {
            let role = if room.leads.as_ref() == Some(who) { "moderator" } else { "participant" };
            let status = match (room.people.contains_key(who), room.calling.get(who)) {
                (true, _) => "connected",
                (_, Some((_, _, true))) => "alerting",
                (_, Some(_)) => "dialing-out",
                _ => return format!("<user entity=\"{who}\" state=\"deleted\"/>"),
            };
            format!(
                "<user entity=\"{who}\"><roles><entry>{role}</entry></roles><endpoint entity=\"{who};e\"><status>{status}</status></endpoint></user>"
            )
        };
        let users: String = people.iter().map(user).collect();
        let Some(watcher) = room.watchers.iter_mut().find(|w| w.call == call) else { return };
        watcher.version += 1;
        watcher.number += 1;
        let (leg, version, number) = (watcher.clone(), watcher.version, watcher.number);
        self.serial += 1;
        if self.forgetful && state == "partial" && self.serial.is_multiple_of(2) {
            return;
        }
        let text = format!(
            "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:{name}@{DOMAIN}\" state=\"{state}\" version=\"{version}\">\
             <users state=\"{state}\">{users}</users></conference-info>"
        );
        let more =
            "Event: conference\r\nSubscription-State: active;expires=3600\r\nContent-Type: application/conference-info+xml\r\n";
        self.ask(&leg, "NOTIFY", number, more, &text);
    }
}
