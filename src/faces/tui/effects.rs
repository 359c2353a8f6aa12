//! Carries out what the application asks of the world.

use super::{Input, Screen, listing};
use crate::app::State;
use crate::app::alone;
use crate::app::effect::Effect;
use crate::app::event::{Event, Mouse, Target};
use crate::app::state::{Metrics, Pane};
use crate::domain::conversation::{Delivery, InstantMessage, TextFormat};
use crate::endpoint;
use crate::faces::keeper::Export;
use crate::faces::link::files::expanded;
use crate::text;
use crate::ui;
use crate::ui::terminal::input::Pointed;
use crate::ui::terminal::{self, Writer, sequence};
use ratatui::layout::{Position, Rect, Size};
use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

/// Lines that one notch of the wheel moves.
const WHEEL_LINES: i32 = 3;

/// The terminal with its writer.
pub struct Terminal {
    writer: Writer<File>,
    title: String,
    mouse: bool,
    screen: ui::Screen,
    targets: Vec<(Rect, Target)>,
    /// The terminal may be told of links.
    hyperlinks: bool,
}

impl Screen {
    /// Does everything in order.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.carry_out_one(effect);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Endpoint { id, operation, .. } => self.operate(id, operation),
            Effect::Store(_, request) => self.keeper.request(request),
            Effect::Copy(text) => self.terminal.copy(&text),
            Effect::Notify { title, body } => {
                self.terminal.append(&sequence::notify(&text::Line::new(&title), &text::Line::new(&body)))
            }
            Effect::Bell => self.terminal.append(b"\x07"),
            Effect::OpenUrl(url) => self.open(&url),
            Effect::WriteFile { path, contents } => {
                let error = std::fs::write(expanded(&path), contents).err().map(|e| e.to_string());
                self.say(Event::FileWritten { path, error });
            }
            Effect::LookAtCalendar => {
                if let Some(calendar) = &mut self.calendar {
                    calendar.look(self.clock.now(), &self.said);
                }
            }
            Effect::ReadFile { path } => {
                let contents = read_small(&path);
                self.say(Event::FileRead { path, contents });
            }
            Effect::ListFiles { begin } => {
                let said = self.said.clone();
                // A folder may stand on a slow disk.
                std::thread::spawn(move || {
                    let names = listing::names(&begin);
                    // The screen is gone only when the program ends.
                    let _ = said.send(Input::App(Event::Files { begin, names }));
                });
            }
            Effect::EditExternally(text) => {
                let edited = self.terminal.aside(|| edit(&text));
                self.say(Event::Edited(edited));
            }
            Effect::SignInWith(typed) => self.sign_in_with(&typed),
            Effect::Suspend => {
                self.terminal.aside(suspend);
                self.say(Event::Resumed);
            }
            Effect::Redraw => self.terminal.forget(),
            Effect::Quit => self.leaving = true,
        }
    }

    fn say(&self, event: Event) {
        // We hear ourselves as long as we run.
        let _ = self.said.send(Input::App(event));
    }

    /// A sentence for the person.
    pub(super) fn notice(&self, text: String) {
        self.say(Event::Endpoint { account: self.state.account.id.clone(), event: endpoint::Event::Notice(text) });
    }

    fn open(&self, url: &str) {
        let default = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let mut words = self.opener.split_whitespace();
        let program = words.next().unwrap_or(default).to_owned();
        let started =
            Command::new(&program).args(words).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        match started {
            // Somebody has to collect the child's end; a thread of its own costs nothing while it waits.
            Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
            Err(e) => self.notice(format!("{program} cannot be started ({e}); set ui.opener, or copy the link with y")),
        }
    }
}

/// Octets of a file that is read whole.
const READ_MAX: u64 = 8 * 1024 * 1024;

/// Reads a text file of modest size.
fn read_small(path: &str) -> Result<String, String> {
    let path = &expanded(path);
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > READ_MAX {
        return Err("it is larger than 8 MB".into());
    }
    let octets = std::fs::read(path).map_err(|e| e.to_string())?;
    String::from_utf8(octets).map_err(|_| "it is no text file".into())
}

/// Writes an exported transcript: JSON where the file is called so, else one line a message with its day and time.
pub fn write_export(state: &State, export: &Export) -> Event {
    let out = if export.path.to_lowercase().ends_with(".json") { json(state, export) } else { lines(state, export) };
    let error = std::fs::write(expanded(&export.path), out).err().map(|e| e.to_string());
    Event::FileWritten { path: export.path.clone(), error }
}

fn body(m: &InstantMessage) -> String {
    match m.format {
        TextFormat::Html => text::html::to_text(&m.body),
        TextFormat::Rtf => text::rtf::to_text(&m.body),
        TextFormat::Plain => m.body.clone(),
    }
}

fn json(state: &State, export: &Export) -> String {
    let message = |m: &InstantMessage| {
        let (state_word, reason) = match &m.state {
            Delivery::Queued => ("queued", None),
            Delivery::Sent => ("sent", None),
            Delivery::Delivered => ("delivered", None),
            Delivery::Failed(reason) => ("failed", Some(reason)),
            Delivery::Received => ("received", None),
        };
        serde_json::json!({
            "id": m.id.0,
            "at": m.at.timestamp().to_string(),
            "author": m.author.as_str(),
            "name": state.name(&m.author),
            "text": body(m),
            "state": state_word,
            "reason": reason,
            "to": m.alone.as_ref().map(crate::domain::Address::as_str),
        })
    };
    let messages: Vec<_> = export.messages.iter().map(message).collect();
    let all = serde_json::json!({ "conversation": export.thread, "messages": messages });
    format!("{all:#}\n")
}

fn lines(state: &State, export: &Export) -> String {
    let mut out = String::new();
    for m in &export.messages {
        let at = m.at.timestamp().to_zoned(state.view.zone.clone());
        out.push_str(&format!(
            "{} {}: {}\n",
            at.strftime("%Y-%m-%d %H:%M:%S"),
            alone::writer(state, m),
            body(m).replace('\n', "\n    ")
        ));
    }
    out
}

/// Lets the person edit `text` in their editor; `None` when that failed.
fn edit(text: &str) -> Option<String> {
    let editor = std::env::var("VISUAL").or_else(|_| std::env::var("EDITOR")).unwrap_or_else(|_| "vi".into());
    let path = std::env::temp_dir().join(format!("adsum-{}.txt", std::process::id()));
    crate::store::private_file(&path).ok()?.write_all(text.as_bytes()).ok()?;
    let done = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&path).status();
    let edited = done.ok().filter(std::process::ExitStatus::success).and_then(|_| std::fs::read_to_string(&path).ok());
    // A private file in the temporary directory that stays behind does no harm.
    let _ = std::fs::remove_file(&path);
    edited
}

/// Stops the process until the shell continues it.
fn suspend() {
    // Without a shell that could continue us there is nobody to stop for.
    let _ = Command::new("kill").arg("-TSTP").arg(std::process::id().to_string()).status();
}

/// The Linux console prints what it does not know of such a sequence.
fn takes_hyperlinks() -> bool {
    !matches!(std::env::var("TERM").as_deref(), Ok("linux" | "dumb" | ""))
}

impl Terminal {
    /// A terminal that was entered.
    pub fn new(writer: Writer<File>, screen: ui::Screen, mouse: bool) -> Terminal {
        Terminal { writer, title: String::new(), mouse, screen, targets: Vec::new(), hyperlinks: takes_hyperlinks() }
    }

    /// Draws the state; gives back what was measured.
    pub fn draw(&mut self, state: &State) -> Metrics {
        self.set_title(state);
        let mut drawn = ui::Drawn::default();
        // What cannot be written now is written with the next frame.
        let links = self.writer.links();
        let _ = self.writer.draw(|buffer| {
            drawn = self.screen.draw(state, buffer);
            // The writer asks for them while the frame is sent, after this.
            let told = if self.hyperlinks { drawn.links.clone() } else { Default::default() };
            *links.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = told;
            drawn.cursor
        });
        self.targets = drawn.targets;
        drawn.metrics
    }

    /// Puts the number of unread messages into the window title when it changed.
    fn set_title(&mut self, state: &State) {
        let title = match state.unread() {
            _ if !state.options.title => return,
            0 => "adsum".to_owned(),
            n => format!("({n}) adsum"),
        };
        if title != self.title {
            self.append(&sequence::title(&text::Line::new(&title)));
            self.title = title;
        }
    }

    /// The terminal has a new size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.writer.resize(Size::new(columns, rows));
    }

    /// What a click or the wheel means.
    pub fn target(&self, what: Pointed, x: u16, y: u16) -> Option<Event> {
        let under = |wanted: fn(&Target) -> bool| {
            let place = Position::new(x, y);
            self.targets.iter().rev().find(|(area, target)| area.contains(place) && wanted(target)).map(|(_, t)| t)
        };
        let wheel = |lines: i32| match under(|t| matches!(t, Target::Pane(_))) {
            Some(Target::Pane(pane)) => Some(Mouse::Wheel(*pane, lines)),
            _ => Some(Mouse::Wheel(Pane::People, lines)),
        };
        let meaning = match what {
            Pointed::Click => under(|_| true).cloned().map(Mouse::Click),
            Pointed::WheelDown => wheel(WHEEL_LINES),
            Pointed::WheelUp => wheel(-WHEEL_LINES),
        };
        meaning.map(Event::Mouse)
    }

    fn append(&mut self, bytes: &[u8]) {
        self.writer.append(bytes);
    }

    fn copy(&mut self, text: &str) {
        if let Some(bytes) = sequence::copy(text) {
            let bytes = if std::env::var_os("TMUX").is_some() { sequence::through_tmux(&bytes) } else { bytes };
            self.append(&bytes);
        }
    }

    fn forget(&mut self) {
        self.writer.forget();
    }

    /// Hands the terminal over, and takes it back afterwards.
    pub(super) fn aside<T>(&mut self, work: impl FnOnce() -> T) -> T {
        // A terminal that is gone is noticed at the next key.
        let _ = terminal::leave(&mut std::io::stdout());
        let result = work();
        let _ = terminal::enter(&mut std::io::stdout(), terminal::Options { mouse: self.mouse });
        let size = terminal::screen_size();
        self.resize(size.width, size.height);
        result
    }
}
