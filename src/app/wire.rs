//! The Wire pane's log file.

use super::state::State;

/// All records the filter lets through, as text; secrets were masked when they were recorded.
pub fn export(state: &State) -> String {
    let mut out = String::new();
    for r in state.wire.shown() {
        let at = r.at.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let arrow = if r.sent { ">>>" } else { "<<<" };
        out.push_str(&format!("{at} {arrow} {} octets\n{}\n\n", r.size, r.text.replace("\r\n", "\n").trim_end()));
    }
    out
}
