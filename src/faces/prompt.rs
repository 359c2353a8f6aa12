//! Questions on a plain terminal, before there is a screen.

use crate::store::secrets::Secret;
use std::io::{BufRead, IsTerminal, Write};

/// Longest line that is taken from standard input.
const MAX_LINE: u64 = 4096;

/// Whether somebody can be asked.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Asks for a line; an empty answer takes `default`.
///
/// # Errors
/// When the input ends.
pub fn line(question: &str, default: &str) -> Result<String, String> {
    let hint = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    print!("{question}{hint}: ");
    // A question that cannot be shown is still answered by a script.
    let _ = std::io::stdout().flush();
    let text = read_line(question)?;
    Ok(if text.is_empty() { default.to_owned() } else { text })
}

/// Asks for a password without showing it, on the terminal whatever becomes of the output; from standard input when that is no
/// terminal.
///
/// # Errors
/// When the input ends or the terminal cannot hide what is typed.
pub fn password(question: &str) -> Result<Secret, String> {
    if std::io::stdin().is_terminal() {
        let text =
            rpassword::prompt_password(format!("{question}: ")).map_err(|e| format!("cannot ask for the password: {e}"))?;
        return Ok(Secret::new(text));
    }
    Ok(Secret::new(read_line(question)?))
}

/// Asks for a new password twice (once when nobody sits at the terminal).
///
/// # Errors
/// When both differ or nothing is typed.
pub fn new_password(question: &str) -> Result<Secret, String> {
    let first = password(question)?;
    if first.reveal().is_empty() {
        return Err("the password must not be empty".into());
    }
    if is_interactive() && password("again")?.reveal() != first.reveal() {
        return Err("the two passwords differ; nothing was changed".into());
    }
    Ok(first)
}

fn read_line(question: &str) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let stdin = std::io::stdin();
    let n = stdin.lock().take(MAX_LINE).read_line(&mut text).map_err(|e| format!("cannot read the answer: {e}"))?;
    if n == 0 {
        return Err(format!("“{question}” was asked, and standard input has no answer"));
    }
    Ok(text.trim_end_matches(['\r', '\n']).trim().to_owned())
}
