//! `adsum account add`, `adsum sign-in`: finds the server, tries the account, remembers the password where that is possible,
//! and writes the configuration.

use super::cli::AddOptions;
use super::link::{Link, LinkEvent};
use super::paths::Paths;
use super::probe::{self, Candidate, Found, Miss};
use super::prompt;
use super::tui::start::{self, endpoint_config};
use crate::app::config::{Account, AccountKind, Config, Dialect};
use crate::domain::{Address, Rng};
use crate::endpoint::{EndpointState, Event, Operation, OperationId, Reason};
use crate::net::dns::Resolver;
use crate::net::tls::Trust;
use crate::net::{Clock, entropy};
use crate::sip::{Server, Transport};
use crate::store::private_dir;
use crate::store::secrets::{Chain, Secret};
use crate::text::Line;
use std::io::Write;
use std::path::Path;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Servers that did not answer and are named.
const TOLD_MISSES: usize = 4;

/// Finds the server of an address, signs in once, and keeps what worked.
///
/// # Errors
/// One sentence: what failed and what to do. Nothing is written then.
pub fn run(paths: &Paths, wanted: AddOptions) -> Result<(), String> {
    let interactive = prompt::is_interactive();
    let text = match &wanted.address {
        Some(a) => a.clone(),
        None if interactive => prompt::line("Your address", "")?,
        None => return Err("name the address to sign in as: adsum account add alice@example.org".into()),
    };
    let address = Address::parse(&text).map_err(|e| e.to_string())?;
    let account = find(&address, &wanted, interactive)?;
    let secret = match &wanted.password_command {
        Some(_) => start::secret(&account)?,
        None => prompt::password(&format!("Password for {}", account.address.bare()))?,
    };
    try_it(&account, &secret)?;
    write(&paths.config, &account)?;
    println!("Signed in. {} names the account now; start with: adsum", paths.config.display());
    if wanted.password_command.is_some() {
        return Ok(());
    }
    match Chain::new(None).remember(account.address.bare(), &secret) {
        Ok(()) => println!("The password is in the keyring."),
        Err(e) => println!("The password is not kept: {e}."),
    }
    Ok(())
}

/// Lists the configured accounts.
///
/// # Errors
/// When the configuration cannot be read.
pub fn list(paths: &Paths, json: bool) -> Result<(), String> {
    for account in start::load(paths)?.account {
        let dialect = if account.dialect == Dialect::Sip { "sip" } else { "lync" };
        let (server, transport) = (account.server.as_str(), account.transport().param());
        let address = account.address.bare();
        if json {
            println!(
                "{}",
                serde_json::json!({ "address": address, "name": account.name, "dialect": dialect, "server": server, "transport": transport, "pin": account.pin })
            );
        } else {
            let server = if server.is_empty() { "(found in the DNS)" } else { server };
            println!("{address:<36} {dialect:<5} {transport:<4} {server}");
        }
    }
    Ok(())
}

/// The account with server, transport and dialect as they were found.
fn find(address: &Address, wanted: &AddOptions, interactive: bool) -> Result<Account, String> {
    let mut account = Account {
        ca_file: absolute(wanted.ca.as_deref())?,
        pin: wanted.pin.clone().unwrap_or_default(),
        name_server: wanted.name_server.clone().unwrap_or_default(),
        login: wanted.login.clone().unwrap_or_default(),
        password_command: wanted.password_command.clone().unwrap_or_default(),
        xcap: wanted.xcap.clone().unwrap_or_default(),
        conference_factory: wanted.conference_factory.clone().unwrap_or_default(),
        ..account(address.clone())
    };
    let dns = match &wanted.name_server {
        Some(text) => Resolver::named(text)?,
        None => Resolver::system(),
    };
    let named = wanted.server.as_deref().map(|s| place(&account, s)).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let candidates = runtime.block_on(probe::candidates(address, named, wanted.transport(), &dns, &mut rng));
    let mut misses: Vec<String> = Vec::new();
    let mut named_nobody = wanted.server.is_none() && candidates.iter().all(|c| !c.discovered);
    for candidate in candidates {
        let server = &candidate.server;
        let asked = ask(&runtime, &candidate, &mut account, interactive, &mut rng);
        let found = match asked {
            Ok(found) => found,
            Err(miss) if miss.certificate.is_some() => {
                let pin = miss.certificate.map(|c| c.pin()).unwrap_or_default();
                return Err(format!("{}; to trust exactly this certificate, say --pin {pin}", miss.why));
            }
            Err(miss) => {
                named_nobody &= miss.no_host;
                misses.push(miss.why);
                continue;
            }
        };
        if server.transport != Transport::Tls && wanted.transport().is_none() && !is_here(&server.host) {
            may_be_read(server, interactive)?;
        }
        (account.tls, account.udp) = (server.transport == Transport::Tls, server.transport == Transport::Udp);
        account.dialect = wanted.dialect().unwrap_or(found.dialect);
        let dialect = if account.dialect == Dialect::Sip { "standard SIP" } else { "the language of Lync" };
        let program = if found.program.is_empty() { String::new() } else { format!(" ({})", found.program) };
        println!("{}.", Line::new(&format!("{server} speaks {dialect} over {}{program}", server.transport)));
        if !candidate.discovered {
            account.server = server.to_string();
        }
        return Ok(account);
    }
    if named_nobody {
        let text = "the DNS knows no server of this domain, and the domain itself is no host";
        return Err(format!("no server was found for {}: {text}. Name it with --server HOST:PORT.", address.bare()));
    }
    misses.dedup();
    misses.truncate(TOLD_MISSES);
    let all = if misses.is_empty() { "there is nothing to ask".to_owned() } else { misses.join("; ") };
    Err(format!("no server was found for {}: {all}. Name it with --server HOST:PORT.", address.bare()))
}

/// Asks one server; whoever sits at the terminal may trust its certificate.
fn ask(runtime: &Runtime, candidate: &Candidate, account: &mut Account, interactive: bool, rng: &mut Rng) -> Result<Found, Miss> {
    let address = account.address.clone();
    (account.tls, account.udp) = (candidate.server.transport == Transport::Tls, candidate.server.transport == Transport::Udp);
    let trusted = trust(account).map_err(Miss::new)?;
    let first = runtime.block_on(probe::ask(candidate, &address, trusted.as_ref(), rng));
    let Err(Miss { why, certificate: Some(facts), .. }) = &first else { return first };
    if !interactive || !account.pin.is_empty() {
        return first;
    }
    println!("{}.", Line::new(why));
    let answer = prompt::line("Trust exactly this certificate from now on? y or n", "n").map_err(Miss::new)?;
    if !answer.eq_ignore_ascii_case("y") {
        return first;
    }
    account.pin = facts.pin();
    let trusted = trust(account).map_err(Miss::new)?;
    runtime.block_on(probe::ask(candidate, &address, trusted.as_ref(), rng))
}

/// Without encryption only with somebody's word.
fn may_be_read(server: &Server, interactive: bool) -> Result<(), String> {
    let over = server.transport;
    if interactive {
        let server = Line::new(&server.to_string());
        println!("{server} answers over {over} only: everybody on the way there can read and change what is sent.");
        if prompt::line("Use it all the same? y or n", "n")?.eq_ignore_ascii_case("y") {
            return Ok(());
        }
    }
    Err(format!("{server} answers over {over} only, without encryption; say --{} when that is all right", over.param()))
}

/// This very machine.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Host and perhaps port.
fn place(account: &Account, text: &str) -> Result<(String, Option<u16>), String> {
    let named = Account { server: text.to_owned(), ..account.clone() };
    let (host, port) = named.server()?;
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    Ok((host.clone(), (bare != host).then_some(port)))
}

/// An account with nothing but an address.
pub fn account(address: Address) -> Account {
    Account {
        name: String::new(),
        address,
        display_name: String::new(),
        server: String::new(),
        dialect: Dialect::Lync,
        kind: AccountKind::User,
        xcap: String::new(),
        conference_factory: String::new(),
        meeting_place: String::new(),
        msrp_relay: String::new(),
        others: Vec::new(),
        certificate: String::new(),
        tls: true,
        udp: false,
        pin: String::new(),
        name_server: String::new(),
        ca_file: String::new(),
        login: String::new(),
        password_command: String::new(),
        user_agent: String::new(),
        calendar: String::new(),
    }
}

fn absolute(ca: Option<&Path>) -> Result<String, String> {
    let Some(path) = ca else { return Ok(String::new()) };
    let full = std::fs::canonicalize(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(full.display().to_string())
}

/// Signs in and out again.
fn try_it(account: &Account, secret: &Secret) -> Result<(), String> {
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let mut config = endpoint_config(account, secret, rng.hex(10))?;
    (config.publish, config.talks) = (false, false);
    config.reconnect = false;
    let trust = trust(account)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let (operations, wanted) = mpsc::unbounded_channel();
        let (say, mut said) = mpsc::unbounded_channel();
        let link = Link::new(config, rng, Clock::new(), trust);
        tokio::spawn(link.run(wanted, move |event| {
            // The listener below ends first when the answer is known.
            let _ = say.send(event);
        }));
        // The link has just been started and takes operations.
        let _ = operations.send((OperationId(1), Operation::SignIn));
        while let Some(event) = said.recv().await {
            match event {
                LinkEvent::Endpoint(Event::State { state: EndpointState::Established, .. }) => {
                    let _ = operations.send((OperationId(2), Operation::SignOut));
                }
                LinkEvent::Endpoint(Event::State { reason: Reason::Failed(e), .. }) => return Err(e.text),
                LinkEvent::Endpoint(Event::Completed { id: OperationId(1), result: Err(e) }) => return Err(e.text),
                LinkEvent::Endpoint(Event::Completed { id: OperationId(2), .. }) => return Ok(()),
                _ => {}
            }
        }
        Err("the connection ended before the server answered".into())
    })
}

/// Whom this account's connections trust.
///
/// # Errors
/// When the certificate file cannot be used.
pub fn trust(account: &Account) -> Result<Option<Trust>, String> {
    let file = (!account.ca_file.is_empty()).then(|| Path::new(&account.ca_file));
    let identity = (!account.certificate.is_empty()).then(|| Path::new(&account.certificate));
    if account.transport() != Transport::Tls && !account.xcap.starts_with("https:") {
        return Ok(None);
    }
    let trust = Trust::with_identity(file, identity)?;
    if account.pin.is_empty() { Ok(Some(trust)) } else { trust.pinned(&account.pin).map(Some) }
}

/// Adds the account in front of the others, or replaces the one of the same address that is there.
fn write(path: &Path, account: &Account) -> Result<(), String> {
    let old = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(format!("{}: {e}", path.display())),
    };
    let known = Config::parse(&old, &path.display().to_string()).map_err(|e| e.to_string())?;
    if known.account.iter().any(|a| a.address == account.address) {
        println!("{} has this account already; it was left as it is.", path.display());
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        private_dir(directory).map_err(|e| e.to_string())?;
    }
    let fresh = path.with_extension("toml.new");
    let text = format!("{}{}{}", old.trim_end(), if old.trim().is_empty() { "" } else { "\n\n" }, account.to_toml());
    let save = || {
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    save().map_err(|e| format!("{}: {e}", path.display()))
}
