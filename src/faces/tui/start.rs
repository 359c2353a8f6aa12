//! From a configuration, or from the demo's stage, to a running screen.

use super::access::{self, Access};
use super::{Input, Session, run};
use crate::app::State;
use crate::app::config::{Account as Configured, AccountKind, ComposerKeys, Config, Dialect as ConfiguredDialect, Ui};
use crate::app::hours;
use crate::app::state::view::Options;
use crate::app::state::{Account, AccountId, View};
use crate::domain::{Address, Rng};
use crate::endpoint::EndpointKind;
use crate::endpoint::user::Config as EndpointConfig;
use crate::endpoint::{Dialect, KnownList};
use crate::faces::cli::AddOptions;
use crate::faces::demo::script::Script;
use crate::faces::demo::stage::{self, Stage};
use crate::faces::keeper;
use crate::faces::link::files;
use crate::faces::paths::Paths;
use crate::faces::{prompt, signin};
use crate::net::clock::system_zone;
use crate::net::dns::Resolver;
use crate::net::{Clock, entropy};
use crate::store::client::{AccountId as StoreAccount, Snapshot, Sqlite, Store, Worker, Write};
use crate::store::lock::AccountLock;
use crate::store::private_dir;
use crate::store::secrets::{Chain, Found, Secret, SecretError, Source};
use jiff::tz::TimeZone;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// File of the client's database in its data directory.
pub const DATABASE: &str = "adsum.sqlite";

/// Setting under which an account's epid is kept (`lync.md` 1.4: chosen once per installation).
const EPID: &str = "epid";

/// Opens the screen for a configured account; without one offers the demo or to sign in.
///
/// # Errors
/// One sentence that says what to do.
pub fn configured(paths: &Paths, name: Option<&str>, ascii: bool) -> Result<(), String> {
    let mut config = load(paths)?;
    if config.account.is_empty() {
        config = match offer(paths, ascii)? {
            Some(config) => config,
            None => return Ok(()),
        };
    }
    let account = named(&config, name)?;
    needs_terminal()?;
    let (said, heard) = unbounded_channel();
    let looking = access::look(account.clone(), said.clone())?;
    let kept = Kept::open(&paths.data, &account.address)?;
    let rng = entropy().map_err(|e| e.to_string())?;
    let prepared = prepare(&config, &account, kept, rng, Clock::new(), ascii, (said, heard))?;
    if !account.password_command.is_empty() {
        // It may talk to the person on the terminal. Its answer waits in the queue.
        let _ = looking.join();
    }
    prepared.run()
}

/// A sentence instead of the system's words when nobody could see the screen or press a key.
///
/// # Errors
/// When there is no terminal.
pub fn needs_terminal() -> Result<(), String> {
    let keys = || std::io::stdin().is_terminal() || std::fs::File::open("/dev/tty").is_ok();
    if std::io::stdout().is_terminal() && keys() {
        return Ok(());
    }
    Err("the screen needs a terminal; without one use a command such as adsum contacts list (adsum --help names them all)".into())
}

/// Raises the demo's stage and opens the screen in front of it.
///
/// # Errors
/// One sentence that says what failed.
pub fn demo(data: Option<&Path>, paths: &Paths, seed: Option<u64>, ascii: bool) -> Result<(), String> {
    let config = load(paths)?;
    needs_terminal()?;
    let clock = Clock::new();
    let mut rng = match seed {
        Some(seed) => Rng::seeded(seed),
        None => entropy().map_err(|e| e.to_string())?,
    };
    if let Some(directory) = data {
        private_dir(directory).map_err(|e| e.to_string())?;
    }
    let Stage { port, me, name, password, .. } = &stage::raise(&Script::built_in()?, data, &mut rng, clock)?;
    let kept = match data {
        Some(directory) => Kept::open(directory, me)?,
        None => Kept::forgetful(me)?,
    };
    let account =
        Configured { display_name: name.clone(), server: format!("127.0.0.1:{port}"), tls: false, ..signin::account(me.clone()) };
    let (said, heard) = unbounded_channel();
    let secret = Found::Password(Secret::new(password.clone()), Source::Command);
    // We hear ourselves.
    let _ = said.send(Input::Access(Ok(Access { secret, trust: None })));
    prepare(&config, &account, kept, rng, clock, ascii, (said, heard))?.run()
}

/// The configuration; that of nobody when there is no file.
///
/// # Errors
/// When it cannot be read.
pub fn load(paths: &Paths) -> Result<Config, String> {
    let file = paths.config.display().to_string();
    match std::fs::read_to_string(&paths.config) {
        Ok(text) => Config::parse(&text, &file).map_err(|e| e.to_string()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Config::parse("", &file).map_err(|e| e.to_string()),
        Err(e) => Err(format!("{file}: {e}")),
    }
}

fn offer(paths: &Paths, ascii: bool) -> Result<Option<Config>, String> {
    if !prompt::is_interactive() {
        return Err("no account is configured; run adsum account add ADDRESS, or adsum demo".into());
    }
    println!(
        "adsum knows no account yet.\n\n  d  try the demo: a front end and a dozen people on this machine\n  s  sign in with your own address\n"
    );
    match prompt::line("What shall it be, d or s?", "d")?.as_str() {
        "d" => demo(None, paths, None, ascii).map(|()| None),
        "s" => {
            signin::run(paths, AddOptions::default())?;
            load(paths).map(Some)
        }
        other => Err(format!("“{other}” is neither d nor s; nothing was done")),
    }
}

/// The configured account of this name, or the first.
///
/// # Errors
/// One sentence that says what to do.
pub fn account(paths: &Paths, name: Option<&str>) -> Result<Configured, String> {
    let config = load(paths)?;
    if config.account.is_empty() {
        return Err("no account is configured; run adsum account add ADDRESS".into());
    }
    named(&config, name)
}

fn named(config: &Config, name: Option<&str>) -> Result<Configured, String> {
    config.account(name).cloned().ok_or_else(|| unknown(name, config))
}

fn unknown(name: Option<&str>, config: &Config) -> String {
    let names: Vec<&str> = config.account.iter().map(|a| if a.name.is_empty() { a.address.bare() } else { &a.name }).collect();
    format!("there is no account “{}”; configured are {}", name.unwrap_or(""), names.join(", "))
}

/// The account's password: from where it is kept, else asked for.
///
/// # Errors
/// When it cannot be had.
pub fn secret(account: &Configured) -> Result<Secret, String> {
    if account.kind != AccountKind::User {
        return Ok(Secret::new(String::new()));
    }
    let command = Some(account.password_command.clone()).filter(|c| !c.is_empty());
    match Chain::new(command).find(account.address.bare()) {
        Found::Password(secret, _) => Ok(secret),
        // A script that has a command for it did not mean its input to be the password.
        Found::Ask(Some(why @ SecretError::Command(_))) if !prompt::is_interactive() => {
            Err(format!("no password for {}: {why}", account.address.bare()))
        }
        Found::Ask(why) => {
            if let Some(why) = why.as_ref().filter(|_| prompt::is_interactive()) {
                println!("{why}");
            }
            let asked = prompt::password(&format!("Password for {}", account.address.bare()));
            asked.map_err(|e| why.map_or(e.clone(), |why| format!("{e}; {why}")))
        }
    }
}

/// What the endpoint must know to sign in as this account.
///
/// # Errors
/// When the server's name is malformed.
pub fn endpoint_config(account: &Configured, secret: &Secret, epid: String) -> Result<EndpointConfig, String> {
    let (host, port) = account.server()?;
    if !account.name_server.is_empty() {
        Resolver::named(&account.name_server)?;
    }
    let base = EndpointConfig::new(account.address.clone(), secret.reveal());
    Ok(EndpointConfig {
        kind: match account.kind {
            AccountKind::User => EndpointKind::User,
            AccountKind::Application => EndpointKind::Application,
            AccountKind::Guest => EndpointKind::Guest,
        },
        host,
        port,
        others: account.other_servers()?,
        transport: account.transport(),
        name_server: account.name_server.clone(),
        discover: account.server.is_empty() && account.kind == AccountKind::User,
        dialect: match account.dialect {
            ConfiguredDialect::Lync => Dialect::Lync,
            ConfiguredDialect::Sip => Dialect::Simple,
        },
        xcap: account.xcap_root()?,
        conference_factory: account.factory()?,
        meeting_place: account.meeting_place()?,
        relay: account.relay()?,
        login: Some(account.login.clone()).filter(|l| !l.is_empty()),
        epid,
        display_name: account.display_name.clone(),
        user_agent: if account.user_agent.is_empty() { base.user_agent.clone() } else { account.user_agent.clone() },
        machine_name: machine_name(),
        utc_offset_minutes: system_zone().to_offset(jiff::Timestamp::now()).seconds() / 60,
        reconnect: true,
        ..base
    })
}

fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "terminal".into() } else { name.chars().filter(|c| !c.is_control()).take(64).collect() }
}

/// One account's store, opened.
pub(super) struct Kept {
    store: Box<dyn Store>,
    account: StoreAccount,
    snapshot: Snapshot,
    lock: Option<AccountLock>,
}

impl Kept {
    fn open(directory: &Path, owner: &Address) -> Result<Kept, String> {
        private_dir(directory).map_err(|e| e.to_string())?;
        let lock = AccountLock::take(directory, owner.bare()).map_err(|e| e.to_string())?;
        let store = Sqlite::open(&directory.join(DATABASE)).map_err(|e| e.to_string())?;
        Kept::with(Box::new(store), owner, Some(lock))
    }

    pub(super) fn forgetful(owner: &Address) -> Result<Kept, String> {
        let store = Sqlite::memory().map_err(|e| e.to_string())?;
        Kept::with(Box::new(store), owner, None)
    }

    fn with(mut store: Box<dyn Store>, owner: &Address, lock: Option<AccountLock>) -> Result<Kept, String> {
        let account = StoreAccount::from(owner);
        let snapshot = store.snapshot(&account, keeper::TAIL).map_err(|e| e.to_string())?;
        Ok(Kept { store, account, snapshot, lock })
    }

    /// The epid of this installation; a second instance on the same data is an endpoint of its own.
    fn epid(&mut self, rng: &mut Rng) -> Result<String, String> {
        if self.lock.as_ref().is_some_and(AccountLock::is_shared) {
            return Ok(rng.hex(10));
        }
        if let Some((_, epid)) = self.snapshot.settings.iter().find(|s| s.0 == EPID) {
            return Ok(epid.clone());
        }
        let epid = rng.hex(10);
        let write = Write::Setting { name: EPID.into(), value: Some(epid.clone()) };
        self.store.write(&[(self.account.clone(), write)]).map_err(|e| e.to_string())?;
        Ok(epid)
    }
}

/// The two ends of what is said to the screen.
pub(super) type Ears = (UnboundedSender<Input>, UnboundedReceiver<Input>);

/// A screen that could be shown.
pub(super) struct Prepared {
    pub(super) session: Session,
    /// Held as long as the screen runs.
    lock: Option<AccountLock>,
}

pub(super) fn prepare(
    config: &Config,
    account: &Configured,
    mut kept: Kept,
    mut rng: Rng,
    clock: Clock,
    ascii: bool,
    (said, heard): Ears,
) -> Result<Prepared, String> {
    let mut endpoint = endpoint_config(account, &Secret::new(""), kept.epid(&mut rng)?)?;
    endpoint.list = KnownList { groups: kept.snapshot.groups.clone(), contacts: kept.snapshot.contacts.clone() };
    endpoint.meetings = keeper::known_meetings(&kept.snapshot);
    (endpoint.custom_statuses, endpoint.lcid) = (config.custom_statuses(), config.lcid());
    let id = AccountId(if account.name.is_empty() { account.address.bare().to_owned() } else { account.name.clone() });
    let me = Account {
        id,
        address: Some(account.address.clone()),
        name: account.display_name.clone(),
        application: account.kind == AccountKind::Application,
        ..Account::default()
    };
    let mut state = State::new(me, View { locale: config.lcid(), ..view(&config.ui, ascii, clock) }, rng.fork());
    state.link.transport = account.transport().param().into();
    state.link.server = endpoint.host.clone();
    state.keymap = Arc::new(config.keymap());
    state.options = options(config);
    state.own.custom = config.custom_statuses();
    state.own.calendar.path = account.calendar.clone();
    let period = config.working_hours.as_ref().and_then(|h| h.period().ok());
    state.own.hours = period.map(|p| hours::working_hours(vec![p], &state.view.zone, clock.now()));
    let zone = state.view.zone.iana_name().unwrap_or("UTC").to_owned();
    let calendar = Some(account.calendar.clone()).filter(|c| !c.is_empty()).map(|path| (path, zone));
    let shared = kept.lock.as_ref().is_some_and(AccountLock::is_shared);
    let replies = said.clone();
    let worker = Worker::start(kept.store, move |reply| {
        // The screen is gone only when the program ends.
        let _ = replies.send(Input::Store(reply));
    })
    .map_err(|e| e.to_string())?;
    let keeper = keeper::Keeper::new(worker, kept.account, &kept.snapshot);
    let snapshot = keeper::snapshot(kept.snapshot, &account.address);
    let (mouse, opener) = (config.ui.mouse, config.ui.opener.clone());
    let downloads = match config.ui.downloads.as_str() {
        "" => files::default_folder(),
        folder => files::expanded(folder),
    };
    let session =
        Session { state, snapshot, keeper, endpoint, rng, clock, said, heard, mouse, opener, shared, calendar, downloads };
    Ok(Prepared { session, lock: kept.lock })
}

impl Prepared {
    pub(super) fn run(self) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let result = runtime.block_on(run(self.session));
        // Nothing that is still open may keep the person waiting at the prompt.
        runtime.shutdown_background();
        drop(self.lock);
        result
    }
}

/// Zone of shown times.
pub fn zone(ui: &Ui) -> TimeZone {
    if ui.time_zone.is_empty() { system_zone() } else { TimeZone::get(&ui.time_zone).unwrap_or(TimeZone::UTC) }
}

fn view(ui: &Ui, ascii: bool, clock: Clock) -> View {
    let size = crate::ui::terminal::screen_size();
    View {
        columns: size.width,
        rows: size.height,
        ascii: ascii || ui.ascii,
        no_color: std::env::var("NO_COLOR").is_ok_and(|v| !v.is_empty()),
        theme: ui.theme.clone(),
        zone: zone(ui),
        now: clock.now(),
        pinned_group: ui.pinned_group.clone(),
        ..View::default()
    }
}

fn options(config: &Config) -> Options {
    let ui = &config.ui;
    Options {
        lcid: config.lcid(),
        vi: config.composer.keys == ComposerKeys::Vi,
        bell: ui.bell,
        notify: ui.notify,
        notify_text: ui.notify_text,
        title: ui.title,
        typing: ui.typing,
        mention: ui.mention.clone(),
        remind: ui.remind.iter().map(|m| (*m).min(7 * 24 * 60)).collect(),
    }
}
