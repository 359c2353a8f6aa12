//! The password typed again on the screen, when the server has refused the one that is kept.

use super::commands::people::prompt;
use super::door::Door;
use super::effect::Effect;
use super::state::State;
use super::state::overlay::{Ask, Overlay};
use std::fmt;
use zeroize::Zeroizing;

/// What somebody typed; never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Typed(Zeroizing<String>);

impl Typed {
    /// Takes it over.
    pub fn new(text: &str) -> Typed {
        Typed(Zeroizing::new(text.to_owned()))
    }

    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// Whether another password can be tried.
///
/// # Errors
/// Why not.
pub fn possible(state: &State) -> Result<(), &'static str> {
    match () {
        () if state.link.is_up() => Err("you are signed in"),
        () if state.account.application || state.account.guest.is_some() => Err("this account has no password"),
        // The endpoint that begins anew would know the list as it was at the start.
        () if state.link.was_up => Err("quit and start again to sign in with another password"),
        () => Ok(()),
    }
}

/// Asks for it.
pub fn ask(door: &mut Door<'_>) {
    let who = door.state.account.address.as_ref().map(|a| a.bare().to_owned()).unwrap_or_default();
    prompt(door, Ask::Password, format!("Password for {who}"), "Enter signs in with it; Esc leaves it for later", "");
}

/// The server has refused the password: whoever is not in the middle of something is asked for another.
pub fn refused(door: &mut Door<'_>) {
    if possible(door.state).is_err() || !door.state.overlays.is_empty() || door.state.editor_mut().is_some_and(|e| !e.is_empty())
    {
        return;
    }
    ask(door);
    if let Some(Overlay::Prompt(p)) = door.state.overlays.last_mut() {
        p.error = Some("The server refused the password; type it again".into());
    }
}

/// Signs in with what was typed, blanks and all.
pub fn typed(door: &mut Door<'_>, text: &str) {
    door.state.link.told = None;
    door.effects.push(Effect::SignInWith(Typed::new(text)));
    door.say("Signing in…");
}
