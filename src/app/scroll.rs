//! The transcript: moving, searching, marking, quoting, links.

use super::commands::Step;
use super::door::Door;
use super::effect::StoreRequest;
use super::limits::{GO_TO_PAGE, HISTORY_PAGE, LOOKED_BACK};
use super::state::conversations::Part;
use super::state::view::Metrics;
use super::state::{Entry, Scroll, State, Tab};
use super::tabs;
use crate::domain::conversation::{InstantMessage, MessageId};
use crate::text::Text;

/// More rows than a transcript has.
const FAR: i64 = 1 << 32;

/// Moves in the transcript of the shown tab: the cursor while reading, the window while writing.
pub fn step(door: &mut Door<'_>, step: Step) {
    let reading = door.state.conversations.part == Part::Transcript;
    let metrics = door.state.view.metrics.clone();
    let Some(tab) = door.state.conversations.current_mut() else { return };
    match step {
        Step::By(n) if reading && sticks_out(tab, n, &metrics) => move_window(tab, -n, metrics.transcript_bottom.as_ref()),
        Step::By(n) if reading => move_cursor(tab, n, metrics.last_visible.as_ref()),
        Step::By(n) => move_window(tab, -n, metrics.transcript_bottom.as_ref()),
        Step::Page(n) => {
            tab.cursor = None;
            let page = i64::from(metrics.transcript_rows.max(3)) - 2;
            move_window(tab, -n * page, metrics.transcript_bottom.as_ref());
        }
        Step::First => {
            tab.cursor = tab.entries.first().map(|e| e.id().clone());
            tab.scroll = Scroll { anchor: tab.cursor.clone(), up: FAR };
        }
        Step::Last => {
            tab.cursor = tab.entries.last().filter(|_| reading).map(|e| e.id().clone());
            follow(tab);
        }
    }
    let upwards = matches!(step, Step::First | Step::By(i64::MIN..=-1) | Step::Page(i64::MIN..=-1));
    if upwards && (metrics.at_top || step == Step::First || at_first(tab)) {
        fetch_older(door);
    }
    tabs::seen(door);
}

/// Whether the message under the cursor goes on beyond the edge of the window that lies that way.
fn sticks_out(tab: &Tab, by: i64, metrics: &Metrics) -> bool {
    let at = |id: &Option<MessageId>| tab.cursor.is_some() && tab.cursor == *id;
    match by {
        i64::MIN..0 => at(&metrics.first_visible) && metrics.first_cut,
        _ => at(&metrics.last_visible) && metrics.transcript_bottom.as_ref().is_some_and(|b| b.up > 0),
    }
}

fn at_first(tab: &Tab) -> bool {
    tab.cursor.is_some() && tab.cursor.as_ref() == tab.entries.first().map(Entry::id)
}

fn follow(tab: &mut Tab) {
    (tab.scroll, tab.new_below) = (Scroll::default(), 0);
}

/// Moves the window up by rows (negative: down). The screen clamps it and reports the true position back.
fn move_window(tab: &mut Tab, up: i64, bottom: Option<&Scroll>) {
    if tab.scroll.anchor.is_none() {
        if up <= 0 {
            return;
        }
        // While the end is followed, rows below it may be free; they count as rows passed.
        let last = tab.entries.last().map(|e| e.id().clone());
        let free = bottom.filter(|b| b.anchor == last).map_or(0, |b| b.up.min(0));
        tab.scroll = Scroll { anchor: last, up: (free + up).max(1) };
        return;
    }
    tab.scroll.up += up;
    let at_end = tab.scroll.anchor.as_ref() == tab.entries.last().map(Entry::id);
    if tab.scroll.up <= 0 && at_end {
        follow(tab);
    }
}

fn move_cursor(tab: &mut Tab, by: i64, last_visible: Option<&MessageId>) {
    let len = tab.entries.len();
    let at = |id: &MessageId| tab.entries.iter().rposition(|e| e.id() == id);
    let to = match tab.cursor.as_ref().and_then(at) {
        Some(i) => Step::By(by).apply(i, len, 1),
        None => last_visible.and_then(at).unwrap_or(len.saturating_sub(1)),
    };
    tab.cursor = tab.entries.get(to).map(|e| e.id().clone());
    if to + 1 == len {
        follow(tab);
    } else if tab.scroll.anchor.is_none() {
        // From now on the window stays; the screen moves it when the cursor would leave it.
        tab.scroll = Scroll { anchor: tab.entries.last().map(|e| e.id().clone()), up: 0 };
    }
}

/// Fetches the page before the oldest loaded message.
pub fn fetch_older(door: &mut Door<'_>) {
    let Some(tab) = door.state.conversations.current_mut() else { return };
    if !tab.more_history || tab.loading || tab.entries.len() >= LOOKED_BACK {
        return;
    }
    tab.loading = true;
    let before = tab.entries.iter().find(|e| e.message().is_some()).map(Entry::at);
    let thread = tab.thread.key();
    door.store(StoreRequest::LoadHistory { thread, before, limit: HISTORY_PAGE });
}

/// Fetches what lies between the oldest loaded message and the one to go to, and goes there once it is here: a transcript
/// has no holes.
pub fn go_on(door: &mut Door<'_>, at: usize) {
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    let Some(wanted) = tab.go_to else { return };
    if tab.scroll.anchor.is_none() {
        // From now on the window stays, and nothing is dropped from the front.
        tab.scroll = Scroll { anchor: tab.entries.last().map(|e| e.id().clone()), up: 0 };
    }
    let oldest = tab.entries.iter().find(|e| e.message().is_some()).map(Entry::at);
    let reached = oldest.is_some_and(|t| t <= wanted);
    if !reached && tab.loading {
        return;
    }
    let far = tab.entries.len() >= LOOKED_BACK;
    if !reached && tab.more_history && !far {
        tab.loading = true;
        let thread = tab.thread.key();
        return door.store(StoreRequest::LoadHistory { thread, before: oldest, limit: GO_TO_PAGE });
    }
    tab.go_to = None;
    if !reached && tab.more_history {
        return door.complain("this lies too far back to be shown; /export writes the whole conversation into a file");
    }
    tab.cursor = tab.entries.iter().find(|e| e.at() >= wanted).map(|e| e.id().clone());
    if tab.cursor.is_none() {
        door.complain("nothing was written here since then");
    }
}

/// Goes to reading: the cursor stands on the last message in sight.
pub fn read(state: &mut State) {
    let last = state.view.metrics.last_visible.clone();
    state.conversations.part = Part::Transcript;
    if let Some(tab) = state.conversations.current_mut() {
        let known = last.filter(|id| tab.entries.iter().any(|e| e.id() == id));
        tab.cursor = known.or_else(|| tab.entries.last().map(|e| e.id().clone()));
    }
}

/// Goes back to writing: at the end of the transcript.
pub fn write(state: &mut State) {
    state.conversations.part = Part::Composer;
    if let Some(tab) = state.conversations.current_mut() {
        (tab.cursor, tab.search, tab.go_to) = (None, None, None);
        tab.marks.clear();
        follow(tab);
    }
}

/// Marks or unmarks the message under the cursor and goes one down.
pub fn mark(state: &mut State) {
    let Some(tab) = state.conversations.current_mut() else { return };
    let Some(id) = tab.cursor.clone() else { return };
    if !tab.marks.remove(&id) {
        tab.marks.insert(id);
    }
    move_cursor(tab, 1, None);
}

/// The marked messages, or the one under the cursor.
fn chosen(tab: &Tab) -> Vec<&Entry> {
    let marked: Vec<&Entry> = tab.entries.iter().filter(|e| tab.marks.contains(e.id())).collect();
    if marked.is_empty() { tab.entries.iter().filter(|e| Some(e.id()) == tab.cursor.as_ref()).collect() } else { marked }
}

/// A message's text without markup and control codes.
pub fn plain(message: &InstantMessage) -> String {
    Text::message(&message.body, message.format).as_str().to_owned()
}

/// What `copy` takes: the bare text of one message, or lines with time and name of several.
pub fn text_to_copy(state: &State) -> Option<String> {
    let tab = state.conversations.current()?;
    let entries = chosen(tab);
    if let [Entry::Message { message, .. }] = entries.as_slice() {
        return Some(plain(message));
    }
    let lines: Vec<String> = entries.iter().map(|e| line(state, e)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn line(state: &State, entry: &Entry) -> String {
    let at = entry.at().timestamp().to_zoned(state.view.zone.clone()).strftime("%H:%M").to_string();
    match entry {
        Entry::Message { message, .. } => format!("{at} {}: {}", super::alone::writer(state, message), plain(message)),
        Entry::Notice { text, .. } => format!("{at} {text}"),
        Entry::Transfer { transfer, .. } => format!("{at} {}", super::files::plain(state, transfer)),
    }
}

/// Puts the chosen messages into the composer as a quotation.
pub fn quote(state: &mut State) -> Result<(), String> {
    let tab = state.conversations.current().ok_or("no conversation is open")?;
    let mut text = String::new();
    for e in chosen(tab) {
        if let Entry::Message { message, .. } = e {
            let name = state.name(&message.author);
            for (i, l) in plain(message).lines().enumerate() {
                text.push_str(&if i == 0 { format!("> {name}: {l}\n") } else { format!("> {l}\n") });
            }
        }
    }
    if text.is_empty() {
        return Err("no message is chosen".into());
    }
    write(state);
    if let Some(tab) = state.conversations.current_mut() {
        tab.composer.start();
        tab.composer.insert(&text);
        tab.composer.finish();
    }
    Ok(())
}

/// The links of the chosen messages, in order, each once.
pub fn links(state: &State) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let messages = state.conversations.current().map(chosen).unwrap_or_default().into_iter().filter_map(Entry::message);
    for text in messages.map(plain) {
        for link in text.lines().flat_map(crate::text::links::links) {
            if openable(&link.target) && !out.contains(&link.target) {
                out.push(link.target);
            }
        }
    }
    out
}

/// Only links of well-known kinds are handed to the opener.
pub fn openable(url: &str) -> bool {
    let low = url.to_ascii_lowercase();
    let known = ["http://", "https://", "mailto:", "sip:", "sips:", "tel:"].iter().any(|s| low.starts_with(s));
    known && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// Enter in the search line: to the newest hit, keys back to the transcript.
pub fn search_typed(door: &mut Door<'_>) {
    if let Some(s) = door.state.conversations.current_mut().and_then(|t| t.search.as_mut()) {
        s.typing = false;
    }
    if let Some(tab) = door.state.conversations.current_mut() {
        tab.cursor = None;
    }
    if let Err(reason) = find(door.state, true) {
        door.complain(reason);
    }
}

/// Moves the cursor to the next hit, older or newer.
pub fn find(state: &mut State, older: bool) -> Result<(), String> {
    let tab = state.conversations.current_mut().ok_or("no conversation is open")?;
    let query = tab
        .search
        .as_ref()
        .map(|s| s.query.text().to_lowercase())
        .filter(|q| !q.is_empty())
        .ok_or("nothing is searched; / searches here")?;
    let at = tab.cursor.as_ref().and_then(|id| tab.entries.iter().position(|e| e.id() == id));
    let hit = |e: &&Entry| e.message().is_some_and(|m| plain(m).to_lowercase().contains(&query));
    let found = match (at, older) {
        (None, _) => tab.entries.iter().rev().find(hit),
        (Some(i), true) => tab.entries.iter().take(i).rev().find(hit),
        (Some(i), false) => tab.entries.iter().skip(i + 1).find(hit),
    };
    let id = found.map(|e| e.id().clone());
    match id {
        Some(id) => {
            if tab.scroll.anchor.is_none() {
                tab.scroll.anchor = tab.entries.last().map(|e| e.id().clone());
            }
            tab.cursor = Some(id);
            Ok(())
        }
        None => Err(format!("no {} message here contains “{query}”", if older { "older" } else { "newer" })),
    }
}
