//! The Me pane: what I publish, which of my devices decides, who may see what, who watches me.

use super::canvas::{Canvas, Span};
use super::{Drawn, form, presence_style, words};
use crate::app::State;
use crate::app::event::Target;
use crate::app::state::own::{self, About, Mark, Section, Tone};
use crate::app::state::{OwnEndpoint, Pane};
use crate::domain::calendar::{Appointment, Busyness};
use crate::domain::presence::{AvailabilityClass, Level, Member};
use crate::endpoint::Feature;
use crate::text::{Line, Text};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the inside.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    if state.account.application {
        return super::explain(c, area, &super::strings::ME_APPLICATION);
    }
    if state.account.guest.is_some() {
        return super::explain(c, area, &super::strings::ME_GUEST);
    }
    bar(c, Rect { height: 1, ..area }, state, drawn);
    let rest = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    match state.own.section {
        Section::Status => status(c, rest, state, drawn),
        _ => section(c, Rect { y: rest.y + 1, height: rest.height.saturating_sub(1), ..rest }, state, drawn),
    }
}

/// Below this width the sections have short names.
const NARROW_BAR: u16 = 48;

/// The sections of the pane; the shown one stands out.
fn bar(c: &mut Canvas, line: Rect, state: &State, drawn: &mut Drawn) {
    let new = state.own.replica.subscribers.iter().filter(|s| !s.acknowledged).count();
    let mut x = line.x + 1;
    let narrow = line.width < NARROW_BAR;
    for s in Section::ALL {
        let (title, short, command) = s.title();
        let title = if narrow { short } else { title };
        let room = line.right().saturating_sub(x);
        let shown = state.own.section == s;
        let style = if shown { c.theme.title_active } else { c.theme.quiet };
        let words = if s == Section::Watchers && new > 0 { format!("{title} {new}") } else { title.to_owned() };
        let used = c.put(x, line.y, room, words, style);
        if shown {
            c.restyle(Rect { x, width: used, ..line }, c.theme.selection);
        }
        drawn.targets.push((Rect { x, width: used, ..line }, Target::Command(command.into())));
        x += used + if narrow { 1 } else { 2 };
    }
    if state.own.preview {
        c.put_right(line.right() - 1, line.y, line.right().saturating_sub(x), "dry run on", c.theme.warning);
    }
}

/// The lines of a section, the selected one in sight.
fn section(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let own = &state.own;
    let whole = area;
    let full = detail(c, area, state);
    let below = u16::try_from(full.len()).unwrap_or(0);
    let area = Rect { height: area.height - if below > 0 { below + 1 } else { 0 }, ..area };
    if below > 0 {
        c.rule(area.x + 1, area.bottom(), area.width.saturating_sub(2), c.theme.border);
        for (y, line) in (area.bottom() + 1..whole.bottom()).zip(&full) {
            c.put(area.x + 1, y, area.width - 2, line, Style::new());
        }
    }
    let rows = usize::from(area.height);
    drawn.metrics.overlay_rows = area.height;
    let all: Vec<_> =
        own.list.iter().enumerate().flat_map(|(n, l)| folded(l, area.width).map(move |words| (n, l, words))).collect();
    let at = all.iter().position(|(n, ..)| *n == own.at).unwrap_or(0);
    let top = super::keep_in_sight(at.saturating_sub(rows / 2), Some(at), rows, all.len());
    let label = (area.width * 2 / 5).clamp(12, 26);
    for (y, (n, l, words)) in (area.y..area.bottom()).zip(all.into_iter().skip(top)) {
        let line = Rect { y, height: 1, ..area };
        let style = match l.tone {
            Tone::Plain => Style::new(),
            Tone::Heading => c.theme.group,
            Tone::Quiet => c.theme.quiet,
            Tone::Strong => c.theme.accent,
            Tone::Warning => c.theme.warning,
        };
        let heading = l.tone == Tone::Heading;
        let mut x = area.x + if heading && l.mark == Mark::None { 1 } else { 3 };
        match l.mark {
            Mark::Presence(a) => {
                let at = x - if heading { 2 } else { 0 };
                c.put(at, y, 2, c.glyphs.presence(a.class(), false), presence_style(c.theme, a.class(), false));
            }
            Mark::Blocked => {
                x += 1;
                c.put(x - 1, y, 2, c.glyphs.presence(AvailabilityClass::Offline, true), c.theme.blocked);
            }
            Mark::None => {}
        }
        if l.mark != Mark::None && !heading {
            x += 2;
        }
        let room = area.right().saturating_sub(x + 1);
        if l.label.is_empty() {
            c.put(x, y, room, words, style);
        } else {
            let end = (area.x + 3 + label).max(x + 1);
            let used = c.put(x, y, end.saturating_sub(x + 1), Line::new(&l.label), style);
            let from = if heading { x + used + 2 } else { end };
            let bright = heading || l.tone == Tone::Strong || (own.section == Section::View && l.tone == Tone::Plain);
            let style = if bright { Style::new() } else { c.theme.quiet };
            c.put(from, y, area.right().saturating_sub(from + 1), words, style);
        }
        if n == own.at && (l.about != About::Nothing || own.section == Section::View) && state.pane == Pane::Me {
            c.restyle(line, c.theme.selection);
        }
    }
}

/// The words of a line: a sentence without label takes as many rows as it needs.
fn folded(l: &own::Line, width: u16) -> impl Iterator<Item = Line> + use<> {
    let sentence = l.label.is_empty() && l.tone != Tone::Heading;
    let rows =
        if sentence { Text::plain(&l.words).wrap(usize::from(width.saturating_sub(5))) } else { vec![Line::new(&l.words)] };
    rows.into_iter()
}

/// Rows that show the selected line in full below the list, when the list may have to cut it and there is room.
const DETAIL_ROWS: usize = 3;

/// The selected line in full, wrapped; nothing when it fits into its row.
fn detail(c: &Canvas, area: Rect, state: &State) -> Vec<Line> {
    let own = &state.own;
    let Some(l) = own.list.get(own.at).filter(|_| area.height >= 8 && state.pane == Pane::Me) else { return Vec::new() };
    // A sentence without a label has its rows already.
    if l.label.is_empty() && l.tone != Tone::Heading {
        return Vec::new();
    }
    // What follows without a label belongs to it.
    let next = own.list.get(own.at + 1).filter(|n| n.label.is_empty() && n.tone == Tone::Quiet && l.about != About::Nothing);
    let parts = [l.label.as_str(), l.words.as_str(), next.map_or("", |n| n.words.as_str())];
    let words = parts.into_iter().filter(|p| !p.is_empty()).map(|p| Line::new(p).to_string()).collect::<Vec<_>>().join(" · ");
    let room = usize::from(area.width.saturating_sub(2));
    let label = (area.width * 2 / 5).clamp(12, 26);
    let (own_label, words_width) = (c.width(l.label.clone()), c.width(l.words.clone()));
    let fits = match l.tone {
        Tone::Heading => own_label + words_width + 4 < area.width,
        _ => own_label < label && words_width + label + 5 < area.width,
    };
    if fits && next.is_none_or(|n| c.width(n.words.clone()) + 5 < area.width) {
        return Vec::new();
    }
    Text::plain(&words).wrap(room).into_iter().take(DETAIL_ROWS).collect()
}

/// The form, and what decides.
fn status(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let mut y = seen(c, area, state) + 1;
    let f = &state.own.form;
    let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: area.bottom().saturating_sub(y) };
    let active = state.pane == Pane::Me && f.saving.is_none();
    y += form::draw(c, room, f, active, active && state.own.editing, drawn);
    let remark: Option<(&str, Style)> = match (&f.error, f.saving, f.changed) {
        (Some(e), ..) => Some((e, c.theme.error)),
        (None, Some(_), _) => Some(("Publishing…", c.theme.quiet)),
        (None, None, true) => Some(("Not published yet: Ctrl-S publishes, T tries it first, u takes it back", c.theme.warning)),
        _ => None,
    };
    if let Some((words, style)) = remark.filter(|_| y < area.bottom()) {
        y = super::tell(c, area, y, words, style);
    }
    y += 1;
    if y < area.bottom() {
        lists(c, Rect { y, height: area.bottom() - y, ..area }, state, drawn);
    }
}

/// Rows that leave room for a sentence over the form.
const SAYS_WHY: u16 = 12;

/// How others see me now; gives the row after it.
fn seen(c: &mut Canvas, area: Rect, state: &State) -> u16 {
    let line = Rect { height: 1, ..area };
    if let Some(why) = state.missing(Feature::OwnPresence) {
        return super::tell(c, area, area.y, why, c.theme.warning);
    }
    let a = &state.account;
    let class = a.availability.map_or(AvailabilityClass::Unknown, |v| v.class());
    let style = presence_style(c.theme, class, false);
    let words = a.activity.as_ref().and_then(|x| x.text(1033)).map_or(class.text().to_owned(), str::to_owned);
    let spans: Vec<Span> = vec![
        ("Others see ".into(), c.theme.quiet),
        (c.glyphs.presence(class, false).into(), style),
        (" ".into(), style),
        (words.into(), style),
    ];
    let used = c.spans(line.x + 1, line.y, line.width - 2, spans);
    let reason = &state.own.reason;
    if reason.is_empty() {
        return line.bottom();
    }
    if used + 3 + c.width(reason.clone()) > line.width - 2 && area.height >= SAYS_WHY {
        return super::tell(c, area, line.y + 1, reason, c.theme.quiet);
    }
    c.spans(
        line.x + 1 + used,
        line.y,
        line.width - 2 - used,
        vec![(" · ".into(), c.theme.quiet), (reason.clone().into(), c.theme.quiet)],
    );
    line.bottom()
}

/// One row of the lists below the form.
enum Row {
    Heading(&'static str, String),
    Source(OwnEndpoint),
    Words(&'static str, Line),
    Said(Line),
    Blank,
}

fn lists(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let rows = rows(state, area.width);
    let hidden = rows.len().saturating_sub(usize::from(area.height));
    (drawn.metrics.overlay_rows, drawn.metrics.overlay_max) = (area.height, u16::try_from(hidden).unwrap_or(u16::MAX));
    for (y, row) in (area.y..area.bottom()).zip(rows.into_iter().skip(state.own.scroll.min(hidden))) {
        match row {
            Row::Heading(words, remark) => {
                let used = c.put(area.x + 1, y, area.width - 2, words, c.theme.group);
                c.put(area.x + 2 + used, y, area.width.saturating_sub(used + 4), remark, c.theme.quiet);
            }
            Row::Source(e) => source(c, Rect { y, height: 1, ..area }, state, &e),
            Row::Words(label, words) => {
                c.put(area.x + 3, y, 18, label, c.theme.quiet);
                c.put(area.x + 22, y, area.width.saturating_sub(23), &words, Style::new());
            }
            Row::Said(words) => _ = c.put(area.x + 3, y, area.width.saturating_sub(4), words, c.theme.quiet),
            Row::Blank => {}
        }
    }
}

/// A sentence of any length.
fn said(words: &str, width: u16) -> impl Iterator<Item = Row> {
    Text::plain(words).wrap(usize::from(width.saturating_sub(4))).into_iter().map(Row::Said)
}

fn rows(state: &State, width: u16) -> Vec<Row> {
    let own = &state.own;
    let mut rows = vec![Row::Heading("My devices", String::new())];
    if own.endpoints.is_empty() {
        let words = if own.loaded { "No device says anything; others see you offline." } else { "Not known yet." };
        rows.extend(said(words, width));
    }
    rows.extend(own.endpoints.iter().cloned().map(Row::Source));
    if !own.states.is_empty() {
        rows.push(Row::Blank);
        rows.push(Row::Heading("Other sources", String::new()));
        rows.extend(own.states.iter().cloned().map(Row::Source));
    }
    rows.push(Row::Blank);
    match state.missing(Feature::Categories) {
        Some(why) => {
            rows.push(Row::Heading("What I publish", String::new()));
            rows.extend(said(why, width));
        }
        None => {
            let published = format!("{}: p shows, c adds one, t phones", own.replica.publications.len());
            rows.push(Row::Heading("What I publish", published));
        }
    }
    if let Some((label, words)) = calendar(state) {
        rows.push(Row::Words(label, words));
    }
    rows.push(Row::Blank);
    match state.missing(Feature::Levels) {
        Some(why) => {
            rows.push(Row::Heading("Who may see what", String::new()));
            rows.extend(said(why, width));
        }
        None => {
            let (title, summary) = ("Who may see what", summary(state));
            let line = format!("C changes it · {summary}");
            if title.len() + Line::new(&line).width() + 4 <= usize::from(width) {
                rows.push(Row::Heading(title, line));
            } else {
                rows.push(Row::Heading(title, "C changes it".into()));
                rows.extend(said(&summary, width));
            }
        }
    }
    let watchers = &own.replica.subscribers;
    let new = watchers.iter().filter(|s| !s.acknowledged).count();
    if let Some(why) = state.missing(Feature::Watchers) {
        rows.push(Row::Heading("Who watches me", String::new()));
        rows.extend(said(why, width));
        return rows;
    }
    let words = match (watchers.len(), new) {
        (0, _) => "nobody".to_owned(),
        (n, 0) => format!("w lists them · {n}"),
        (n, new) => format!("w lists them · {n}, {new} new"),
    };
    rows.push(Row::Heading("Who watches me", words));
    rows
}

/// What the calendar says now, or what is the matter with it.
fn calendar(state: &State) -> Option<(&'static str, Line)> {
    let calendar = &state.own.calendar;
    if calendar.path.is_empty() {
        return None;
    }
    let words = match (&calendar.problem, &calendar.told) {
        (Some(problem), _) => problem.clone(),
        (None, Some(says)) => {
            let end = |a: &Appointment| words::clock(a.end, &state.view.zone);
            let meeting = says.meeting.as_ref().map(|m| format!("in a meeting until {}: {}", end(m), m.subject));
            let away = says.out_of_office.as_ref().map(|o| format!("out of office until {}", end(o)));
            let now = state.view.now;
            let ahead = calendar.appointments.iter().filter(|a| a.start > now && a.busy >= Busyness::Busy);
            let next = ahead.min_by_key(|a| a.start).map(|a| {
                let start = a.start.timestamp().to_zoned(state.view.zone.clone()).strftime("%a %H:%M");
                format!("free until {start}: {}", a.subject)
            });
            meeting.or(away).or(next).unwrap_or_else(|| "free for the next days".into())
        }
        (None, None) => "not read yet".to_owned(),
    };
    Some(("Calendar", Line::new(&words)))
}

/// How many are named at which level, and whether others see anything.
fn summary(state: &State) -> String {
    let named = |level: &Level| {
        let container = state.own.replica.containers.iter().find(|c| c.id == level.container())?;
        let people = container.members.iter().filter(|m| matches!(m, Member::User(_) | Member::Domain(_))).count();
        (people > 0).then(|| format!("{} {people}", level.text()))
    };
    let levels = [Level::Personal, Level::Workgroup, Level::Colleagues, Level::External, Level::Blocked];
    let mut parts: Vec<String> = levels.iter().filter_map(named).collect();
    if state.missing(Feature::Containers).is_none() {
        parts.push(state.own.privacy.mode.text().to_owned());
    } else if parts.is_empty() {
        parts.push("nobody is named".into());
    }
    parts.join(" · ")
}

/// One device or other source, with a mark on the one that decides.
fn source(c: &mut Canvas, line: Rect, state: &State, e: &OwnEndpoint) {
    let (x, y) = (line.x, line.y);
    if e.wins {
        c.put(x + 1, y, 1, c.glyphs.wins, c.theme.accent);
    }
    let class = e.availability.class();
    c.put(x + 3, y, 2, c.glyphs.presence(class, false), presence_style(c.theme, class, false));
    let kind = match e.source.as_str() {
        "machineState" if e.here => "This device",
        "machineState" => "Another device",
        "userState" => "Set by hand",
        "calendarState" => "Calendar",
        "phoneState" => "Phone",
        _ => "Other",
    };
    c.put(x + 5, y, 16, kind, if e.wins { c.theme.title_active } else { Style::new() });
    let mut parts = vec![if e.activity.is_empty() { class.text().to_owned() } else { e.activity.clone() }];
    if !e.device.is_empty() {
        parts.push(e.device.clone());
    }
    if let Some(t) = e.since {
        parts.push(format!("since {}", words::clock(t, &state.view.zone)));
    }
    let end = if e.wins { c.put_right(line.right() - 1, y, 12, "decides", c.theme.accent) } else { line.right() };
    c.put(x + 22, y, end.saturating_sub(x + 23), super::joined(&parts), c.theme.quiet);
}
