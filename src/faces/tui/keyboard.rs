//! The terminal as a source of keys, read in the screen's own loop: a thread that waits for keys would cost two changes of
//! context for each of them, and would go on reading while an editor has the terminal.

use crate::ui::terminal::input::{Heard, Parser};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Octets read at once; more than a terminal keeps for its reader, so one read takes everything.
const READ_SIZE: usize = 8 * 1024;

/// The keyboard (and the mouse, and the clipboard).
#[derive(Debug)]
pub struct Keyboard {
    tty: AsyncFd<File>,
    parser: Parser,
    heard: VecDeque<Heard>,
}

impl Keyboard {
    /// Standard input, or the controlling terminal when that is something else.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn open() -> io::Result<Keyboard> {
        let stdin = io::stdin();
        let tty = if stdin.is_terminal() { stdin.as_fd().try_clone_to_owned().map(File::from)? } else { File::open("/dev/tty")? };
        #[allow(deprecated)] // sound for a file, which always is the same descriptor; what replaces it is an unsafe function
        let tty = AsyncFd::with_interest(tty, Interest::READABLE)?;
        Ok(Keyboard { tty, parser: Parser::default(), heard: VecDeque::new() })
    }

    /// What comes next; `None` when the terminal is gone. May be dropped at any time without losing anything.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Heard>> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(Some(heard));
            }
            let mut ready = self.tty.readable().await?;
            let mut buffer = [0; READ_SIZE];
            // The terminal is shared with the shell and so has to stay in blocking mode; but it has said that it is ready.
            let n = match ready.get_inner().read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            ready.clear_ready();
            self.heard.extend(self.parser.feed(buffer.get(..n).unwrap_or_default()));
        }
    }
}
