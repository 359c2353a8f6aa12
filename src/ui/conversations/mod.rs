//! The Conversations pane: tabs, header, transcript, what happens below it, composer, third column.

mod roster;
mod transcript;

use super::canvas::{Canvas, Span};
use super::layout::Areas;
use super::{Drawn, card, joined, presence_style, strings, words};
use crate::app::State;
use crate::app::event::Target;
use crate::app::state::Pane;
use crate::app::state::conversations::{Part, Tab, Thread};
use crate::domain::conversation::{ContextState, Priority, Role};
use crate::endpoint::Feature;
use crate::text::{Line, Text, edit};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Rows the composer grows to.
const COMPOSER_ROWS: u16 = 5;
/// Rows an error above the composer may take.
const ERROR_ROWS: u16 = 4;
/// From this many lines on it is said what Enter does with them.
const MANY_LINES: usize = 4;
/// Cells of a tab's title.
const TAB_CELLS: usize = 20;

/// Draws the inside of the pane and the third column.
pub fn draw(c: &mut Canvas, areas: &Areas, state: &State, drawn: &mut Drawn) {
    let area = areas.main;
    let Some(tab) = state.conversations.current() else {
        empty(c, area, state);
        return;
    };
    let written = edit::layout(tab.composer.text(), tab.composer.cursor(), usize::from(area.width.saturating_sub(2)));
    let rows = u16::try_from(written.rows.len()).unwrap_or(u16::MAX).min(COMPOSER_ROWS).min((area.height / 3).max(1));
    let header = Rect { height: 1, ..area };
    let composer = Rect { y: area.bottom() - rows, height: rows, ..area };
    let told = told_rows(tab, area);
    let below = Rect { y: composer.y.saturating_sub(1 + told), height: told, ..area };
    let reading = Rect { y: area.y + 1, height: below.y.saturating_sub(area.y + 1), ..area };
    let asked = card::question_rows(state, reading);
    let reading = Rect { y: reading.y + asked, height: reading.height - asked, ..reading };
    header_line(c, header, state, tab);
    // Without a third column the roster takes the transcript's place while it has the keys.
    let people_here = state.conversations.part == Part::Roster && areas.third.width == 0;
    if people_here {
        roster::draw(c, reading, state, tab, drawn);
    } else {
        transcript::draw(c, reading, reading.height + rows + told - 2, state, tab, drawn);
    }
    below_line(c, below, state, tab, drawn);
    divider(c, area, composer.y - 1);
    composer_box(c, composer, state, tab, &written, drawn);
    drawn.targets.push((composer, Target::Composer));
    if areas.third.width > 0 {
        match &tab.thread {
            Thread::Person(uri) => card::column(c, areas.third, state, uri),
            _ => {
                super::pane_title(c, areas.third, "In the meeting", c.theme.title);
                roster::draw(c, areas.third, state, tab, drawn);
            }
        }
    }
}

/// Rows between transcript and composer: an error is said in full.
fn told_rows(tab: &Tab, area: Rect) -> u16 {
    let Some(error) = &tab.composer_error else { return 1 };
    let lines = Text::plain(error).wrap(usize::from(area.width.saturating_sub(2))).len();
    u16::try_from(lines).unwrap_or(u16::MAX).clamp(1, ERROR_ROWS).min((area.height / 4).max(1))
}

fn empty(c: &mut Canvas, area: Rect, state: &State) {
    let top = area.y + area.height.saturating_sub(4) / 2;
    for (y, words) in (top..).zip(strings::NO_CONVERSATION) {
        c.put_centred(area, y, words, c.theme.quiet);
    }
    if let Some(why) = state.missing(Feature::GroupChats) {
        super::tell(c, area, top + 4, why, c.theme.quiet);
    }
}

/// The line between transcript and composer, joined to the frame.
fn divider(c: &mut Canvas, area: Rect, y: u16) {
    c.cell(area.x - 1, y, c.glyphs.tee_right, c.theme.border);
    c.rule(area.x, y, area.width, c.theme.border);
    c.cell(area.right(), y, c.glyphs.tee_left, c.theme.border);
}

/// The tabs on the upper border.
pub fn tab_bar(c: &mut Canvas, areas: &Areas, state: &State) {
    let (y, start) = (areas.body.y, areas.main.x);
    let end = areas.main.right();
    let tabs: Vec<(Vec<Span>, u16)> =
        state.conversations.tabs.iter().enumerate().map(|(n, t)| tab_label(c, state, t, n == state.conversations.at)).collect();
    if tabs.is_empty() {
        let style = if state.pane == Pane::Conversations { c.theme.title_active } else { c.theme.title };
        super::pane_title(c, areas.main, "Conversations", style);
        return;
    }
    // The shown tab must be in sight; what lies before it goes first.
    let at = state.conversations.at.min(tabs.len() - 1);
    let room = end.saturating_sub(start + 5);
    let mut first = 0;
    while first < at && tabs[first..=at].iter().map(|t| t.1 + 3).sum::<u16>() > room {
        first += 1;
    }
    let mut x = start;
    if first > 0 {
        x += c.put(x, y, 4, format!("{}{first}", c.glyphs.left), c.theme.title);
    }
    let count = tabs.len();
    for (n, (spans, width)) in tabs.into_iter().enumerate().skip(first) {
        let left = u16::from(n + 1 < count) * 4;
        if x + width.min(6) + 2 + left > end {
            c.put(x, y, end - x, format!("{}{}", c.glyphs.right, count - n), c.theme.title);
            return;
        }
        let room = width.min(end - x - 2);
        c.cell(x, y, " ", c.theme.title);
        let used = c.spans(x + 1, y, room, spans);
        c.cell(x + 1 + used, y, " ", c.theme.title);
        x += used + 2;
        if x < end {
            c.cell(x, y, c.glyphs.tee_down, c.theme.border);
            x += 1;
        }
    }
}

fn tab_label(c: &Canvas, state: &State, tab: &Tab, shown: bool) -> (Vec<Span>, u16) {
    let t = c.theme;
    let style = if shown { t.title_active } else { t.title };
    let mut spans: Vec<Span> = Vec::new();
    match &tab.thread {
        _ if tab.unread > 0 => {
            let accent = if tab.mentions > 0 { t.mention } else { t.accent };
            spans.push((format!("{}{}", c.glyphs.mail, tab.unread).into(), accent));
            spans.push((" ".into(), style));
        }
        Thread::Person(uri) => {
            let (presence, blocked) = (state.people.presence_of(uri), words::is_blocked(state, uri));
            let class = words::class(presence);
            spans.push((c.glyphs.presence(class, blocked).into(), presence_style(t, class, blocked)));
        }
        _ => {
            spans.push((c.glyphs.meeting.into(), style));
            spans.push((" ".into(), style));
        }
    }
    spans.push((Line::new(&state.title(tab)).truncate(TAB_CELLS).into(), style));
    if !matches!(tab.thread, Thread::Person(_)) && tab.inside() > 0 {
        spans.push((" ".into(), style));
        spans.push((format!("({})", tab.inside() + 1).into(), style));
    }
    let width = spans.iter().map(|(l, _)| c.width(l.clone())).sum();
    (spans, width)
}

/// Whom or what this tab is about.
fn header_line(c: &mut Canvas, area: Rect, state: &State, tab: &Tab) {
    let conversation = &tab.conversation;
    let mut parts = Vec::new();
    let mut style = c.theme.quiet;
    if let Some(words) = words::conversation_state(conversation.state, conversation.focus.is_some()) {
        parts.push(words.to_owned());
    }
    if conversation.priority != Priority::Normal {
        parts.push(conversation.priority.text().to_owned());
    }
    if conversation.recovering {
        parts.push("reconnecting".into());
    }
    if let Some(c) = conversation.context.as_ref().filter(|c| c.state != ContextState::Terminated) {
        parts.push(format!("with {}", Line::new(&c.application)));
    }
    match &tab.thread {
        Thread::Person(uri) => {
            let (presence, blocked) = (state.people.presence_of(uri), words::is_blocked(state, uri));
            parts.extend(words::story(presence, blocked, &state.view));
            if !conversation.subject.is_empty() {
                parts.push(format!("“{}”", Line::new(&conversation.subject)));
            }
            if words::is_stale(state, presence) {
                style = c.theme.border;
            }
        }
        _ => {
            let people = tab.inside() + 1;
            let inside = conversation.state == crate::domain::conversation::ConversationState::Conferenced;
            if people > 1 {
                parts.push(format!("{people} people"));
            } else if inside {
                parts.push("only you".into());
            }
            let lobby = conversation.participants.iter().filter(|p| p.in_lobby).count();
            if lobby > 0 {
                parts.push(format!("{lobby} in the lobby"));
            }
            if conversation.my_role == Some(Role::Leader) {
                parts.push("you lead".into());
            }
            if conversation.locked {
                parts.push("locked".into());
            }
            let meeting = &conversation.meeting;
            if meeting.muted {
                parts.push("you are muted".into());
            }
            if meeting.recording || conversation.participants.iter().any(|p| p.recording) {
                parts.push("recorded".into());
            }
            if let Some(at) = meeting.ends_at {
                let left = at.since(state.view.now).as_secs().div_ceil(60);
                parts.push(format!("ends in {left} min"));
            }
            if meeting.reconnecting {
                parts.push("joining again".into());
            }
        }
    }
    parts.extend(conversation.end_reason.clone());
    let room = area.width.saturating_sub(2);
    let (title, story) = (Line::new(&state.title(tab)), joined(&parts));
    // The tab has the title, too: where both do not fit, what goes on is said in full.
    let tight = c.width(title.clone()).saturating_add(3).saturating_add(c.width(story.clone())) > room;
    if tight && !matches!(tab.thread, Thread::Person(_)) && !parts.is_empty() {
        c.put(area.x + 1, area.y, room, story, style);
        return;
    }
    let used = c.put(area.x + 1, area.y, room, title, c.theme.title_active);
    if used + 3 < room {
        c.put(area.x + 1 + used, area.y, 3, " · ", c.theme.quiet);
        c.put(area.x + 4 + used, area.y, room - used - 3, story, style);
    }
}

/// The row between transcript and composer: search, errors, completions, typing, news further down.
fn below_line(c: &mut Canvas, area: Rect, state: &State, tab: &Tab, drawn: &mut Drawn) {
    let mut room = area.width.saturating_sub(2);
    if tab.new_below > 0 {
        let words = format!("{} {} new", c.glyphs.down, tab.new_below);
        room = c.put_right(area.right() - 1, area.y, room, words, c.theme.accent).saturating_sub(area.x + 2);
    }
    let x = area.x + 1;
    if let Some(search) = tab.search.as_ref().filter(|s| s.typing || !s.query.is_empty()) {
        c.put(x, area.y, 1, "/", c.theme.accent);
        let line = Rect { x: x + 1, width: room.saturating_sub(1), ..area };
        super::edit_line(c, line, &search.query, search.typing && state.pane == Pane::Conversations, drawn);
    } else if let Some(error) = &tab.composer_error {
        let lines = Text::plain(error).wrap(usize::from(area.width.saturating_sub(2)));
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            c.put(x, y, room, line, c.theme.error);
        }
    } else if let Some(completion) = &tab.completion {
        let mut used = 0;
        for (n, (word, about)) in completion.candidates.iter().enumerate() {
            let style = if n == completion.at { c.theme.selection } else { c.theme.quiet };
            let words = if about.is_empty() { Line::new(word) } else { Line::new(&format!("{word} {about}")) };
            used += c.put(x + used, area.y, room.saturating_sub(used), words.truncate(24), style) + 2;
            if used >= room {
                break;
            }
        }
    } else {
        let typing: Vec<Line> =
            tab.conversation.participants.iter().filter(|p| p.typing).map(|p| Line::new(state.name(&p.uri))).collect();
        let words = match typing.as_slice() {
            [] => match tab.composer.text().lines().count() {
                lines if lines >= MANY_LINES => format!("{lines} lines · {} sends all of them", sends(state)),
                _ => return,
            },
            [one] => format!("{one} is typing…"),
            [one, two] => format!("{one} and {two} are typing…"),
            [one, rest @ ..] => format!("{one} and {} others are typing…", rest.len()),
        };
        c.put(x, area.y, room, words, c.theme.quiet);
    }
}

/// The key that sends what is written.
fn sends(state: &State) -> &str {
    state.keymap.keys_of(&state.modes(), "send").unwrap_or("/send")
}

fn composer_box(c: &mut Canvas, area: Rect, state: &State, tab: &Tab, written: &edit::Layout, drawn: &mut Drawn) {
    let has_keys = state.pane == Pane::Conversations && state.conversations.part == Part::Composer && drawn.cursor.is_none();
    let rows = usize::from(area.height);
    let top = (written.row + 1).saturating_sub(rows);
    if tab.composer.is_empty() {
        let words = if state.link.is_up() { strings::WRITE_HERE } else { strings::WRITE_OFFLINE };
        c.put(area.x + 1, area.y, area.width.saturating_sub(2), words, c.theme.border);
    }
    for (y, row) in (area.y..area.bottom()).zip(written.rows.iter().skip(top)) {
        c.put(area.x + 1, y, area.width.saturating_sub(1), row, Style::new());
    }
    if has_keys {
        let (x, y) = (u16::try_from(written.column).unwrap_or(0), u16::try_from(written.row - top).unwrap_or(0));
        drawn.cursor = Some(((area.x + 1 + x).min(area.right() - 1), area.y + y));
    }
}
