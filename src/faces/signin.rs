//! `adsum sign-in`: tries an account, remembers the password where that is possible, and writes the configuration.

use super::link::{Link, LinkEvent};
use super::paths::Paths;
use super::prompt;
use super::tui::start::endpoint_config;
use crate::app::config::{Account, AccountKind, Config, Dialect};
use crate::domain::Address;
use crate::endpoint::{EndpointState, Event, Operation, OperationId, Reason};
use crate::net::tls::Trust;
use crate::net::{Clock, entropy};
use crate::sip::Transport;
use crate::store::private_dir;
use crate::store::secrets::{Chain, Secret};
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// What the command line says of the server.
#[derive(Debug, Default)]
pub struct Wanted {
    /// `HOST[:PORT]`.
    pub server: Option<String>,
    /// It speaks standard SIP.
    pub sip: bool,
    /// Without TLS.
    pub tcp: bool,
    /// Its authority's certificate.
    pub ca: Option<PathBuf>,
}

/// Asks what is missing, signs in once, and keeps what worked.
///
/// # Errors
/// One sentence: what failed and what to do. Nothing is written then.
pub fn run(paths: &Paths, address: Option<String>, wanted: Wanted) -> Result<(), String> {
    let asked = address.is_none() && prompt::is_interactive();
    let text = match address {
        Some(a) => a,
        None if asked => prompt::line("Your address", "")?,
        None => return Err("name the address to sign in as: adsum sign-in alice@example.org".into()),
    };
    let address = Address::parse(&text).map_err(|e| e.to_string())?;
    let server = match wanted.server {
        Some(s) => s,
        None if asked => prompt::line("Server", address.host())?,
        None => String::new(),
    };
    let account = Account {
        server: if server == address.host() { String::new() } else { server },
        dialect: if wanted.sip { Dialect::Sip } else { Dialect::Lync },
        tls: !wanted.tcp,
        ca_file: absolute(wanted.ca)?,
        ..account(address)
    };
    let secret = prompt::password(&format!("Password for {}", account.address.bare()))?;
    try_it(&account, &secret)?;
    write(&paths.config, &account)?;
    println!("Signed in. {} names the account now; start with: adsum", paths.config.display());
    match Chain::new(None).remember(account.address.bare(), &secret) {
        Ok(()) => println!("The password is in the keyring."),
        Err(e) => println!("The password is not kept: {e}."),
    }
    Ok(())
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

fn absolute(ca: Option<PathBuf>) -> Result<String, String> {
    let Some(path) = ca else { return Ok(String::new()) };
    let full = std::fs::canonicalize(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(full.display().to_string())
}

/// Signs in and out again.
fn try_it(account: &Account, secret: &Secret) -> Result<(), String> {
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let mut config = endpoint_config(account, secret, rng.hex(10))?;
    config.publish = false;
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
