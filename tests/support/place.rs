//! A front end and homes for its people, all in a temporary directory and on free ports.

use crate::pty::{ADSUM, ENVIRONMENT, LIMIT, Pty, signal};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use tempfile::TempDir;

/// The domain of everybody.
pub const DOMAIN: &str = "contoso.example";

/// Where a running front end listens.
pub struct Server {
    child: Child,
    /// TCP port.
    pub tcp: u16,
    /// TLS port.
    pub tls: u16,
}

/// The temporary directory with everything in it.
pub struct Place {
    directory: TempDir,
    /// The front end, while it runs.
    pub server: Option<Server>,
}

impl Place {
    /// A front end with these people (id and name); the password of all is `pw`.
    pub fn new(people: &[(&str, &str)]) -> Place {
        let mut place = Place { directory: tempfile::tempdir().unwrap(), server: None };
        let data = place.data();
        let data = data.to_str().unwrap();
        for (n, (id, name)) in people.iter().enumerate() {
            let address = format!("{id}@{DOMAIN}");
            if n == 0 {
                place.command(&["--data", data, "serve", "--init", &address]);
            } else {
                place.command(&["--data", data, "user", "add", &address, "--name", name]);
            }
        }
        place.serve("127.0.0.1:0");
        for (id, _) in people {
            place.configure(id, "");
        }
        place
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Data directory of the front end.
    pub fn data(&self) -> PathBuf {
        self.path().join("server")
    }

    /// Runs a command to its end with the password as its input.
    pub fn command(&self, arguments: &[&str]) {
        let mut child = self.adsum(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"pw\n").unwrap();
        assert!(child.wait().unwrap().success(), "adsum {arguments:?} failed");
    }

    /// The program, ready to start without a terminal.
    pub fn adsum(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ADSUM);
        command.args(arguments).env_clear().envs(ENVIRONMENT).env("HOME", self.path()).current_dir(self.path());
        command
    }

    /// Starts the front end with this TCP address.
    pub fn serve(&mut self, listen: &str) {
        let data = self.data();
        let arguments = ["--data", data.to_str().unwrap(), "serve", "--listen", listen, "--listen-tls", "127.0.0.1:0"];
        let mut child = self.adsum(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            // "… listens at A:P (TLS) and A:P (TCP)."
            let line = lines.find_map(|l| l.ok().filter(|l| l.contains(" listens at ")));
            // The test may have given up.
            let _ = tell.send(line);
            lines.for_each(drop);
        });
        let line = told.recv_timeout(LIMIT).unwrap().unwrap();
        let port = |mark: &str| line.split(mark).next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        self.server = Some(Server { child, tls: port(" (TLS)"), tcp: port(" (TCP)") });
    }

    /// Stops the front end in order; gives back its TCP address, so that it can come back there.
    pub fn stop(&mut self) -> String {
        let mut server = self.server.take().unwrap();
        signal(server.child.id(), "TERM");
        assert!(server.child.wait().unwrap().success());
        format!("127.0.0.1:{}", server.tcp)
    }

    /// Port of the front end for TCP.
    pub fn tcp(&self) -> u16 {
        self.server.as_ref().unwrap().tcp
    }

    /// Port of the front end for TLS.
    pub fn tls(&self) -> u16 {
        self.server.as_ref().unwrap().tls
    }

    /// Home of a person.
    pub fn home(&self, id: &str) -> PathBuf {
        self.path().join("home").join(id)
    }

    /// Writes a person's configuration: an account of the front end over TCP, then `more`.
    pub fn configure(&self, id: &str, more: &str) {
        let account = format!(
            "[[account]]\naddress = \"{id}@{DOMAIN}\"\nserver = \"127.0.0.1:{}\"\ntls = false\npassword_command = \"echo pw\"\n",
            self.tcp()
        );
        self.write_config(id, &format!("{account}{more}"));
    }

    /// Writes a configuration as it is.
    pub fn write_config(&self, id: &str, text: &str) {
        let directory = self.home(id).join(".config/adsum");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config.toml"), text).unwrap();
    }

    /// Somebody's screen, 100×30.
    pub fn screen(&self, id: &str) -> Pty {
        self.screen_of(id, 100, 30, &[])
    }

    /// Somebody's screen.
    pub fn screen_of(&self, id: &str, columns: u16, rows: u16, arguments: &[&str]) -> Pty {
        Pty::start(&self.home(id), columns, rows, arguments)
    }

    /// Somebody's screen after signing in.
    pub fn signed_in(&self, id: &str) -> Pty {
        let mut screen = self.screen(id);
        screen.wait("⇅ tcp");
        screen
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended by itself.
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
    }
}
