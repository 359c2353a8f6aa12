//! Passwords: from a command, from the keyring, or asked for. Where no keyring exists the reason is told, with what else works.

use super::limits::{KEYRING_TIMEOUT, MAX_PASSWORD};
use std::fmt;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use zeroize::Zeroizing;

/// A password; never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes it over.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a password cannot be had or kept this way; one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No keyring on this machine or in this session.
    #[error("no keyring here ({0}); set password_command in the configuration, or type the password at each start")]
    NoKeyring(String),
    /// The keyring refused or is locked.
    #[error("the keyring did not answer ({0}); unlock it, or set password_command in the configuration")]
    Keyring(String),
    /// The command could not be run or failed.
    #[error("password_command failed: {0}")]
    Command(String),
}

/// A place that keeps passwords by account. Calls may block.
pub trait SecretStore: Send {
    /// For sentences: `keyring`.
    fn name(&self) -> &'static str;
    /// The password, if one is kept.
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretError>;
    /// Keeps it.
    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretError>;
    /// Forgets it; forgetting what is not kept is fine.
    fn delete(&self, account: &str) -> Result<(), SecretError>;
}

/// Where a password came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `password_command`.
    Command,
    /// The keyring.
    Keyring,
}

/// What a look-up brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A password.
    Password(Secret, Source),
    /// Ask the person; the sentence says why, if there is something to say.
    Ask(Option<SecretError>),
}

/// The ways to a password, in order: command, keyring, prompt.
pub struct Chain {
    command: Option<String>,
    keyring: Result<Box<dyn SecretStore>, SecretError>,
}

impl Chain {
    /// With the configured command, and whatever keyring this machine has (it is probed only when it is needed: with a
    /// command nobody waits for D-Bus). Blocks.
    pub fn new(command: Option<String>) -> Chain {
        let keyring =
            if command.is_some() { Err(SecretError::NoKeyring("a password command is configured".into())) } else { keyring() };
        Chain::with(command, keyring)
    }

    /// With a given keyring, for tests.
    pub fn with(command: Option<String>, keyring: Result<Box<dyn SecretStore>, SecretError>) -> Chain {
        Chain { command, keyring }
    }

    /// Looks everywhere. A failing command is an answer too: the person is asked and told.
    pub fn find(&self, account: &str) -> Found {
        if let Some(command) = &self.command {
            return match from_command(command) {
                Ok(secret) => Found::Password(secret, Source::Command),
                Err(e) => Found::Ask(Some(e)),
            };
        }
        match self.keyring.as_ref().map_err(Clone::clone).and_then(|k| k.get(account)) {
            Ok(Some(secret)) => Found::Password(secret, Source::Keyring),
            Ok(None) => Found::Ask(None),
            Err(e) => Found::Ask(Some(e)),
        }
    }

    /// Keeps a password that proved right.
    pub fn remember(&self, account: &str, secret: &Secret) -> Result<(), SecretError> {
        self.keyring.as_ref().map_err(Clone::clone)?.set(account, secret)
    }

    /// Forgets a password, for instance one that proved wrong.
    pub fn forget(&self, account: &str) -> Result<(), SecretError> {
        match &self.keyring {
            Ok(k) => k.delete(account),
            Err(_) => Ok(()),
        }
    }

    /// Whether [`Chain::remember`] can work, for the question “save it?”.
    pub fn can_remember(&self) -> Result<(), SecretError> {
        self.keyring.as_ref().map(|_| ()).map_err(Clone::clone)
    }
}

/// Runs `sh -c command`; its first line is the password. It may talk to the person on the terminal (pinentry).
pub fn from_command(command: &str) -> Result<Secret, SecretError> {
    let out = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| SecretError::Command(e.to_string()))?;
    let text = Zeroizing::new(out.stdout);
    if !out.status.success() {
        return Err(SecretError::Command(format!("it ended with {}", out.status)));
    }
    let line = text.split(|b| *b == b'\n' || *b == b'\r').next().unwrap_or(&[]);
    match std::str::from_utf8(line) {
        Ok("") => Err(SecretError::Command("it printed nothing".into())),
        Ok(password) if password.len() <= MAX_PASSWORD => Ok(Secret::new(password)),
        _ => Err(SecretError::Command("it printed no password".into())),
    }
}

/// Why there may be no keyring in this session, from its environment.
pub fn why_no_keyring(var: impl Fn(&str) -> Option<String>) -> String {
    let set = |name: &str| var(name).is_some_and(|v| !v.is_empty());
    match (set("SSH_CONNECTION") || set("SSH_TTY"), set("DBUS_SESSION_BUS_ADDRESS")) {
        (true, false) => "this is an SSH session without D-Bus".into(),
        (false, false) => "no D-Bus session is running".into(),
        (true, true) => "no secret service answers in this SSH session".into(),
        (false, true) => "no secret service answers on D-Bus".into(),
    }
}

/// The desktop's keyring, proven by keeping, reading and deleting a probe. Blocks up to [`KEYRING_TIMEOUT`].
#[cfg(feature = "secret-service")]
pub fn keyring() -> Result<Box<dyn SecretStore>, SecretError> {
    within(KEYRING_TIMEOUT, os::probe)??;
    Ok(Box::new(os::Keyring))
}

/// This build has no keyring.
#[cfg(not(feature = "secret-service"))]
pub fn keyring() -> Result<Box<dyn SecretStore>, SecretError> {
    Err(SecretError::NoKeyring("adsum was built without it".into()))
}

/// Runs a blocking call with a deadline; a call that hangs keeps its thread and nothing else.
#[cfg_attr(not(feature = "secret-service"), allow(dead_code))]
fn within<T: Send + 'static>(patience: Duration, call: impl FnOnce() -> T + Send + 'static) -> Result<T, SecretError> {
    let (tx, rx) = channel();
    std::thread::Builder::new()
        .name("keyring".into())
        .spawn(move || {
            let _ = tx.send(call());
        })
        .map_err(|e| SecretError::Keyring(e.to_string()))?;
    rx.recv_timeout(patience).map_err(|_| SecretError::Keyring("it did not answer in time".into()))
}

#[cfg(feature = "secret-service")]
mod os {
    use super::*;
    use keyring::{Entry, Error};

    const SERVICE: &str = "adsum";

    /// The system's keyring through the `keyring` crate.
    #[derive(Debug)]
    pub struct Keyring;

    /// Construction succeeds where use fails, so only use proves it.
    pub fn probe() -> Result<(), SecretError> {
        if let Err(e) = Entry::store_status() {
            tracing::debug!(error = %e, "no keyring");
            return Err(SecretError::NoKeyring(why_no_keyring(|n| std::env::var(n).ok())));
        }
        let account = format!("probe-{}", std::process::id());
        let probe = || -> Result<bool, Error> {
            let entry = Entry::new(SERVICE, &account)?;
            entry.set_password("probe")?;
            let same = entry.get_password()? == "probe";
            entry.delete_credential()?;
            Ok(same)
        };
        match probe() {
            Ok(true) => Ok(()),
            Ok(false) => Err(SecretError::Keyring("it gives back something else than it was given".into())),
            Err(e) => Err(failure(e)),
        }
    }

    impl SecretStore for Keyring {
        fn name(&self) -> &'static str {
            "keyring"
        }

        fn get(&self, account: &str) -> Result<Option<Secret>, SecretError> {
            let account = account.to_owned();
            let got = within(KEYRING_TIMEOUT, move || Entry::new(SERVICE, &account).and_then(|e| e.get_password()))?;
            match got {
                Ok(text) => Ok(Some(Secret::new(text))),
                Err(Error::NoEntry) => Ok(None),
                Err(e) => Err(failure(e)),
            }
        }

        fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretError> {
            let (account, secret) = (account.to_owned(), secret.clone());
            within(KEYRING_TIMEOUT, move || Entry::new(SERVICE, &account).and_then(|e| e.set_password(secret.reveal())))?
                .map_err(failure)
        }

        fn delete(&self, account: &str) -> Result<(), SecretError> {
            let account = account.to_owned();
            match within(KEYRING_TIMEOUT, move || Entry::new(SERVICE, &account).and_then(|e| e.delete_credential()))? {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(e) => Err(failure(e)),
            }
        }
    }

    fn failure(e: Error) -> SecretError {
        match e {
            Error::NoDefaultStore => SecretError::NoKeyring(why_no_keyring(|n| std::env::var(n).ok())),
            Error::NoStorageAccess(e) => SecretError::Keyring(format!("access refused: {e}")),
            e => SecretError::Keyring(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Fake(Mutex<HashMap<String, Secret>>);

    impl SecretStore for Fake {
        fn name(&self) -> &'static str {
            "fake"
        }
        fn get(&self, account: &str) -> Result<Option<Secret>, SecretError> {
            Ok(self.0.lock().unwrap().get(account).cloned())
        }
        fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretError> {
            self.0.lock().unwrap().insert(account.into(), secret.clone());
            Ok(())
        }
        fn delete(&self, account: &str) -> Result<(), SecretError> {
            self.0.lock().unwrap().remove(account);
            Ok(())
        }
    }

    #[test]
    fn a_command_comes_first_and_its_first_line_counts() {
        let chain = Chain::with(Some("printf 's3cret\\nrest\\n'".into()), Ok(Box::new(Fake::default())));
        assert_eq!(chain.find("a"), Found::Password(Secret::new("s3cret"), Source::Command));
    }

    #[test]
    fn a_failing_command_is_explained_and_the_person_asked() {
        for (command, says) in [("exit 3", "exit status: 3"), ("true", "nothing")] {
            match Chain::with(Some(command.into()), Ok(Box::new(Fake::default()))).find("a") {
                Found::Ask(Some(e)) => assert!(e.to_string().contains(says), "{e}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_keyring_keeps_and_forgets() {
        let chain = Chain::with(None, Ok(Box::new(Fake::default())));
        assert_eq!(chain.find("a"), Found::Ask(None));
        chain.remember("a", &Secret::new("x")).unwrap();
        assert_eq!(chain.find("a"), Found::Password(Secret::new("x"), Source::Keyring));
        chain.forget("a").unwrap();
        assert_eq!(chain.find("a"), Found::Ask(None));
    }

    #[test]
    fn without_a_keyring_it_says_why_and_what_else_works() {
        let env = |names: &'static [&'static str]| move |n: &str| names.contains(&n).then(|| "x".to_owned());
        assert!(why_no_keyring(env(&["SSH_TTY"])).contains("SSH"));
        assert!(why_no_keyring(env(&[])).contains("D-Bus"));
        let e = SecretError::NoKeyring(why_no_keyring(env(&[])));
        let chain = Chain::with(None, Err(e.clone()));
        assert_eq!(chain.find("a"), Found::Ask(Some(e.clone())));
        assert!(e.to_string().contains("password_command"));
        assert!(chain.remember("a", &Secret::new("x")).is_err());
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[test]
    fn a_hanging_keyring_is_given_up() {
        let (_keep, wait) = channel::<()>();
        let result = within(Duration::from_millis(1), move || wait.recv().is_ok());
        assert!(matches!(result, Err(SecretError::Keyring(_))));
    }
}
