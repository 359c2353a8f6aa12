//! `adsum join`: into a meeting without an account.

use super::Input;
use super::access::Access;
use super::start::{Kept, load, needs_terminal, prepare};
use crate::app::config::{Account as Configured, AccountKind};
use crate::domain::Address;
use crate::endpoint;
use crate::faces::cli::JoinOptions;
use crate::faces::paths::Paths;
use crate::faces::{prompt, signin};
use crate::net::{Clock, entropy};
use crate::store::secrets::{Found, Secret, Source};
use tokio::sync::mpsc::unbounded_channel;

/// Opens the screen as a guest, who goes into the meeting at once. Nothing is kept on disk.
///
/// # Errors
/// One sentence that says what to do.
pub fn join(paths: &Paths, options: &JoinOptions, ascii: bool) -> Result<(), String> {
    let wrong = "this is no link to a meeting; it looks like https://HOST/ORGANIZER/ID or conf:sip:…;opaque=app:conf:focus:id:…";
    let (organizer, _) = endpoint::parse_link(&options.link).ok_or(wrong)?;
    needs_terminal()?;
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let me = Address::parse(&format!("{}@{}", rng.hex(32), endpoint::GUEST_HOST)).map_err(|e| e.to_string())?;
    let name = match &options.name {
        Some(name) => name.clone(),
        None if prompt::is_interactive() => prompt::line("Your name, as the others shall see it:", "Guest")?,
        None => "Guest".to_owned(),
    };
    let account = Configured {
        kind: AccountKind::Guest,
        display_name: name,
        server: options.server.clone().unwrap_or_else(|| organizer.host().to_owned()),
        tls: !options.tcp,
        ca_file: options.ca.as_ref().map(|f| f.display().to_string()).unwrap_or_default(),
        ..signin::account(me.clone())
    };
    let (said, heard) = unbounded_channel();
    let secret = Found::Password(Secret::new(String::new()), Source::Command);
    // We hear ourselves.
    let _ = said.send(Input::Access(Ok(Access { secret, trust: signin::trust(&account)? })));
    let mut prepared = prepare(&load(paths)?, &account, Kept::forgetful(&me)?, rng, Clock::new(), ascii, (said, heard))?;
    prepared.session.state.account.guest = Some(options.link.trim().to_owned());
    prepared.run()
}
