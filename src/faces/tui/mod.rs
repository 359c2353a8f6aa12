//! The screen at work: one loop that joins keys, the endpoint, the store and the clock, and draws at most one frame a turn.

mod access;
mod calendar;
pub mod effects;
pub mod guest;
mod keyboard;
mod listing;
mod pulse;
pub mod start;

use super::keeper::{Keeper, Kept};
use super::link::{Link, LinkEvent, Operations, sleep};
use super::prompt;
use crate::app::event::{Snapshot, StoreReply};
use crate::app::password::Typed;
use crate::app::state::WireRecord;
use crate::app::{Event, State, shows, update};
use crate::domain::Rng;
use crate::endpoint::user::Config;
use crate::endpoint::{EndpointState, Operation, OperationId};
use crate::net::Clock;
use crate::net::tls::Trust;
use crate::store::client::WorkerReply;
use crate::store::secrets::{Chain, Found, Secret, SecretError, Source};
use crate::ui::terminal::input::Heard;
use crate::ui::{self, terminal, terminal::Writer};
use access::Access;
use effects::Terminal;
use keyboard::Keyboard;
use pulse::Pulse;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Frames that nobody's key has asked for come at most this often, so that a burst of presence costs few of them.
const FRAME: Duration = Duration::from_millis(40);

/// SIGCONT: somebody stopped us without asking and has let us go on.
const CONTINUED: i32 = if cfg!(any(target_os = "linux", target_os = "android")) { 18 } else { 19 };

/// What comes in besides keys.
#[derive(Debug)]
pub enum Input {
    /// From the endpoint.
    Link(LinkEvent),
    /// From the store.
    Store(WorkerReply),
    /// From the effects that take their time.
    App(Event),
    /// What signing in needs, or why it cannot be had.
    Access(Result<Access, String>),
}

/// Everything the screen needs to run.
pub struct Session {
    /// What is shown.
    pub state: State,
    /// What was known last time.
    pub snapshot: Snapshot,
    /// The store.
    pub keeper: Keeper,
    /// How to sign in; the password comes with [`Input::Access`].
    pub endpoint: Config,
    /// Randomness for the endpoint.
    pub rng: Rng,
    /// The clock.
    pub clock: Clock,
    /// Where others say things.
    pub said: mpsc::UnboundedSender<Input>,
    /// Where they are heard.
    pub heard: mpsc::UnboundedReceiver<Input>,
    /// The account's calendar: file or folder, and the zone of times without one.
    pub calendar: Option<(String, String)>,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Opener of links.
    pub opener: String,
    /// Where files are kept that others send.
    pub downloads: std::path::PathBuf,
    /// Another adsum has this account's data open.
    pub shared: bool,
}

/// Runs the screen until the person leaves.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(session: Session) -> Result<(), String> {
    terminal::install_panic_hook();
    let options = terminal::Options { mouse: session.mouse };
    terminal::enter(&mut std::io::stdout(), options).map_err(|e| format!("the terminal cannot be used: {e}"))?;
    let result = match Screen::new(session) {
        Ok(screen) => screen.run().await,
        Err(e) => Err(e),
    };
    terminal::leave(&mut std::io::stdout()).map_err(|e| format!("the terminal cannot be given back: {e}"))?;
    result
}

/// An endpoint that waits for its password.
struct Unlinked {
    config: Config,
    rng: Rng,
    wanted: mpsc::UnboundedReceiver<(OperationId, Operation)>,
}

/// What a sign-in with another password needs.
struct Again {
    config: Config,
    rng: Rng,
    trust: Option<Trust>,
    /// The password comes from a command of the configuration.
    by_command: bool,
    /// What was typed on the screen; kept when it proves right.
    typed: Option<Secret>,
}

/// The running screen.
struct Screen {
    state: State,
    keeper: Keeper,
    calendar: Option<calendar::Source>,
    operations: Operations,
    unlinked: Option<Unlinked>,
    again: Option<Again>,
    clock: Clock,
    said: mpsc::UnboundedSender<Input>,
    heard: mpsc::UnboundedReceiver<Input>,
    terminal: Terminal,
    opener: String,
    downloads: std::path::PathBuf,
    pulse: Pulse,
    keyboard: Keyboard,
    last_frame: Instant,
    /// When the next frame is due; `None` while nothing has changed.
    frame_due: Option<Instant>,
    leaving: bool,
    /// Why the program ends, if that is not what the person wants.
    failed: Option<String>,
}

impl Screen {
    fn new(session: Session) -> Result<Screen, String> {
        let Session {
            mut state,
            snapshot,
            keeper,
            endpoint,
            rng,
            clock,
            said,
            heard,
            opener,
            shared,
            mouse,
            calendar,
            downloads,
        } = session;
        let (operations, wanted) = mpsc::unbounded_channel();
        let size = ratatui::layout::Size::new(state.view.columns, state.view.rows);
        let output = terminal::output().map_err(|e| format!("the terminal cannot be used: {e}"))?;
        let terminal = Terminal::new(Writer::new(output, size), ui::Screen::of(&state), mouse);
        let first = update(&mut state, clock.now(), Event::Store(StoreReply::Snapshot(Box::new(snapshot))));
        let calendar = calendar.map(|(path, zone)| calendar::Source::new(&path, zone));
        let mut screen = Screen {
            calendar,
            state,
            keeper,
            operations,
            unlinked: Some(Unlinked { config: endpoint, rng, wanted }),
            again: None,
            clock,
            said,
            heard,
            terminal,
            opener,
            downloads,
            pulse: Pulse::default(),
            keyboard: Keyboard::open().map_err(|e| format!("the terminal cannot be used: {e}"))?,
            last_frame: Instant::now(),
            frame_due: None,
            leaving: false,
            failed: None,
        };
        screen.draw();
        screen.carry_out(first);
        screen.operate(OperationId(0), Operation::SignIn);
        if shared {
            screen.notice("another adsum has this account open on this machine; both work, each as a device of its own".into());
        }
        Ok(screen)
    }

    async fn run(mut self) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("signals cannot be heard: {e}");
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hang_up = signal(SignalKind::hangup()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut resized = signal(SignalKind::window_change()).map_err(failed)?;
        let mut continued = signal(SignalKind::from_raw(CONTINUED)).map_err(failed)?;
        // It may have changed before we listened.
        self.resize_if_changed();
        while !self.leaving {
            let tick = self.state.next_deadline().map(|t| self.clock.instant(t));
            tokio::select! {
                biased;
                heard = self.keyboard.next() => match heard {
                    Ok(Some(heard)) => self.on_terminal(heard),
                    Ok(None) => return Ok(()),
                    Err(e) => return Err(format!("the terminal cannot be read: {e}")),
                },
                Some(input) = self.heard.recv() => self.on_input(input),
                () = sleep(self.frame_due) => self.draw(),
                () = sleep(tick) => self.happen(Event::Tick, false),
                _ = terminate.recv() => self.happen(Event::Terminate, false),
                _ = resized.recv() => self.resize(),
                _ = continued.recv() => {
                    // Whoever had the terminal meanwhile has left it as they liked.
                    self.terminal.aside(|| ());
                    self.happen(Event::Resumed, true);
                    self.resize();
                }
                _ = hang_up.recv() => return Ok(()),
                _ = interrupt.recv() => self.happen(Event::Terminate, false),
            }
            self.drain();
        }
        if self.unlinked.is_none() {
            self.sign_out().await;
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// Takes everything that waits, so that it costs one frame.
    fn drain(&mut self) {
        while let Ok(input) = self.heard.try_recv() {
            self.on_input(input);
        }
        if self.frame_due.is_some_and(|due| due <= Instant::now()) {
            self.draw();
        }
    }

    fn resize_if_changed(&mut self) {
        let size = terminal::screen_size();
        if (size.width, size.height) != (self.state.view.columns, self.state.view.rows) {
            self.resize();
        }
    }

    /// Takes the terminal's new size.
    fn resize(&mut self) {
        let size = terminal::screen_size();
        self.terminal.resize(size.width, size.height);
        self.happen(Event::Resize(size.width, size.height), true);
    }

    fn on_terminal(&mut self, heard: Heard) {
        let event = match heard {
            Heard::Key(key) => Some(Event::Key(key)),
            Heard::Paste(text) => Some(Event::Paste(text)),
            Heard::Focus(has) => Some(Event::Focus(has)),
            Heard::Mouse(what, x, y) => self.terminal.target(what, x, y),
        };
        if let Some(event) = event {
            self.happen(event, true);
        }
    }

    fn on_input(&mut self, input: Input) {
        match input {
            Input::Link(LinkEvent::Endpoint(event)) => {
                if matches!(event, crate::endpoint::Event::State { .. }) {
                    self.pulse.lost();
                }
                if matches!(event, crate::endpoint::Event::State { state: EndpointState::Established, .. }) {
                    self.keep_typed();
                }
                let account = self.state.account.id.clone();
                self.happen(Event::Endpoint { account, event }, false);
            }
            Input::Link(LinkEvent::Wire(record)) => {
                let sent = record.direction == crate::endpoint::Direction::Sent;
                let record = WireRecord::new(record.at, sent, &record.text);
                if let Some(ms) = self.pulse.see(&record) {
                    self.happen(Event::RoundTrip(ms), false);
                }
                self.happen(Event::Wire(record), false);
            }
            Input::Store(reply) => match self.keeper.reply(reply) {
                Kept::Reply(reply) => self.happen(Event::Store(reply), false),
                Kept::Export(export) => {
                    let event = effects::write_export(&self.state, &export);
                    self.happen(event, false);
                }
                Kept::Nothing => {}
            },
            Input::App(event) => self.happen(event, false),
            Input::Access(access) => {
                if let Err(e) = access.and_then(|a| self.link(a)) {
                    self.failed = Some(e);
                    self.leaving = true;
                }
            }
        }
    }

    /// Starts the endpoint, with a password from the person if nobody else has one.
    fn link(&mut self, access: Access) -> Result<(), String> {
        let Some(Unlinked { config, mut rng, wanted }) = self.unlinked.take() else { return Ok(()) };
        let by_command = matches!(access.secret, Found::Password(_, Source::Command) | Found::Ask(Some(SecretError::Command(_))));
        let secret = match access.secret {
            Found::Password(secret, _) => secret,
            Found::Ask(why) => {
                let asked = self.terminal.aside(|| {
                    why.iter().for_each(|why| println!("{why}"));
                    prompt::password(&format!("Password for {}", config.uri.bare()))
                });
                self.happen(Event::Resumed, true);
                asked?
            }
        };
        let again = Again { config: config.clone(), rng: rng.fork(), trust: access.trust.clone(), by_command, typed: None };
        self.again = Some(again);
        self.start(config, rng, access.trust, wanted, &secret);
        Ok(())
    }

    fn start(
        &self,
        mut config: Config,
        rng: Rng,
        trust: Option<Trust>,
        wanted: mpsc::UnboundedReceiver<(OperationId, Operation)>,
        secret: &Secret,
    ) {
        config.password = Zeroizing::new(secret.reveal().to_owned());
        let said = self.said.clone();
        let link = Link::new(config, rng, self.clock, trust).keeping_files_in(self.downloads.clone());
        tokio::spawn(link.run(wanted, move |event| {
            // The screen is gone only when the program ends.
            let _ = said.send(Input::Link(event));
        }));
    }

    /// Begins anew with a password that was typed on the screen.
    fn sign_in_with(&mut self, typed: &Typed) {
        let Some(again) = &mut self.again else { return };
        let secret = Secret::new(typed.reveal());
        again.typed = Some(secret.clone());
        let (config, rng, trust) = (again.config.clone(), again.rng.fork(), again.trust.clone());
        // The endpoint of before ends with its operations.
        let (operations, wanted) = mpsc::unbounded_channel();
        self.operations = operations;
        self.start(config, rng, trust, wanted, &secret);
        self.operate(OperationId(0), Operation::SignIn);
    }

    /// A typed password has proved right: the keyring gets it.
    fn keep_typed(&mut self) {
        let Some(again) = &mut self.again else { return };
        let Some(secret) = again.typed.take() else { return };
        if again.by_command {
            return self
                .notice("signed in for this time; password_command in the configuration still prints the other password".into());
        }
        let (said, account, uri) = (self.said.clone(), self.state.account.id.clone(), again.config.uri.clone());
        let keep = move || {
            let text = match Chain::new(None).remember(uri.bare(), &secret) {
                Ok(()) => "The password is in the keyring".to_owned(),
                Err(e) => format!("The password is not kept: {e}"),
            };
            let event = crate::endpoint::Event::Notice(text);
            let _ = said.send(Input::App(Event::Endpoint { account, event }));
        };
        // Without a thread the password is asked for at the next start, as it was at this one.
        let _ = std::thread::Builder::new().name("keyring".into()).spawn(keep);
    }

    /// Lets something happen; what a key has caused is drawn at once, other things with the next frame.
    fn happen(&mut self, event: Event, at_once: bool) {
        let visible = at_once || shows(&self.state, &event);
        let effects = update(&mut self.state, self.clock.now(), event);
        if !visible {
            return;
        }
        let now = Instant::now();
        let due = if at_once { now } else { (self.last_frame + FRAME).max(now) };
        self.frame_due = Some(self.frame_due.map_or(due, |d| d.min(due)));
        self.carry_out(effects);
    }

    fn draw(&mut self) {
        self.frame_due = None;
        self.last_frame = Instant::now();
        self.state.settle();
        let metrics = self.terminal.draw(&self.state);
        self.state.measured(metrics);
    }

    fn operate(&self, id: OperationId, operation: Operation) {
        // The link ends only with the screen.
        let _ = self.operations.send((id, operation));
    }

    /// Leaves the server in order, but does not keep the person waiting.
    async fn sign_out(&mut self) {
        const PATIENCE: Duration = Duration::from_millis(700);
        self.operate(OperationId(u64::MAX), Operation::SignOut);
        let done = async {
            while let Some(input) = self.heard.recv().await {
                if let Input::Link(LinkEvent::Endpoint(crate::endpoint::Event::Completed { id: OperationId(u64::MAX), .. })) =
                    input
                {
                    return;
                }
            }
        };
        // The server notices a closed connection as well.
        let _ = tokio::time::timeout(PATIENCE, done).await;
    }
}
