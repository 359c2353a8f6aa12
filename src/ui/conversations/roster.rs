//! The people of a conference, as a third column or, where there is none, in place of the transcript.

use crate::app::State;
use crate::app::roster::{Row, rows};
use crate::app::state::Tab;
use crate::app::state::conversations::Part;
use crate::domain::conversation::{Participant, Role};
use crate::endpoint::Feature;
use crate::text::Line;
use crate::ui::canvas::Canvas;
use crate::ui::{Drawn, edit_line, keep_in_sight, presence_style, words};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Cells of what is said beside a name.
const REMARK: u16 = 14;
/// Rows for the sentence that says what a server cannot do.
const WHY_ROWS: u16 = 10;

/// Draws the people into `area`.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, tab: &Tab, drawn: &mut Drawn) {
    let has_keys = state.conversations.part == Part::Roster && state.pane == crate::app::state::Pane::Conversations;
    let conversation = &tab.conversation;
    let mut top = area.y;
    if tab.roster.typing || !tab.roster.query.is_empty() {
        c.put(area.x + 1, top, 1, "/", c.theme.accent);
        let line = Rect { x: area.x + 2, y: top, width: area.width.saturating_sub(3), height: 1 };
        edit_line(c, line, &tab.roster.query, tab.roster.typing && has_keys, drawn);
        top += 1;
    }
    let mine = Rect { y: top, height: 1, ..area };
    let own = own_remark(conversation.my_role, conversation.meeting.muted, conversation.meeting.recording);
    row(c, mine, "", Style::new(), Line::new("me"), own);
    top += 1;
    let all = rows(state, tab);
    let list = Rect { y: top, height: area.bottom().saturating_sub(top), ..area };
    // A heading stands over the lobby and over those invited.
    let mut lines: Vec<Result<&Row<'_>, &'static str>> = Vec::new();
    let mut before = "";
    for r in &all {
        let part = match r {
            Row::Lobby(_) => "In the lobby",
            Row::Inside(_) => "In the meeting",
            Row::Invited(..) => "Invited",
        };
        if part != before && (part != "In the meeting" || before == "In the lobby") {
            lines.push(Err(part));
        }
        before = part;
        lines.push(Ok(r));
    }
    let cursor = tab.roster.cursor.as_ref().filter(|_| has_keys);
    let at = lines.iter().position(|l| matches!(l, Ok(r) if Some(r.uri()) == cursor));
    let first = keep_in_sight(0, at, usize::from(list.height), lines.len());
    for (y, line) in (list.y..list.bottom()).zip(lines.iter().skip(first)) {
        let place = Rect { y, height: 1, ..list };
        match line {
            Err(heading) => {
                c.put(place.x + 1, y, place.width.saturating_sub(2), *heading, c.theme.group);
            }
            Ok(r) => {
                person(c, place, state, r, tab.roster.marks.contains(r.uri()));
                if Some(r.uri()) == cursor {
                    c.restyle(place, c.theme.selection);
                }
            }
        }
    }
    // Below the people, where there is room: what cannot be done with them here.
    let below = list.y.saturating_add(u16::try_from(lines.len()).unwrap_or(u16::MAX)).saturating_add(1);
    if let Some(why) = state.missing(Feature::MeetingControls).filter(|_| below.saturating_add(WHY_ROWS) <= list.bottom()) {
        crate::ui::tell(c, list, list.bottom() - WHY_ROWS, why, c.theme.quiet);
    }
    if all.is_empty() && !tab.roster.query.is_empty() {
        c.put(list.x + 1, list.y, list.width.saturating_sub(2), "Nobody is called so.", c.theme.quiet);
    }
}

fn own_remark(role: Option<Role>, muted: bool, recording: bool) -> String {
    let leads = (role == Some(Role::Leader)).then_some("leads");
    let parts = [leads, muted.then_some("muted"), recording.then_some("records")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn person(c: &mut Canvas, area: Rect, state: &State, r: &Row<'_>, marked: bool) {
    let presence = state.people.presence_of(r.uri());
    let class = words::class(presence);
    let sign = if marked { c.glyphs.wins } else { presence.map_or("", |_| c.glyphs.presence(class, false)) };
    let style = if marked { c.theme.accent } else { presence_style(c.theme, class, false) };
    let remark = match r {
        Row::Invited(_, words) => (*words).to_owned(),
        Row::Lobby(_) => "waits".into(),
        Row::Inside(p) => remark(p),
    };
    row(c, area, sign, style, Line::new(state.name(r.uri())), remark);
}

fn remark(p: &Participant) -> String {
    if p.typing {
        return "typing…".into();
    }
    let parts = [
        (p.role == Role::Leader).then_some("leads"),
        p.muted.then_some("muted"),
        p.recording.then_some("records"),
        (!p.has_messages).then_some("no IM"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn row(c: &mut Canvas, area: Rect, sign: &'static str, style: Style, name: Line, remark: String) {
    c.put(area.x + 1, area.y, 1, sign, style);
    let mut end = area.right();
    if !remark.is_empty() {
        // The name comes first; the remark has what is left, and a few cells in any case.
        let wanted = c.width(name.clone()).saturating_add(5);
        let room = area.width.saturating_sub(wanted).max(REMARK.min(area.width.saturating_sub(12)));
        end = c.put_right(area.right() - 1, area.y, room, Line::new(&remark), c.theme.quiet);
    }
    c.put(area.x + 3, area.y, end.saturating_sub(area.x + 4), &name, Style::new());
}
