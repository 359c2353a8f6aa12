//! A sign-in for one command: a device of its own that publishes nothing, takes no calls and leaves again.

use super::view::View;
use crate::app::config::Account;
use crate::endpoint::{EndpointState, Event, Operation, OperationId, Outcome, Reason};
use crate::faces::link::{Link, LinkEvent, Operations};
use crate::faces::paths::Paths;
use crate::faces::signin;
use crate::faces::tui::start;
use crate::net::{Clock, entropy};
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long a command waits for anything the server has to say.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// A signed-in endpoint and what it has heard.
pub struct Session {
    runtime: Runtime,
    operations: Operations,
    said: mpsc::UnboundedReceiver<Event>,
    last: u64,
    /// Where history is kept.
    pub data: PathBuf,
    /// Zone of printed times.
    pub zone: TimeZone,
    /// The configured account.
    pub account: Account,
    /// What is known.
    pub view: View,
    /// The clock.
    pub clock: Clock,
}

impl Session {
    /// Signs in as the named account, or as the first one.
    ///
    /// # Errors
    /// One sentence: what failed and what to do.
    pub fn open(paths: &Paths, name: Option<&str>) -> Result<Session, String> {
        let account = start::account(paths, name)?;
        let zone = start::zone(&start::load(paths)?.ui);
        let secret = start::secret(&account)?;
        let trust = signin::trust(&account)?;
        let mut rng = entropy().map_err(|e| e.to_string())?;
        // An epid of its own: the screen that may be open with the same account is not disturbed.
        let mut config = start::endpoint_config(&account, &secret, rng.hex(10))?;
        (config.publish, config.reconnect, config.talks) = (false, false, false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let (operations, wanted) = mpsc::unbounded_channel();
        let (say, said) = mpsc::unbounded_channel();
        let clock = Clock::new();
        let link = Link::new(config, rng, clock, trust);
        runtime.spawn(link.run(wanted, move |event| {
            if let LinkEvent::Endpoint(event) = event {
                // The listener ends before the link.
                let _ = say.send(event);
            }
        }));
        let mut session =
            Session { runtime, operations, said, last: 0, data: paths.data.clone(), zone, account, view: View::default(), clock };
        session.ask(Operation::SignIn)?;
        Ok(session)
    }

    /// Asks and waits for the end of it.
    ///
    /// # Errors
    /// The sentence of the endpoint, or that nothing came in time.
    pub fn ask(&mut self, operation: Operation) -> Result<Outcome, String> {
        self.last += 1;
        let id = OperationId(self.last);
        // The link runs as long as the session.
        let _ = self.operations.send((id, operation));
        let end = Instant::now() + PATIENCE;
        loop {
            match self.next(end)? {
                Event::Completed { id: done, result } if done == id => return result.map_err(|e| e.text),
                _ => {}
            }
        }
    }

    /// Waits until something holds of what is known.
    ///
    /// # Errors
    /// When it does not come in time, or the connection ends.
    pub fn until<T>(&mut self, what: &str, holds: impl FnMut(&View) -> Option<T>) -> Result<T, String> {
        let found = self.within(PATIENCE, holds)?;
        found.ok_or_else(|| format!("{what} did not arrive within {} seconds", PATIENCE.as_secs()))
    }

    /// Waits at most so long until something holds of what is known; `None`: it did not come.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn within<T>(&mut self, patience: Duration, mut holds: impl FnMut(&View) -> Option<T>) -> Result<Option<T>, String> {
        let end = Instant::now() + patience;
        loop {
            if let Some(found) = holds(&self.view) {
                return Ok(Some(found));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            match self.next(end) {
                Ok(_) => {}
                Err(_) if Instant::now() >= end => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits for the contact list.
    ///
    /// # Errors
    /// When it does not come.
    pub fn list(&mut self) -> Result<(), String> {
        self.until("the contact list", |v| v.listed.then_some(()))
    }

    /// Waits for the own presence.
    ///
    /// # Errors
    /// When it does not come.
    pub fn own(&mut self) -> Result<(), String> {
        self.until("your own presence", |v| v.own.as_ref().map(|_| ()))
    }

    /// Hears what comes until the person presses Ctrl-C or the connection ends; every event is shown to `see`.
    ///
    /// # Errors
    /// When the connection ends, or `see` wants to end.
    pub fn listen(&mut self, mut see: impl FnMut(&View, &Event) -> Result<(), String>) -> Result<(), String> {
        let Session { runtime, said, view, .. } = self;
        runtime.block_on(async {
            loop {
                tokio::select! {
                    event = said.recv() => {
                        let event = event.ok_or("the connection ended")?;
                        view.take(&event);
                        if let Some(why) = lost(&event) {
                            return Err(why);
                        }
                        see(view, &event)?;
                    }
                    _ = tokio::signal::ctrl_c() => return Ok(()),
                }
            }
        })
    }

    /// Signs out in order.
    pub fn close(mut self) {
        self.last += 1;
        let id = OperationId(self.last);
        // The link runs as long as the session.
        let _ = self.operations.send((id, Operation::SignOut));
        let end = Instant::now() + FAREWELL;
        while let Ok(event) = self.next_any(end) {
            if matches!(&event, Event::Completed { id: done, .. } if *done == id) {
                break;
            }
        }
        self.runtime.shutdown_background();
    }

    fn next(&mut self, end: Instant) -> Result<Event, String> {
        let event = self.next_any(end)?;
        match lost(&event) {
            Some(why) => Err(why),
            None => Ok(event),
        }
    }

    fn next_any(&mut self, end: Instant) -> Result<Event, String> {
        let Session { runtime, said, .. } = self;
        let event = runtime.block_on(async { tokio::time::timeout_at(end, said.recv()).await });
        let event = event.map_err(|_| "the server did not answer in time; try again".to_owned())?;
        let event = event.ok_or("the connection ended")?;
        self.view.take(&event);
        Ok(event)
    }
}

/// The sentence for the end of a session nobody wished.
fn lost(event: &Event) -> Option<String> {
    match event {
        Event::State { state: EndpointState::Terminated | EndpointState::Idle, reason, .. } => match reason {
            Reason::Failed(e) => Some(e.text.clone()),
            Reason::OwnerDisabledOrRemoved => Some("this account was disabled or removed".into()),
            Reason::TooManyActiveEndpoints => Some("you are signed in on too many devices; sign out on one of them".into()),
            Reason::RegistrationRefreshFailed => Some("the connection to the server was lost".into()),
            Reason::None | Reason::RegistrationRefreshSucceeded => None,
        },
        Event::State { state: EndpointState::Reestablishing, .. } => Some("the connection to the server was lost".into()),
        _ => None,
    }
}
