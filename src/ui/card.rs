//! Contact cards, and the small cards that ask a question without taking the keys.

use super::canvas::{Canvas, Label};
use super::layout::Areas;
use super::{Drawn, presence_style, words};
use crate::app::State;
use crate::app::event::Target;
use crate::app::meetings::subject;
use crate::app::state::{Pane, Question, QuestionKind};
use crate::domain::contact::DEFAULT_GROUP_NAME;
use crate::domain::conversation::Priority;
use crate::domain::presence::Member;
use crate::domain::{Address, access};
use crate::endpoint::Feature;
use crate::endpoint::contact_data;
use crate::endpoint::sight::container_name;
use crate::text::{Line, Text};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Cells of a question card.
const QUESTION_CELLS: u16 = 50;
/// Rows of a conversation that stay readable beside a question.
const READABLE_ROWS: u16 = 3;

/// One row of a card: a label and words.
struct Entry {
    label: &'static str,
    words: Line,
}

/// The card as a third column.
pub fn column(c: &mut Canvas, area: Rect, state: &State, uri: &Address) {
    super::pane_title(c, area, "Card", c.theme.title);
    rows(c, area, state, uri, 0);
}

/// Rows the card would take in `cells`.
pub fn height(state: &State, uri: &Address, cells: u16) -> usize {
    lines(state, uri, cells).len()
}

/// Draws the card's rows from `skip` on.
pub fn rows(c: &mut Canvas, area: Rect, state: &State, uri: &Address, skip: usize) {
    let presence = state.people.presence_of(uri);
    let blocked = words::is_blocked(state, uri);
    let class = words::class(presence);
    let all = lines(state, uri, area.width);
    for (y, (n, (label, line))) in (area.y..area.bottom()).zip(all.into_iter().enumerate().skip(skip)) {
        let indent = if n < 2 { 3 } else { 1 };
        if n == 0 {
            c.put(area.x + 1, y, 2, c.glyphs.presence(class, blocked), presence_style(c.theme, class, blocked));
        }
        let style = match (n, label.is_empty()) {
            (0, _) => c.theme.title_active,
            _ => Style::new(),
        };
        if !label.is_empty() {
            c.put(area.x + 1, y, LABEL_CELLS - 1, label, c.theme.quiet);
        }
        let x = if n >= 2 && area.width >= TWO_COLUMNS { LABEL_CELLS + 1 } else { indent };
        c.put(area.x + x, y, area.width.saturating_sub(x + 1), line, style);
    }
}

const LABEL_CELLS: u16 = 11;
/// From this width on labels and words stand side by side.
const TWO_COLUMNS: u16 = 36;

/// Label and words of every row.
fn lines(state: &State, uri: &Address, cells: u16) -> Vec<(&'static str, Line)> {
    let presence = state.people.presence_of(uri);
    let story = words::story(presence, words::is_blocked(state, uri), &state.view);
    let mut out = vec![
        ("", Line::new(state.name(uri))),
        ("", story.first().map(|s| Line::new(s)).unwrap_or_default()),
        ("", Line::default()),
    ];
    let side = cells >= TWO_COLUMNS;
    let room = usize::from(cells.saturating_sub(if side { LABEL_CELLS + 2 } else { 2 }));
    for e in entries(state, uri, &story) {
        if !side {
            out.push((e.label, Line::default()));
        }
        for (n, line) in Text::plain(e.words.as_str()).wrap(room).into_iter().enumerate() {
            out.push((if n == 0 && side { e.label } else { "" }, line));
        }
    }
    out
}

fn entries(state: &State, uri: &Address, story: &[String]) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut add = |label: &'static str, words: &str| {
        let words = Line::new(words);
        if !words.is_empty() {
            all.push(Entry { label, words });
        }
    };
    add("Now", super::joined(story.get(1..).unwrap_or_default()).as_str());
    let standing = state.people.standing.get(uri).and_then(|s| words::standing(s, &state.view));
    add("Presence", standing.as_deref().unwrap_or(""));
    add("Address", uri.bare());
    if let Some(p) = state.people.presence_of(uri) {
        let card = &p.card;
        add("Title", card.title.as_deref().unwrap_or(""));
        add("Department", card.department.as_deref().unwrap_or(""));
        add("Company", card.company.as_deref().unwrap_or(""));
        add("Office", card.office.as_deref().unwrap_or(""));
        add("E-mail", card.email.as_deref().unwrap_or(""));
        for phone in &card.phones {
            let number = if phone.display.is_empty() { phone.uri.trim_start_matches("tel:") } else { &phone.display };
            add("Phone", &format!("{} {}", Line::new(number), Line::new(&phone.kind)));
        }
        for a in &card.addresses {
            let parts = [&a.street, &a.zip, &a.city, &a.state, &a.country].map(|p| Line::new(p).to_string());
            let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
            add("Postal", &format!("{} {}", parts.join(", "), Line::new(&a.kind)));
        }
        for link in &card.links {
            let label = match link.kind.as_str() {
                "photo" => "Photo",
                "voicemail" => "Voice mail",
                "map" => "Map",
                "sound" => "Sound",
                _ => "Link",
            };
            add(label, &link.uri);
        }
        match card.entity.as_deref() {
            _ if card.automaton => add("Kind", "a bot"),
            None | Some("person") => {}
            Some(other) => add("Kind", other),
        }
        add("Can", &p.capabilities.join(", "));
    }
    if let Some(contact) = state.people.contacts.get(uri) {
        let names = state.people.groups_of(contact).into_iter().filter_map(|id| state.people.groups.iter().find(|g| g.id == id));
        let names: Vec<&str> =
            names.map(|g| if g.name == DEFAULT_GROUP_NAME { "Other contacts" } else { g.name.as_str() }).collect();
        add("Groups", &names.join(", "));
        add("Tag", if contact_data::is_tagged(contact) { "you are told about them on all devices" } else { "" });
        add("Presence", if contact.subscribed { "" } else { "not subscribed" });
        add("Data", &contact.external_uri);
    }
    add("Sees me as", level_of(state, uri).unwrap_or(""));
    all
}

/// The privacy level I gave this person.
fn level_of(state: &State, uri: &Address) -> Option<&'static str> {
    use crate::domain::presence::Level;
    let levels = [
        (32000, Level::Blocked),
        (400, Level::Personal),
        (300, Level::Workgroup),
        (200, Level::Colleagues),
        (100, Level::External),
    ];
    let holds = |id: u32| {
        let container = state.own.replica.containers.iter().find(|c| c.id == id);
        container.is_some_and(|c| c.members.iter().any(|m| matches!(m, Member::User(u) if u == uri)))
    };
    levels.into_iter().find(|(id, _)| holds(*id)).map(|(_, l)| l.text())
}

/// Rows of a pane that a question card needs, so that the card hides nothing that is read or filled in there.
pub fn question_rows(state: &State, reading: Rect) -> u16 {
    let rows = state.question().and_then(|q| words_of(state, q)).map_or(0, |w| rows_of(&w.1));
    // Where it is so narrow that hardly anything would be left to read, the card lies above it.
    if reading.height >= rows + READABLE_ROWS { rows } else { 0 }
}

fn rows_of(lines: &[Label]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(2) + 3
}

/// Title, lines and the word for yes; none for a meeting that is gone.
fn words_of(state: &State, question: &Question) -> Option<(&'static str, Vec<Label>, &'static str)> {
    Some(match &question.kind {
        QuestionKind::Invitation { from, toast, subject, conference, auto_accept, priority, .. } => {
            let name = Line::new(state.name(from));
            let what = if *conference { "invites you to a meeting" } else { "wants to talk" };
            let mut lines: Vec<Label> = vec![format!("{name} {what}").into()];
            if *priority != Priority::Normal {
                lines.push(format!("It is {}.", priority.text()).into());
            }
            // Whoever gives no words of invitation of its own often sends the subject in their place.
            let toast = if toast == subject { "" } else { toast };
            for words in [subject.as_str(), toast].into_iter().filter(|w| !w.is_empty()) {
                lines.push(format!("“{}”", Line::new(words)).into());
            }
            if let Some(at) = auto_accept {
                lines.push(format!("Opens by itself at {}", words::clock_seconds(*at, &state.view.zone)).into());
            }
            (if *conference { "Meeting" } else { "Conversation" }, lines, "accept")
        }
        QuestionKind::File { transfer } => {
            let name = Line::new(state.name(&transfer.with));
            let lines: Vec<Label> =
                vec![format!("{name} offers you a file").into(), Line::new(&crate::app::files::title(transfer)).into()];
            ("File", lines, "take it")
        }
        QuestionKind::Reminder { slot } => {
            let subject = if slot.subject.is_empty() { "A meeting" } else { &slot.subject };
            let when = match (slot.start, slot.end) {
                (Some(s), Some(e)) => {
                    format!("{} to {}", words::clock(s, &state.view.zone), words::clock(e, &state.view.zone))
                }
                _ => String::new(),
            };
            let lines: Vec<Label> = vec![
                Line::new(subject).into(),
                format!("{} · {when}", crate::app::reminders::words(slot, state.view.now)).into(),
            ];
            ("Reminder", lines, "join")
        }
        QuestionKind::Meeting { id, changed } => {
            let m = state.meetings.find(id)?;
            let name = Line::new(state.name(&m.organizer));
            let what = if *changed { "has moved a meeting" } else { "invites you to a meeting" };
            let mut lines: Vec<Label> = vec![format!("{name} {what}").into(), format!("“{}”", Line::new(subject(m))).into()];
            lines.push(super::meetings::when(state, m).into());
            if let Some(series) = &m.settings.series {
                lines.push(crate::app::series::words(&series.rule).into());
            }
            ("Invitation", lines, "come")
        }
        QuestionKind::Watcher { uri, name } => {
            let name = if name.is_empty() { Line::new(uri.bare()) } else { Line::new(name) };
            let place = access::resolve(&state.own.replica.containers, uri, state.network_of(uri));
            let sees = match state.missing(Feature::DefaultAccess) {
                Some(_) => "waits for your answer".into(),
                None => format!("sees {}", container_name(place)),
            };
            let sees = format!("{} · {sees}", Line::new(uri.bare()));
            let lines: Vec<Label> = vec![format!("{name} added you to their contacts").into(), sees.into()];
            ("New watcher", lines, "accept…")
        }
    })
}

/// A question in a corner of the pane in use: above what was said, but below what is filled in or listed.
pub fn question(c: &mut Canvas, areas: &Areas, state: &State, question: &Question, drawn: &mut Drawn) {
    let pane = super::main_shown(state);
    let talk = areas.main.width > 0 && matches!(pane, Pane::Conversations | Pane::People);
    // In a conversation it stands between the header and what was said, beside the roster.
    let body = match areas.main {
        main if talk => Rect { x: main.x - 1, width: main.width + 2, ..main },
        _ => areas.body,
    };
    let width = QUESTION_CELLS.min(body.width.saturating_sub(2));
    let Some((title, lines, yes)) = words_of(state, question) else { return };
    let height = rows_of(&lines).min(body.height.saturating_sub(1));
    let y = if matches!(pane, Pane::Meetings | Pane::Me | Pane::Wire) { body.bottom() - 1 - height } else { body.y + 1 };
    let area = Rect { x: body.right() - 1 - width, y, width, height };
    c.fill(area, c.theme.overlay);
    c.frame(area, c.theme.accent);
    c.put(area.x + 2, area.y, width - 4, title, c.theme.accent);
    for (n, line) in (0u16..).zip(lines) {
        let style = if n == 0 { c.theme.title_active } else { c.theme.quiet };
        c.put(area.x + 2, area.y + 1 + n, width - 4, line, style);
    }
    let waiting = state.questions.iter().filter(|q| !q.postponed).count();
    if waiting > 1 {
        c.put_right(area.right() - 2, area.y, 10, format!("1 of {waiting}"), c.theme.quiet);
    }
    let y = area.bottom() - 2;
    let mut x = area.x + 2;
    let no = if matches!(question.kind, QuestionKind::Watcher { .. }) { "block" } else { "no" };
    let mut answers = vec![("Alt-y", yes, "answer-yes"), ("Alt-n", no, "answer-no"), ("Alt-l", "later", "answer-later")];
    if matches!(question.kind, QuestionKind::Meeting { .. }) {
        answers.insert(1, ("Alt-t", "maybe", "answer-maybe"));
    }
    for (key, words, command) in answers {
        let from = x;
        x += c.put(x, y, area.right() - 2 - x, key, c.theme.key) + 1;
        x += c.put(x, y, area.right() - 2 - x, words, c.theme.hint);
        drawn.targets.push((Rect { x: from, y, width: x - from, height: 1 }, Target::Command(command.into())));
        x += 3;
    }
}
