//! The real binary in a pseudo-terminal, with a terminal emulator as its screen.
//!
//! Nothing sleeps: every wait ends with the output that brings what is waited for, or fails after a generous limit with the
//! screen as it stands.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(60);

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
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_adsum"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("PATH", "/usr/bin:/bin")] {
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
        Pty { child, master: pair.master, keys, output, screen: vt100::Parser::new(rows, columns, 0), raw: Vec::new() }
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

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen shows `wanted`.
    pub fn wait(&mut self, wanted: &str) {
        self.wait_for(&format!("“{wanted}”"), |screen| screen.contains(wanted));
    }

    /// Waits until the screen does not show `unwanted`.
    pub fn wait_gone(&mut self, unwanted: &str) {
        self.wait_for(&format!("no “{unwanted}”"), |screen| !screen.contains(unwanted));
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
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended before {what}; the screen shows:\n{}", self.text()),
            }
        }
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.screen_mut().set_size(rows, columns);
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Waits for the end of the program; `true` when it succeeded.
    pub fn ended(&mut self) -> bool {
        while let Ok(bytes) = self.output.recv_timeout(LIMIT) {
            self.take(&bytes);
        }
        self.child.wait().unwrap().success()
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
