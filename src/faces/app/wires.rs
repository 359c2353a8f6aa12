//! Standard input and output on threads of their own, joined to the loop by bounded queues.

use super::limits::MAX_LINE;
use std::io::{BufRead, BufReader, Read, Write};
use tokio::sync::mpsc;

/// What comes in.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// A line without its end.
    Line(String),
    /// A line that was skipped.
    TooLong,
}

/// Reads standard input until its end.
///
/// # Errors
/// When no thread can be started.
pub fn read(tell: mpsc::Sender<Input>) -> Result<(), String> {
    let work = move || {
        let mut source = BufReader::new(std::io::stdin());
        while let Some(input) = next_line(&mut source) {
            if tell.blocking_send(input).is_err() {
                return;
            }
        }
    };
    thread("input", work)
}

/// Writes lines to standard output; an empty one is the last.
///
/// # Errors
/// When no thread can be started.
pub fn write(mut lines: mpsc::Receiver<String>) -> Result<(), String> {
    let work = move || {
        let mut out = std::io::stdout();
        while let Some(line) = lines.blocking_recv().filter(|l| !l.is_empty()) {
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                return;
            }
        }
    };
    thread("output", work)
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(drop).map_err(|e| e.to_string())
}

/// The next line; one that is too long is read to its end and given up.
fn next_line(source: &mut impl BufRead) -> Option<Input> {
    let mut octets = Vec::new();
    let read = source.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut octets).ok()?;
    if read == 0 {
        return None;
    }
    if octets.len() > MAX_LINE && octets.last() != Some(&b'\n') {
        loop {
            let skip = match source.fill_buf() {
                Ok([]) | Err(_) => return Some(Input::TooLong),
                Ok(more) => more.iter().position(|b| *b == b'\n').map_or((more.len(), false), |at| (at + 1, true)),
            };
            source.consume(skip.0);
            if skip.1 {
                return Some(Input::TooLong);
            }
        }
    }
    Some(Input::Line(String::from_utf8_lossy(&octets).trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_a_long_one_does_not_hide_the_next() {
        let long = "x".repeat(3 * MAX_LINE);
        let text = format!("one\n{long}\ntwo\r\nthree");
        let mut source = BufReader::new(text.as_bytes());
        let mut all = std::iter::from_fn(|| next_line(&mut source));
        assert_eq!(all.next(), Some(Input::Line("one".into())));
        assert_eq!(all.next(), Some(Input::TooLong));
        assert_eq!(all.next(), Some(Input::Line("two".into())));
        assert_eq!(all.next(), Some(Input::Line("three".into())));
        assert_eq!(all.next(), None);
    }
}
