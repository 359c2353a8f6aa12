//! `adsum serve` and `adsum user`: a front end for a team on one host, and its people.

use super::accounts::{self, SERVER_DATABASE};
use super::cli::{Lists, UserCommand};
use super::pool::{self, Place};
use super::prompt;
use super::server::{Administered, Host, Sockets};
use crate::domain::Address;
use crate::domain::conference::PhoneNumber;
use crate::frontend::{Config, ListLimits, Policy, StoreOp, UserRecord};
use crate::net::{Clock, entropy, tcp, tls};
use crate::store::private_dir;
use crate::store::server::{FrontendStore, FrontendWriter};
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// File in the data directory whose socket is told that the accounts have changed.
const CONTROL_SOCKET: &str = "control.sock";

/// Where and as whom to serve.
#[derive(Debug)]
pub struct Serve {
    /// Data directory.
    pub data: PathBuf,
    /// TCP address.
    pub listen: String,
    /// TLS address.
    pub listen_tls: String,
    /// Own name.
    pub host: String,
    /// How long contact lists may get.
    pub lists: Lists,
    /// How much of somebody's presence may be watched.
    pub policy: Policy,
    /// Numbers by which meetings can be called.
    pub phones: Vec<PhoneNumber>,
}

/// Makes the data directory and the first user.
///
/// # Errors
/// One sentence that says what failed.
pub fn init(data: &Path, address: Option<String>) -> Result<(), String> {
    private_dir(data).map_err(|e| e.to_string())?;
    let user = std::env::var("USER").unwrap_or_else(|_| "me".into());
    let text = match address {
        Some(a) => a,
        None if prompt::is_interactive() => prompt::line("Address of the first user", &format!("{user}@adsum.example"))?,
        None => return Err("name the first user: adsum serve --init alice@example.org".into()),
    };
    let address = Address::parse(&text).map_err(|e| e.to_string())?;
    add(data, &address, "", "")?;
    println!("{} is ready. Now run: adsum serve", data.display());
    Ok(())
}

/// Carries out `adsum user …`.
///
/// # Errors
/// One sentence that says what failed.
pub fn user(data: &Path, what: UserCommand) -> Result<(), String> {
    let parse = |a: &str| Address::parse(a).map_err(|e| e.to_string());
    match what {
        UserCommand::Add { address, name, title } => add(data, &parse(&address)?, &name, &title),
        UserCommand::Remove { address } => remove(data, &parse(&address)?),
        UserCommand::Passwd { address } => passwd(data, &parse(&address)?),
        UserCommand::List { json } => list(data, json),
    }
}

fn add(data: &Path, address: &Address, name: &str, title: &str) -> Result<(), String> {
    let mut store = open(data)?;
    let users = users(&store)?;
    if users.iter().any(|u| u.address == *address) {
        return Err(format!("{} exists already; use adsum user passwd to set a new password", address.bare()));
    }
    if let Some(first) = users.first().filter(|u| u.address.host() != address.host()) {
        return Err(format!("this front end serves {}; the new address must end in it", first.address.host()));
    }
    let password = prompt::new_password(&format!("Password for {}", address.bare()))?;
    apply(data, &mut store, StoreOp::PutUser(accounts::record(address.clone(), name, title, "", password.reveal())))?;
    println!("{} can sign in now.", address.bare());
    Ok(())
}

fn remove(data: &Path, address: &Address) -> Result<(), String> {
    let mut store = open(data)?;
    find(&store, address)?;
    apply(data, &mut store, StoreOp::RemoveUser(address.clone()))?;
    println!("{} is gone.", address.bare());
    Ok(())
}

fn passwd(data: &Path, address: &Address) -> Result<(), String> {
    let mut store = open(data)?;
    let known = find(&store, address)?;
    let password = prompt::new_password(&format!("New password for {}", address.bare()))?;
    let fresh = accounts::record(address.clone(), "", "", "", password.reveal());
    let record = UserRecord { nt_hash: fresh.nt_hash, ha1_md5: fresh.ha1_md5, ha1_sha256: fresh.ha1_sha256, ..known };
    apply(data, &mut store, StoreOp::PutUser(record))?;
    println!("The new password of {} holds from now on.", address.bare());
    Ok(())
}

fn list(data: &Path, json: bool) -> Result<(), String> {
    for user in users(&open(data)?)? {
        if json {
            println!("{}", serde_json::json!({ "address": user.address.bare(), "name": user.display_name, "title": user.title }));
        } else {
            println!("{:<40} {}", user.address.bare(), user.display_name);
        }
    }
    Ok(())
}

/// Opens the front end's data.
pub(super) fn open(data: &Path) -> Result<FrontendStore, String> {
    private_dir(data).map_err(|e| e.to_string())?;
    FrontendStore::open(&data.join(SERVER_DATABASE)).map_err(|e| e.to_string())
}

fn users(store: &FrontendStore) -> Result<Vec<UserRecord>, String> {
    store.users().map_err(|e| e.to_string())
}

fn find(store: &FrontendStore, address: &Address) -> Result<UserRecord, String> {
    let missing = || format!("there is no {}; adsum user list shows everybody", address.bare());
    users(store)?.into_iter().find(|u| u.address == *address).ok_or_else(missing)
}

/// Saves the change and tells a running front end.
pub(super) fn apply(data: &Path, store: &mut FrontendStore, op: StoreOp) -> Result<(), String> {
    store.apply(&[op]).map_err(|e| e.to_string())?;
    // Nobody listens when no front end runs; it reads the change when it starts.
    let _ = std::os::unix::net::UnixStream::connect(data.join(CONTROL_SOCKET));
    Ok(())
}

/// Runs the front end until it is told to end by SIGINT or SIGTERM.
///
/// # Errors
/// One sentence that says what failed.
pub fn serve(options: &Serve) -> Result<(), String> {
    let store = open(&options.data)?;
    let domain = match users(&store)?.first() {
        Some(first) => first.address.host().to_owned(),
        None => return Err("this front end has no users yet; begin with: adsum serve --init alice@example.org".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(run(options, store, &domain))
}

async fn run(options: &Serve, store: FrontendStore, domain: &str) -> Result<(), String> {
    let listener = tcp::listen(&options.listen).await?;
    let acceptor = tls::ensure_certificates(&options.data, &names(&options.host, domain))?;
    let secure = tcp::listen(&options.listen_tls).await?;
    let port = secure.local_addr().map_err(|e| e.to_string())?.port();
    announce(options, &listener, &secure, domain);
    let (stop, mut stopped) = oneshot::channel();
    tokio::spawn(until_told(stop));
    let tls = (secure, acceptor);
    let _turn = match pool::take_place(&options.data)? {
        Place::Working(turn) => turn,
        Place::Member(next) => {
            let _ = super::print(b"Another front end works on this data; this one brings it its connections and is next.\n");
            match pool::bring(&options.data, &listener, &tls, next, &mut stopped).await {
                Some(turn) => turn,
                None => return super::print(b"The front end has ended.\n"),
            }
        }
    };
    let data = store.load().map_err(|e| e.to_string())?;
    let database = options.data.join(SERVER_DATABASE);
    let writer = FrontendWriter::start(store, |e| tracing::error!("{e}")).map_err(|e| e.to_string())?;
    let rng = entropy().map_err(|e| e.to_string())?;
    let again = move || {
        let store = FrontendStore::open(&database).map_err(|e| e.to_string())?;
        let users = store.users().map_err(|e| e.to_string())?;
        let groups = store.groups().map_err(|e| e.to_string())?;
        let applications = store.applications().map_err(|e| e.to_string())?;
        Ok(Administered { users, groups, applications, categories: store.categories().map_err(|e| e.to_string())? })
    };
    let lists = ListLimits {
        contacts: options.lists.max_contacts,
        groups: options.lists.max_groups.max(1),
        distribution_groups: options.lists.max_distribution_groups,
    };
    let tcp_port = listener.local_addr().map_err(|e| e.to_string())?.port();
    let config = Config {
        lists,
        tcp_port,
        user_policy: options.policy,
        phones: options.phones.clone(),
        ..Config::new(&options.host, port, domain)
    };
    let host = Host::new(config, data, rng, Clock::new(), move |op| writer.apply(op)).with_accounts(Box::new(again));
    let (control, members) = (pool::door(&options.data, CONTROL_SOCKET)?, pool::door(&options.data, pool::MEMBERS)?);
    let sockets = Sockets { tcp: Some(listener), tls: Some(tls), members: Some(members), control: Some(control) };
    let _ = super::print(b"This front end works.\n");
    host.run(sockets, stopped).await;
    // A socket file that stays behind is taken over at the next start.
    let _ = std::fs::remove_file(options.data.join(CONTROL_SOCKET));
    super::print(b"The front end has ended.\n")
}

fn names(host: &str, domain: &str) -> Vec<String> {
    vec![host.to_owned(), domain.to_owned(), "localhost".into(), "127.0.0.1".into(), "::1".into()]
}

fn announce(options: &Serve, tcp: &tokio::net::TcpListener, tls: &tokio::net::TcpListener, domain: &str) {
    let place = |l: &tokio::net::TcpListener| l.local_addr().map_or_else(|e| e.to_string(), |a| a.to_string());
    let text = format!("The front end of {domain} listens at {} (TLS) and {} (TCP).\n", place(tls), place(tcp));
    let trust = format!("Clients trust it by the certificate {}.\n", options.data.join(tls::CA_FILE).display());
    // It serves as well where nobody reads this.
    let _ = super::print(format!("{text}{trust}").as_bytes());
}

async fn until_told(stop: oneshot::Sender<()>) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        // Without signal handlers the default action ends the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // The front end may have ended by itself already.
    let _ = stop.send(());
}
