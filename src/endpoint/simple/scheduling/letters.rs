//! What leaves: invitations, answers and cancellations, one under way to each person, none faster than the server likes.

use super::super::{messages, request};
use super::{CALENDAR, Scheduling, tell, title};
use crate::domain::conference::{self, Answer, Conference, ConferenceId, News, Says};
use crate::domain::itip::{link, subject, write};
use crate::domain::zone::zone_by_name;
use crate::domain::{Address, Time};
use crate::endpoint::limits::{EVENT_PACE, MAX_LETTERS, MESSAGE_AGAIN};
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::endpoint::{Error, ErrorKind, Event, OperationId, Outcome};
use crate::sip::{Method, Name, Response, Uri};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, VecDeque};

const PLAIN: &str = "text/plain;charset=UTF-8";

/// What a letter says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// The meeting as it is when the letter leaves.
    Request,
    /// The same in words.
    Words,
    /// It is called off; the meeting as it was known.
    Cancel(Box<Conference>),
    /// The same in words.
    CancelWords(Box<Conference>),
    /// Our answer.
    Reply(Answer),
}

#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub to: Address,
    pub meeting: ConferenceId,
    pub kind: Kind,
    /// Whose end is the arrival of this.
    pub operation: Option<OperationId>,
    tries: usize,
    not_before: Time,
}

impl Letter {
    pub fn new(to: Address, meeting: ConferenceId, kind: Kind) -> Letter {
        Letter { to, meeting, kind, operation: None, tries: 0, not_before: Time::default() }
    }

    /// One that had not arrived when the program ended.
    fn of(kept: conference::Letter) -> Letter {
        let kind = match kept.says {
            Says::Invitation => Kind::Request,
            Says::Cancelled(c) => Kind::Cancel(c),
            Says::Answered(answer) => Kind::Reply(answer),
        };
        Letter::new(kept.to, kept.meeting, kind)
    }

    /// What is to be kept of it; an answer that somebody waits for is given again by them.
    fn kept(&self) -> Option<conference::Letter> {
        let says = match &self.kind {
            Kind::Request | Kind::Words => Says::Invitation,
            Kind::Cancel(c) | Kind::CancelWords(c) => Says::Cancelled(Box::new(for_one(c, &self.to))),
            Kind::Reply(answer) => Says::Answered(*answer),
        };
        let letter = conference::Letter { to: self.to.clone(), meeting: self.meeting.clone(), says };
        self.operation.is_none().then_some(letter)
    }

    /// Nobody needs to hear of it any more.
    fn is_stale(&self, now: Time) -> bool {
        let over = |c: &Conference| c.settings.series.is_none() && c.settings.end.is_some_and(|end| end < now);
        matches!(&self.kind, Kind::Cancel(c) | Kind::CancelWords(c) if over(c))
    }
}

/// Letters that wait and those under way.
#[derive(Debug, Default)]
pub(super) struct Post {
    /// Something else is waiting or under way than was told.
    changed: bool,
    told: Vec<conference::Letter>,
    waiting: VecDeque<Letter>,
    under_way: BTreeMap<Token, Letter>,
    /// The next one leaves then at the earliest.
    pace: Time,
}

impl Post {
    /// With what was kept.
    pub fn with(letters: &[conference::Letter]) -> Post {
        let waiting = letters.iter().take(MAX_LETTERS).cloned().map(Letter::of).collect();
        Post { waiting, told: letters.to_vec(), ..Post::default() }
    }

    /// What is to be kept now, if that is not what it was.
    pub fn news(&mut self) -> Option<Vec<conference::Letter>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let all = self.under_way.values().chain(&self.waiting);
        let all: Vec<_> = all.filter_map(Letter::kept).take(MAX_LETTERS).collect();
        if all == self.told {
            return None;
        }
        self.told.clone_from(&all);
        Some(all)
    }

    /// Takes out what has no sense any more.
    pub fn tidy(&mut self, now: Time) {
        self.changed = true;
        self.waiting.retain(|l| !l.is_stale(now));
    }

    /// Puts a letter behind the others. An invitation that waits already says what is so when it leaves.
    pub fn push(&mut self, letter: Letter) {
        self.changed = true;
        let same = |l: &Letter| l.kind == Kind::Request && (&l.to, &l.meeting) == (&letter.to, &letter.meeting);
        if letter.kind != Kind::Request || !self.waiting.iter().any(same) {
            self.waiting.push_back(letter);
        }
    }

    /// Takes invitations to a meeting back that have not left, of one person or of all.
    pub fn drop_for(&mut self, meeting: &ConferenceId, who: Option<&Address>) {
        self.changed = true;
        self.waiting.retain(|l| l.meeting != *meeting || who.is_some_and(|w| l.to != *w) || matches!(l.kind, Kind::Reply(_)));
    }

    /// The one that was sent with this token.
    pub fn take(&mut self, token: Token) -> Option<Letter> {
        self.changed = true;
        self.under_way.remove(&token)
    }

    /// The link is gone: calendars wait, because they may come twice; answers somebody waits for are given back.
    pub fn offline(&mut self) -> Vec<Letter> {
        let under_way = std::mem::take(&mut self.under_way).into_values();
        let all = under_way.chain(std::mem::take(&mut self.waiting));
        let (answers, rest): (Vec<Letter>, Vec<Letter>) = all.partition(|l| l.operation.is_some());
        self.waiting = rest.into();
        answers
    }

    fn again(&mut self, mut letter: Letter, at: Time) {
        letter.tries += 1;
        letter.not_before = at;
        self.waiting.push_front(letter);
    }

    fn ready(&self, now: Time) -> Option<usize> {
        let busy = |l: &Letter| self.under_way.values().any(|u| u.to == l.to);
        self.waiting.iter().position(|l| l.not_before <= now && !busy(l))
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let busy = |l: &Letter| self.under_way.values().any(|u| u.to == l.to);
        self.waiting.iter().filter(|l| !busy(l)).map(|l| l.not_before.max(self.pace)).min()
    }
}

impl Scheduling {
    /// Sends what may leave.
    pub(super) fn pump(&mut self, ctx: &mut Ctx<'_>) {
        while ctx.online && self.post.pace <= ctx.now {
            let Some(letter) = self.post.ready(ctx.now).and_then(|at| self.post.waiting.remove(at)) else { return };
            let Some((media, body)) = self.written(ctx, &letter) else {
                self.post.changed = true;
                if let Some(id) = letter.operation {
                    ctx.complete(id, Err(super::gone()));
                }
                continue;
            };
            let mut r = request::request(ctx, Method::Message, &Uri::from(&letter.to));
            r.headers.push(Name::Date, messages::date(ctx.now));
            let token = ctx.send(r.with_body(&media, body.into_bytes()));
            self.post.under_way.insert(token, letter);
            self.post.pace = ctx.now + EVENT_PACE;
        }
    }

    /// Type and text of a letter; `None`: what it is about is gone.
    fn written(&self, ctx: &Ctx<'_>, letter: &Letter) -> Option<(String, String)> {
        let me = &ctx.me;
        let name = |who: &Address| if *who == me.uri { me.display_name.clone() } else { String::new() };
        let typed = |method: &str, text: String| (format!("{CALENDAR}; charset=utf-8; method={method}; component=VEVENT"), text);
        let own = self.own.get(&letter.meeting);
        Some(match &letter.kind {
            Kind::Request => typed("REQUEST", write::request(own?, &name, ctx.now)),
            Kind::Words => (PLAIN.into(), words(own?)),
            Kind::Cancel(c) => typed("CANCEL", write::cancel(c, &name, ctx.now)),
            Kind::CancelWords(c) => (PLAIN.into(), format!("{} of {} is cancelled.", title(c), when(c))),
            Kind::Reply(answer) => {
                let c = self.invited.get(&letter.meeting)?;
                typed("REPLY", write::reply(c, &me.uri, &me.display_name, *answer, ctx.now))
            }
        })
    }

    /// What became of a letter.
    pub(super) fn replied(&mut self, ctx: &mut Ctx<'_>, letter: Letter, reply: &Reply) {
        let response = match reply {
            Reply::Response(r) => Some(r),
            // It may have arrived; a calendar that comes twice is one calendar.
            Reply::Timeout => None,
            Reply::LinkLost if !ctx.online => return self.post.again(letter, ctx.now),
            // It is too large for the link, and there is no other.
            Reply::LinkLost => None,
        };
        let wait = MESSAGE_AGAIN.get(letter.tries).copied().filter(|_| letter.operation.is_none());
        match (response, wait) {
            (Some(r), _) if r.is_success() => self.arrived(ctx, letter),
            (Some(r), _) if matches!(r.status, 406 | 415 | 488 | 606) => self.in_words(ctx, letter, r),
            (Some(r), Some(wait)) if matches!(r.status, 500 | 502..=504) => {
                self.post.again(letter, ctx.now + request::retry_after(r).max(wait));
            }
            (None, Some(wait)) => self.post.again(letter, ctx.now + wait),
            (Some(r), _) => self.lost(ctx, &letter, messages::why(r, letter.to.bare())),
            (None, None) => self.lost(ctx, &letter, "no answer came; it may or may not have arrived".into()),
        }
    }

    fn arrived(&mut self, ctx: &mut Ctx<'_>, letter: Letter) {
        match letter.kind {
            Kind::Request => self.got(ctx, &letter, Answer::Waiting),
            Kind::Words => self.got(ctx, &letter, Answer::Told),
            Kind::Reply(answer) => {
                if let Some(c) = self.invited.get_mut(&letter.meeting) {
                    c.answers.insert(ctx.me.uri.clone(), answer);
                }
                if let Some(id) = letter.operation {
                    ctx.complete(id, Ok(Outcome::Done));
                }
            }
            Kind::Cancel(_) | Kind::CancelWords(_) => {}
        }
    }

    /// An invitation got so far; what its receiver has said already stays.
    fn got(&mut self, ctx: &mut Ctx<'_>, letter: &Letter, to: Answer) {
        let Some(c) = self.own.get_mut(&letter.meeting) else { return };
        let Some(answer) = c.answers.get_mut(&letter.to).filter(|a| !a.is_answer() && **a != to) else { return };
        *answer = to;
        tell(ctx, c, News::Delivery(letter.to.clone()));
    }

    /// Their program takes no calendars: they get the facts as a text.
    fn in_words(&mut self, ctx: &mut Ctx<'_>, letter: Letter, r: &Response) {
        let kind = match letter.kind.clone() {
            Kind::Request => Kind::Words,
            Kind::Cancel(c) => Kind::CancelWords(c),
            _ => return self.lost(ctx, &letter, messages::why(r, letter.to.bare())),
        };
        self.post.waiting.push_front(Letter { kind, tries: 0, not_before: ctx.now, ..letter });
    }

    fn lost(&mut self, ctx: &mut Ctx<'_>, letter: &Letter, why: String) {
        match &letter.kind {
            Kind::Request | Kind::Words => {
                self.got(ctx, letter, Answer::Failed);
                let what = self.own.get(&letter.meeting).map(title).unwrap_or_default();
                ctx.emit(Event::Notice(format!("{} is not invited to {what}: {why}.", letter.to.bare())));
            }
            Kind::Cancel(c) | Kind::CancelWords(c) => {
                let text = format!("{} does not know that {} is cancelled: {why}.", letter.to.bare(), title(c));
                ctx.emit(Event::Notice(text));
            }
            Kind::Reply(_) => {
                let error = Error::new(ErrorKind::FailureResponse, format!("Your answer did not arrive: {why}."));
                match letter.operation {
                    Some(id) => ctx.complete(id, Err(error)),
                    None => ctx.emit(Event::Notice(error.text)),
                }
            }
        }
    }
}

/// A meeting as one person has to know it to take it out: who else was invited and what it was about matter no more.
fn for_one(c: &Conference, who: &Address) -> Conference {
    let mut c = c.clone();
    c.settings.participants.retain(|p| p.uri == *who);
    c.answers.retain(|a, _| a == who);
    c.settings.description.clear();
    c
}

/// "Tue 1 Dec 2026, 11:00 to 11:45 (Europe/Berlin)"
fn when(c: &Conference) -> String {
    let s = &c.settings;
    let zone = zone_by_name(&s.time_zone).unwrap_or(TimeZone::UTC);
    let local = |t: Time| t.timestamp().to_zoned(zone.clone());
    let Some(start) = s.start.map(local) else { return "any time".into() };
    let end = s.end.map(local).map_or(String::new(), |e| {
        let same_day = e.date() == start.date();
        e.strftime(if same_day { " to %H:%M" } else { " to %a %-d %b, %H:%M" }).to_string()
    });
    format!("{}{end} ({})", start.strftime("%a %-d %b %Y, %H:%M"), zone.iana_name().unwrap_or("UTC"))
}

/// The facts and the place, for programs that know no calendars.
fn words(c: &Conference) -> String {
    let s = &c.settings;
    let again = if c.version > 0 { "Changed invitation" } else { "Invitation" };
    let mut out = format!("{again}: {}\nWhen: {}\n", subject(c), when(c));
    if let Some(series) = &s.series {
        out.push_str(&format!("Repeats: {}\n", series.rule));
    }
    out.push_str(&format!("Where: {}\n", link(c)));
    if !s.description.is_empty() {
        out.push_str(&format!("{}\n", s.description));
    }
    out.push_str("Answer by a message.");
    out
}
