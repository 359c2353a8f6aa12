//! Recording a meeting: what is written goes into a file, and everybody in the meeting is told while it does.

use super::commands::roster::{change, recorded};
use super::door::Door;
use super::effect::Effect;
use super::meetings::file_name;
use crate::domain::conversation::MeetingChange;

/// Begins to record, or stops and writes the file.
pub fn toggle(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let title = door.state.title(tab);
    match tab.recording.clone() {
        None => {
            let path = match args.trim() {
                "" => format!("{}-{}.txt", file_name(&title), door.now.timestamp().strftime("%Y%m%d-%H%M")),
                path => path.to_owned(),
            };
            let from = tab.entries.len();
            let done = format!("Recording; everybody is told. Again: stop and write {path}");
            if let Some(t) = door.state.conversations.current_mut() {
                t.recording = Some((path, from));
            }
            change(door, "Recording", &done, MeetingChange { recording: Some(true), ..MeetingChange::default() })
        }
        Some((path, from)) => {
            let contents = recorded(door.state, from);
            if let Some(t) = door.state.conversations.current_mut() {
                t.recording = None;
            }
            door.effects.push(Effect::WriteFile { path, contents });
            change(door, "Ending the recording", "", MeetingChange { recording: Some(false), ..MeetingChange::default() })
        }
    }
}
