//! The screen, looked at: every pane and dialog at several sizes, with a fixed clock.

use super::*;
use crate::app::state::conversations::{Completion, Part, Search};
use crate::app::state::overlay::{Ask, Confirm, Deed, Help, Palette, PaletteRow, PaletteTarget, Picker, Prompt};
use crate::app::state::{Entry, Overlay, Question, QuestionKind, Scroll, Toast, ToastKind};
use crate::domain::conversation::{ConversationId, Delivery, MessageId};
use crate::endpoint::EndpointState;
use crate::endpoint::event::DirectoryEntry;
use fixture::*;
use ratatui::buffer::Buffer;
use std::time::{Duration, Instant};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

fn render(state: &State) -> (Buffer, Drawn) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.view.columns, state.view.rows));
    let drawn = Screen::of(state).draw(state, &mut buffer);
    (buffer, drawn)
}

/// The text of a screen, the cursor shown as ▏ would disturb widths, so its place stands below.
fn text(state: &State) -> String {
    let (buffer, drawn) = render(state);
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(crate::text::width(symbol).max(1)).unwrap();
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    match drawn.cursor {
        Some((x, y)) => out.push_str(&format!("cursor {x},{y}\n")),
        None => out.push_str("no cursor\n"),
    }
    out
}

fn snapshot(name: &str, change: impl Fn(&mut State)) {
    for (w, h) in SIZES {
        let mut s = state(w, h);
        change(&mut s);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../../tests/snapshots" }, {
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), text(&s));
        });
    }
}

fn show(s: &mut State, pane: Pane) {
    s.pane = pane;
    if pane != Pane::People {
        s.main = pane;
    }
}

#[test]
fn conversations() {
    snapshot("conversations", |_| {});
}

#[test]
fn a_conference_with_its_roster() {
    snapshot("conference", |s| {
        s.conversations.at = 2;
        s.view.third_column = true;
        s.conversations.part = Part::Transcript;
        s.conversations.tabs[2].cursor = Some(MessageId("m13".into()));
        s.conversations.tabs[2].marks.insert(MessageId("m11".into()));
    });
}

#[test]
fn a_conversation_with_its_card() {
    snapshot("conversation_card", |s| s.view.third_column = true);
}

fn transfers(s: &mut State) {
    use crate::domain::file::{Transfer, TransferId, TransferState};
    let states = [
        (true, "numbers.ods", 48_213, TransferState::Done { path: None }),
        (
            false,
            "a long name of a file that somebody gave it in a hurry before the week-end, version 12 (final).pdf",
            912_000,
            TransferState::Done { path: Some("/home/alice/Downloads/a long name.pdf".into()) },
        ),
        (true, "video.mkv", 1_200_000_000, TransferState::Declined),
        (false, "photo.jpg", 2_400_000, TransferState::Cancelled { here: false }),
        (true, "log.txt", 700, TransferState::Failed("the connection broke; send it again".into())),
        (true, "slides.pdf", 3_000_000, TransferState::Running { octets: 1_230_000 }),
        (false, "draft.txt", 900, TransferState::Offered),
    ];
    let tab = &mut s.conversations.tabs[0];
    (tab.unread_from, tab.composer) = (None, Editor::default());
    tab.entries.truncate(1);
    for (n, (outgoing, name, size, state)) in (0..).zip(states) {
        let id = format!("t{n}");
        let transfer = Transfer {
            id: TransferId(id.clone()),
            conversation: tab.conversation.id.clone(),
            with: address("bob"),
            outgoing,
            name: name.into(),
            size,
            media: String::new(),
            at: at(&format!("09:4{n}:00")),
            state,
        };
        tab.entries.push(Entry::Transfer { id: MessageId(id), transfer: Box::new(transfer) });
    }
}

#[test]
fn files_on_their_way_and_what_became_of_them() {
    snapshot("transfers", transfers);
}

#[test]
fn words_to_one_person_alone_are_marked() {
    snapshot("alone", |s| {
        s.conversations.at = 2;
        s.view.third_column = true;
        let tab = &mut s.conversations.tabs[2];
        for (entry, to) in [(1, "alice"), (2, "carol"), (4, "alice")] {
            let Entry::Message { message, .. } = &mut tab.entries[entry] else { panic!("a message") };
            message.alone = Some(address(to));
        }
    });
    let mut s = fixture::state(120, 40);
    s.conversations.at = 2;
    let Entry::Message { message, .. } = &mut s.conversations.tabs[2].entries[1] else { panic!("a message") };
    message.alone = Some(address("alice"));
    let (buffer, _) = render(&s);
    let row =
        (0..40).find(|y| (0..120).map(|x| buffer[(x, *y)].symbol()).collect::<String>().contains("(to you alone)")).unwrap();
    let accent = crate::ui::theme::Theme::named(&s.view.theme).accent;
    let marked = (0..120)
        .filter(|x| {
            let style = buffer[(*x, row)].style();
            (style.fg, style.add_modifier) == (accent.fg.or(style.fg), accent.add_modifier)
        })
        .count();
    assert_eq!(marked, "(to you alone)".len());
}

#[test]
fn people() {
    snapshot("people", |s| {
        show(s, Pane::People);
        s.people.marks.insert(address("erin"));
        s.conversations.tabs[0].unread = 1;
    });
}

#[test]
fn people_filtered() {
    snapshot("people_filtered", |s| {
        show(s, Pane::People);
        s.people.filter = Editor::new("fr");
        s.people.filtering = true;
        s.people.rows.retain(|r| matches!(r, crate::app::state::Row::Contact { uri, .. } if uri.user().contains("fr") || uri.user().contains("er")));
    });
}

#[test]
fn an_application_has_no_contacts_and_presence_and_the_screen_says_why() {
    let mut s = fixture::state(120, 40);
    s.account.application = true;
    assert!(text(&s).contains("An application has no"));
    show(&mut s, Pane::Me);
    let said = text(&s);
    assert!(said.contains("publishes no presence") && !said.contains("Watchers"), "{said}");
}

#[test]
fn nothing_yet() {
    snapshot("empty", |s| {
        let fresh = State::new(s.account.clone(), s.view.clone(), s.rng.clone());
        *s = fresh;
        s.account.note = None;
        s.link.state = EndpointState::Establishing;
        s.link.server = "contoso.example".into();
    });
}

#[test]
fn the_link_is_down() {
    snapshot("offline", |s| {
        s.link.state = EndpointState::Reestablishing;
        s.link.problem = Some("the server closed the connection".into());
        s.link.retry_at = Some(at("09:42:30"));
        s.conversations.tabs[0].composer = Editor::default();
        s.conversations.tabs[0].conversation.participants[0].typing = false;
    });
}

#[test]
fn a_long_message_being_written() {
    snapshot("composer", |s| {
        let words = "a long thought that needs more than one line, because it explains what happened yesterday in the lab and why it matters";
        s.conversations.tabs[0].composer = Editor::new(format!("{words}\n\nand a second paragraph"));
        s.conversations.tabs[0].composer_error = Some("There is no command /invte; did you mean /invite?".into());
    });
}

#[test]
fn completion_and_search() {
    snapshot("completion", |s| {
        let candidates =
            vec![("/invite".into(), "more people".into()), ("/info".into(), String::new()), ("/inv".into(), String::new())];
        s.conversations.tabs[0].completion = Some(Completion { from: 0, candidates, at: 1 });
    });
    snapshot("search", |s| {
        s.conversations.part = Part::Transcript;
        s.conversations.tabs[0].search = Some(Search { query: Editor::new("the"), typing: true });
    });
}

#[test]
fn meetings() {
    snapshot("meetings", |s| show(s, Pane::Meetings));
    snapshot("meeting_details", |s| {
        show(s, Pane::Meetings);
        s.meetings.details = true;
    });
    snapshot("meeting_form", |s| {
        show(s, Pane::Meetings);
        s.meetings.form = Some(meeting_form());
    });
    snapshot("meetings_empty", |s| {
        show(s, Pane::Meetings);
        s.meetings.list.clear();
        s.meetings.built_for = None;
        s.settle();
    });
}

#[test]
fn me() {
    snapshot("me", |s| show(s, Pane::Me));
    snapshot("me_changed", |s| {
        show(s, Pane::Me);
        s.own.form.at = 3;
        s.own.form.changed = true;
    });
}

#[test]
fn sections_of_me() {
    use crate::app::state::own::Section;
    use crate::endpoint::sight::Viewer;
    let section = |s: &mut State, section| {
        show(s, Pane::Me);
        fixture::rich_replica(s);
        s.own.section = section;
        s.own.viewer = Some(Viewer::Person { uri: address("erin"), network: s.network_of(&address("erin")) });
        s.settle();
    };
    snapshot("me_containers", |s| section(s, Section::Access));
    snapshot("me_watchers", |s| section(s, Section::Watchers));
    snapshot("me_view", |s| section(s, Section::View));
    snapshot("me_why", |s| section(s, Section::Why));
    snapshot("me_dry_run", |s| {
        section(s, Section::Access);
        let trial = crate::app::access::trial::Trial { operations: Vec::new(), pending: crate::app::door::Pending::new("x") };
        let row = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let lines = vec![
            row("Colleagues and Personal", ""),
            row("Status", "Available → Busy"),
            row("Note", "Back at three, then in the lab until six (not seen before)"),
            row("Karl Lang: Colleagues → Blocked", ""),
            row("Status", "Available → Offline"),
        ];
        s.overlays.push(Overlay::DryRun(crate::app::state::overlay::DryRun { trial, lines, scroll: 0 }));
    });
}

#[test]
fn wire() {
    snapshot("wire", |s| show(s, Pane::Wire));
    snapshot("wire_opened", |s| {
        show(s, Pane::Wire);
        s.wire.selection = Some(3);
        s.wire.open = Some(0);
    });
}

fn invitation() -> Question {
    let kind = QuestionKind::Invitation {
        conversation: ConversationId("x".into()),
        from: address("carol"),
        toast: "got a minute?".into(),
        subject: String::new(),
        conference: false,
        auto_accept: None,
        priority: Default::default(),
    };
    Question { kind, postponed: false }
}

#[test]
fn questions_and_toasts() {
    snapshot("question", |s| {
        s.questions.push(invitation());
        let kind = QuestionKind::Watcher { uri: address("karl"), name: "Karl Lang".into() };
        s.questions.push(Question { kind, postponed: false });
        s.toast = Some(Toast {
            kind: ToastKind::Info,
            text: "Dan Evans is off your list".into(),
            until: now(),
            undo: vec![crate::endpoint::Operation::RefreshContacts],
            detail: Vec::new(),
        });
    });
}

#[test]
fn what_is_too_long_for_one_row_is_said_in_two() {
    let mut s = state(80, 24);
    let words = "Joining the meeting did not work: there is no such meeting, or it has ended; check the link";
    s.toast =
        Some(Toast { kind: ToastKind::Error, text: words.into(), until: now(), undo: Vec::new(), detail: vec!["404".into()] });
    let text = text(&s);
    let rows: Vec<&str> = text.lines().skip(22).take(2).collect();
    assert!(rows[0].starts_with(" ✗ Joining the meeting"), "{text}");
    assert!(rows[1].contains("check the link") && rows[1].ends_with("Alt-i details"), "{text}");
}

#[test]
fn an_error_above_the_composer_is_said_in_full_and_many_lines_are_counted() {
    let mut s = state(80, 24);
    show(&mut s, Pane::Conversations);
    s.conversations.part = Part::Composer;
    s.conversations.tabs[0].composer_error =
        Some("there is no command /frobnicate; F1 lists them, // sends a line with /".into());
    let told = text(&s);
    assert!(told.contains("there is no command") && told.contains("with / "), "{told}");
    s.conversations.tabs[0].composer_error = None;
    s.conversations.tabs[0].conversation.participants.iter_mut().for_each(|p| p.typing = false);
    s.conversations.tabs[0].composer.set("one\ntwo\nthree\nfour\nfive\nsix\nseven");
    assert!(text(&s).contains("7 lines · Enter sends all of them"), "{}", text(&s));
}

#[test]
fn a_question_hides_nothing_that_was_said() {
    for (w, h) in [(80, 24), (120, 40), (100, 30)] {
        let mut s = state(w, h);
        // Fewer lines than rows: the first stands right under the header.
        s.conversations.tabs[0].entries.truncate(3);
        let plain = text(&s);
        s.questions.push(invitation());
        let asked = text(&s);
        assert!(asked.contains("wants to talk"), "{asked}");
        let body = |t: &str| t.lines().filter(|l| l.contains(':')).map(str::to_owned).collect::<Vec<_>>();
        for entry in &s.conversations.tabs[0].entries {
            let Entry::Message { message, .. } = entry else { continue };
            let first: String = message.body.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            assert_eq!(plain.matches(&first).count(), asked.matches(&first).count(), "“{first}” at {w}x{h}\n{asked}");
        }
        assert!(!body(&asked).is_empty());
    }
}

#[test]
fn a_question_hides_no_field_of_a_form() {
    let mut s = state(80, 24);
    show(&mut s, Pane::Meetings);
    s.questions.push(invitation());
    let form = meeting_form();
    for at in 0..form.fields.len() {
        let label = form.fields[at].label;
        s.meetings.form = Some(crate::app::state::Form { at, ..form.clone() });
        let screen = text(&s);
        assert!(screen.contains("wants to talk") && screen.contains(&format!("▌{label}")), "{label}\n{screen}");
    }
}

#[test]
fn a_long_line_of_details_keeps_its_indentation() {
    let mut s = state(80, 24);
    s.people.contacts.clear();
    let lines = vec!["Come in directly:".to_owned(), format!("  {}", "word ".repeat(30))];
    s.overlays.push(Overlay::Details { title: "Who will get in".into(), lines, scroll: 0 });
    let screen = text(&s);
    let at: Vec<_> = screen.lines().filter_map(|l| l.find("word").map(|i| l[..i].chars().count())).collect();
    let heading = screen.lines().find_map(|l| l.find("Come in").map(|i| l[..i].chars().count()));
    assert!(at.len() > 1 && at.iter().all(|x| Some(x - 2) == heading), "{screen}");
}

#[test]
fn palette() {
    let row = |target, label: &str, detail: &str, matched: &[u32]| PaletteRow {
        target,
        label: label.into(),
        detail: detail.into(),
        unavailable: None,
        matched: matched.to_vec(),
    };
    snapshot("palette", |s| {
        let mut rows = vec![
            row(PaletteTarget::Person(address("bob")), "Bob Kelly", "Busy, in a meeting", &[0, 1]),
            row(PaletteTarget::Tab(ConversationId("b".into())), "Budget review", "2 unread", &[0, 1]),
            row(PaletteTarget::Command("people.block"), "Block a person", "b", &[0]),
            row(PaletteTarget::Command("meeting.end"), "End the meeting for everybody", "", &[]),
        ];
        rows[3].unavailable = Some("no meeting is open".into());
        s.overlays.push(Overlay::Palette(Palette { query: Editor::new("bu"), rows, at: 1 }));
    });
}

#[test]
fn dialogs() {
    snapshot("help", |s| {
        let keys = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        let sections = vec![
            (
                "Composer".to_owned(),
                keys(&[
                    ("Enter", "send"),
                    ("Alt-Enter", "new line"),
                    ("Tab", "complete @names, :emoji:, /commands"),
                    ("Alt-e", "write in $EDITOR"),
                ]),
            ),
            (
                "Anywhere".to_owned(),
                keys(&[
                    ("Alt-1…5", "panes"),
                    ("Ctrl-K", "go to"),
                    ("Alt-a", "next unread"),
                    ("Alt-←", "tab to the left"),
                    ("Ctrl-L", "draw again"),
                    ("Ctrl-Q", "leave the program"),
                ]),
            ),
        ];
        s.overlays.push(Overlay::Help(Help { sections, ..Help::default() }));
    });
    snapshot("confirm", |s| {
        let text =
            "Delete Dan Evans from your contacts? He leaves all groups (Platform team), and you no longer see his presence."
                .into();
        s.overlays.push(Overlay::Confirm(Confirm { text, yes: "Delete", then: Deed::DeleteContact(address("dan")) }));
    });
    snapshot("prompt", |s| {
        let entry = |user: &str, name: &str, title: &str| DirectoryEntry {
            title: title.into(),
            ..DirectoryEntry::new(address(user), name)
        };
        s.overlays.push(Overlay::Prompt(Prompt {
            ask: Ask::AddContact(None),
            title: "Add a person to Platform team".into(),
            hint: "A name to search the directory, or an address".into(),
            line: Editor::new("kar"),
            error: None,
            found: vec![
                entry("karl", "Karl Lang", "Engineer"),
                entry("carol", "Carol Diaz", ""),
                entry("karin", "Karin Olsson", ""),
            ],
            at: Some(0),
            searching: None,
            searched: "kar".into(),
        }));
    });
    snapshot("picker", |s| {
        let rows = ["Available", "Busy", "Do not disturb", "Be right back", "Away", "Off work", "Appear offline", "Reset"];
        let rows =
            rows.iter().map(|r| ((*r).to_owned(), if *r == "Available" { "now".to_owned() } else { String::new() })).collect();
        s.overlays.push(Overlay::Picker(Picker { title: "Status".into(), rows, at: 1, choices: Vec::new() }));
    });
    snapshot("card", |s| s.overlays.push(Overlay::Card { uri: address("bob"), scroll: 0 }));
    snapshot("details", |s| {
        let lines = vec![
            "480 Temporarily Unavailable".into(),
            "ms-diagnostics: 15003;reason=\"No endpoint\";source=\"fe.contoso.example\"".into(),
        ];
        s.overlays.push(Overlay::Details { title: "The message was not delivered".into(), lines, scroll: 0 });
    });
}

#[test]
fn ascii_stands_in_for_every_sign() {
    snapshot("ascii", |s| {
        s.view.ascii = true;
        s.people.contacts.values_mut().for_each(|c| c.name = c.name.chars().filter(char::is_ascii).collect());
        s.conversations.tabs[2].entries.remove(5);
    });
    for pane in Pane::ALL {
        let mut s = state(120, 40);
        s.view.ascii = true;
        s.people.contacts.values_mut().for_each(|c| c.name = c.name.chars().filter(char::is_ascii).collect());
        s.questions.push(invitation());
        s.view.third_column = true;
        show(&mut s, pane);
        let t = text(&s);
        assert!(t.is_ascii(), "{:?}: {:?}", pane, t.chars().filter(|c| !c.is_ascii()).collect::<String>());
    }
}

#[test]
fn what_others_write_cannot_break_the_screen() {
    for (w, h) in SIZES {
        for pane in Pane::ALL {
            for at in 0..3 {
                let mut s = hostile(w, h);
                s.conversations.at = at;
                s.meetings.details = true;
                s.wire.open = Some(0);
                s.view.third_column = true;
                show(&mut s, pane);
                if at == 1 {
                    s.overlays.push(Overlay::Card { uri: address("bob"), scroll: 0 });
                }
                let (buffer, _) = render(&s);
                for y in 0..h {
                    for x in 0..w {
                        let symbol = buffer[(x, y)].symbol();
                        assert!(symbol.chars().all(crate::text::sanitise::is_drawable), "{symbol:?} at {x},{y}");
                    }
                    // The frame stands where it should.
                    let edge = buffer[(w - 1, y)].symbol();
                    assert!(y == 0 || y >= h - 2 || "│┤┐┘".contains(edge), "{pane:?} row {y}: {edge:?}");
                }
            }
        }
    }
    let mut s = hostile(120, 40);
    show(&mut s, Pane::Conversations);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../../tests/snapshots" }, {
        insta::assert_snapshot!("hostile_120x40", text(&s));
    });
}

#[test]
fn every_size_draws() {
    for w in [1, 2, 10, 39, 40, 41, 60, 79, 80, 100, 119, 120, 121, 160, 240] {
        for h in [1, 2, 5, 9, 10, 11, 13, 24, 50, 80] {
            for pane in Pane::ALL {
                let mut s = hostile(w, h);
                s.view.third_column = true;
                s.wire.open = Some(3);
                s.meetings.form = (w % 2 == 0).then(meeting_form);
                show(&mut s, pane);
                s.questions.push(invitation());
                s.overlays.push(Overlay::Card { uri: address("bob"), scroll: 2 });
                s.overlays.push(Overlay::Palette(Palette::default()));
                s.overlays.push(Overlay::Help(Help::default()));
                let picker = Picker { title: "x".into(), rows: vec![("a".into(), "b".into()); 30], at: 20, choices: Vec::new() };
                s.overlays.push(Overlay::Picker(picker));
                let (_, drawn) = render(&s);
                assert!(drawn.cursor.is_none_or(|(x, y)| x < w && y < h));
            }
        }
    }
}

#[test]
fn too_small_is_said_in_one_line() {
    let mut s = state(38, 9);
    s.view.columns = 38;
    assert!(text(&s).trim().starts_with("adsum needs"));
}

fn long(entries: u32, rows: u16) -> State {
    let mut s = state(120, rows);
    let tab = &mut s.conversations.tabs[0];
    tab.unread_from = None;
    tab.composer = Editor::default();
    tab.conversation.participants[0].typing = false;
    let words = "a message of ordinary length with a few words in it";
    tab.entries = (0..entries)
        .map(|n| {
            message(
                n,
                if n % 3 == 0 { "alice" } else { "bob" },
                "09:10:00",
                &format!("number {n} is {words}"),
                Delivery::Received,
            )
        })
        .collect();
    s
}

#[test]
fn a_page_of_ten_thousand_messages_is_drawn_from_what_is_in_sight() {
    let mut s = long(10_000, 40);
    let screen = Screen::of(&s);
    let mut drawn = Drawn::default();
    let start = Instant::now();
    for _ in 0..20 {
        drawn = screen.draw(&s, &mut Buffer::empty(Rect::new(0, 0, 120, 40)));
        let bottom = drawn.metrics.transcript_bottom.clone().unwrap();
        s.measured(drawn.metrics.clone());
        s.conversations.tabs[0].scroll = Scroll { anchor: bottom.anchor, up: bottom.up + 30 };
    }
    let each = start.elapsed() / 20;
    assert!(each < Duration::from_millis(200), "{each:?} a page, unoptimised");
    assert_eq!(drawn.metrics.first_visible, Some(MessageId("m9699".into())));
}

/// Every row of the transcript comes into sight when one pages up and down.
#[test]
fn paging_shows_every_message() {
    let mut s = long(100, 24);
    s.view.columns = 80;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let (buffer, drawn) = render(&s);
        for y in 0..24 {
            let line: String = (26..80).map(|x| buffer[(x, y)].symbol()).collect();
            if let Some(n) =
                line.split("number ").nth(1).and_then(|t| t.split_whitespace().next()).and_then(|t| t.parse::<u32>().ok())
            {
                seen.insert(n);
            }
        }
        let bottom = drawn.metrics.transcript_bottom.clone().unwrap();
        let page = i64::from(drawn.metrics.transcript_rows) - 1;
        s.conversations.tabs[0].scroll = Scroll { anchor: bottom.anchor, up: bottom.up + page };
        if drawn.metrics.at_top {
            break;
        }
    }
    let words: Vec<u32> = (0..100).filter(|n| !seen.contains(n)).collect();
    assert!(words.is_empty(), "never seen: {words:?}");
    for _ in 0..60 {
        let (_, drawn) = render(&s);
        s.measured(drawn.metrics.clone());
        if s.conversations.tabs[0].scroll == Scroll::default() {
            return;
        }
        s.conversations.tabs[0].scroll.up -= 10;
    }
    panic!("paging down never reached the end");
}

/// Octets for the terminal when the state changes, at 120×40 with the composer in use.
struct Meter {
    writer: terminal::Writer<Vec<u8>>,
}

impl Meter {
    fn new() -> Meter {
        Meter { writer: terminal::Writer::new(Vec::new(), ratatui::layout::Size::new(120, 40)) }
    }

    fn draw(&mut self, s: &mut State) -> usize {
        let screen = Screen::of(s);
        let mut drawn = Drawn::default();
        let draw = |b: &mut Buffer| {
            drawn = screen.draw(s, b);
            drawn.cursor
        };
        self.writer.draw(draw).unwrap();
        s.measured(drawn.metrics);
        let bytes = std::mem::take(self.writer.out_mut());
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{} {:?}", bytes.len(), String::from_utf8_lossy(&bytes));
        }
        bytes.len()
    }
}

#[test]
fn typing_costs_little() {
    let mut s = state(120, 40);
    s.conversations.tabs[0].composer = Editor::default();
    let mut meter = Meter::new();
    meter.draw(&mut s);
    let words = "the quick brown fox jumps over the lazy dog and sleeps, it does";
    let total: usize = words
        .chars()
        .map(|k| {
            s.conversations.tabs[0].composer.insert_char(k);
            meter.draw(&mut s)
        })
        .sum();
    assert!(total <= words.len() * 4, "{total} octets for {} keys", words.len());
}

#[test]
fn an_incoming_message_costs_little() {
    let mut s = long(400, 40);
    let mut meter = Meter::new();
    meter.draw(&mut s);
    let mut total = 0;
    for n in 0..100 {
        let clock = format!("09:{:02}:00", 11 + n / 4);
        let text = format!("message {n} with about forty characters");
        s.conversations.tabs[0].entries.push(message(1000 + n, "bob", &clock, &text, Delivery::Received));
        total += meter.draw(&mut s);
    }
    assert!(total / 100 <= 150, "{} octets a message", total / 100);
}

#[test]
fn a_presence_change_costs_little() {
    let mut s = state(120, 40);
    let mut meter = Meter::new();
    meter.draw(&mut s);
    let mut total = 0;
    for n in 0..30 {
        let number = [6500, 15500, 3500][n % 3];
        let p = s.people.presence.get_mut(&address("dan")).unwrap();
        p.availability = Some(crate::domain::presence::Availability(number));
        p.last_active = None;
        p.since = Some(now());
        total += meter.draw(&mut s);
    }
    assert!(total / 30 <= 32, "{} octets a change", total / 30);
}

#[test]
fn what_can_be_clicked_on_a_question_are_its_answers() {
    let mut s = state(120, 40);
    s.questions.push(invitation());
    let commands: Vec<String> = render(&s)
        .1
        .targets
        .into_iter()
        .filter_map(|(_, t)| if let Target::Command(name) = t { Some(name) } else { None })
        .collect();
    for name in ["answer-yes", "answer-no", "answer-later"] {
        assert!(commands.iter().any(|c| c == name), "{name} in {commands:?}");
    }
    assert!(commands.iter().all(|c| crate::app::commands::find(c).is_some()), "{commands:?}");
}

#[test]
fn a_full_status_line_on_few_columns_gives_way() {
    let mut s = state(60, 24);
    s.link.server = "front-end-7.very-long-name.contoso.example".into();
    s.link.round_trip = Some(4321);
    for tab in &mut s.conversations.tabs {
        tab.unread = 1234;
    }
    let text = text(&s);
    assert!(text.lines().next().is_some_and(|l| l.contains("4321ms")), "{text}");
}

#[test]
fn every_line_of_a_message_taller_than_the_window_can_be_read_both_ways() {
    let mut s = state(80, 24);
    let tall: Vec<String> = (0..60).map(|n| format!("line{n:02}.")).collect();
    let tab = &mut s.conversations.tabs[s.conversations.at];
    let mut entries = tab.entries.split_off(0);
    let at = entries.len() / 2;
    let crate::app::state::Entry::Message { message, .. } = &mut entries[at] else { panic!("a message") };
    message.body = tall.join("\n");
    tab.entries = entries;
    s.conversations.part = Part::Transcript;
    let mut press = |key: &str| {
        let key = crate::app::keymap::parse_key(key).unwrap();
        crate::app::update(&mut s, now(), crate::app::Event::Key(key));
        s.settle();
        let (_, drawn) = render(&s);
        s.measured(drawn.metrics);
        text(&s)
    };
    for (start, key) in [("G", "k"), ("g", "j")] {
        let mut seen = std::collections::BTreeSet::new();
        press(start);
        for _ in 0..120 {
            let screen = press(key);
            seen.extend(tall.iter().filter(|l| screen.contains(*l)).cloned());
        }
        assert_eq!(seen.len(), 60, "with {key}: {seen:?}");
    }
    assert!(!press("g").contains("line59."), "the beginning is shown");
}
