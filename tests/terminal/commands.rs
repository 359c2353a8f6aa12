//! Commands without the screen, beside it and alone.

use crate::place::{DOMAIN, Place};
use crate::pty::{ADSUM, ENVIRONMENT};
use serde_json::Value;
use std::process::{Command, Stdio};

/// A command of somebody: exit code, standard output, standard error.
fn run(place: &Place, id: &str, arguments: &[&str]) -> (i32, String, String) {
    let home = place.home(id);
    let mut command = Command::new(ADSUM);
    command.args(arguments).env_clear().envs(ENVIRONMENT).env("HOME", &home).current_dir(&home).stdin(Stdio::null());
    let out = command.output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

/// The JSON lines of a command that must work.
fn json(place: &Place, id: &str, arguments: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (code, out, err) = run(place, id, &all);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}: {out}");
    out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// The sentence of a command that must fail.
fn fails(place: &Place, id: &str, arguments: &[&str]) -> String {
    let (code, out, err) = run(place, id, arguments);
    assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}");
    err
}

fn at(user: &str) -> String {
    format!("{user}@{DOMAIN}")
}

#[test]
fn contacts_and_groups_are_kept_by_commands_and_the_open_screen_follows() {
    let place = Place::new(&[("alice", ""), ("bob", "Bob Kelly"), ("carol", "Carol Diaz")]);
    let mut screen = place.signed_in("alice");
    let (bob, carol) = (at("bob"), at("carol"));
    assert_eq!(json(&place, "alice", &["groups", "add", "Team"])[0]["kind"], "custom");
    screen.wait("Team");
    let added = json(&place, "alice", &["contacts", "add", &bob, "--alias", "Bobby", "--group", "team", "--level", "workgroup"]);
    assert_eq!(
        (&added[0]["alias"], &added[0]["groups"][0], &added[0]["level"]),
        (&"Bobby".into(), &"Team".into(), &"workgroup".into())
    );
    screen.wait("Bobby");
    json(&place, "alice", &["contacts", "add", &carol]);
    json(&place, "alice", &["contacts", "move", &carol, "Team"]);
    assert_eq!(json(&place, "alice", &["contacts", "tag", &carol])[0]["tagged"], true);
    let list = json(&place, "alice", &["contacts", "list", "--group", "Team"]);
    assert_eq!(list.iter().map(|c| c["address"].as_str().unwrap()).collect::<Vec<_>>(), [&bob, &carol]);
    assert_eq!(list[1]["tagged"], true);
    let groups = json(&place, "alice", &["groups", "list"]);
    assert_eq!((&groups[0]["kind"], &groups[1]["name"], &groups[1]["contacts"]), (&"default".into(), &"Team".into(), &2.into()));

    // Everything that cannot be is said in one sentence.
    for (arguments, sentence) in [
        (&["contacts", "add", &bob][..], "already on the list"),
        (&["contacts", "add", &at("alice")], "your own address"),
        (&["contacts", "add", "bob"], "not an address"),
        (&["contacts", "add", &at("dave"), "--group", "Nowhere"], "there is no group “Nowhere”"),
        (&["contacts", "add", &at("dave"), "--level", "boss"], "is no level"),
        (&["contacts", "remove", &at("dave")], "not on the list"),
        (&["groups", "add", "Team"], "exists already"),
        (&["groups", "remove", "Other contacts"], "cannot be changed"),
        (&["groups", "expand", "Team"], "no distribution group"),
        (&["status", "set", "asleep"], "is no status"),
        (&["contacts", "list", "--account", "other"], "there is no account “other”"),
    ] {
        let said = fails(&place, "alice", arguments);
        assert!(said.starts_with("adsum: ") && said.contains(sentence) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
    assert_eq!(run(&place, "alice", &["contacts", "fly"]).0, 2);

    json(&place, "alice", &["contacts", "rename", &bob]);
    screen.wait("Bob Kelly");
    json(&place, "alice", &["groups", "rename", "Team", "The team"]);
    screen.wait("The team");
    json(&place, "alice", &["groups", "remove", "The team"]);
    screen.wait_gone("The team");
    json(&place, "alice", &["contacts", "remove", &bob]);
    screen.wait_gone("Bob Kelly");
    // Deleting took Bob's entry out of the container, too.
    let containers = json(&place, "alice", &["containers"]);
    assert!(containers.iter().all(|c| !c["members"].to_string().contains("bob")), "{containers:?}");
    screen.quit();
}

#[test]
fn the_directory_distribution_groups_and_their_limit() {
    let place = Place::new(&[("alice", "Alice Adams"), ("bob", "Bob Kelly"), ("carol", "Carol Diaz")]);
    let data = place.data();
    let admin = |arguments: &[&str]| place.command(&[&["--data", data.to_str().unwrap()], arguments].concat());
    admin(&["group", "add", &at("leads"), "--name", "Leads"]);
    admin(&["group", "add", &at("team"), "--name", "The team"]);
    admin(&["group", "member", &at("team"), "--add", &at("bob"), "--add", &at("leads")]);
    admin(&["group", "member", &at("leads"), "--add", &at("carol")]);
    let found = json(&place, "alice", &["contacts", "search", "team"]);
    assert_eq!((found.len(), &found[0]["kind"]), (1, &"distribution".into()));
    let found = json(&place, "alice", &["contacts", "search", "bob"]);
    assert_eq!((&found[0]["address"], &found[0]["name"]), (&at("bob").into(), &"Bob Kelly".into()));
    let made = json(&place, "alice", &["groups", "add", "My team", "--distribution", &at("team")]);
    assert_eq!((&made[0]["kind"], &made[0]["address"]), (&"distribution".into(), &at("team").into()));
    // One level: the group inside is named, not opened.
    let members = json(&place, "alice", &["groups", "expand", "My team"]);
    let kinds: Vec<_> = members.iter().map(|m| (m["address"].as_str().unwrap(), m["kind"].as_str().unwrap())).collect();
    assert_eq!(kinds, [(at("bob").as_str(), "person"), (at("leads").as_str(), "distribution")]);
    assert_eq!(json(&place, "alice", &["groups", "expand", &at("leads")])[0]["address"], at("carol"));
    assert!(fails(&place, "alice", &["contacts", "add", &at("bob"), "--group", "My team"]).contains("cannot be changed"));
    assert!(fails(&place, "alice", &["groups", "rename", "My team", "Other"]).contains("cannot be changed"));
    for n in 1..10 {
        json(&place, "alice", &["groups", "add", &format!("List {n}"), "--distribution", &at(&format!("l{n}"))]);
    }
    let full = fails(&place, "alice", &["groups", "add", "List 10", "--distribution", &at("l10")]);
    assert!(full.contains("too many distribution groups"), "{full}");
    json(&place, "alice", &["groups", "remove", "List 9"]);
}

#[test]
fn a_list_goes_out_and_comes_in_again() {
    let place = Place::new(&[("alice", ""), ("bob", "Bob Kelly"), ("carol", "Carol Diaz")]);
    let file = place.home("bob").join("list.json");
    std::fs::write(
        &file,
        format!(
            "{{\"format\":\"adsum-contacts\",\"version\":1,\n\"groups\":[{{\"name\":\"Team\"}}],\n\"contacts\":[\n\
             {{\"address\":\"{}\",\"alias\":\"C\",\"groups\":[\"Team\"],\"tagged\":true}},\n{{\"address\":\"nobody\"}}]}}",
            at("carol")
        ),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let (code, out, err) = run(&place, "bob", &["contacts", "import", file, "--dry-run"]);
    assert_eq!((code, out.as_str()), (0, "Would be done: 1 new group, 1 new contact, 1 mistake.\n"));
    assert_eq!(err, "adsum: line 5: “nobody” is not an address; write it as name@domain\n");
    assert!(json(&place, "bob", &["contacts", "list"]).is_empty());
    assert_eq!(run(&place, "bob", &["contacts", "import", file]).0, 0);
    let (_, again, _) = run(&place, "bob", &["contacts", "import", file]);
    assert_eq!(again, "Imported: 1 as it is, 1 mistake.\n");
    // What goes out comes in elsewhere.
    let (_, text, _) = run(&place, "bob", &["contacts", "export"]);
    let copy = place.home("alice").join("copy.json");
    std::fs::write(&copy, &text).unwrap();
    json(&place, "alice", &["contacts", "import", copy.to_str().unwrap()]);
    let list = json(&place, "alice", &["contacts", "list"]);
    assert_eq!((&list[0]["alias"], &list[0]["groups"][0], &list[0]["tagged"]), (&"C".into(), &"Team".into(), &true.into()));
    let (_, card, _) = run(&place, "bob", &["contacts", "export", "--vcard"]);
    assert!(
        card.contains("NICKNAME:C\r\n")
            && card.contains(&format!("IMPP:sip:{}", at("carol")))
            && card.contains("CATEGORIES:Team")
    );
    assert!(fails(&place, "bob", &["contacts", "import", "/nowhere.json"]).contains("/nowhere.json"));
}

#[test]
fn status_note_presence_and_levels_by_command() {
    let place = Place::new(&[("alice", ""), ("bob", "Bob Kelly")]);
    let mut bob = place.signed_in("bob");
    json(&place, "alice", &["contacts", "add", &at("bob")]);
    bob.wait("alice added you to their contacts");
    let said = json(&place, "bob", &["status", "set", "busy", "--for", "1h", "--activity", "In the lab"]);
    assert_eq!((&said[0]["availability"], &said[0]["activity"]), (&"busy".into(), &"In the lab".into()), "{said:?}");
    assert_eq!(json(&place, "bob", &["note", "set", "back", "at", "3"])[0]["note"], "back at 3");
    let seen = json(&place, "alice", &["presence", &at("bob")]);
    assert_eq!(
        (&seen[0]["availability"], &seen[0]["note"], &seen[0]["known"]),
        (&"busy".into(), &"back at 3".into(), &true.into())
    );
    assert_eq!(json(&place, "bob", &["watchers"])[0]["address"], at("alice"));
    json(&place, "bob", &["block", &at("alice")]);
    assert_eq!(json(&place, "alice", &["presence", &at("bob")])[0]["availability"], "offline");
    json(&place, "bob", &["unblock", &at("alice")]);
    json(&place, "bob", &["note", "clear"]);
    json(&place, "bob", &["status", "reset"]);
    let seen = json(&place, "alice", &["presence", &at("bob")]);
    assert_eq!((&seen[0]["availability"], &seen[0]["note"]), (&"available".into(), &Value::Null));
    bob.quit();
}

#[test]
fn a_status_set_while_signed_in_nowhere_says_what_was_set() {
    let place = Place::new(&[("alice", "Alice Adams")]);
    let (code, said, err) = run(&place, "alice", &["status", "set", "busy", "--for", "45m"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(said.starts_with("Busy until ") && said.ends_with("; you are signed in nowhere.\n"), "{said}");
    let (_, said, _) = run(&place, "alice", &["status", "set", "dnd", "--until", "tomorrow 9"]);
    assert!(said.starts_with("Do not disturb until ") && said.contains(", 09:00; "), "{said}");
    let (_, said, _) = run(&place, "alice", &["status", "set", "busy"]);
    assert!(said.starts_with("Busy until "), "{said}");
    let said = &json(&place, "alice", &["status"])[0];
    assert_eq!((&said["availability"], &said["set"], &said["since"]), (&"offline".into(), &"busy".into(), &Value::Null));
    assert!(said["until"].as_str().unwrap().ends_with('Z'), "{said}");
    assert_eq!(json(&place, "alice", &["status", "reset"])[0]["set"], Value::Null);
}

#[test]
fn a_message_to_somebody_who_is_not_signed_in_is_kept_and_told_so() {
    let place = Place::new(&[("alice", "Alice Adams"), ("bob", "Bob Kelly")]);
    let (code, said, err) = run(&place, "alice", &["send", &at("bob"), "lunch?"]);
    let sentence = "bob@contoso.example is not signed in; the server keeps the message until then.\n";
    assert_eq!((code, said.as_str(), err.as_str()), (0, sentence, ""));
    assert_eq!(json(&place, "alice", &["send", &at("bob"), "or later?"])[0]["state"], "kept");
    let mut bob = place.signed_in("bob");
    bob.wait("or later?");
    bob.quit();
    assert!(fails(&place, "alice", &["send", &at("nobody"), "hello"]).contains("not delivered"));
}

#[test]
fn what_was_written_is_found_and_written_out_without_signing_in() {
    let mut place = Place::new(&[("alice", "Alice Adams"), ("bob", "Bob Kelly")]);
    assert!(fails(&place, "alice", &["history", "list"]).contains("there is no history"));
    json(&place, "alice", &["send", &at("bob"), "the numbers are in the third tab"]);
    let mut bob = place.signed_in("bob");
    bob.wait("third tab");
    bob.quit();
    place.stop();
    let list = json(&place, "alice", &["history", "list"]);
    assert_eq!((&list[0]["conversation"], &list[0]["messages"]), (&at("bob").into(), &1.into()));
    let found = json(&place, "alice", &["history", "search", "thi", "numbers"]);
    assert_eq!((found.len(), &found[0]["state"]), (1, &"sent".into()), "{found:?}");
    assert!(json(&place, "alice", &["history", "search", "numbers", "--with", &at("carol")]).is_empty());
    let all = json(&place, "bob", &["history", "export", &at("alice")]);
    assert_eq!((&all[0]["state"], &all[0]["text"]), (&"received".into(), &"the numbers are in the third tab".into()));
    let (_, out, _) = run(&place, "alice", &["history", "export", &at("bob"), "bob.txt"]);
    assert_eq!(out, "1 message written to bob.txt.\n");
    let file = std::fs::read_to_string(place.home("alice").join("bob.txt")).unwrap();
    assert!(file.ends_with("alice@contoso.example: the numbers are in the third tab\n"), "{file}");
    assert!(fails(&place, "alice", &["history", "export", &at("carol")]).contains("nothing was written with"));
}

#[test]
fn meetings_are_scheduled_changed_and_cancelled_by_command() {
    let place = Place::new(&[("alice", "Alice Adams"), ("bob", "Bob Kelly")]);
    let (bob, leader) = (at("bob"), format!("!{}", at("carol")));
    let made = json(
        &place,
        "alice",
        &[
            "meet",
            "schedule",
            "tomorrow",
            "10:00",
            "45m",
            "Budget",
            "--invite",
            &bob,
            "--invite",
            &leader,
            "--repeat",
            "every tue 3 times",
        ],
    );
    let made = &made[0];
    assert_eq!((&made["subject"], &made["access"], &made["done"]), (&"Budget".into(), &"company".into(), &true.into()), "{made}");
    assert_eq!(made["repeats"], "FREQ=WEEKLY;BYDAY=TU;COUNT=3");
    assert_eq!((&made["invited"][0]["address"], &made["invited"][1]["leader"]), (&bob.clone().into(), &true.into()));
    let id = made["id"].as_str().unwrap();
    let (_, shown, _) = run(&place, "alice", &["meet", "show", id]);
    assert!(shown.starts_with("Budget\nWhen: ") && shown.contains("Join: "), "{shown}");
    let changed = json(
        &place,
        "alice",
        &[
            "meet",
            "update",
            id,
            "--when",
            "2030-03-05 14:00 1h",
            "--subject",
            "Next budget",
            "--repeat",
            "no",
            "--uninvite",
            &bob,
        ],
    );
    assert_eq!((&changed[0]["start"], &changed[0]["repeats"]), (&"2030-03-05T14:00:00Z".into(), &Value::Null));
    let list = json(&place, "alice", &["meet", "list"]);
    assert_eq!((list.len(), &list[0]["subject"], &list[0]["id"]), (1, &"Next budget".into(), &id.into()));
    assert_eq!(list[0]["invited"].as_array().unwrap().len(), 1);
    for (arguments, sentence) in [
        (&["meet", "schedule", "sometime"][..], "say when"),
        (&["meet", "schedule", "tomorrow", "10:00"], "needs a subject"),
        (&["meet", "schedule", "tomorrow", "10:00", "X", "--invite", "carol"], "nobody on the list"),
        (&["meet", "update", id], "say what shall change"),
        (&["meet", "update", id, "--passcode", "no blanks!"], "passcode"),
        (&["meet", "cancel", "AAAAAAAA"], "no meeting “AAAAAAAA”"),
    ] {
        let said = fails(&place, "alice", arguments);
        assert!(said.contains(sentence) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
    json(&place, "alice", &["meet", "cancel", id]);
    assert!(json(&place, "alice", &["meet", "list"]).is_empty());
}

#[test]
fn a_password_that_cannot_be_had_is_told_with_its_reason() {
    let place = Place::new(&[("alice", "Alice Adams")]);
    let account = |command: &str| {
        let server = format!("server = \"127.0.0.1:{}\"\ntls = false", place.tcp());
        format!("[[account]]\naddress = \"{}\"\n{server}\n{command}", at("alice"))
    };
    place.write_config("alice", &account("password_command = \"exit 3\"\n"));
    let said = fails(&place, "alice", &["contacts", "list"]);
    assert!(said.contains("password_command") && said.contains("exit status: 3"), "{said}");
    place.write_config("alice", &account(""));
    let said = fails(&place, "alice", &["contacts", "list"]);
    assert!(said.contains("Password for alice@contoso.example") && said.contains("no answer"), "{said}");
}

#[test]
fn a_message_is_sent_and_its_delivery_awaited() {
    let place = Place::new(&[("alice", "Alice Adams"), ("bob", "Bob Kelly")]);
    let mut bob = place.signed_in("bob");
    let sent = json(&place, "alice", &["send", &at("bob"), "hello from a script"]);
    assert_eq!(sent[0]["state"], "delivered");
    bob.wait("hello from a script");
    bob.quit();
}
