//! The people of a conference, as a third column.

use crate::app::State;
use crate::app::state::Tab;
use crate::domain::conversation::{Participant, Role};
use crate::text::Line;
use crate::ui::canvas::Canvas;
use crate::ui::{presence_style, words};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the column.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, tab: &Tab) {
    let conversation = &tab.conversation;
    let people = &conversation.participants;
    super::super::pane_title(c, area, "In the meeting", c.theme.title);
    let mut y = area.y;
    let me = state.account.address.as_ref().map_or("me", |_| "me");
    row(c, area, y, "", Style::new(), Line::new(me), if conversation.my_role == Some(Role::Leader) { "leads" } else { "" });
    y += 1;
    for p in people.iter().filter(|p| !p.in_lobby) {
        if y >= area.bottom() {
            return;
        }
        person(c, area, y, state, p);
        y += 1;
    }
    let lobby: Vec<&Participant> = people.iter().filter(|p| p.in_lobby).collect();
    if !lobby.is_empty() && y + 1 < area.bottom() {
        c.put(area.x + 1, y + 1, area.width - 2, "In the lobby", c.theme.group);
        y += 2;
        for p in lobby {
            if y >= area.bottom() {
                return;
            }
            person(c, area, y, state, p);
            y += 1;
        }
    }
}

fn person(c: &mut Canvas, area: Rect, y: u16, state: &State, p: &Participant) {
    let presence = state.people.presence.get(&p.uri);
    let class = words::class(presence);
    let sign = presence.map_or("", |_| c.glyphs.presence(class, false));
    let remark = match p {
        _ if p.typing => "typing…",
        _ if p.role == Role::Leader => "leads",
        _ if !p.has_messages && !p.in_lobby => "no IM",
        _ => "",
    };
    let style = presence_style(c.theme, class, false);
    row(c, area, y, sign, style, Line::new(state.name(&p.uri)), remark);
}

fn row(c: &mut Canvas, area: Rect, y: u16, sign: &'static str, style: Style, name: Line, remark: &'static str) {
    c.put(area.x + 1, y, 1, sign, style);
    let mut end = area.right();
    if !remark.is_empty() {
        end = c.put_right(area.right() - 1, y, 8, remark, c.theme.quiet);
    }
    c.put(area.x + 3, y, end.saturating_sub(area.x + 4), &name, Style::new());
}
