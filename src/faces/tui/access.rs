//! What signing in needs and what may take its time: the password, and whom to trust. The screen does not wait for it.

use super::Input;
use crate::app::config::{Account, AccountKind};
use crate::faces::signin;
use crate::net::tls::Trust;
use crate::store::secrets::{Chain, Found, Secret, Source};
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
        Ok(Access { secret: secret(account), trust: signin::trust(account)? })
    }
}

fn secret(account: &Account) -> Found {
    if account.kind != AccountKind::User {
        // A certificate, or the passcode of the meeting, says who it is.
        return Found::Password(Secret::new(String::new()), Source::Command);
    }
    let command = Some(account.password_command.clone()).filter(|c| !c.is_empty());
    Chain::new(command).find(account.address.bare())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::Config;

    #[test]
    fn an_application_is_not_asked_for_a_password() {
        let text = "[[account]]\naddress = \"echo@contoso.example\"\nkind = \"application\"\nserver = \"fe.contoso.example\"\n\
                    certificate = \"echo.pem\"";
        let account = Config::parse(text, "here").unwrap().account.remove(0);
        assert_eq!(secret(&account), Found::Password(Secret::new(String::new()), Source::Command));
    }
}
