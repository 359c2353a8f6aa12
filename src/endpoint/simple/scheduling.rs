//! Meetings on a server that keeps none: ours are kept here, and people are invited by calendars sent as messages (RFC 5546
//! over RFC 3428; `simple.md` 5.3).
//!
//! Own meetings and those we are invited to are kept by their ids; the user of the endpoint keeps them over restarts and
//! hands them back with [`Config::meetings`]. Whoever changes a meeting must be its organizer, as the server says who sent it.

mod incoming;
mod letters;

use super::cannot;
use crate::domain::conference::{Answer, Capabilities, Conference, ConferenceId, ConferenceSettings, News};
use crate::domain::itip::subject;
use crate::domain::{Address, Time, conference_rules};
use crate::endpoint::config::Config;
use crate::endpoint::event::Feature;
use crate::endpoint::limits::{MAX_MEETINGS, MEETING_KEPT};
use crate::endpoint::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::sip::multipart::is_type;
use crate::sip::{Method, Name, Request, ServerTx};
use letters::{Kind, Letter, Post};
use std::collections::BTreeMap;

/// Media type of calendars.
pub const CALENDAR: &str = "text/calendar";

const KEPT_HERE: &str =
    "This server keeps no list of meetings: yours are kept on this computer, and people are invited by messages.";
const NO_RULES: &str = "An invitation by message has no words for who gets in, who leads, passcodes, announcements and phones; they are not offered here.";

/// The service.
#[derive(Debug)]
pub struct Scheduling {
    own: BTreeMap<ConferenceId, Conference>,
    invited: BTreeMap<ConferenceId, Conference>,
    /// The version with which a meeting of ours got its time: answers to older ones are about another time.
    timed: BTreeMap<ConferenceId, u32>,
    post: Post,
    /// The place of all meetings, where the account names one; else they are held at the organizer's address.
    place: Option<String>,
}

impl Scheduling {
    /// With what was kept.
    pub fn new(config: &Config) -> Scheduling {
        let by_id = |list: &[Conference]| list.iter().map(|c| (c.id.clone(), c.clone())).collect();
        Scheduling {
            own: by_id(&config.meetings.own),
            invited: by_id(&config.meetings.invited),
            timed: BTreeMap::new(),
            post: Post::with(&config.meetings.letters),
            place: config.meeting_place.clone(),
        }
    }

    fn operate(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> Option<Result<Outcome, Error>> {
        use Operation as O;
        Some(match operation {
            O::ConferenceCapabilities => Ok(Outcome::Capabilities(capabilities())),
            O::ScheduleConference { settings } => self.schedule(ctx, settings),
            O::UpdateConference { id, settings } => self.update(ctx, id, settings),
            O::CancelConference { id } => self.cancel(ctx, id),
            O::GetConference { id } => {
                let found = self.own.get(id).or_else(|| self.invited.get(id)).cloned();
                found.map(|c| Outcome::Conference(Box::new(c))).ok_or_else(gone)
            }
            O::ListConferences => Ok(Outcome::Conferences(self.own.values().cloned().collect())),
            O::AnswerMeeting { id: meeting, answer } => match self.answer(ctx, id, meeting, *answer) {
                Ok(()) => return None,
                Err(e) => Err(e),
            },
            O::ForgetMeeting { id } => {
                self.invited.remove(id);
                Ok(Outcome::Done)
            }
            _ => return None,
        })
    }

    fn schedule(&mut self, ctx: &mut Ctx<'_>, settings: &ConferenceSettings) -> Result<Outcome, Error> {
        let settings = checked(ctx, settings)?;
        self.make_room(ctx.now);
        if self.own.len() >= MAX_MEETINGS {
            return Err(Error::new(ErrorKind::InvalidOperation, "Too many meetings are kept here; cancel some that are over."));
        }
        let conference = Conference {
            id: conference_rules::new_id(ctx.rng),
            uri: self.place.clone().unwrap_or_else(|| ctx.me.uri.to_string()),
            join_url: String::new(),
            organizer: ctx.me.uri.clone(),
            version: 0,
            last_update: Some(ctx.now),
            is_active: false,
            phone_id: String::new(),
            answers: settings.participants.iter().map(|p| (p.uri.clone(), Answer::Unsent)).collect(),
            settings,
        };
        self.own.insert(conference.id.clone(), conference.clone());
        self.invite_all(&conference);
        self.pump(ctx);
        Ok(Outcome::Conference(Box::new(conference)))
    }

    fn update(&mut self, ctx: &mut Ctx<'_>, id: &ConferenceId, settings: &ConferenceSettings) -> Result<Outcome, Error> {
        let settings = checked(ctx, settings)?;
        let Some(c) = self.own.get_mut(id) else { return Err(gone()) };
        let another_time = is_another_time(&c.settings, &settings);
        c.version = c.version.saturating_add(1);
        c.last_update = Some(ctx.now);
        let off: Vec<Address> =
            c.answers.keys().filter(|a| !settings.participants.iter().any(|p| p.uri == **a)).cloned().collect();
        let told: Vec<Address> = off.iter().filter(|a| reached(c.answers.get(*a))).cloned().collect();
        // Those taken out hear of a cancellation of the meeting as they know it.
        let before = c.clone();
        c.answers.retain(|a, _| !off.contains(a));
        for p in &settings.participants {
            let answer = c.answers.entry(p.uri.clone()).or_default();
            if another_time {
                *answer = Answer::Unsent;
            }
        }
        c.settings = settings;
        let c = c.clone();
        if another_time {
            self.timed.insert(id.clone(), c.version);
        }
        off.iter().for_each(|a| self.post.drop_for(id, Some(a)));
        told.into_iter().for_each(|a| self.post.push(Letter::new(a, id.clone(), Kind::Cancel(Box::new(before.clone())))));
        self.invite_all(&c);
        self.pump(ctx);
        Ok(Outcome::Conference(Box::new(c)))
    }

    fn cancel(&mut self, ctx: &mut Ctx<'_>, id: &ConferenceId) -> Result<Outcome, Error> {
        let c = self.own.remove(id).ok_or_else(gone)?;
        self.timed.remove(id);
        self.post.drop_for(id, None);
        for (who, _) in c.answers.iter().filter(|(_, a)| reached(Some(a))) {
            self.post.push(Letter::new(who.clone(), id.clone(), Kind::Cancel(Box::new(c.clone()))));
        }
        self.pump(ctx);
        Ok(Outcome::Done)
    }

    fn answer(&mut self, ctx: &mut Ctx<'_>, op: OperationId, id: &ConferenceId, answer: Answer) -> Result<(), Error> {
        if !answer.is_answer() {
            return Err(Error::new(ErrorKind::InvalidArgument, "Accept, decline or answer tentatively."));
        }
        let c = self.invited.get(id).ok_or_else(gone)?;
        if !ctx.online {
            let text = "You are not connected to the server just now; answer when you are signed in.";
            return Err(Error::new(ErrorKind::Retryable, text));
        }
        let mut letter = Letter::new(c.organizer.clone(), id.clone(), Kind::Reply(answer));
        letter.operation = Some(op);
        self.post.push(letter);
        self.pump(ctx);
        Ok(())
    }

    fn invite_all(&mut self, c: &Conference) {
        for p in &c.settings.participants {
            self.post.push(Letter::new(p.uri.clone(), c.id.clone(), Kind::Request));
        }
    }

    /// Says what is to be kept until it has arrived.
    fn tell_letters(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(letters) = self.post.news() {
            ctx.emit(Event::Letters(letters));
        }
    }

    /// Meetings that are long over make room.
    fn make_room(&mut self, now: Time) {
        let over = |c: &Conference| c.settings.series.is_none() && c.settings.end.is_some_and(|e| e + MEETING_KEPT < now);
        self.own.retain(|_, c| !over(c));
        self.invited.retain(|_, c| !over(c));
    }
}

/// Whether somebody may have the invitation.
fn reached(answer: Option<&Answer>) -> bool {
    !matches!(answer, None | Some(Answer::Unsent | Answer::Failed))
}

/// Whether the one who agreed to the first has agreed to the second.
fn is_another_time(a: &ConferenceSettings, b: &ConferenceSettings) -> bool {
    (a.start, a.end, &a.series) != (b.start, b.end, &b.series)
}

fn capabilities() -> Capabilities {
    Capabilities { mcus: vec!["chat".into()], anonymous: true, phones: Vec::new() }
}

/// Settings that keep the rules and say nothing that this wire cannot.
fn checked(ctx: &Ctx<'_>, settings: &ConferenceSettings) -> Result<ConferenceSettings, Error> {
    let mut s = settings.clone();
    s.participants.retain(|p| p.uri != ctx.me.uri);
    conference_rules::check(&s, Some(&capabilities()), ctx.now)
        .map_err(|e| Error::new(ErrorKind::InvalidArgument, e.to_string()))?;
    if s.start.is_none() {
        return Err(Error::new(ErrorKind::InvalidArgument, "A meeting that is announced by messages needs a time."));
    }
    if s.passcode.is_some() || s.phone_access {
        return Err(cannot("passcodes and phones for meetings"));
    }
    Ok(s)
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "This meeting does not exist any more.")
}

impl Service for Scheduling {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        let result = self.operate(ctx, id, operation);
        self.tell_letters(ctx);
        match result {
            Some(result) => {
                ctx.complete(id, result);
                true
            }
            // It ends with the reply of the other side.
            None => matches!(operation, Operation::AnswerMeeting { .. }),
        }
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        let media = request.headers.get(&Name::ContentType).unwrap_or("");
        if request.method != Method::Message || !is_type(media, CALENDAR) {
            return Handled::No(request);
        }
        self.receive(ctx, tx, &request);
        self.tell_letters(ctx);
        Handled::Yes
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        if let InternalEvent::Calendar { from, text } = event
            && let Err(refusal) = self.take(ctx, from, text)
        {
            ctx.emit(Event::Notice(refusal.text));
        }
        self.tell_letters(ctx);
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if matches!(&reply, Reply::Response(r) if !r.is_final()) {
            return;
        }
        if let Some(letter) = self.post.take(token) {
            self.replied(ctx, letter, &reply);
            self.pump(ctx);
            self.tell_letters(ctx);
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        ctx.emit(Event::Missing { what: Feature::Meetings, why: Some(KEPT_HERE.into()) });
        ctx.emit(Event::Missing { what: Feature::MeetingRules, why: Some(NO_RULES.into()) });
        self.make_room(ctx.now);
        self.post.tidy(ctx.now);
        // What had not left when the program ended leaves now; a calendar that comes twice is one calendar.
        let unsent = self.own.values().flat_map(|c| {
            let open = c.answers.iter().filter(|(_, a)| **a == Answer::Unsent);
            open.map(|(who, _)| Letter::new(who.clone(), c.id.clone(), Kind::Request))
        });
        unsent.collect::<Vec<_>>().into_iter().for_each(|l| self.post.push(l));
        self.pump(ctx);
        self.tell_letters(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        for letter in self.post.offline() {
            let text = "The connection was lost before your answer arrived; answer again when you are signed in.";
            if let Some(id) = letter.operation {
                ctx.complete(id, Err(Error::new(ErrorKind::Retryable, text)));
            }
        }
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.pump(ctx);
        self.tell_letters(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.post.poll_timeout()
    }
}

/// Tells what is new about a meeting.
fn tell(ctx: &mut Ctx<'_>, meeting: &Conference, news: News) {
    ctx.emit(Event::Meeting { meeting: Box::new(meeting.clone()), news });
}

/// A meeting's title for a sentence.
fn title(c: &Conference) -> String {
    format!("“{}”", subject(c))
}

#[cfg(test)]
#[path = "scheduling/tests.rs"]
mod tests;
