//! `adsum app`: an application endpoint driven by JSON lines (docs/app.md).
//!
//! One loop joins three bounded queues: lines in, the endpoint, lines out. When the input ends, or on SIGTERM, the endpoint
//! drains: it takes nothing new and ends when what runs has ended, or when the time for that is over.

mod limits;
mod protocol;
mod session;
mod wires;

use super::cli::AppOptions;
use super::link::{Link, LinkEvent, sleep};
use super::paths::Paths;
use super::tui::start;
use crate::app::config::{Account, AccountKind, Config};
use crate::domain::{Address, Rng};
use crate::endpoint::user::Config as EndpointConfig;
use crate::endpoint::{EndpointState, Event, Operation, OperationId, Reason};
use crate::faces::signin;
use crate::net::tls::Trust;
use crate::net::{Clock, entropy};
use crate::store::secrets::Secret;
use limits::{GOODBYE, INPUT_QUEUE, WRITER_QUEUE};
use session::{OWN, Session};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;
use wires::Input;

/// Runs until the endpoint has ended.
///
/// # Errors
/// One sentence that says what failed: a wrong option, no front end that takes this application.
pub fn run(paths: &Paths, name: Option<&str>, options: AppOptions) -> Result<(), String> {
    let account = account(paths, name, &options)?;
    let trust = signin::trust(&account)?;
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let mut config = start::endpoint_config(&account, &Secret::new(String::new()), rng.hex(10))?;
    (config.reconnect, config.trace) = (false, false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let result = runtime.block_on(drive(config, trust, rng, Duration::from_secs(options.drain)));
    // A reader or writer that hangs must not keep the program.
    runtime.shutdown_background();
    result
}

/// The account the options name, with what they say instead of the file.
fn account(paths: &Paths, name: Option<&str>, options: &AppOptions) -> Result<Account, String> {
    let mut account = match &options.address {
        Some(address) => signin::account(Address::parse(address).map_err(|e| e.to_string())?),
        None => {
            let file = paths.config.display().to_string();
            let text = std::fs::read_to_string(&paths.config).unwrap_or_default();
            let config = Config::parse(&text, &file).map_err(|e| e.to_string())?;
            let wanted = |a: &&Account| a.kind == AccountKind::Application;
            let found = match name {
                Some(name) => config.account(Some(name)).filter(wanted),
                None => config.account.iter().find(wanted),
            };
            found.cloned().ok_or_else(|| format!("{file} has no such application; name one with --address and --certificate"))?
        }
    };
    account.kind = AccountKind::Application;
    if let Some((first, others)) = options.front_end.split_first() {
        account.server.clone_from(first);
        account.others = others.to_vec();
    }
    if let Some(file) = &options.certificate {
        account.certificate = file.display().to_string();
    }
    if let Some(file) = &options.ca {
        account.ca_file = file.display().to_string();
    }
    if let Some(name) = &options.name {
        account.display_name.clone_from(name);
    }
    if account.certificate.is_empty() {
        return Err("an application shows a certificate; name it with --certificate (adsum trust add makes one)".into());
    }
    Ok(account)
}

/// How the program comes to its end.
enum Course {
    Running,
    /// Until then what runs may end.
    Draining(Instant),
    /// Until then goodbyes may be answered.
    Leaving(Instant),
}

async fn drive(config: EndpointConfig, trust: Option<Trust>, mut rng: Rng, patience: Duration) -> Result<(), String> {
    let clock = Clock::new();
    let mut session = Session::new(config.uri.clone(), rng.fork());
    let (operations, wanted) = mpsc::unbounded_channel();
    let (say, mut said) = mpsc::unbounded_channel();
    let link = Link::new(config, rng, clock, trust);
    tokio::spawn(link.run(wanted, move |event| {
        if let LinkEvent::Endpoint(event) = event {
            // The loop below ends first.
            let _ = say.send(event);
        }
    }));
    let (input, mut lines) = mpsc::channel(INPUT_QUEUE);
    let (writer, output) = mpsc::channel(WRITER_QUEUE);
    wires::read(input)?;
    wires::write(output)?;
    let failed = |e: std::io::Error| format!("signals cannot be heard: {e}");
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    // The link runs as long as this loop.
    let operate = |id: OperationId, operation: Operation| drop(operations.send((id, operation)));
    operate(OWN, Operation::SignIn);
    let (mut course, mut open, mut trouble) = (Course::Running, true, None);
    loop {
        let due = [session.poll_timeout().map(|t| clock.instant(t)), course.deadline()].into_iter().flatten().min();
        tokio::select! {
            biased;
            _ = terminate.recv() => course.end(&session, patience, &operate),
            _ = interrupt.recv() => course.end(&session, patience, &operate),
            Some(event) = said.recv() => {
                session.on_event(&event);
                match event {
                    Event::State { state: EndpointState::Terminated, reason, .. } => {
                        trouble = sentence(reason);
                        break;
                    }
                    Event::State { state: EndpointState::Idle, reason: Reason::Failed(e), .. } => {
                        trouble = Some(e.text);
                        break;
                    }
                    _ => {}
                }
            }
            permit = writer.reserve(), if session.has_lines() => match permit {
                Ok(permit) => {
                    if let Some(line) = session.poll_line() {
                        permit.send(line);
                    }
                }
                // Nobody reads any more.
                Err(_) => {
                    while session.poll_line().is_some() {}
                    course.end(&session, patience, &operate);
                }
            },
            line = lines.recv(), if open && session.is_ready() => match line {
                Some(Input::Line(text)) => {
                    if let Some((id, operation)) = session.on_line(clock.now(), &text) {
                        operate(id, operation);
                    }
                }
                Some(Input::TooLong) => session.on_long_line(),
                None => {
                    open = false;
                    course.end(&session, patience, &operate);
                }
            },
            () = sleep(due) => {
                session.on_time(clock.now());
                if course.is_over() {
                    match course {
                        Course::Leaving(_) => break,
                        _ => course.leave(&operate),
                    }
                }
            }
        }
    }
    session.close();
    flush(session, writer).await;
    trouble.map_or(Ok(()), Err)
}

impl Course {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Course::Running => None,
            Course::Draining(at) | Course::Leaving(at) => Some(*at),
        }
    }

    fn is_over(&self) -> bool {
        self.deadline().is_some_and(|at| at <= Instant::now())
    }

    /// Drains; told a second time, or with nothing to drain, it leaves at once.
    fn end(&mut self, session: &Session, patience: Duration, operate: &impl Fn(OperationId, Operation)) {
        let stands = matches!(session.state(), EndpointState::Established | EndpointState::Reestablishing);
        match self {
            Course::Running if stands => {
                *self = Course::Draining(Instant::now() + patience);
                operate(OWN, Operation::Drain);
            }
            Course::Running | Course::Draining(_) => self.leave(operate),
            Course::Leaving(_) => {}
        }
    }

    fn leave(&mut self, operate: &impl Fn(OperationId, Operation)) {
        *self = Course::Leaving(Instant::now() + GOODBYE);
        operate(OWN, Operation::SignOut);
    }
}

/// Why the endpoint ended, when that was nobody's wish.
fn sentence(reason: Reason) -> Option<String> {
    match reason {
        Reason::Failed(e) => Some(e.text),
        Reason::OwnerDisabledOrRemoved => Some("the front end does not trust this application any more".into()),
        Reason::RegistrationRefreshFailed => Some("the front end went away while the endpoint drained".into()),
        _ => None,
    }
}

/// The last lines go out, if somebody reads them.
async fn flush(mut session: Session, writer: mpsc::Sender<String>) {
    let all = async {
        while let Some(line) = session.poll_line() {
            if writer.send(line).await.is_err() {
                return;
            }
        }
        // The writer takes its queue away when everything is written.
        let done = writer.clone();
        drop(writer);
        let _ = done.send(String::new()).await;
        done.closed().await;
    };
    let _ = tokio::time::timeout(GOODBYE, all).await;
}
