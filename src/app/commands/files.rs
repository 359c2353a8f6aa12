//! Files from person to person.

use super::{Arg, Command};
use crate::app::files;
use crate::app::keymap::Mode;

const NOWHERE: &[Mode] = &[];
const READING: &[Mode] = &[Mode::Transcript];

pub const COMMANDS: &[Command] = &[
    Command::new("send-file", "Send a file to the other person", NOWHERE, files::send)
        .typed("send", Arg::File(true))
        .when(files::possible),
    Command::new("accept-file", "Take the file that is offered", READING, |d, _| {
        let id = files::chosen(d.state, |t| !t.outgoing && t.state == crate::domain::file::TransferState::Offered);
        files::accept(d, id.ok_or("no file is offered here")?);
        Ok(())
    })
    .typed("accept", Arg::None)
    .when(super::in_tab),
    Command::new("cancel-file", "Decline the offered file, or break a transfer off", READING, |d, _| {
        let id = files::chosen(d.state, |t| !t.state.is_over());
        files::end(d, id.ok_or("no file is on its way here")?);
        Ok(())
    })
    .typed("cancel", Arg::None)
    .when(super::in_tab),
];
