//! `adsum status`, `adsum note`, `adsum location`: what others see of the owner.

use super::cli;
use super::seen::{ByHand, by_hand, is_anywhere, seen};
use super::session::Session;
use super::{Job, job, output};
use crate::app::when;
use crate::domain::Time;
use crate::domain::presence::{AvailabilityClass, LCID_EN_US, Note, UserStatus};
use crate::endpoint::Operation;
use crate::net::Clock;
use crate::net::clock::system_zone;
use crate::text::Line;
use serde_json::json;
use std::time::Duration;

/// `adsum status …`
pub fn status(what: Option<cli::Status>, json: bool) -> Result<Job, String> {
    let operation = match what {
        None | Some(cli::Status::Show) => return Ok(job(move |s| show(s, json))),
        Some(cli::Status::Reset) => Operation::ResetStatus,
        Some(cli::Status::Set { status, activity, lasting, until }) => {
            let until = match lasting {
                Some(l) => Some(moment(&format!("in {}", l.trim_start_matches("in ")))?),
                None => until.map(|u| moment(&u)).transpose()?,
            };
            Operation::SetStatus { status: named(&status)?, activity, until }
        }
    };
    Ok(job(move |s| {
        s.own()?;
        s.ask(operation)?;
        show(s, json)
    }))
}

fn named(word: &str) -> Result<UserStatus, String> {
    Ok(match word.to_lowercase().replace([' ', '_'], "-").as_str() {
        "available" | "free" => UserStatus::Available,
        "busy" => UserStatus::Busy,
        "dnd" | "do-not-disturb" => UserStatus::DoNotDisturb,
        "brb" | "be-right-back" => UserStatus::BeRightBack,
        "away" => UserStatus::Away,
        "off-work" | "off" => UserStatus::OffWork,
        "offline" | "appear-offline" => UserStatus::AppearOffline,
        _ => return Err(format!("“{word}” is no status; use available, busy, dnd, brb, away, off-work or offline")),
    })
}

/// A moment that lies ahead, in words.
fn moment(text: &str) -> Result<Time, String> {
    let (time, rest) = when::until(text, Clock::new().now(), &system_zone())?;
    if rest.trim().is_empty() { Ok(time) } else { Err(format!("“{}” is not understood as part of a time", rest.trim())) }
}

fn show(s: &mut Session, json: bool) -> Result<(), String> {
    s.own()?;
    let uri = s.account.address.clone();
    let own = s.view.own.clone().unwrap_or_default();
    let (seen, set) = (seen(&own, s.clock.now()), by_hand(&own));
    let words = match &set {
        Some(set) if !is_anywhere(&own) && set.availability.class() != AvailabilityClass::Offline => {
            format!("{}; you are signed in nowhere.", in_words(set, s.clock.now()))
        }
        _ => output::presence_row(&uri, uri.bare(), Some(&seen)).trim_start().to_owned(),
    };
    let mut value = output::presence(&uri, uri.bare(), Some(&seen));
    if let Some(fields) = value.as_object_mut() {
        fields.insert("set".into(), json!(set.as_ref().map(|s| output::word(s.availability))));
        fields.insert("until".into(), json!(set.and_then(|s| s.until).map(|t| t.timestamp().to_string())));
    }
    output::print(json, &words, &value)
}

/// The server counts whole seconds from its own moment: the minute that was meant is the nearest.
const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// "Busy (In the lab) until 13:34"
fn in_words(set: &ByHand, now: Time) -> String {
    let activity = set.activity.as_ref().and_then(|a| a.text(LCID_EN_US)).map(|a| format!(" ({})", Line::new(a)));
    let zone = system_zone();
    let until = set.until.map(|t| {
        let (at, now) = ((t + HALF_A_MINUTE).timestamp().to_zoned(zone.clone()), now.timestamp().to_zoned(zone));
        let form = if at.date() == now.date() { " until %H:%M" } else { " until %a %-d %b, %H:%M" };
        at.strftime(form).to_string()
    });
    format!("{}{}{}", set.availability.class().text(), activity.unwrap_or_default(), until.unwrap_or_default())
}

/// `adsum note …`
pub fn note(what: Option<cli::Note>, json: bool) -> Result<Job, String> {
    let note = match what {
        None | Some(cli::Note::Show) => return Ok(job(move |s| show_note(s, json))),
        Some(cli::Note::Clear) => None,
        Some(cli::Note::Set { text, until, out_of_office }) => {
            let text = text.join(" ");
            if text.trim().is_empty() {
                return Err("write the note, or use adsum note clear".into());
            }
            let end = until.map(|u| moment(&u)).transpose()?;
            Some(Note { text, out_of_office, start: None, end })
        }
    };
    Ok(job(move |s| {
        s.own()?;
        s.ask(Operation::SetNote { note })?;
        show_note(s, json)
    }))
}

fn show_note(s: &mut Session, json: bool) -> Result<(), String> {
    s.own()?;
    let seen = s.view.own.as_ref().map(|o| seen(o, s.clock.now())).unwrap_or_default();
    let note = seen.note.as_ref().or(seen.oof_note.as_ref());
    let words = note.map_or("There is no note.".to_owned(), |n| crate::text::Line::new(&n.text).to_string());
    output::print(json, &words, &output::note(note))
}

/// `adsum location`
pub fn location(s: &mut Session, json: bool) -> Result<(), String> {
    s.own()?;
    let seen = s.view.own.as_ref().map(|o| seen(o, s.clock.now())).unwrap_or_default();
    let words =
        seen.location.as_deref().map_or("No device says where it is.".to_owned(), |l| crate::text::Line::new(l).to_string());
    output::print(json, &words, &json!({ "location": seen.location }))
}
