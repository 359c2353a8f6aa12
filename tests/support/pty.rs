//! The real binary in a pseudo-terminal, with a terminal emulator as its screen.
//!
//! Nothing sleeps: every wait ends with the output that brings what is waited for, or fails after a generous limit with the
//! screen as it stands.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The program under test.
pub const ADSUM: &str = env!("CARGO_BIN_EXE_adsum");

/// What every program starts with; nothing else of the environment gets in.
pub const ENVIRONMENT: [(&str, &str); 4] =
    [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("PATH", "/usr/bin:/bin")];

/// A running program and its screen.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All octets that the program has written.
    pub raw: Vec<u8>,
}

impl Pty {
    /// Starts `adsum` with `arguments` on a terminal of the given size, with `home` as its home directory.
    pub fn start(home: &Path, columns: u16, rows: u16, arguments: &[&str]) -> Pty {
        Pty::start_with(home, columns, rows, arguments, &[])
    }

    /// As [`Pty::start`], with more environment.
    pub fn start_with(home: &Path, columns: u16, rows: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Pty {
        let mut command = CommandBuilder::new(ADSUM);
        command.args(arguments);
        Pty::run(command, home, columns, rows, environment)
    }

    /// Starts `script` in a shell, which can stop and continue what it starts.
    pub fn shell(home: &Path, columns: u16, rows: u16, script: &str) -> Pty {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", script]);
        Pty::run(command, home, columns, rows, &[])
    }

    fn run(mut command: CommandBuilder, home: &Path, columns: u16, rows: u16, environment: &[(&str, &str)]) -> Pty {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env_clear();
        for (name, value) in ENVIRONMENT.iter().chain(environment) {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.cwd(home);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let keys = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (tell, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if tell.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Pty {
            child,
            master: pair.master,
            keys,
            output,
            screen: vt100::Parser::new(cells(rows), cells(columns), 0),
            raw: Vec::new(),
        }
    }

    /// Types text or keys as the terminal would send them.
    pub fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Text and Enter.
    pub fn enter(&mut self, text: &str) {
        self.send(text);
        self.send("\r");
    }

    /// Alt and a key.
    pub fn alt(&mut self, key: char) {
        self.send(&format!("\x1b{key}"));
    }

    /// Ctrl and a letter.
    pub fn ctrl(&mut self, letter: char) {
        self.send(&char::from(letter.to_ascii_uppercase() as u8 & 0x1f).to_string());
    }

    /// Escape, told from the beginning of an Alt key by waiting for what it brings about.
    pub fn escape(&mut self, gone: &str) {
        self.send("\x1b");
        self.wait_gone(gone);
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// The row of the screen that shows `words`; empty when none does.
    pub fn row(&self, words: &str) -> String {
        self.text().lines().find(|l| l.contains(words)).unwrap_or_default().to_owned()
    }

    /// Whether the cursor is shown and the ordinary screen is back.
    pub fn is_given_back(&self) -> bool {
        let screen = self.screen.screen();
        !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    }

    /// Waits until the screen shows `wanted`.
    pub fn wait(&mut self, wanted: &str) {
        self.wait_for(&format!("“{wanted}”"), |screen| screen.contains(wanted));
    }

    /// Waits until the screen does not show `unwanted`.
    pub fn wait_gone(&mut self, unwanted: &str) {
        self.wait_for(&format!("no “{unwanted}”"), |screen| !screen.contains(unwanted));
    }

    /// Waits until one row of the screen shows all of `wanted`.
    pub fn wait_row(&mut self, wanted: &[&str]) {
        self.wait_for(&format!("a row with {wanted:?}"), |screen| {
            screen.lines().any(|row| wanted.iter().all(|w| row.contains(w)))
        });
    }

    /// Waits until the screen fulfils `holds`.
    pub fn wait_for(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let end = Instant::now() + LIMIT;
        loop {
            while let Ok(bytes) = self.output.try_recv() {
                self.take(&bytes);
            }
            if holds(&self.text()) {
                return;
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {what}; the screen shows:\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended before {what}; the screen shows:\n{}", self.text())
                }
            }
        }
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Sends the program a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(self.child.process_id().unwrap(), name);
    }

    /// Quits with the key for it and checks that the program ended well and gave the terminal back.
    pub fn quit(mut self) -> Vec<u8> {
        self.ctrl('q');
        assert_eq!(self.ended(), 0, "the screen shows:\n{}", self.text());
        assert!(self.is_given_back(), "the terminal is not as it was");
        std::mem::take(&mut self.raw)
    }

    /// Waits for the end of the program and gives back its exit code.
    pub fn ended(&mut self) -> u32 {
        let end = Instant::now() + LIMIT;
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program does not end; the screen shows:\n{}", self.text()),
            }
        }
        self.child.wait().unwrap().exit_code()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.raw.extend_from_slice(bytes);
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

/// Sends a process a signal.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("/bin/kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
    assert!(status.success());
}
