//! What can go wrong, and what the person reads then.

use crate::place::{DOMAIN, Place};
use crate::pty::{ADSUM, Pty, signal};
use crate::two::PEOPLE;
use std::net::TcpListener;

const ALICE: [(&str, &str); 1] = [("alice", "")];

/// An account with these settings besides the address.
fn account(address: &str, settings: &str) -> String {
    format!("[[account]]\naddress = \"{address}\"\n{settings}\n")
}

/// Starts with this configuration and waits for the sentence.
fn reads(place: &Place, config: &str, sentence: &str) {
    place.write_config("alice", config);
    let mut screen = place.screen_of("alice", 160, 24, &[]);
    screen.wait(sentence);
    screen.quit();
}

#[test]
fn sign_ins_that_fail_say_why() {
    let place = Place::new(&ALICE);
    let server = format!("server = \"127.0.0.1:{}\"\ntls = false", place.tcp());
    reads(&place, &account(&format!("alice@{DOMAIN}"), &format!("{server}\npassword_command = \"echo wrong\"")), "password");
    reads(&place, &account(&format!("nobody@{DOMAIN}"), &format!("{server}\npassword_command = \"echo pw\"")), "nobody");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = format!("server = \"{closed}\"\ntls = false\npassword_command = \"echo pw\"");
    reads(&place, &account(&format!("alice@{DOMAIN}"), &down), "nothing listens at");
    let failing = format!("{server}\npassword_command = \"echo locked >&2; exit 3\"");
    place.write_config("alice", &account(&format!("alice@{DOMAIN}"), &failing));
    let mut screen = place.screen("alice");
    screen.wait("Password for alice@contoso.example");
    screen.enter("pw");
    screen.wait("⇅ tcp");
    screen.quit();
}

#[test]
fn tls_needs_the_right_authority_and_the_right_name() {
    let place = Place::new(&ALICE);
    let other = Place::new(&ALICE);
    let alice = format!("alice@{DOMAIN}");
    let tls = |host: &str, port: u16, ca: &Place| {
        let ca = ca.data().join("ca.pem");
        account(&alice, &format!("server = \"{host}:{port}\"\nca_file = '{}'\npassword_command = \"echo pw\"", ca.display()))
    };
    reads(&place, &tls("127.0.0.1", place.tls(), &place), "⇅ tls");
    reads(&place, &tls("localhost", place.tls(), &place), "⇅ tls");
    reads(&place, &tls("127.0.0.1", place.tls(), &other), "authority");
    reads(&place, &tls("127.1.2.3", place.tls(), &place), "name");
}

#[test]
fn mistakes_in_the_configuration_are_named_with_file_and_line() {
    let place = Place::new(&ALICE);
    place.write_config("alice", "[ui]\nascii = false\nthem = \"dark\"\n");
    let home = place.home("alice");
    let out = std::process::Command::new(ADSUM).env("HOME", &home).env_remove("XDG_CONFIG_HOME").output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("config.toml:3") && said.contains("them"), "{said}");
    assert!(out.stdout.is_empty());
}

#[test]
fn without_a_terminal_the_screen_says_that_it_needs_one() {
    let place = Place::new(&ALICE);
    for arguments in [&[][..], &["demo"], &["join", "https://contoso.example/alice/7FQ3K2AB"]] {
        let mut command = place.adsum(arguments);
        let home = place.home("alice");
        let out = command.env("HOME", home).stdin(std::process::Stdio::null()).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!((out.status.code(), out.stdout.as_slice()), (Some(1), &[][..]), "{said}");
        assert!(said.contains("the screen needs a terminal") && !said.contains("os error"), "{said}");
    }
}

#[test]
fn a_tiny_terminal_says_so_and_recovers() {
    let place = Place::new(&PEOPLE);
    let mut alice = place.screen_of("alice", 20, 5, &[]);
    alice.wait("adsum needs 40×10");
    alice.resize(80, 24);
    alice.wait("Nobody here yet.");
    alice.wait("⇅ tcp");
    alice.resize(20, 5);
    alice.wait("adsum needs 40×10");
    alice.resize(1, 1);
    alice.resize(200, 60);
    alice.wait("Conversations");
    alice.quit();
}

#[test]
fn signals_give_the_terminal_back() {
    let place = Place::new(&ALICE);
    for name in ["TERM", "INT", "HUP"] {
        let mut alice = place.signed_in("alice");
        alice.signal(name);
        let code = alice.ended();
        assert_eq!(code, 0, "{name}");
        assert!(alice.is_given_back(), "{name}");
    }
}

#[test]
fn the_shell_can_suspend_and_continue() {
    let place = Place::new(&ALICE);
    let script = format!("set -m; {ADSUM}; echo it has stopped; read x; fg; echo it has ended");
    let mut shell = Pty::shell(&place.home("alice"), 100, 30, &script);
    shell.wait("⇅ tcp");
    shell.ctrl('z');
    shell.wait("it has stopped");
    assert!(shell.is_given_back());
    shell.send("\r");
    shell.wait("⇅ tcp");
    shell.wait("Nobody here yet.");
    shell.ctrl('q');
    shell.wait("it has ended");
}

#[test]
fn stopped_from_outside_it_comes_back_whole() {
    let place = Place::new(&ALICE);
    let home = place.home("alice");
    let script = format!("set -m; sh -c 'echo $$ > pid; exec {ADSUM}'; echo it has stopped; read x; fg; echo it has ended");
    let mut shell = Pty::shell(&home, 100, 30, &script);
    shell.wait("⇅ tcp");
    let process = std::fs::read_to_string(home.join("pid")).unwrap().trim().parse().unwrap();
    signal(process, "STOP");
    shell.wait("it has stopped");
    shell.send("\n");
    shell.wait_gone("it has stopped");
    shell.wait("Nobody here yet.");
    shell.ctrl('q');
    shell.wait("it has ended");
    assert!(shell.is_given_back());
}
