//! The Wire pane.

use super::Command;
use crate::app::door::Door;
use crate::app::keymap::Mode;
use crate::app::state::overlay::Ask;

const HERE: &[Mode] = &[Mode::Wire];

pub const COMMANDS: &[Command] = &[
    Command::new("open-record", "Show this message in full", HERE, |d, _| {
        let number = d.state.wire.selected().map(|r| r.number).ok_or("there is no message yet")?;
        // An opened message stays the same one while others arrive.
        (d.state.wire.selection, d.state.wire.open) = (Some(number), Some(0));
        Ok(())
    }),
    Command::new("pause-wire", "Pause or go on", HERE, |d, _| {
        let wire = &mut d.state.wire;
        (wire.paused, wire.missed) = (!wire.paused, 0);
        Ok(())
    }),
    Command::new("save-wire", "Save what the filter lets through", HERE, |d, _| {
        let stamp = d.now.timestamp().to_zoned(d.state.view.zone.clone()).strftime("%Y%m%d-%H%M").to_string();
        super::dialog::ask_file(d, Ask::SaveWire, "Save the wire log", &format!("adsum-wire-{stamp}.log"));
        door_has_records(d)
    }),
];

fn door_has_records(door: &mut Door<'_>) -> Result<(), String> {
    if door.state.wire.shown().next().is_some() {
        return Ok(());
    }
    door.state.overlays.pop();
    Err("there is nothing to save".into())
}
