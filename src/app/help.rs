//! Help and hints, made from the live keymap and the registry.

use super::commands;
use super::keymap::{Found, Mode};
use super::state::State;
use super::state::own::Section;

/// Sections of the help: the present place first, then what works anywhere, then slash commands, then other places.
pub fn sections(state: &State) -> Vec<(String, Vec<(String, String)>)> {
    let here = state.mode();
    let mut order = vec![here];
    if here.takes_text() {
        order.push(Mode::Edit);
    }
    order.push(Mode::Anywhere);
    let mut out: Vec<_> = order.iter().map(|m| (title(*m), rows(state, *m))).collect();
    let slashes = commands::all()
        .filter_map(|c| Some((format!("/{} {}", c.slash?, c.args.usage()).trim_end().to_owned(), c.help.to_owned())));
    out.push(("In the composer".into(), slashes.collect()));
    let others = [
        Mode::People,
        Mode::Transcript,
        Mode::Roster,
        Mode::Composer,
        Mode::Meetings,
        Mode::Form,
        Mode::Me,
        Mode::MeList,
        Mode::Wire,
        Mode::Edit,
    ];
    out.extend(others.into_iter().filter(|m| !order.contains(m)).map(|m| (title(m), rows(state, m))));
    out.retain(|(_, rows)| !rows.is_empty());
    out
}

fn title(mode: Mode) -> String {
    match mode {
        Mode::Anywhere => "Anywhere",
        Mode::People => "People",
        Mode::Transcript => "Reading a conversation",
        Mode::Roster => "The people of a meeting",
        Mode::Composer => "Writing",
        Mode::Vi => "Writing, normal mode",
        Mode::Meetings => "Meetings",
        Mode::Form => "Forms",
        Mode::Me => "Me",
        Mode::MeList => "Me: containers, watchers, view as, why",
        Mode::Wire => "Wire",
        Mode::Dialog => "Dialogs",
        Mode::Line => "Lines",
        Mode::Edit => "Every line of text",
    }
    .into()
}

/// One row a command: all its keys, and what it does; in the order of the registry.
fn rows(state: &State, mode: Mode) -> Vec<(String, String)> {
    let bindings = state.keymap.bindings(mode);
    let of = |name: &str| bindings.iter().filter(|b| b.1 == name).map(|b| b.0.as_str()).collect::<Vec<_>>().join("  ");
    let row = |c: &commands::Command| {
        let keys = of(c.name);
        (!keys.is_empty()).then(|| (keys, c.help.to_owned()))
    };
    commands::all().filter_map(row).collect()
}

/// Commands the hint line names in a place, most wanted first, with short words.
fn wanted(state: &State) -> &'static [(&'static str, &'static str)] {
    use super::state::Overlay;
    match state.mode() {
        Mode::People if !state.people.marks.is_empty() => {
            &[("message", "write to all marked"), ("mark", "mark"), ("clear", "unmark"), ("help", "help")]
        }
        Mode::People | Mode::Me if state.account.application || state.account.guest.is_some() => {
            &[("palette", "go to"), ("help", "help")]
        }
        Mode::People => &[
            ("message", "message"),
            ("add-contact", "add"),
            ("filter", "filter"),
            ("mark", "mark"),
            ("card", "card"),
            ("move-to-group", "move"),
            ("sort", "sort"),
            ("next-unread", "next unread"),
            ("palette", "go to"),
            ("help", "help"),
        ],
        Mode::Transcript | Mode::Composer if state.conversations.current().is_none() => {
            &[("palette", "go to"), ("people", "people"), ("help", "help")]
        }
        Mode::Composer => &[
            ("send", "send"),
            ("new-line", "new line"),
            ("complete", "complete"),
            ("transcript", "transcript"),
            ("next-unread", "next unread"),
            ("palette", "go to"),
            ("help", "help"),
        ],
        Mode::Vi => {
            &[("vi-insert", "write"), ("send", "send"), ("transcript", "transcript"), ("palette", "go to"), ("help", "help")]
        }
        Mode::Transcript => &[
            ("composer", "write"),
            ("search-here", "search"),
            ("quote", "quote"),
            ("copy", "copy"),
            ("mark", "mark"),
            ("open-link", "open link"),
            ("retry", "send again"),
            ("help", "help"),
        ],
        Mode::Roster => &[
            ("admit", "admit"),
            ("deny", "deny"),
            ("toggle-role", "leader"),
            ("toggle-mute", "mute"),
            ("eject-here", "remove"),
            ("toggle-lock", "lock"),
            ("mark", "mark"),
            ("roster-message", "write"),
            ("write-privately", "write within"),
            ("invite-here", "invite"),
            ("call-in", "call in"),
            ("access", "who gets in"),
            ("mute-all", "mute all"),
            ("roster-leave", "back"),
            ("help", "help"),
        ],
        Mode::Meetings => &[
            ("open-meeting", "details"),
            ("answer-meeting", "answer"),
            ("new-meeting", "new"),
            ("edit-meeting", "edit"),
            ("join-meeting", "join"),
            ("cancel-meeting", "cancel"),
            ("copy-invitation", "copy invitation"),
            ("write-invitation", "write .ics"),
            ("read-invitation", "read .ics"),
            ("who-gets-in", "who gets in"),
            ("help", "help"),
        ],
        Mode::Form => &[
            ("next-field", "next field"),
            ("save", "save"),
            ("who-gets-in", "who gets in"),
            ("leave-form", "leave"),
            ("help", "help"),
        ],
        Mode::Me if state.own.form.fields.is_empty() => {
            &[("me-containers", "containers"), ("me-watchers", "watchers"), ("me-why", "why"), ("help", "help")]
        }
        Mode::Me => &[
            ("enter-field", "edit"),
            ("toggle-field", "choose"),
            ("save", "publish"),
            ("revert-form", "undo"),
            ("reset-status", "reset status"),
            ("view-as", "view as"),
            ("me-containers", "containers"),
            ("me-watchers", "watchers"),
            ("me-why", "why"),
            ("help", "help"),
        ],
        Mode::MeList => match state.own.section {
            Section::Access => &[
                ("open-line", "change"),
                ("add-member", "add"),
                ("remove-line", "take out"),
                ("new-container", "new"),
                ("privacy-mode", "privacy"),
                ("view-as", "view as"),
                ("toggle-preview", "dry run"),
                ("leave-section", "back"),
                ("help", "help"),
            ],
            Section::Watchers => &[
                ("open-line", "answer, level"),
                ("privacy-level", "level"),
                ("block", "block"),
                ("view-as", "view as"),
                ("leave-section", "back"),
                ("help", "help"),
            ],
            Section::View => &[
                ("view-as", "other eyes"),
                ("other-network", "other network"),
                ("page-down", "down"),
                ("leave-section", "back"),
                ("help", "help"),
            ],
            Section::Why | Section::Status => {
                &[("remove-line", "clear it"), ("down", "down"), ("up", "up"), ("leave-section", "back"), ("help", "help")]
            }
        },
        Mode::Wire => &[
            ("open-record", "open"),
            ("filter", "filter"),
            ("pause-wire", "pause"),
            ("save-wire", "save"),
            ("clear", "back"),
            ("help", "help"),
        ],
        Mode::Line => match state.overlays.last() {
            Some(Overlay::Palette(_)) => &[("accept", "go"), ("down", "down"), ("up", "up"), ("dismiss", "close")],
            Some(Overlay::Prompt(p)) if p.found.is_empty() => &[("accept", "take it"), ("dismiss", "leave")],
            Some(Overlay::Help(_)) => &[("accept", "keep"), ("down", "down"), ("up", "up"), ("dismiss", "clear")],
            Some(_) => &[("accept", "take it"), ("accept-row", "take the row"), ("dismiss", "leave")],
            None => &[("accept", "keep"), ("dismiss", "clear")],
        },
        Mode::Dialog => match state.overlays.last() {
            Some(Overlay::Confirm(_)) => &[("accept", "yes"), ("dismiss", "no")],
            Some(Overlay::DryRun(_)) => &[("accept", "send"), ("dismiss", "cancel"), ("page-down", "down"), ("page-up", "up")],
            Some(Overlay::Picker(p)) if p.tries() => {
                &[("accept", "choose"), ("try", "dry run"), ("down", "down"), ("up", "up"), ("dismiss", "leave")]
            }
            Some(Overlay::Picker(_)) => &[("accept", "choose"), ("down", "down"), ("up", "up"), ("dismiss", "leave")],
            Some(Overlay::Help(_)) => &[("filter", "find"), ("dismiss", "close"), ("page-down", "down"), ("page-up", "up")],
            _ => &[("page-down", "down"), ("page-up", "up"), ("dismiss", "close")],
        },
        Mode::Edit | Mode::Anywhere => &[("help", "help")],
    }
}

/// The hint line: keys that work now with short words, most wanted first. While a chord is open: what may follow.
pub fn hints(state: &State) -> Vec<(String, String)> {
    let modes = state.modes();
    if !state.chord.is_empty()
        && let Found::More(next) = state.keymap.look_up(&modes, &state.chord)
    {
        let words = |name: &str| commands::find(name).map_or("…", |c| c.help).to_owned();
        return next.into_iter().map(|(k, name)| (k.to_string(), words(name))).collect();
    }
    let mut out = Vec::new();
    if state.question().is_some() {
        let answers = [("answer-yes", "yes"), ("answer-no", "no"), ("answer-later", "later")];
        out.extend(answers.into_iter().filter_map(|(n, w)| Some((state.keymap.keys_of(&modes, n)?.to_owned(), w.to_owned()))));
    }
    for (name, words) in wanted(state) {
        let able = commands::find(name).is_some_and(|c| c.check(state).is_ok());
        if let Some(keys) = state.keymap.keys_of(&modes, name).filter(|_| able) {
            out.push((keys.to_owned(), (*words).to_owned()));
        }
    }
    out
}
