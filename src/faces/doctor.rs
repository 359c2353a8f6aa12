//! `adsum doctor`: what this terminal, multiplexer, keyring and configuration can do, in plain sentences.

use super::paths::Paths;
use crate::app::config::{Account, AccountKind, Config};
use crate::store::secrets::{self, SecretError, SecretStore};
use std::io::IsTerminal;
use std::process::Command;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Works.
    Good,
    /// Works, with a limit.
    Limited,
    /// Does not work.
    Bad,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What it means and what helps.
    pub text: String,
}

/// Looks at everything; `var` reads an environment variable.
pub fn examine(paths: &Paths, var: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    vec![
        terminal(&var),
        size(),
        colours(&var),
        locale(&var),
        multiplexer(&var),
        remote(&var),
        passwords(paths, secrets::keyring),
        configuration(paths),
        data(paths),
    ]
}

/// Prints the report; `true` when nothing is bad.
pub fn report(findings: &[Finding]) -> bool {
    for f in findings {
        let sign = match f.verdict {
            Verdict::Good => "ok  ",
            Verdict::Limited => "note",
            Verdict::Bad => "BAD ",
        };
        println!("{sign}  {:<14} {}", f.what, f.text);
    }
    findings.iter().all(|f| f.verdict != Verdict::Bad)
}

fn finding(what: &'static str, verdict: Verdict, text: impl Into<String>) -> Finding {
    Finding { what, verdict, text: text.into() }
}

fn terminal(var: &impl Fn(&str) -> Option<String>) -> Finding {
    let name = var("TERM").unwrap_or_default();
    match name.as_str() {
        _ if !std::io::stdout().is_terminal() => {
            finding("terminal", Verdict::Limited, "standard output is no terminal; the screen needs one")
        }
        "" | "dumb" => finding(
            "terminal",
            Verdict::Bad,
            "TERM says that this terminal cannot move its cursor; set it, for example to xterm-256color",
        ),
        name => finding("terminal", Verdict::Good, name),
    }
}

fn size() -> Finding {
    match crossterm::terminal::size() {
        Ok((c, r)) if c >= 40 && r >= 10 => finding("size", Verdict::Good, format!("{c}×{r}")),
        Ok((c, r)) => finding("size", Verdict::Bad, format!("{c}×{r} is too small; at least 40×10 are needed")),
        Err(_) => finding("size", Verdict::Limited, "unknown here"),
    }
}

fn colours(var: &impl Fn(&str) -> Option<String>) -> Finding {
    if var("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        return finding("colours", Verdict::Good, "none, as NO_COLOR asks; signs and words say everything");
    }
    match var("COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => finding("colours", Verdict::Good, "16 million; the truecolor themes can be used"),
        _ => finding("colours", Verdict::Good, "16, the terminal's own; truecolor themes need COLORTERM=truecolor"),
    }
}

fn locale(var: &impl Fn(&str) -> Option<String>) -> Finding {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(var).find(|v| !v.is_empty()).unwrap_or_default();
    if locale.to_lowercase().replace('-', "").contains("utf8") {
        finding("characters", Verdict::Good, "UTF-8")
    } else {
        finding("characters", Verdict::Limited, format!("the locale “{locale}” is not UTF-8; set LANG=C.UTF-8, or use --ascii"))
    }
}

fn multiplexer(var: &impl Fn(&str) -> Option<String>) -> Finding {
    if var("TMUX").is_some() {
        tmux(tmux_option)
    } else if var("STY").is_some() {
        finding(
            "multiplexer",
            Verdict::Limited,
            "screen; copying to the clipboard and notifications do not get through, the bell does",
        )
    } else {
        finding("multiplexer", Verdict::Good, "none")
    }
}

/// What tmux still has to be told; `option` reads one of its settings.
fn tmux(option: impl Fn(&str) -> Option<String>) -> Finding {
    let wanted = [("copying", "set-clipboard", &["on"][..]), ("notifications", "allow-passthrough", &["on", "all"])];
    let missing = wanted.iter().filter(|(_, name, good)| !option(name).is_some_and(|is| good.contains(&is.as_str())));
    let advice: Vec<String> =
        missing.map(|(what, name, _)| format!("{what} needs in its configuration: set -g {name} on")).collect();
    match advice.is_empty() {
        true => finding("multiplexer", Verdict::Good, "tmux; copying and notifications get through"),
        false => finding("multiplexer", Verdict::Limited, format!("tmux; {}", advice.join("; "))),
    }
}

fn tmux_option(name: &str) -> Option<String> {
    let out = Command::new("tmux").args(["show-options", "-gqv", name]).output().ok()?;
    let session = String::from_utf8(out.stdout).ok()?;
    if !session.trim().is_empty() {
        return Some(session.trim().to_owned());
    }
    let out = Command::new("tmux").args(["show-options", "-sqv", name]).output().ok()?;
    Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
}

fn remote(var: &impl Fn(&str) -> Option<String>) -> Finding {
    let text = if var("SSH_CONNECTION").is_some() { "over SSH; idle time counts from the last key" } else { "on this machine" };
    finding("session", Verdict::Good, text)
}

fn passwords(paths: &Paths, keyring: impl FnOnce() -> Result<Box<dyn SecretStore>, SecretError>) -> Finding {
    let text = std::fs::read_to_string(&paths.config).unwrap_or_default();
    // What is wrong in the file is told where the file is looked at.
    let accounts = Config::parse(&text, "").map(|c| c.account).unwrap_or_default();
    let people: Vec<&Account> = accounts.iter().filter(|a| a.kind == AccountKind::User).collect();
    let asking = people.iter().any(|a| a.password_command.is_empty());
    if !people.is_empty() && !asking {
        return finding("passwords", Verdict::Good, "from the password_command of the configuration");
    }
    match keyring() {
        Ok(ring) => finding("passwords", Verdict::Good, format!("kept in the {}", ring.name())),
        Err(e) => finding("passwords", Verdict::Limited, e.to_string()),
    }
}

fn configuration(paths: &Paths) -> Finding {
    let file = paths.config.display();
    match std::fs::read_to_string(&paths.config) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            finding("configuration", Verdict::Limited, format!("{file} does not exist yet; adsum sign-in writes it"))
        }
        Err(e) => finding("configuration", Verdict::Bad, format!("{file}: {e}")),
        Ok(text) => match Config::parse(&text, &file.to_string()) {
            Ok(_) => finding("configuration", Verdict::Good, file.to_string()),
            Err(e) => finding("configuration", Verdict::Bad, e.to_string()),
        },
    }
}

fn data(paths: &Paths) -> Finding {
    match crate::store::private_dir(&paths.data) {
        Ok(()) => finding("data", Verdict::Good, paths.data.display().to_string()),
        Err(e) => finding("data", Verdict::Bad, e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_at(config: &str) -> Finding {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, config).unwrap();
        let paths = Paths { config: file, data: dir.path().into(), server: dir.path().into() };
        passwords(&paths, || Err(SecretError::NoKeyring("no D-Bus session is running".into())))
    }

    #[test]
    fn a_password_command_that_is_there_is_not_advised() {
        let found = looked_at("[[account]]\naddress = 'a@b.example'\npassword_command = 'pass x'\n");
        assert_eq!((found.verdict, found.text.as_str()), (Verdict::Good, "from the password_command of the configuration"));
    }

    #[test]
    fn advice_is_given_once() {
        let found = looked_at("[[account]]\naddress = 'a@b.example'\n");
        assert_eq!(found.text.matches("password_command").count(), 1, "{}", found.text);
    }

    #[test]
    fn tmux_is_told_only_what_is_missing() {
        let found = tmux(|name| Some(if name == "set-clipboard" { "on" } else { "off" }.into()));
        assert!(found.text.contains("allow-passthrough") && !found.text.contains("set-clipboard"), "{}", found.text);
        assert_eq!(tmux(|_| Some("on".into())).verdict, Verdict::Good);
    }
}
