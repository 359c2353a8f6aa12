//! `adsum meet …`: meetings by the rules of the form on the screen.

use super::session::Session;
use super::words::{Meet, Wishes};
use super::{Job, job, output};
use crate::app::config::Dialect;
use crate::app::meeting_form::{fields, settings};
use crate::app::meetings::subject;
use crate::app::people::person_by_words;
use crate::app::state::{Account, AccountId, FieldId, FieldValue, Form, State, View};
use crate::app::{invitation, series, when};
use crate::domain::conference::{AccessLevel, Answer, AutomaticLeaders, Capabilities, Conference, ConferenceSettings, Invitee};
use crate::domain::conference_rules::RuleError;
use crate::domain::conversation::Role;
use crate::endpoint::{Operation, Outcome};
use crate::net::Clock;
use crate::net::clock::system_zone;
use crate::net::entropy;
use crate::text::{Line, Text};
use serde_json::{Value, json};

/// Checks the words; the job does it.
pub fn prepare(what: Meet) -> Result<Job, String> {
    Ok(match what {
        Meet::List { out } => job(move |s| list(s, out.json)),
        Meet::Show { id, out } => job(move |s| show(s, &id, out.json)),
        Meet::Schedule { words, wishes, out } => {
            let words = words.join(" ");
            // A time that cannot be read is told before anybody signs in.
            when::slot(&words, Clock::new().now(), &system_zone())?;
            job(move |s| schedule(s, &words, &wishes, out.json))
        }
        Meet::Update { id, when, subject, uninvite, wishes, out } => {
            if when.is_none() && subject.is_none() && uninvite.is_empty() && wishes == Wishes::default() {
                return Err("say what shall change, for example --when “tomorrow 10:00 1h”".into());
            }
            job(move |s| update(s, &id, when.as_deref(), subject.as_deref(), &uninvite, &wishes, out.json))
        }
        Meet::Cancel { id, out } => job(move |s| cancel(s, &id, out.json)),
    })
}

/// Where the server keeps no meetings, only the screen has them: it invites people and hears their answers.
fn served(s: &Session) -> Result<(), String> {
    if s.account.dialect == Dialect::Lync {
        return Ok(());
    }
    Err("a standard server keeps no meetings; those of this account are on its screen, in the pane Meetings".into())
}

fn all(s: &mut Session) -> Result<Vec<Conference>, String> {
    served(s)?;
    let Outcome::Conferences(mut list) = s.ask(Operation::ListConferences)? else {
        return Err("the server gave no list of meetings".into());
    };
    list.sort_by_key(|c| (c.settings.start.is_none(), c.settings.start, c.id.clone()));
    Ok(list)
}

fn find(s: &mut Session, id: &str) -> Result<Conference, String> {
    let found = all(s)?.into_iter().find(|c| c.id.0.eq_ignore_ascii_case(id));
    found.ok_or_else(|| format!("you have scheduled no meeting “{id}”; adsum meet list names all"))
}

/// What the server offers for meetings.
fn offered(s: &mut Session) -> Result<Option<Capabilities>, String> {
    Ok(match s.ask(Operation::ConferenceCapabilities)? {
        Outcome::Capabilities(c) => Some(c),
        _ => None,
    })
}

fn list(s: &mut Session, json: bool) -> Result<(), String> {
    all(s)?.iter().try_for_each(|c| output::print(json, &row(s, c), &value(c)))
}

fn show(s: &mut Session, id: &str, json: bool) -> Result<(), String> {
    let c = find(s, id)?;
    let own = s.account.display_name.clone();
    let name = Some(own.as_str()).filter(|n| !n.is_empty());
    let phones = offered(s)?.map(|o| o.phones).unwrap_or_default();
    let name = name.unwrap_or(c.organizer.user());
    let text = invitation::text(&c, name, &s.zone, &phones);
    output::print(json, Text::plain(&text).as_str().trim_end(), &value(&c))
}

/// "7FQ3K2AB  Tue 1 Dec 2026, 10:00 to 11:00 (Europe/Berlin) · Budget"
fn row(s: &Session, c: &Conference) -> String {
    let time = c.settings.start.map(|start| when::describe(start, c.settings.end, &s.zone));
    let repeats = c.settings.series.as_ref().map(|x| format!(", {}", series::words(&x.rule)));
    let time = time.unwrap_or_else(|| "at no set time".into());
    format!("{}  {time}{} · {}", c.id.0, Line::new(&repeats.unwrap_or_default()), Line::new(subject(c)))
}

fn schedule(s: &mut Session, words: &str, wishes: &Wishes, json: bool) -> Result<(), String> {
    let (slot, rest) = when::slot(words, s.clock.now(), &s.zone)?;
    let empty = ConferenceSettings {
        subject: rest.trim().to_owned(),
        time_zone: when::zone_name(&slot.zone),
        ..ConferenceSettings::default()
    };
    let time = when::write(slot.start, Some(slot.end), &slot.zone);
    let mut desk = Desk::new(s, None, &empty, &time)?;
    desk.wish(wishes)?;
    let settings = desk.settings(s)?;
    told(s, Operation::ScheduleConference { settings }, "is scheduled", json)
}

fn update(
    s: &mut Session,
    id: &str,
    time: Option<&str>,
    subject: Option<&str>,
    uninvite: &[String],
    wishes: &Wishes,
    json: bool,
) -> Result<(), String> {
    let c = find(s, id)?;
    let zone = when::zone_by_name(&c.settings.time_zone).unwrap_or_else(|| s.zone.clone());
    let old = c.settings.start.map(|start| when::write(start, c.settings.end, &zone)).unwrap_or_default();
    let mut desk = Desk::new(s, Some(c.clone()), &c.settings, &old)?;
    for (field, text) in [(FieldId::When, time), (FieldId::Subject, subject)] {
        desk.write(field, text);
    }
    desk.uninvite(uninvite)?;
    desk.wish(wishes)?;
    let settings = desk.settings(s)?;
    told(s, Operation::UpdateConference { id: c.id, settings }, "is changed", json)
}

fn cancel(s: &mut Session, id: &str, json: bool) -> Result<(), String> {
    let c = find(s, id)?;
    s.ask(Operation::CancelConference { id: c.id.clone() })?;
    output::done(json, &format!("“{}” is cancelled.", Line::new(subject(&c))), value(&c))
}

fn told(s: &mut Session, operation: Operation, word: &str, json: bool) -> Result<(), String> {
    let Outcome::Conference(c) = s.ask(operation)? else { return Err("the server did not tell the meeting".into()) };
    let words = format!("“{}” {word}.\n{}\n{}", Line::new(subject(&c)), row(s, &c), Line::new(&invitation::link(&c)));
    output::done(json, &words, value(&c))
}

/// The form of the screen, filled in by words of the command line.
struct Desk {
    state: State,
    form: Form,
}

impl Desk {
    fn new(s: &mut Session, editing: Option<Conference>, old: &ConferenceSettings, time: &str) -> Result<Desk, String> {
        served(s)?;
        // Names are looked up on the list; a server without one still takes addresses.
        let _ = s.list();
        let capabilities = offered(s)?;
        let me = Account {
            id: AccountId(s.account.address.bare().to_owned()),
            address: Some(s.account.address.clone()),
            ..Account::default()
        };
        let view = View { zone: s.zone.clone(), now: s.clock.now(), ..View::default() };
        let mut state = State::new(me, view, entropy().map_err(|e| e.to_string())?);
        state.people.contacts = s.view.contacts.clone();
        Ok(Desk::with(state, capabilities, editing, old, time))
    }

    fn with(
        mut state: State,
        capabilities: Option<Capabilities>,
        editing: Option<Conference>,
        old: &ConferenceSettings,
        time: &str,
    ) -> Desk {
        let fields = fields(old, time, capabilities.as_ref(), true);
        state.meetings.capabilities = capabilities;
        let form = Form { editing: editing.as_ref().map(|c| c.id.clone()), fields, ..Form::default() };
        state.meetings.list.extend(editing);
        Desk { state, form }
    }

    fn wish(&mut self, wishes: &Wishes) -> Result<(), String> {
        if (wishes.phone.or(wishes.skip_lobby)).is_some() && self.form.field(FieldId::Phone).is_none() {
            return Err(RuleError::PhoneNotOffered.to_string());
        }
        let texts = [
            (FieldId::Repeat, &wishes.repeat),
            (FieldId::Passcode, &wishes.passcode),
            (FieldId::Description, &wishes.description),
            (FieldId::Zone, &wishes.time_zone),
            (FieldId::ForgetAfter, &wishes.forget_after),
            (FieldId::Data, &wishes.data),
        ];
        for (field, text) in texts {
            self.write(field, text.as_deref());
        }
        let switches = [
            (FieldId::PasscodeNeeded, wishes.passcode_for_all),
            (FieldId::Announcements, wishes.announce),
            (FieldId::Phone, wishes.phone),
            (FieldId::Bypass, wishes.skip_lobby),
        ];
        for (field, yes) in switches {
            self.pick(field, yes.map(|y| y as usize));
        }
        self.pick(FieldId::Access, wishes.access.map(|a| a as usize));
        self.pick(FieldId::Leaders, wishes.leaders.map(|l| l as usize));
        let mut invited: Vec<String> = self.invited();
        invited.extend(wishes.invite.iter().cloned());
        self.write(FieldId::Invitees, Some(&invited.join(", ")));
        Ok(())
    }

    fn uninvite(&mut self, who: &[String]) -> Result<(), String> {
        let mut stay = self.invited();
        for words in who {
            let gone = person_by_words(&self.state, words)?;
            let before = stay.len();
            stay.retain(|i| i.trim_start_matches('!') != gone.bare());
            if stay.len() == before {
                return Err(format!("{} is not invited", gone.bare()));
            }
        }
        self.write(FieldId::Invitees, Some(&stay.join(", ")));
        Ok(())
    }

    fn invited(&self) -> Vec<String> {
        let text = self.form.text(FieldId::Invitees);
        text.split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
    }

    fn write(&mut self, id: FieldId, text: Option<&str>) {
        let field = self.form.fields.iter_mut().find(|f| f.id == id);
        if let (Some(FieldValue::Text(editor)), Some(text)) = (field.map(|f| &mut f.value), text) {
            editor.set(text);
        }
    }

    fn pick(&mut self, id: FieldId, choice: Option<usize>) {
        let field = self.form.fields.iter_mut().find(|f| f.id == id);
        if let (Some(FieldValue::Choice { at, .. }), Some(choice)) = (field.map(|f| &mut f.value), choice) {
            *at = choice;
        }
    }

    fn settings(&self, s: &Session) -> Result<ConferenceSettings, String> {
        settings(&self.state, &self.form, s.clock.now()).map_err(|(_, why)| why)
    }
}

/// A meeting for scripts.
fn value(c: &Conference) -> Value {
    let s = &c.settings;
    let time = |t: Option<crate::domain::Time>| t.map(|t| t.timestamp().to_string());
    let invitee = |i: &Invitee| {
        let answer = c.answers.get(&i.uri).copied().filter(|a| *a != Answer::Unsent);
        json!({ "address": i.uri.bare(), "leader": i.role == Role::Leader, "answer": answer.map(Answer::words) })
    };
    json!({
        "id": c.id.0,
        "subject": s.subject,
        "description": Some(&s.description).filter(|d| !d.is_empty()),
        "start": time(s.start),
        "end": time(s.end),
        "time_zone": Some(&s.time_zone).filter(|z| !z.is_empty()),
        "repeats": s.series.as_ref().map(|x| &x.rule),
        "organizer": c.organizer.bare(),
        "link": invitation::link(c),
        "passcode": s.passcode,
        "passcode_for_all": !s.passcode_optional,
        "phone_number": Some(&c.phone_id).filter(|n| !n.is_empty()),
        "skip_lobby": s.lobby_bypass,
        "announce": s.announcements,
        "forget_after": time(s.expiry),
        "data": Some(&s.notification_data).filter(|d| !d.is_empty()),
        "access": access(s.access),
        "leaders": leaders(s.automatic_leaders),
        "invited": s.participants.iter().map(invitee).collect::<Vec<_>>(),
        "active": c.is_active,
    })
}

fn access(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::SameEnterprise => "company",
        AccessLevel::Invited => "invited",
        AccessLevel::Everyone => "everyone",
        AccessLevel::Locked => "locked",
    }
}

fn leaders(who: AutomaticLeaders) -> &'static str {
    match who {
        AutomaticLeaders::Disabled => "named",
        AutomaticLeaders::SameEnterprise => "company",
        AutomaticLeaders::Everyone => "everyone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::meetings::ACCESS;
    use crate::domain::{Address, Rng, Time};
    use crate::faces::once::words::{Entry, Leading};
    use clap::ValueEnum;

    const NOW: Time = Time(1_795_000_000_000);

    fn desk(old: &ConferenceSettings) -> Desk {
        let address = Address::parse("alice@contoso.example").unwrap();
        let me = Account { address: Some(address), ..Account::default() };
        let state = State::new(me, View::default(), Rng::seeded(1));
        Desk::with(state, None, None, old, "tomorrow 10:00 45m")
    }

    fn made(old: &ConferenceSettings, wishes: &Wishes) -> ConferenceSettings {
        let mut desk = desk(old);
        desk.wish(wishes).unwrap();
        settings(&desk.state, &desk.form, NOW).unwrap()
    }

    fn budget() -> ConferenceSettings {
        ConferenceSettings { subject: "Budget".into(), time_zone: "UTC".into(), ..ConferenceSettings::default() }
    }

    #[test]
    fn every_word_for_a_choice_is_the_one_of_the_form() {
        for entry in Entry::value_variants() {
            let made = made(&budget(), &Wishes { access: Some(*entry), ..Wishes::default() });
            assert_eq!(made.access, ACCESS[*entry as usize].0);
            assert_eq!(access(made.access), entry.to_possible_value().unwrap().get_name());
        }
        for who in Leading::value_variants() {
            let made = made(&budget(), &Wishes { leaders: Some(*who), ..Wishes::default() });
            assert_eq!(leaders(made.automatic_leaders), who.to_possible_value().unwrap().get_name());
        }
    }

    #[test]
    fn people_come_and_go_and_mistakes_are_told_in_words() {
        let mut desk = desk(&budget());
        let invite = vec!["!bob@contoso.example".to_owned(), "carol@contoso.example".into()];
        desk.wish(&Wishes { invite, ..Wishes::default() }).unwrap();
        let roles: Vec<Role> = settings(&desk.state, &desk.form, NOW).unwrap().participants.into_iter().map(|i| i.role).collect();
        assert_eq!(roles, [Role::Leader, Role::Attendee]);
        desk.uninvite(&["bob@contoso.example".into()]).unwrap();
        assert_eq!(desk.invited(), ["carol@contoso.example"]);
        assert_eq!(desk.uninvite(&["dave@contoso.example".into()]).unwrap_err(), "dave@contoso.example is not invited");
        desk.write(FieldId::Repeat, Some("sometimes"));
        assert!(settings(&desk.state, &desk.form, NOW).unwrap_err().1.contains("no repetition"));
    }
}
