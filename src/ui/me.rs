//! The Me pane: what I publish, which of my devices decides, who may see what, who watches me.

use super::canvas::{Canvas, Label, Span};
use super::{Drawn, form, presence_style, words};
use crate::app::State;
use crate::app::state::{OwnEndpoint, Pane};
use crate::domain::calendar::{Appointment, Busyness};
use crate::domain::presence::{AvailabilityClass, Level, Member};
use crate::text::Line;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the inside.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let mut y = area.y;
    seen(c, Rect { y, height: 1, ..area }, state);
    y += 2;
    let f = &state.own.form;
    let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: area.bottom().saturating_sub(y) };
    let active = state.pane == Pane::Me && f.saving.is_none();
    y += form::draw(c, room, f, active, active && state.own.editing, drawn);
    let remark: Option<(Label, Style)> = match (&f.error, f.saving, f.changed) {
        (Some(e), ..) => Some((e.clone().into(), c.theme.error)),
        (None, Some(_), _) => Some(("Publishing…".into(), c.theme.quiet)),
        (None, None, true) => Some(("Not published yet: Ctrl-S publishes, u takes it back".into(), c.theme.warning)),
        _ => None,
    };
    if let Some((words, style)) = remark.filter(|_| y < area.bottom()) {
        c.put(area.x + 2, y, area.width - 4, words, style);
        y += 1;
    }
    y += 1;
    if y < area.bottom() {
        lists(c, Rect { y, height: area.bottom() - y, ..area }, state);
    }
}

/// How others see me now.
fn seen(c: &mut Canvas, line: Rect, state: &State) {
    let a = &state.account;
    let class = a.availability.map_or(AvailabilityClass::Unknown, |v| v.class());
    let style = presence_style(c.theme, class, false);
    let words = a.activity.as_ref().and_then(|x| x.text(1033)).map_or(class.text().to_owned(), str::to_owned);
    let spans: Vec<Span> = vec![
        ("Others see ".into(), c.theme.quiet),
        (c.glyphs.presence(class, false).into(), style),
        (" ".into(), style),
        (words.into(), style),
        (" · ".into(), c.theme.quiet),
        (state.own.reason.clone().into(), c.theme.quiet),
    ];
    let spans = if state.own.reason.is_empty() { spans.into_iter().take(4).collect() } else { spans };
    c.spans(line.x + 1, line.y, line.width - 2, spans);
}

/// One row of the lists below the form.
enum Row {
    Heading(&'static str, String),
    Source(OwnEndpoint),
    Words(&'static str, Line),
    Blank,
}

fn lists(c: &mut Canvas, area: Rect, state: &State) {
    let rows = rows(state);
    let top = state.own.scroll.min(rows.len().saturating_sub(usize::from(area.height)));
    for (y, row) in (area.y..area.bottom()).zip(rows.into_iter().skip(top)) {
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
            Row::Blank => {}
        }
    }
}

fn rows(state: &State) -> Vec<Row> {
    let own = &state.own;
    let mut rows = vec![Row::Heading("My devices", String::new())];
    if own.endpoints.is_empty() {
        let words = if own.loaded { "No device says anything; others see you offline." } else { "Not known yet." };
        rows.push(Row::Words("", Line::new(words)));
    }
    rows.extend(own.endpoints.iter().cloned().map(Row::Source));
    if !own.states.is_empty() {
        rows.push(Row::Blank);
        rows.push(Row::Heading("Other sources", String::new()));
        rows.extend(own.states.iter().cloned().map(Row::Source));
    }
    rows.push(Row::Blank);
    let published = format!("{}: p shows, c adds a category, t sets phones", own.replica.publications.len());
    rows.push(Row::Heading("What I publish", published));
    if let Some((label, words)) = calendar(state) {
        rows.push(Row::Words(label, words));
    }
    rows.push(Row::Blank);
    rows.push(Row::Heading("Who may see what", "p in People changes it".into()));
    let levels = [
        (400, Level::Personal),
        (300, Level::Workgroup),
        (200, Level::Colleagues),
        (100, Level::External),
        (32000, Level::Blocked),
    ];
    let mut named = 0;
    for (id, level) in levels {
        let Some(container) = own.replica.containers.iter().find(|c| c.id == id) else { continue };
        let members: Vec<String> = container.members.iter().map(|m| member(state, m)).collect();
        if !members.is_empty() {
            rows.push(Row::Words(words::level(level), Line::new(&members.join(", "))));
            named += 1;
        }
    }
    if named == 0 {
        rows.push(Row::Words("", Line::new("Everyone gets what their network gets.")));
    }
    rows.push(Row::Blank);
    let watchers = &own.replica.subscribers;
    rows.push(Row::Heading(
        "Who watches me",
        if watchers.is_empty() { "nobody told us".into() } else { watchers.len().to_string() },
    ));
    for s in watchers {
        let name = if s.display_name.is_empty() { state.name(&s.uri) } else { &s.display_name };
        let words = format!("{}{}", Line::new(name), if s.acknowledged { "" } else { " · new" });
        rows.push(Row::Words("", Line::new(&words)));
    }
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

fn member(state: &State, m: &Member) -> String {
    match m {
        Member::User(u) => Line::new(state.name(u)).to_string(),
        Member::Domain(d) => format!("everyone at {}", Line::new(d)),
        Member::SameEnterprise => "my organisation".into(),
        Member::Federated => "federated partners".into(),
        Member::PublicCloud => "public networks".into(),
        Member::Everyone => "everyone".into(),
    }
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
