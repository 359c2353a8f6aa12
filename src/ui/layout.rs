//! Where everything stands.

use crate::app::State;
use crate::app::state::{Layout, Pane};
use ratatui::layout::Rect;

/// Columns of the People pane, borders included.
const PEOPLE_WIDE: u16 = 34;
const PEOPLE_NORMAL: u16 = 26;
/// Columns of the roster or card beside the pane in use, its own border included.
const THIRD: u16 = 28;

/// The areas of one screen; empty ones are not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// Status line.
    pub status: Rect,
    /// Frame around everything between status and hint line.
    pub body: Rect,
    /// Inside of the People pane.
    pub people: Rect,
    /// Inside of the pane in use.
    pub main: Rect,
    /// Inside of the third column.
    pub third: Rect,
    /// The toast row.
    pub toast: Rect,
    /// Hint line.
    pub hints: Rect,
}

impl Areas {
    /// The areas for a screen.
    pub fn of(state: &State, screen: Rect) -> Areas {
        let row = |y: u16| Rect { y, height: 1, ..screen };
        let body = Rect { y: screen.y + 1, height: screen.height.saturating_sub(2), ..screen };
        let inside =
            Rect { x: body.x + 1, y: body.y + 1, width: body.width.saturating_sub(2), height: body.height.saturating_sub(2) };
        let mut areas = Areas {
            status: row(screen.y),
            hints: row(screen.bottom().saturating_sub(1)),
            toast: row(screen.bottom().saturating_sub(2)),
            body,
            main: inside,
            ..Areas::default()
        };
        let people = match state.view.layout() {
            Layout::Wide => PEOPLE_WIDE,
            Layout::Normal => PEOPLE_NORMAL,
            Layout::Narrow if state.pane == Pane::People => {
                areas.people = inside;
                areas.main = Rect::default();
                return areas;
            }
            Layout::Narrow | Layout::TooSmall => return areas,
        };
        areas.people = Rect { width: people - 2, ..inside };
        areas.main = Rect { x: people, width: body.right() - 1 - people, ..inside };
        if state.view.layout() == Layout::Wide && wants_third(state) {
            areas.main.width -= THIRD;
            areas.third = Rect { x: areas.main.right() + 1, width: THIRD - 1, ..inside };
        }
        areas
    }
}

/// Whether a roster or card stands beside the conversation.
fn wants_third(state: &State) -> bool {
    state.view.third_column && state.main == Pane::Conversations && state.conversations.current().is_some()
}
