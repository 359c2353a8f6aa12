//! `adsum doctor`: what this terminal, multiplexer, keyring and configuration can do, in plain sentences.

use super::paths::Paths;
use crate::store::secrets;
use std::io::IsTerminal;

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
        keyring(),
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
        finding(
            "multiplexer",
            Verdict::Good,
            "tmux; copying needs: set -g set-clipboard on, notifications: set -g allow-passthrough on",
        )
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

fn remote(var: &impl Fn(&str) -> Option<String>) -> Finding {
    let text = if var("SSH_CONNECTION").is_some() { "over SSH; idle time counts from the last key" } else { "on this machine" };
    finding("session", Verdict::Good, text)
}

fn keyring() -> Finding {
    match secrets::keyring() {
        Ok(ring) => finding("passwords", Verdict::Good, format!("kept in the {}", ring.name())),
        Err(e) => finding(
            "passwords",
            Verdict::Limited,
            format!("{e}; use password_command in the configuration, or type it at each start"),
        ),
    }
}

fn configuration(paths: &Paths) -> Finding {
    let file = paths.config.display();
    match std::fs::read_to_string(&paths.config) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            finding("configuration", Verdict::Limited, format!("{file} does not exist yet; adsum sign-in writes it"))
        }
        Err(e) => finding("configuration", Verdict::Bad, format!("{file}: {e}")),
        Ok(text) => match crate::app::config::Config::parse(&text, &file.to_string()) {
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
