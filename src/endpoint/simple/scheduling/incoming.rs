//! What comes: invitations, changes, cancellations and answers of others, each believed only from whom it must be.

use super::letters::{Kind, Letter};
use super::{Scheduling, is_another_time, tell, title};
use crate::domain::conference::{Answer, Conference, ConferenceId, News};
use crate::domain::itip::read::read;
use crate::domain::itip::{Invitation, Method, id_of};
use crate::domain::series::Moved;
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{CALENDAR_LINK, CALENDAR_OCTETS, MAX_MEETINGS};
use crate::endpoint::service::Ctx;
use crate::sip::{Name, Request, ServerTx};

/// Why a calendar is not taken: what its sender's program gets, and the sentence for a person.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub status: u16,
    pub text: String,
}

fn refuse<T>(status: u16, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, text: text.into() })
}

impl Scheduling {
    /// A calendar that came as a message.
    pub(super) fn receive(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let tag = ctx.rng.hex(16);
        let answer = |ctx: &mut Ctx<'_>, status: u16, why: &str| {
            let Some(tx) = tx else { return };
            let mut response = request.response(status, &tag);
            if !why.is_empty() {
                response.headers.push(Name::Warning, format!("399 adsum \"{}\"", why.replace(['"', '\\'], "'")));
            }
            ctx.respond(tx, response);
        };
        let Some(from) = request.headers.from().and_then(|f| f.uri.address()) else { return answer(ctx, 400, "") };
        let text = String::from_utf8_lossy(&request.body);
        match self.take(ctx, &from, &text) {
            Ok(()) => answer(ctx, 200, ""),
            Err(refusal) => {
                answer(ctx, refusal.status, &refusal.text);
                ctx.emit(Event::Notice(refusal.text));
            }
        }
    }

    /// A calendar of somebody, however it came.
    pub(super) fn take(&mut self, ctx: &mut Ctx<'_>, from: &Address, text: &str) -> Result<(), Refusal> {
        let who = from.bare();
        if text.len() > CALENDAR_OCTETS {
            return refuse(413, format!("{who} sent a calendar that is too large; it is not taken."));
        }
        let read = read(text, &is_link);
        let i = match read {
            Ok(i) => i,
            Err(why) => return refuse(400, format!("{who} sent a calendar that cannot be read: {why}.")),
        };
        if i.uid.is_empty() {
            return refuse(400, format!("{who} sent a calendar that cannot be read: its meeting has no name (UID)."));
        }
        match i.method {
            Method::Request => self.invitation(ctx, from, i),
            Method::Cancel => self.cancellation(ctx, from, &i),
            Method::Reply => self.said(ctx, from, &i),
            Method::Publish | Method::Other => {
                refuse(400, format!("{who} sent a calendar that neither invites, answers nor cancels; it is not taken."))
            }
        }
    }

    fn invitation(&mut self, ctx: &mut Ctx<'_>, from: &Address, i: Invitation) -> Result<(), Refusal> {
        let who = from.bare();
        let Some(organizer) = i.organizer.clone() else {
            return refuse(400, format!("{who} sent an invitation that names no organizer; it is not taken."));
        };
        let known = self.known(from, &organizer, &i)?;
        if organizer == ctx.me.uri {
            // One of our own devices; its list is its own.
            return Ok(());
        }
        if let Some(odd) = i.odd {
            return refuse(400, format!("The invitation of {who} is not taken: {odd}."));
        }
        self.make_room(ctx.now);
        if known.is_none() && self.invited.len() >= MAX_MEETINGS {
            return refuse(
                480,
                format!("{who} invites you, but too many meetings of others are kept; take some out of the list."),
            );
        }
        let id = id_of(&i.uid, &organizer);
        let me = ctx.me.uri.clone();
        let Some(old) = known else {
            let c = conference(id.clone(), organizer, i, &me);
            tell(ctx, &c, News::Invited);
            self.invited.insert(id, c);
            return Ok(());
        };
        let new = changed(&old, i, &me);
        if new == old {
            return Ok(());
        }
        let again = is_another_time(&old.settings, &new.settings);
        tell(ctx, &new, News::Changed { again });
        // The organizer's program counts answers by versions: what was said of the same time is said again.
        if let Some(answer) = new.answers.get(&me).copied().filter(|a| a.is_answer()) {
            self.post.push(Letter::new(new.organizer.clone(), id.clone(), Kind::Reply(answer)));
        }
        self.invited.insert(id, new);
        self.pump(ctx);
        Ok(())
    }

    /// The meeting a calendar changes, if it is known here; refuses whoever may not change it.
    fn known(&self, from: &Address, organizer: &Address, i: &Invitation) -> Result<Option<Conference>, Refusal> {
        let who = from.bare();
        if organizer != from {
            let text = format!("{who} sent a meeting in the name of {}; it is not taken.", organizer.bare());
            return refuse(403, text);
        }
        let same = |c: &&Conference| crate::domain::itip::uid(c) == i.uid;
        if let Some(c) = self.own.values().chain(self.invited.values()).find(same).filter(|c| c.organizer != *from) {
            let text = format!("{who} tried to change {} of {}; it stays as it is.", title(c), c.organizer.bare());
            return refuse(403, text);
        }
        let known = self.invited.values().find(same).cloned();
        if let Some(c) = known.as_ref().filter(|c| i.sequence < c.version) {
            let text = format!("{who} sent an older form of {}; the newer one stays.", title(c));
            return refuse(400, text);
        }
        Ok(known)
    }

    fn cancellation(&mut self, ctx: &mut Ctx<'_>, from: &Address, i: &Invitation) -> Result<(), Refusal> {
        let organizer = i.organizer.clone().unwrap_or_else(|| from.clone());
        // What is not in the list needs no taking out.
        let Some(mut c) = self.known(from, &organizer, i)? else { return Ok(()) };
        c.version = i.sequence;
        match (i.of, &mut c.settings.series) {
            (Some(of), Some(series)) => {
                series.cancel(of);
                tell(ctx, &c, News::Changed { again: false });
                self.invited.insert(c.id.clone(), c);
            }
            _ => {
                self.invited.remove(&c.id);
                tell(ctx, &c, News::Cancelled);
            }
        }
        Ok(())
    }

    fn said(&mut self, ctx: &mut Ctx<'_>, from: &Address, i: &Invitation) -> Result<(), Refusal> {
        let who = from.bare();
        let Some((_, answer)) = i.answers.iter().find(|a| a.0 == *from) else {
            let other = i.answers.first().map_or("nobody", |a| a.0.bare());
            return refuse(403, format!("{who} answered an invitation in the name of {other}; it is not taken."));
        };
        // Another device of ours may keep the meeting.
        let Some(c) = self.own.get_mut(&id_of(&i.uid, &ctx.me.uri)) else { return Ok(()) };
        let old = i.sequence < self.timed.get(&c.id).copied().unwrap_or(0);
        let Some(known) = c.answers.get_mut(from) else {
            return refuse(403, format!("{who} answered for {}, but is not invited to it.", title(c)));
        };
        // What was said of another time is not said of this one.
        if old || !answer.is_answer() || known == answer {
            return Ok(());
        }
        *known = *answer;
        tell(ctx, c, News::Answered(from.clone()));
        Ok(())
    }
}

/// What may be opened to join.
fn is_link(word: &str) -> bool {
    let schemes = ["sip:", "sips:", "http://", "https://", "conf:"];
    word.len() <= CALENDAR_LINK && schemes.iter().any(|s| word.get(..s.len()).is_some_and(|w| w.eq_ignore_ascii_case(s)))
}

fn conference(id: ConferenceId, organizer: Address, i: Invitation, me: &Address) -> Conference {
    let link = i.link.unwrap_or_else(|| organizer.to_string());
    let web = link.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("http"));
    let uri = if web { organizer.to_string() } else { link.trim_start_matches("conf:").to_owned() };
    Conference {
        id,
        uri,
        join_url: if web { link } else { String::new() },
        organizer,
        version: i.sequence,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: [(me.clone(), Answer::Waiting)].into(),
        settings: i.settings,
    }
}

/// The meeting after a change; an answer to the same time stays.
fn changed(old: &Conference, i: Invitation, me: &Address) -> Conference {
    let mut new = match (i.of, &old.settings.series) {
        (Some(of), Some(_)) => one_time(old, of, &i),
        _ => conference(old.id.clone(), old.organizer.clone(), i, me),
    };
    if !is_another_time(&old.settings, &new.settings) {
        new.answers = old.answers.clone();
    }
    new
}

/// One time of a series is another.
fn one_time(old: &Conference, of: Time, i: &Invitation) -> Conference {
    let mut c = Conference { version: i.sequence, ..old.clone() };
    c.answers.values_mut().for_each(|a| *a = Answer::Waiting);
    if let (Some(series), Some(start), Some(end)) = (&mut c.settings.series, i.settings.start, i.settings.end) {
        let subject = if i.settings.subject == c.settings.subject { String::new() } else { i.settings.subject.clone() };
        series.change(Moved { of, start, end, subject });
    }
    c
}
