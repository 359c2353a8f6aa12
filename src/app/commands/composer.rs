//! Writing a message.

use super::Command;
use crate::app::Editor;
use crate::app::door::Door;
use crate::app::effect::Effect;
use crate::app::keymap::Mode;
use crate::app::{completion, scroll, sending, typing};

const HERE: &[Mode] = &[Mode::Composer];
const VI: &[Mode] = &[Mode::Vi];

pub const COMMANDS: &[Command] = &[
    Command::new("send", "Send", HERE, |d, _| sending::send(d)),
    Command::new("new-line", "New line", HERE, |d, _| {
        typing::with_editor(d, |e| e.insert_char('\n'));
        Ok(())
    }),
    Command::new("recall-up", "Line up; in the first line, what was sent before", HERE, |d, _| {
        recall(d, true);
        Ok(())
    }),
    Command::new("recall-down", "Line down; while recalling, what was sent after", HERE, |d, _| {
        recall(d, false);
        Ok(())
    }),
    Command::new("complete", "Complete a name, an :emoji:, a command or a file", HERE, |d, _| completion::complete(d, 1)),
    Command::new("complete-back", "The completion before", HERE, |d, _| completion::complete(d, -1)),
    Command::new(
        "transcript",
        "Read the conversation (with vi's keys: first to normal mode)",
        &[Mode::Composer, Mode::Vi],
        |d, _| {
            if d.state.options.vi && d.state.mode() == Mode::Composer {
                d.state.conversations.normal = true;
                typing::with_editor(d, |e| e.left_in_line());
            } else {
                scroll::read(d.state);
            }
            Ok(())
        },
    ),
    Command::new("vi-insert", "Write before the cursor", VI, |d, _| vi(d, |_| {})),
    Command::new("vi-append", "Write after the cursor", VI, |d, _| vi(d, Editor::right)),
    Command::new("vi-insert-start", "Write at the start of the line", VI, |d, _| vi(d, Editor::home)),
    Command::new("vi-append-end", "Write at the end of the line", VI, |d, _| vi(d, Editor::end)),
    Command::new("vi-open", "Write in a new line below", VI, |d, _| {
        vi(d, |e| {
            e.end();
            e.insert_char('\n');
        })
    }),
    Command::new("vi-change-to-end", "Replace the rest of the line", VI, |d, _| vi(d, Editor::kill_to_end)),
    Command::new("vi-change-line", "Replace the line", VI, |d, _| {
        vi(d, |e| {
            e.end();
            e.kill_to_start();
        })
    }),
    Command::new("vi-delete-line", "Cut the line", VI, |d, _| {
        typing::with_editor(d, Editor::kill_line);
        Ok(())
    }),
    Command::new("external-editor", "Write with $EDITOR", HERE, |d, _| {
        let text = d.state.conversations.current().map(|t| t.composer.text().to_owned()).unwrap_or_default();
        d.effects.push(Effect::EditExternally(text));
        Ok(())
    })
    .when(super::in_tab),
];

/// Moves or cuts, then goes back to writing.
fn vi(door: &mut Door<'_>, change: impl FnOnce(&mut Editor)) -> Result<(), String> {
    typing::with_editor(door, change);
    door.state.conversations.normal = false;
    Ok(())
}

fn recall(door: &mut Door<'_>, up: bool) {
    let Some(tab) = door.state.conversations.current_mut() else { return };
    let moved = if up { tab.recall.is_none() && tab.composer.up() } else { tab.recall.is_none() && tab.composer.down() };
    if moved || tab.sent.is_empty() || (tab.recall.is_none() && (!up || !tab.composer.is_empty())) {
        return;
    }
    let next = match (tab.recall, up) {
        (None, _) => Some(tab.sent.len() - 1),
        (Some(i), true) => Some(i.saturating_sub(1)),
        (Some(i), false) => Some(i + 1).filter(|i| *i < tab.sent.len()),
    };
    let text = next.and_then(|i| tab.sent.get(i)).cloned().unwrap_or_default();
    tab.composer.set(text);
    tab.recall = next;
}
