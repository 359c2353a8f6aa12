//! What signing in needs and what may take its time: the password, and whom to trust. The screen does not wait for it.

use super::Input;
use crate::app::config::Account;
use crate::faces::signin;
use crate::net::tls::Trust;
use crate::store::secrets::{Chain, Found};
use std::thread::JoinHandle;
use tokio::sync::mpsc::UnboundedSender;

/// The means of signing in.
#[derive(Debug)]
pub struct Access {
    /// The password, or that the person has to be asked.
    pub secret: Found,
    /// Whom to trust with TLS.
    pub trust: Option<Trust>,
}

impl Access {
    /// Looks for both. Blocks.
    fn of(account: &Account) -> Result<Access, String> {
        let command = Some(account.password_command.clone()).filter(|c| !c.is_empty());
        let secret = Chain::new(command).find(account.address.bare());
        Ok(Access { secret, trust: signin::trust(account)? })
    }
}

/// Looks on a thread of its own; the answer comes as [`Input::Access`].
///
/// # Errors
/// When there is no thread to be had.
pub fn look(account: Account, say: UnboundedSender<Input>) -> Result<JoinHandle<()>, String> {
    let look = move || {
        // The screen is gone only when the program ends.
        let _ = say.send(Input::Access(Access::of(&account)));
    };
    std::thread::Builder::new().name("access".into()).spawn(look).map_err(|e| format!("no thread can be started: {e}"))
}
