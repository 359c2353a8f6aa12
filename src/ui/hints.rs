//! The keys that work now, for the hint line.

use crate::app::State;
use crate::app::state::conversations::Part;
use crate::app::state::{Layout, Overlay, Pane};

/// Keys and words for the place that has the keys.
pub fn hints(state: &State) -> Vec<(String, String)> {
    let pairs: &[(&str, &str)] = match state.overlays.last() {
        Some(o) => overlay(o),
        None => pane(state),
    };
    pairs.iter().map(|(k, w)| ((*k).to_owned(), (*w).to_owned())).collect()
}

fn overlay(o: &Overlay) -> &'static [(&'static str, &'static str)] {
    match o {
        Overlay::Palette(_) => &[("Enter", "go"), ("↑ ↓", "choose"), ("Esc", "close")],
        Overlay::Help(_) | Overlay::Card { .. } | Overlay::Details { .. } => &[("j k", "scroll"), ("Esc", "close")],
        Overlay::Confirm(_) => &[("y", "yes"), ("n Esc", "no")],
        Overlay::Prompt(_) => &[("Enter", "done"), ("↑ ↓", "choose"), ("Esc", "leave")],
        Overlay::Picker(_) => &[("Enter", "choose"), ("j k", "move"), ("Esc", "leave")],
    }
}

fn pane(state: &State) -> &'static [(&'static str, &'static str)] {
    let main = if state.view.layout() == Layout::Narrow { state.pane } else { state.main };
    match state.pane {
        Pane::People if state.people.filtering => &[("Enter", "keep"), ("Esc", "show all"), ("↑ ↓", "choose")],
        Pane::People => &[
            ("Enter", "message"),
            ("/", "filter"),
            ("a", "add"),
            ("i", "card"),
            ("Space", "mark"),
            ("m", "move"),
            ("D", "delete"),
            ("n", "new group"),
            ("Ctrl-K", "go to"),
            ("F1", "help"),
        ],
        Pane::Conversations if main == Pane::Conversations && state.conversations.part == Part::Transcript => &[
            ("j k", "move"),
            ("PgUp PgDn", "page"),
            ("/", "search"),
            ("v", "mark"),
            ("y", "copy"),
            ("r", "quote"),
            ("Esc", "write"),
            ("F1", "help"),
        ],
        Pane::Conversations => &[
            ("Enter", "send"),
            ("Alt-Enter", "new line"),
            ("Tab", "complete"),
            ("Esc", "transcript"),
            ("Alt-a", "next unread"),
            ("Ctrl-K", "go to"),
            ("F1", "help"),
        ],
        Pane::Meetings if state.meetings.form.is_some() => {
            &[("Tab", "next field"), ("← →", "choose"), ("Ctrl-S", "save"), ("Esc", "leave"), ("F1", "help")]
        }
        Pane::Meetings => &[
            ("Enter", "details"),
            ("j", "join"),
            ("n", "new"),
            ("e", "edit"),
            ("x", "cancel"),
            ("y", "copy invitation"),
            ("Ctrl-K", "go to"),
            ("F1", "help"),
        ],
        Pane::Me => &[("Tab", "next field"), ("← →", "choose"), ("Ctrl-S", "publish"), ("Alt-s", "quick status"), ("F1", "help")],
        Pane::Wire => {
            &[("Enter", "open"), ("/", "filter"), ("Space", "pause"), ("w", "save"), ("Ctrl-K", "go to"), ("F1", "help")]
        }
    }
}
