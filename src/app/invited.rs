//! Meetings that people keep among themselves: what their calendars bring, and our answers.

use super::door::{Door, Pending, Then};
use super::effect::Effect;
use super::meetings::{keep, subject};
use super::state::overlay::{Choice, Overlay, Picker};
use super::state::{QuestionKind, State};
use super::{questions, tabs, when};
use crate::domain::conference::{Answer, Conference, ConferenceId, News};
use crate::domain::{Address, Time};
use crate::endpoint::{Feature, Operation};

/// Takes what is new about a meeting.
pub fn news(door: &mut Door<'_>, meeting: Conference, news: News) {
    let (id, name, title) = (meeting.id.clone(), door.name(&meeting.organizer), subject(&meeting).to_owned());
    let over = is_over(&meeting, door.now);
    match news {
        News::Answered(who) => {
            let said = meeting.answers.get(&who).copied().unwrap_or_default();
            let text = match said {
                Answer::Accepted => "comes to",
                Answer::Tentative => "may come to",
                _ => "does not come to",
            };
            own(door, meeting);
            let who = door.name(&who);
            door.say(format!("{who} {text} “{title}”"));
        }
        News::Delivery(_) => own(door, meeting),
        News::Invited => {
            put(door, meeting);
            if !over {
                ask(door, id, false, &name, &title);
            }
        }
        News::Changed { again } => {
            put(door, meeting);
            if again && !over {
                ask(door, id, true, &name, &title);
            } else {
                door.say(format!("{name} has changed “{title}”"));
            }
        }
        News::Cancelled => {
            drop_question(door, &id);
            door.state.meetings.kept.retain(|c| c.id != id);
            settle(door);
            let time = meeting.settings.start.map(|s| when::describe(s, meeting.settings.end, &door.state.view.zone));
            door.say(format!("{name} has cancelled “{title}”{}", time.map_or(String::new(), |t| format!(", {t}"))));
        }
    }
}

fn is_over(c: &Conference, now: Time) -> bool {
    c.settings.series.is_none() && c.settings.end.or(c.settings.start).is_some_and(|t| t <= now)
}

/// A meeting of ours is another.
fn own(door: &mut Door<'_>, meeting: Conference) {
    if let Some(c) = door.state.meetings.list.iter_mut().find(|c| c.id == meeting.id) {
        *c = meeting;
    }
    settle(door);
}

/// A meeting of somebody else is in the agenda, as it is now.
fn put(door: &mut Door<'_>, meeting: Conference) {
    let kept = &mut door.state.meetings.kept;
    match kept.iter_mut().find(|c| c.id == meeting.id) {
        Some(c) => *c = meeting,
        None => kept.push(meeting),
    }
    settle(door);
}

fn settle(door: &mut Door<'_>) {
    door.state.meetings.built_for = None;
    door.state.meetings.settle(door.now);
    keep(door);
}

fn ask(door: &mut Door<'_>, id: ConferenceId, changed: bool, name: &str, title: &str) {
    drop_question(door, &id);
    questions::push(door, QuestionKind::Meeting { id, changed });
    if door.state.options.bell {
        door.effects.push(Effect::Bell);
    }
    if door.state.options.notify && !door.state.view.focused {
        let what = if changed { "moved" } else { "invites you to" };
        door.effects.push(Effect::Notify { title: name.to_owned(), body: format!("{what} {title}") });
    }
}

fn drop_question(door: &mut Door<'_>, id: &ConferenceId) {
    door.state.questions.retain(|q| !matches!(&q.kind, QuestionKind::Meeting { id: asked, .. } if asked == id));
}

/// What we have said of a meeting of somebody else, where that is asked.
pub fn my_answer(state: &State, c: &Conference) -> Option<Answer> {
    c.answers.get(state.account.address.as_ref()?).copied()
}

/// Whether we have said that we do not come.
pub fn declined(state: &State, id: &ConferenceId) -> bool {
    state.meetings.kept.iter().find(|c| c.id == *id).and_then(|c| my_answer(state, c)) == Some(Answer::Declined)
}

/// Answers an invitation.
pub fn answer(door: &mut Door<'_>, id: &ConferenceId, answer: Answer) -> Result<(), String> {
    let c = door.state.meetings.kept.iter().find(|c| c.id == *id).ok_or("this meeting does not exist any more")?;
    let name = door.name(&c.organizer);
    if !door.state.link.is_up() {
        return Err(format!("answering {name} needs the server, and the link is down"));
    }
    drop_question(door, id);
    let text = match answer {
        Answer::Accepted => "that you come",
        Answer::Tentative => "that you may come",
        _ => "that you do not come",
    };
    let pending = Pending::new(format!("Answering {name}")).done(format!("{name} is told {text}"));
    door.ask(Operation::AnswerMeeting { id: id.clone(), answer }, pending.then(Then::MeetingAnswer(id.clone(), answer)));
    Ok(())
}

/// The organizer has our answer.
pub fn answered(door: &mut Door<'_>, id: &ConferenceId, answer: Answer) {
    let Some(me) = door.state.account.address.clone() else { return };
    if let Some(c) = door.state.meetings.kept.iter_mut().find(|c| c.id == *id) {
        c.answers.insert(me, answer);
    }
    settle(door);
}

/// Our answer did not arrive: it is asked for again.
pub fn not_answered(door: &mut Door<'_>, id: &ConferenceId) {
    if door.state.meetings.kept.iter().any(|c| c.id == *id) {
        drop_question(door, id);
        questions::push(door, QuestionKind::Meeting { id: id.clone(), changed: false });
    }
}

/// Asks what to answer to the selected invitation.
pub fn pick_answer(door: &mut Door<'_>) -> Result<(), String> {
    let c = door.state.meetings.selected().cloned().ok_or("no meeting is selected")?;
    if my_answer(door.state, &c).is_none() {
        return Err("nobody waits for an answer to this meeting".into());
    }
    let rows = [("Accept", "you come"), ("Tentative", "you may come"), ("Decline", "you do not come")];
    let answers = [Answer::Accepted, Answer::Tentative, Answer::Declined];
    let title = format!("Answer {}", door.name(&c.organizer));
    let rows = rows.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    let choices = answers.map(|a| Choice::AnswerMeeting(c.id.clone(), a)).to_vec();
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

/// Whether a meeting is held at its organizer's address: a talk, not a room.
fn is_at_organizer(c: &Conference) -> bool {
    // The parameters of a focus tell a conference from the person who made it.
    !c.uri.contains(";opaque=") && Address::parse(&c.uri).is_ok_and(|a| a == c.organizer)
}

/// Goes to a meeting that is no conference of a server; `None`: it is one.
pub fn join(door: &mut Door<'_>, c: &Conference) -> Option<Result<(), String>> {
    if !is_at_organizer(c) {
        return None;
    }
    if c.join_url.starts_with("http") {
        door.effects.push(Effect::OpenUrl(c.join_url.clone()));
        return Some(Ok(()));
    }
    if door.state.account.address.as_ref() != Some(&c.organizer) {
        return Some(tabs::open_person(door, &c.organizer.clone()));
    }
    let comes = |who: &Address| c.answers.get(who) != Some(&Answer::Declined);
    let people: Vec<Address> = c.settings.participants.iter().map(|p| p.uri.clone()).filter(comes).collect();
    Some(match (people.as_slice(), door.state.missing(Feature::GroupChats)) {
        ([], _) => Err("nobody comes to this meeting".into()),
        ([one], _) => tabs::open_person(door, one),
        (_, None) => tabs::open_group(door, c.settings.subject.clone(), people),
        ([first, ..], Some(_)) => {
            let opened = tabs::open_person(door, first);
            door.say("This server has no room for more than two: those invited write to you, each by themselves");
            opened
        }
    })
}

/// "2 of 3 come", as far as people have answered.
pub fn count(c: &Conference) -> String {
    let of = |a: Answer| c.answers.values().filter(|x| **x == a).count();
    let all = c.settings.participants.len();
    match (of(Answer::Accepted), of(Answer::Failed)) {
        (0, 0) => format!("{all} invited"),
        (yes, 0) => format!("{yes} of {all} come"),
        (_, failed) => format!("{failed} of {all} not reached"),
    }
}
