//! What rules say, and what is written.

use super::*;

fn user(name: &str) -> Member {
    Member::User(Address::parse(&format!("{name}@example.com")).unwrap())
}

fn at(rules: &PresRules, level: Level) -> Vec<Member> {
    rules.containers().into_iter().find(|c| c.id == level.container()).unwrap().members
}

fn text(rules: &PresRules) -> String {
    String::from_utf8(rules.to_bytes()).unwrap()
}

#[test]
fn everybody_stands_at_one_level_and_comes_back_at_it() {
    let mut rules = PresRules::default();
    for (n, level) in LEVELS.into_iter().enumerate() {
        rules.set(&user(&format!("u{n}")), Some(level));
    }
    rules.set(&user("u1"), Some(Level::External));
    let again = PresRules::parse(&rules.to_bytes()).unwrap();
    assert_eq!(at(&again, Level::External), [user("u4"), user("u1")]);
    assert_eq!(at(&again, Level::Personal), []);
    assert_eq!(at(&again, Level::Blocked), [user("u0")]);
    rules.set(&user("u1"), None);
    assert!(!rules.names(&Address::parse("u1@example.com").unwrap()));
}

#[test]
fn what_is_written_suits_servers_that_take_the_first_rule() {
    let mut rules = PresRules::default();
    rules.set(&user("bob"), Some(Level::Workgroup));
    rules.set(&user("mallory"), Some(Level::Blocked));
    let text = text(&rules);
    let order: Vec<usize> = ["adsum-blocked", "adsum-workgroup", "adsum-others"].map(|id| text.find(id).unwrap()).to_vec();
    assert!(order.is_sorted(), "{text}");
    assert!(text.contains("<one id=\"sip:bob@example.com\"/>") && !text.contains("adsum-personal"), "{text}");
    assert_eq!(text.matches("<except").count(), 2, "{text}");
    assert_eq!(text.matches("<identity").count(), text.matches("<rule ").count(), "{text}");
}

#[test]
fn rules_of_other_programs_stay_and_are_read_as_the_level_they_amount_to() {
    let theirs = "<cr:ruleset xmlns:cr='urn:ietf:params:xml:ns:common-policy' xmlns:pr='urn:ietf:params:xml:ns:pres-rules' xmlns:x='urn:x'>\
        <cr:rule id='a'><cr:conditions><cr:identity><cr:one id='sip:bob@example.com'/><cr:one id='sip:carol@example.com'/></cr:identity>\
        </cr:conditions><cr:actions><pr:sub-handling>allow</pr:sub-handling></cr:actions><x:mine>1</x:mine></cr:rule>\
        <cr:rule id='b'><cr:conditions><cr:identity><cr:many domain='evil.example'/></cr:identity></cr:conditions>\
        <cr:actions><pr:sub-handling>block</pr:sub-handling></cr:actions></cr:rule></cr:ruleset>";
    let mut rules = PresRules::parse(theirs.as_bytes()).unwrap();
    assert_eq!(at(&rules, Level::Personal), [user("bob"), user("carol")]);
    assert_eq!(at(&rules, Level::Blocked), [Member::Domain("evil.example".into())]);
    assert!(rules.names(&Address::parse("x@evil.example").unwrap()));
    rules.set(&user("bob"), Some(Level::Blocked));
    let again = PresRules::parse(&rules.to_bytes()).unwrap();
    assert_eq!(at(&again, Level::Personal), [user("carol")]);
    assert!(text(&again).contains("<mine xmlns=\"urn:x\">1</mine>") && text(&again).contains("domain=\"evil.example\""));
}

#[test]
fn a_foreign_rule_for_everybody_is_left_alone() {
    let open = "<ruleset xmlns='urn:ietf:params:xml:ns:common-policy'><rule id='all'><conditions><identity><many/></identity></conditions>\
        <actions><sub-handling xmlns='urn:ietf:params:xml:ns:pres-rules'>allow</sub-handling></actions></rule></ruleset>";
    let mut rules = PresRules::parse(open.as_bytes()).unwrap();
    assert!(rules.names(&Address::parse("anybody@example.org").unwrap()));
    rules.set(&user("mallory"), Some(Level::Blocked));
    assert!(!text(&rules).contains(OTHERS), "{}", text(&rules));
    assert!(text(&rules).find("adsum-blocked").unwrap() < text(&rules).find("\"all\"").unwrap());
}
