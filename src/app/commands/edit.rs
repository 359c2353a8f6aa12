//! Keys of every line of text.

use super::Command;
use crate::app::Editor;
use crate::app::door::Door;
use crate::app::keymap::Mode;

const HERE: &[Mode] = &[Mode::Edit];

pub const COMMANDS: &[Command] = &[
    Command::new("cursor-left", "One character left", HERE, |d, _| sideways(d, -1)),
    Command::new("cursor-right", "One character right", HERE, |d, _| sideways(d, 1)),
    Command::new("word-left", "One word left", HERE, |d, _| edit(d, Editor::word_left)),
    Command::new("word-right", "One word right", HERE, |d, _| edit(d, Editor::word_right)),
    Command::new("line-start", "To the start of the line", HERE, |d, _| edit(d, Editor::home)),
    Command::new("line-end", "To the end of the line", HERE, |d, _| edit(d, Editor::end)),
    Command::new("delete-back", "Delete the character before the cursor", HERE, |d, _| edit(d, Editor::backspace)),
    Command::new("delete-forward", "Delete the character under the cursor", HERE, |d, _| edit(d, Editor::delete_forward)),
    Command::new("kill-word-back", "Cut the word before the cursor", HERE, |d, _| edit(d, Editor::kill_word_left)),
    Command::new("kill-word-forward", "Cut the word after the cursor", HERE, |d, _| edit(d, Editor::kill_word_right)),
    Command::new("kill-to-start", "Cut to the start of the line", HERE, |d, _| edit(d, Editor::kill_to_start)),
    Command::new("kill-to-end", "Cut to the end of the line", HERE, |d, _| edit(d, Editor::kill_to_end)),
    Command::new("yank", "Insert what was cut last", HERE, |d, _| edit(d, Editor::yank)),
    Command::new("transpose", "Swap two characters", HERE, |d, _| edit(d, Editor::transpose)),
    Command::new("undo-edit", "Take the last edit back", HERE, |d, _| edit(d, Editor::undo)),
];

/// Left and right: in a choice field through the choices, elsewhere one character.
fn sideways(door: &mut Door<'_>, by: isize) -> Result<(), String> {
    if door.state.mode() == Mode::Form && crate::app::form::choose(door, by) {
        return Ok(());
    }
    edit(door, if by < 0 { Editor::left } else { Editor::right })
}

fn edit(door: &mut Door<'_>, change: fn(&mut Editor)) -> Result<(), String> {
    crate::app::typing::with_editor(door, change);
    Ok(())
}
