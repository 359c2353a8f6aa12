//! The Meetings pane: agenda by day, details, the form.

use super::canvas::Canvas;
use super::{Drawn, form, strings, words};
use crate::app::State;
use crate::app::event::Target;
use crate::app::meetings::plural;
use crate::app::state::meetings::Slot;
use crate::app::state::{Form, Pane};
use crate::app::{invitation, invited, outlook, series};
use crate::domain::Time;
use crate::domain::conference::{AutomaticLeaders, Conference, Invitee, Template};
use crate::domain::conversation::Role;
use crate::endpoint::Feature;
use crate::text::{Line, Text};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// From this width on the details stand beside the agenda.
const SPLIT: u16 = 76;

/// From this height on there is room to say where meetings are kept.
const SAYS_WHY: u16 = 12;

/// The words on the pane's border.
pub fn title(state: &State) -> String {
    let m = &state.meetings;
    match &m.form {
        Some(f) if f.editing.is_some() => return "Change meeting".into(),
        Some(_) => return "New meeting".into(),
        None => {}
    }
    let active: Vec<_> = m.list.iter().chain(&m.kept).filter(|c| c.is_active).map(|c| &c.id).collect();
    let ahead = m.agenda.iter().filter(|s| active.contains(&&s.id) || s.end.is_none_or(|e| e > state.view.now)).count();
    if ahead == 0 { "Meetings".into() } else { format!("Meetings ─ {ahead} ahead") }
}

/// Draws the inside.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let m = &state.meetings;
    if let Some(f) = &m.form {
        return draw_form(c, area, state, f, drawn);
    }
    let kept_here = state.missing(Feature::Meetings);
    if let Some(why) = kept_here.filter(|_| m.agenda.is_empty()) {
        let y = super::tell(c, area, area.y + 1, why, c.theme.quiet);
        for (y, words) in (y + 1..area.bottom()).zip(strings::MEETINGS_HERE) {
            c.put(area.x + 2, y, area.width.saturating_sub(2), words, c.theme.quiet);
        }
        return;
    }
    let bottom = area.bottom();
    let mut area = area;
    if let Some(why) = kept_here.filter(|_| area.height >= SAYS_WHY) {
        area.height -= 2;
        super::tell(c, Rect { y: area.bottom(), height: 2, ..area }, area.bottom(), why, c.theme.quiet);
    }
    if m.agenda.is_empty() {
        if !m.loaded {
            c.put_centred(area, area.y + area.height / 2, strings::MEETINGS_WAITING, c.theme.quiet);
            return;
        }
        let top = area.y + area.height.saturating_sub(2) / 2;
        for (y, words) in (top..).zip(strings::NO_MEETINGS) {
            c.put_centred(area, y, words, c.theme.quiet);
        }
        return;
    }
    match (m.details, m.selected()) {
        (true, Some(selected)) if area.width < SPLIT => details(c, area, state, selected),
        (true, Some(selected)) => {
            let left = area.width / 2;
            agenda(c, Rect { width: left, ..area }, state, drawn);
            let x = area.x + left;
            c.cell(x, area.y - 1, c.glyphs.tee_down, c.theme.border);
            c.post(x, area.y, area.height, c.theme.border);
            if area.bottom() == bottom {
                c.cell(x, bottom, c.glyphs.tee_up, c.theme.border);
            }
            details(c, Rect { x: area.x + left + 1, width: area.width - left - 1, ..area }, state, selected);
        }
        _ => agenda(c, area, state, drawn),
    }
}

enum Row<'a> {
    Day(String),
    Meeting(&'a Slot),
}

fn rows(state: &State) -> Vec<Row<'_>> {
    let (now, zone) = (state.view.now, &state.view.zone);
    let mut out = Vec::new();
    let mut last = None;
    for m in &state.meetings.agenda {
        let day = m.start.map(|s| words::day_of(s, zone));
        if last != Some(day) {
            out.push(Row::Day(m.start.map_or("Without a time".into(), |s| words::day(s, now, zone))));
            last = Some(day);
        }
        out.push(Row::Meeting(m));
    }
    out
}

fn agenda(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let m = &state.meetings;
    let rows = rows(state);
    let chosen = m.slot();
    let selected = rows.iter().position(|r| matches!(r, Row::Meeting(x) if Some(*x) == chosen));
    // A day's first meeting shows its day too.
    let want = selected.map(|s| if s > 0 && matches!(rows[s - 1], Row::Day(_)) && s - 1 < m.top { s - 1 } else { s });
    let top = super::keep_in_sight(m.top, want, usize::from(area.height), rows.len());
    drawn.metrics.meetings_rows = area.height;
    drawn.metrics.meetings_top = top;
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(top)) {
        let line = Rect { y, height: 1, ..area };
        match row {
            Row::Day(words) => {
                c.put(area.x + 1, y, area.width - 2, words.clone(), c.theme.group);
            }
            Row::Meeting(meeting) => {
                meeting_row(c, line, state, meeting);
                if chosen == Some(*meeting) && state.pane == Pane::Meetings {
                    c.restyle(line, c.theme.selection);
                }
                drawn.targets.push((line, Target::Meeting(meeting.id.clone(), meeting.of)));
            }
        }
    }
}

fn meeting_row(c: &mut Canvas, line: Rect, state: &State, slot: &Slot) {
    let zone = &state.view.zone;
    let Some(m) = state.meetings.find(&slot.id) else { return };
    let running = m.is_active && (slot.of.is_none() || slot.start.is_some_and(|s| s <= state.view.now));
    let past = !running && slot.end.or(slot.start).is_some_and(|e| e < state.view.now);
    let style = if past { c.theme.quiet } else { Style::new() };
    let time = match (slot.start, slot.end) {
        (Some(s), Some(e)) => format!("{}–{}", words::clock(s, zone), words::clock(e, zone)),
        (Some(s), None) => words::clock(s, zone),
        _ => String::new(),
    };
    if running {
        let sign = c.glyphs.presence(crate::domain::presence::AvailabilityClass::Available, false);
        c.put(line.x + 1, line.y, 1, sign, c.theme.good);
    }
    c.put(line.x + 3, line.y, 12, time, if past { c.theme.quiet } else { c.theme.accent });
    let mut end = line.right() - 1;
    let mut remarks = Vec::new();
    if running {
        remarks.push("running".to_owned());
    }
    if let Some(series) = &m.settings.series {
        let moved = slot.of.is_some_and(|of| series.moved(of).is_some());
        remarks.push(if moved { "moved" } else { "repeats" }.to_owned());
    }
    let people = m.settings.participants.len();
    if state.account.address.as_ref() != Some(&m.organizer) {
        remarks.extend(invited::my_answer(state, m).map(|a| a.words().to_owned()));
        remarks.push(format!("by {}", Line::new(state.name(&m.organizer))));
    } else if people > 0 {
        remarks.push(if m.answers.is_empty() { format!("{people} invited") } else { invited::count(m) });
    }
    if !remarks.is_empty() && line.width >= 50 {
        end = c.put_right(end, line.y, 26, remarks.join(" · "), c.theme.quiet).saturating_sub(1);
    }
    let subject = if slot.subject.is_empty() { Line::new("(no title)") } else { Line::new(&slot.subject) };
    let x = line.x + 16;
    c.put(x, line.y, end.saturating_sub(x), &subject, style);
}

/// When a meeting takes place for the first time.
pub fn when(state: &State, m: &Conference) -> String {
    span(state, m.settings.start, m.settings.end)
}

fn span(state: &State, start: Option<Time>, end: Option<Time>) -> String {
    let (now, zone) = (state.view.now, &state.view.zone);
    match (start, end) {
        (Some(a), Some(b)) if words::day_of(a, zone) == words::day_of(b, zone) => {
            format!("{}, {} to {}", words::day(a, now, zone), words::clock(a, zone), words::clock(b, zone))
        }
        (Some(a), Some(b)) => format!("{} to {}", words::moment(a, now, zone), words::moment(b, now, zone)),
        (Some(a), None) => words::moment(a, now, zone),
        _ => "any time".into(),
    }
}

fn details(c: &mut Canvas, area: Rect, state: &State, m: &Conference) {
    let (now, zone, s) = (state.view.now, &state.view.zone, &m.settings);
    let slot = state.meetings.slot();
    let mine = invited::my_answer(state, m).filter(|_| state.account.address.as_ref() != Some(&m.organizer));
    let subject = slot.map_or(s.subject.as_str(), |x| x.subject.as_str());
    let title = if subject.is_empty() { Line::new("(no title)") } else { Line::new(subject) };
    c.put(area.x + 1, area.y, area.width - 2, title, c.theme.title_active);
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    let (start, end) = slot.map_or((s.start, s.end), |x| (x.start, x.end));
    let when = span(state, start, end);
    rows.push(("When", if m.is_active { format!("{when} · running now") } else { when }));
    if !s.time_zone.is_empty() {
        rows.push(("Planned in", s.time_zone.clone()));
    }
    if let Some(series) = &s.series {
        let gone = series.cancelled.len();
        let gone = if gone > 0 { format!(" · {} cancelled", plural(gone, "time")) } else { String::new() };
        rows.push(("Repeats", series::words(&series.rule) + &gone));
    }
    rows.push(("Organizer", state.name(&m.organizer).to_owned()));
    rows.extend(mine.map(|a| ("You", a.words().to_owned())));
    if state.missing(Feature::MeetingRules).is_none() {
        rows.push(("Access", outlook::sentence(s).to_owned()));
    }
    let name = |p: &Invitee| {
        let answer = m.answers.get(&p.uri).filter(|_| mine.is_none());
        let answer = answer.map_or(String::new(), |a| format!(" ({})", a.words()));
        let leads = if p.role == Role::Leader { " (leads)" } else { "" };
        format!("{}{leads}{answer}", Line::new(state.name(&p.uri)))
    };
    let names: Vec<String> = s.participants.iter().map(name).collect();
    rows.push(("Invited", if names.is_empty() { "nobody by name".into() } else { names.join(", ") }));
    rows.push(("Link", invitation::link(m)));
    if let Some(code) = &s.passcode {
        let who = if s.passcode_optional { "strangers must say it" } else { "all but leaders must say it" };
        rows.push(("Passcode", format!("{code} · {who}")));
    }
    if !m.phone_id.is_empty() {
        rows.push(("By phone", invitation::by_phone(m, state.meetings.phones())));
    }
    if s.phone_access && s.lobby_bypass {
        rows.push(("Callers", "skip the lobby".into()));
    }
    match s.automatic_leaders {
        AutomaticLeaders::Disabled => {}
        AutomaticLeaders::SameEnterprise => rows.push(("Leads", "everybody of the company".into())),
        AutomaticLeaders::Everyone => rows.push(("Leads", "everybody who comes in".into())),
    }
    if s.template == Template::AdministratorSupplied {
        rows.push(("Kind", "permanent, as the administrator set it up".into()));
    }
    if s.announcements {
        rows.push(("Announces", "who comes and goes".into()));
    }
    if let Some(expiry) = s.expiry {
        rows.push(("Kept until", words::moment(expiry, now, zone)));
    }
    if !s.description.is_empty() {
        rows.push(("About", s.description.clone()));
    }
    if !s.notification_data.is_empty() {
        rows.push(("Data", s.notification_data.clone()));
    }
    if let Some(at) = m.last_update {
        rows.push(("Changed", words::moment(at, now, zone)));
    }
    let label = 12;
    let room = area.width.saturating_sub(label + 2);
    let mut y = area.y + 2;
    for (name, words) in rows {
        for (n, line) in Text::plain(&words).wrap(usize::from(room)).into_iter().enumerate() {
            if y >= area.bottom() {
                return;
            }
            if n == 0 {
                c.put(area.x + 1, y, label - 1, name, c.theme.quiet);
            }
            let style = if name == "Link" { c.theme.link } else { Style::new() };
            c.put(area.x + 1 + label, y, room, line, style);
            y += 1;
        }
    }
}

fn draw_form(c: &mut Canvas, area: Rect, state: &State, f: &Form, drawn: &mut Drawn) {
    let has_keys = state.pane == Pane::Meetings && f.saving.is_none();
    let inside =
        Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height.saturating_sub(3) };
    let inside = match state.missing(Feature::MeetingRules).filter(|_| inside.height > SAYS_WHY) {
        Some(why) => {
            super::tell(c, Rect { y: inside.bottom() - 2, height: 2, ..inside }, inside.bottom() - 2, why, c.theme.quiet);
            Rect { height: inside.height - 3, ..inside }
        }
        None => inside,
    };
    form::draw(c, inside, f, has_keys, has_keys, drawn);
    let y = area.bottom() - 1;
    if let Some(error) = &f.error {
        c.put(area.x + 2, y, area.width - 4, error.clone(), c.theme.error);
    } else if f.saving.is_some() {
        c.put(area.x + 2, y, area.width - 4, "Saving…", c.theme.quiet);
    } else if let Some(field) = f.fields.get(f.at) {
        c.put(area.x + 2, y, area.width - 4, field.help, c.theme.quiet);
    }
}
