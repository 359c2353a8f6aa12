//! Reading a conversation.

use super::Command;
use crate::app::door::Door;
use crate::app::effect::Effect;
use crate::app::keymap::Mode;
use crate::app::state::conversations::Search;
use crate::app::state::overlay::{Choice, Overlay, Picker};
use crate::app::{recall, scroll, sending, tabs};

const HERE: &[Mode] = &[Mode::Transcript];

pub const COMMANDS: &[Command] = &[
    Command::new("composer", "Back to writing", HERE, |d, _| {
        scroll::write(d.state);
        tabs::seen(d);
        Ok(())
    })
    .when(super::in_tab),
    Command::new("search-here", "Search in this conversation", HERE, |d, _| {
        if let Some(tab) = d.state.conversations.current_mut() {
            tab.search = Some(Search { typing: true, ..Search::default() });
        }
        Ok(())
    })
    .when(super::in_tab),
    Command::new("search-older", "To the next older hit", HERE, |d, _| scroll::find(d.state, true)),
    Command::new("search-newer", "To the next newer hit", HERE, |d, _| scroll::find(d.state, false)),
    Command::new("open-link", "Open the link in this message", HERE, |d, _| open(d)),
    Command::new("message-details", "What became of this message, and who has it", HERE, |d, _| recall::show_details(d))
        .typed("details", super::Arg::None)
        .when(super::in_tab),
    Command::new("search-everything", "Search in all conversations", HERE, |d, _| recall::ask_search(d)),
    Command::new("go-to-day", "Go to a day of this conversation", HERE, |d, a| match a.trim() {
        "" => recall::ask_day(d),
        words => recall::go_to_day(d, words),
    })
    .typed("day", super::Arg::Words("day", false))
    .when(super::in_tab),
    Command::new("delete-history", "Delete what was written in this conversation, for good", HERE, |d, _| {
        recall::delete_history(d)
    })
    .typed("delete-history", super::Arg::None)
    .when(super::in_tab),
    Command::new("quote", "Answer with a quotation", HERE, |d, _| scroll::quote(d.state)),
    Command::new("retry", "Send this failed message again", HERE, |d, _| retry(d)).typed("retry", super::Arg::None),
];

fn open(door: &mut Door<'_>) -> Result<(), String> {
    let mut links = scroll::links(door.state);
    match links.len() {
        0 => Err("there is no link in this message".into()),
        1 => {
            door.effects.push(Effect::OpenUrl(links.remove(0)));
            Ok(())
        }
        _ => {
            let rows = links.iter().map(|l| (l.clone(), String::new())).collect();
            let choices = links.into_iter().map(Choice::Open).collect();
            door.state.overlays.push(Overlay::Picker(Picker { title: "Open".into(), rows, at: 0, choices }));
            Ok(())
        }
    }
}

/// The failed message under the cursor; while writing, the last failed one.
fn retry(door: &mut Door<'_>) -> Result<(), String> {
    use crate::domain::conversation::Delivery;
    let at = door.state.conversations.at;
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let failed = |id: &crate::domain::conversation::MessageId| {
        tab.entries.iter().any(|e| e.id() == id && e.message().is_some_and(|m| matches!(m.state, Delivery::Failed(_))))
    };
    let last = || tab.entries.iter().rev().map(|e| e.id()).find(|id| failed(id)).cloned();
    let id = tab.cursor.clone().filter(|id| failed(id)).or_else(last).ok_or("no message here has failed")?;
    sending::retry(door, at, &id)
}
