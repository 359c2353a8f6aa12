//! The real program: a pool of two front ends on free ports, mutual TLS, an application by JSON lines, and its examples.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_adsum");

struct Place {
    dir: tempfile::TempDir,
}

/// A front end; killed when dropped.
struct FrontEnd {
    process: Child,
    lines: BufReader<ChildStdout>,
    tls: String,
}

impl Drop for FrontEnd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An `adsum app`; killed when dropped.
struct App {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Place {
    fn new() -> Place {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        place.run(&["serve", "--init", "alice@team.example"]);
        place.run(&["user", "add", "bob@team.example"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.env("HOME", self.dir.path()).arg("--data").arg(self.path("server"));
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut child =
            self.command().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
        let output = child.wait_with_output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    fn front_end(&self) -> FrontEnd {
        let ports = ["serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"];
        let mut process = self.command().args(ports).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let port = first.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
        let mut front_end = FrontEnd { tls: format!("localhost:{port}"), process, lines };
        front_end.until("works");
        front_end
    }

    fn app(&self, address: &str, certificate: &Path, front_ends: &[&FrontEnd]) -> App {
        let mut command = self.command();
        command.args(["app", "--address", address, "--drain", "5", "--certificate"]).arg(certificate);
        command.arg("--ca").arg(self.path("server/ca.pem"));
        for f in front_ends {
            command.args(["--front-end", &f.tls]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        App { process, input, output }
    }
}

impl FrontEnd {
    fn until(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the front end ended before it said “{word}”");
            if line.contains(word) {
                return line;
            }
        }
    }
}

impl App {
    fn send(&mut self, line: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn until(&mut self, what: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the application ended before that");
            let value: Value = serde_json::from_str(&line).unwrap();
            if what(&value) {
                return value;
            }
        }
    }

    fn established(&mut self) {
        self.until(|v| v["event"] == "state" && v["state"] == "Established");
    }

    fn ask(&mut self, line: &Value) -> Value {
        self.send(line);
        self.until(|v| v["id"] == line["id"] && v["ok"].is_boolean())
    }

    /// The end of input; gives whether it ended well.
    fn finish(mut self) -> bool {
        self.input = None;
        self.until(|v| v["event"] == "state" && v["state"] == "Terminated");
        self.process.wait().unwrap().success()
    }
}

#[test]
fn applications_talk_by_lines_survive_the_death_of_a_front_end_and_end_with_their_input() {
    let place = Place::new();
    let first = place.front_end();
    // Trusted while it runs.
    let (echo, news) = (place.path("echo.pem"), place.path("news.pem"));
    place.run(&["trust", "add", "echo@team.example", "--out", echo.to_str().unwrap()]);
    place.run(&["trust", "add", "news@team.example", "--out", news.to_str().unwrap()]);
    assert!(place.run(&["trust", "add", "alice@team.example"]).contains("is a person here"));
    let mut second = place.front_end();
    let mut a = place.app("echo@team.example", &echo, &[&first, &second]);
    let mut b = place.app("news@team.example", &news, &[&second]);
    assert_eq!(a.until(|_| true)["event"], "snapshot");
    a.established();
    b.established();
    let refused = a.ask(&json!({"id": 1, "op": "refresh_contacts"}));
    assert_eq!((&refused["ok"], &refused["error"]["kind"]), (&json!(false), &json!("InvalidOperation")));
    assert_eq!(a.ask(&json!({"id": "x", "op": "fly"}))["error"]["kind"], "InvalidArgument");

    b.send(&json!({"id": 1, "op": "impersonate", "conversation": "c", "uri": "alice@team.example", "name": "Alice"}));
    b.send(&json!({"id": 2, "op": "start_conversation", "conversation": "c", "with": "echo@team.example"}));
    b.send(&json!({"id": 3, "op": "send_message", "conversation": "c", "message": "m", "text": "hello"}));
    let wait = json!({"id": 4, "op": "wait", "for": {"event": "message_state", "state": ["Delivered", "Failed"]}});
    assert_eq!(b.ask(&wait)["result"]["state"], "Delivered");
    let heard = a.until(|v| v["event"] == "message");
    assert_eq!(heard["message"]["author"], "sip:alice@team.example");

    // The front end that works dies; the other one goes on, and both applications come back by themselves.
    drop(first);
    second.until("This front end works");
    a.established();
    b.established();
    a.send(&json!({"id": 5, "op": "start_conversation", "conversation": "d", "with": "news@team.example"}));
    a.send(&json!({"id": 6, "op": "send_message", "conversation": "d", "text": "still here"}));
    assert_eq!(b.until(|v| v["event"] == "message")["message"]["body"], "still here");
    assert_eq!(b.ask(&json!({"id": 7, "op": "end_conversation", "conversation": "d"}))["ok"], true);
    assert_eq!(a.ask(&json!({"id": 8, "op": "end_conversation", "conversation": "d"}))["ok"], true);
    assert!(a.finish() && b.finish());
}

#[test]
fn a_certificate_nobody_trusts_is_told_what_to_do() {
    let place = Place::new();
    let front_end = place.front_end();
    let file = place.path("gone.pem");
    place.run(&["trust", "add", "gone@team.example", "--out", file.to_str().unwrap()]);
    place.run(&["trust", "remove", "gone@team.example"]);
    let mut app = place.app("gone@team.example", &file, &[&front_end]);
    app.until(|v| v["state"] == "Idle" && v["reason"]["Failed"].is_object());
    app.input = None;
    assert!(!app.process.wait().unwrap().success());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut app.process.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("adsum trust add gone@team.example"), "{said}");
}

#[test]
fn the_examples_do_what_they_say() {
    let place = Place::new();
    let front_end = place.front_end();
    for name in ["news", "help", "bot"] {
        let file = place.path(&format!("{name}.pem"));
        place.run(&["trust", "add", &format!("{name}@team.example"), "--out", file.to_str().unwrap()]);
    }
    let python = |script: &str, ours: &[&str], name: &str| {
        let mut command = Command::new("python3");
        let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/apps");
        command.arg("-B").arg(apps.join(script)).args(["--program", BINARY]).args(ours).arg("--");
        command.args(["--address", &format!("{name}@team.example"), "--front-end", &front_end.tls, "--certificate"]);
        command.arg(place.path(&format!("{name}.pem"))).arg("--ca").arg(place.path("server/ca.pem"));
        command.env("HOME", place.dir.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    };
    let mut bot = place.app("bot@team.example", &place.path("bot.pem"), &[&front_end]);
    bot.established();
    let output = python("broadcast.py", &["--text", "noon", "bot@team.example", "nobody@team.example"], "news").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("bot@team.example: delivered") && said.contains("nobody@team.example: there is nobody"), "{said}");
    assert_eq!(output.status.code(), Some(1));

    // The group: somebody who does not exist, then an application that comes.
    let mut helped = python("distribute.py", &["--once", "nobody@team.example", "bot@team.example"], "help").spawn().unwrap();
    let mut caller = place.app("news@team.example", &place.path("news.pem"), &[&front_end]);
    caller.established();
    let mut lines = BufReader::new(helped.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    caller.send(&json!({"id": 1, "op": "start_conversation", "conversation": "c", "with": "help@team.example"}));
    caller.send(&json!({"id": 2, "op": "send_message", "conversation": "c", "message": "m", "text": "help"}));
    let state = caller.until(|v| v["event"] == "message_state" && v["state"] != "Queued" && v["state"] != "Sent");
    assert_eq!(state["state"], "Delivered");
    let invited = bot.until(|v| v["event"] == "conversation" && v["invitation"]["conference"] == true);
    bot.send(&json!({"id": "a", "op": "accept", "conversation": invited["conversation"]}));
    let invited =
        caller.until(|v| v["event"] == "conversation" && v["state"] == "Conferenced" || v["invitation"]["conference"] == true);
    assert!(invited["conversation"].is_string());
    let lines: Vec<String> = lines.collect();
    assert!(lines.iter().any(|l| l.contains("handed to sip:bot@team.example")), "{lines:?}");
    assert!(helped.wait().unwrap().success());
}
