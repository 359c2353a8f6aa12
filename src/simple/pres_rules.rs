//! `application/auth-policy+xml` (RFC 4745, 5025): who may see what. Levels of privacy are rules of ours, one a level; rules
//! of other programs stay as they are and are read as the level they amount to (`simple.md` 4.8, 4.9).
//!
//! What is written means the same to servers that combine all rules and to those that take the first that fits: every rule
//! has conditions, nobody stands in two, the blocked come first, the rest last with everybody named as an exception.

use super::limits::RULES_MAX;
use crate::domain::Address;
use crate::domain::access::BLOCKED_CONTAINER;
use crate::domain::presence::{Container, Level, Member};
use crate::xml::{Element, Node, XmlError};
use std::collections::BTreeSet;

/// Media type.
pub const CONTENT_TYPE: &str = "application/auth-policy+xml";
const CP: &str = "urn:ietf:params:xml:ns:common-policy";
const PR: &str = "urn:ietf:params:xml:ns:pres-rules";

/// Levels that have a rule, in the order they are written: blocks first.
const LEVELS: [Level; 5] = [Level::Blocked, Level::Personal, Level::Workgroup, Level::Colleagues, Level::External];
/// The rule for everybody who is not named.
const OTHERS: &str = "adsum-others";

fn rule_id(level: Level) -> &'static str {
    match level {
        Level::Blocked => "adsum-blocked",
        Level::Personal => "adsum-personal",
        Level::Workgroup => "adsum-workgroup",
        Level::Colleagues => "adsum-colleagues",
        Level::External => "adsum-external",
        Level::Everyone => OTHERS,
    }
}

/// The document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresRules(Element);

/// Those whom rules name.
#[derive(Clone, Debug, Default)]
pub struct Named {
    users: BTreeSet<Address>,
    domains: BTreeSet<String>,
    everyone: bool,
}

impl Named {
    /// Whether this person is one of them, be it by their domain.
    pub fn holds(&self, who: &Address) -> bool {
        self.everyone || self.users.contains(who) || self.domains.contains(&who.host().to_ascii_lowercase())
    }
}

impl Default for PresRules {
    fn default() -> Self {
        PresRules(Element::in_ns("ruleset", CP))
    }
}

impl PresRules {
    /// Reads a document.
    pub fn parse(octets: &[u8]) -> Result<PresRules, XmlError> {
        Element::parse_root(octets, "ruleset").map(PresRules)
    }

    /// The document as octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_document().into_bytes()
    }

    fn rules(&self) -> impl Iterator<Item = &Element> {
        self.0.children_named("rule").take(RULES_MAX)
    }

    /// Who stands at which level. Every level is listed, also one without members.
    pub fn containers(&self) -> Vec<Container> {
        let members = |level: Level| self.rules().filter(|r| level_of(r) == Some(level)).flat_map(members).collect();
        LEVELS.iter().map(|l| Container { id: l.container(), version: 0, members: members(*l) }).collect()
    }

    /// Whether some rule names this person, be it by their domain.
    pub fn names(&self, who: &Address) -> bool {
        self.named().holds(who)
    }

    /// All whom some rule names, for many questions.
    pub fn named(&self) -> Named {
        let mut out = Named::default();
        for member in self.containers().into_iter().flat_map(|c| c.members) {
            match member {
                Member::User(u) => out.users.extend([u]),
                Member::Domain(d) => out.domains.extend([d.to_ascii_lowercase()]),
                Member::Everyone => out.everyone = true,
                _ => {}
            }
        }
        out
    }

    /// Puts a member on a level and takes it off all others; `None`: only takes it off.
    pub fn set(&mut self, member: &Member, level: Option<Level>) {
        for rule in self.0.children.iter_mut().filter_map(element).filter(|e| e.name == "rule") {
            remove(rule, member);
        }
        if let Some(level) = level.filter(|l| LEVELS.contains(l)) {
            self.add(level, member);
        }
        self.settle();
    }

    /// Our rule of this level is made anew with one member more.
    fn add(&mut self, level: Level, member: &Member) {
        let known = self.0.children.iter().position(|n| is_rule(n, rule_id(level)));
        let mut all = match known.map(|at| self.0.children.remove(at)) {
            Some(Node::Element(rule)) => members(&rule),
            _ => Vec::new(),
        };
        all.push(member.clone());
        let at = known.unwrap_or(if level == Level::Blocked { 0 } else { self.0.children.len() });
        self.0.children.insert(at, Node::Element(made(level, &all)));
    }

    /// Empty rules of ours go, as a rule without identity ends the reading on some servers; the rest is written anew.
    fn settle(&mut self) {
        let ours = |n: &Node| LEVELS.iter().any(|l| is_rule(n, rule_id(*l)));
        let empty = |n: &Node| ours(n) && matches!(n, Node::Element(e) if members(e).is_empty());
        self.0.children.retain(|n| !(is_rule(n, OTHERS) || empty(n)));
        // Somebody else's rule for everybody stands.
        if self.rules().any(|r| members(r).contains(&Member::Everyone)) {
            return;
        }
        let all = self.containers().into_iter().flat_map(|c| c.members);
        let except = |m| match m {
            Member::User(u) => Some(Element::in_ns("except", CP).with_attr("id", format!("sip:{}", u.bare()))),
            Member::Domain(d) => Some(Element::in_ns("except", CP).with_attr("domain", d)),
            _ => None,
        };
        let many = Element::in_ns("many", CP).with_all(all.filter_map(except));
        let rule = Element::in_ns("rule", CP).with_attr("id", OTHERS);
        self.0.children.push(Node::Element(rule.with(conditions([many])).with(handling("confirm"))));
    }
}

fn element(n: &mut Node) -> Option<&mut Element> {
    match n {
        Node::Element(e) => Some(e),
        Node::Text(_) => None,
    }
}

fn is_rule(n: &Node, id: &str) -> bool {
    matches!(n, Node::Element(e) if e.name == "rule" && e.attr("id") == Some(id))
}

fn conditions(who: impl IntoIterator<Item = Element>) -> Element {
    Element::in_ns("conditions", CP).with(Element::in_ns("identity", CP).with_all(who))
}

fn handling(word: &str) -> Element {
    Element::in_ns("actions", CP).with(Element::in_ns("sub-handling", PR).with_text(word))
}

/// A rule of this level.
fn made(level: Level, members: &[Member]) -> Element {
    let word = if level == Level::Blocked { "polite-block" } else { "allow" };
    let rule = Element::in_ns("rule", CP).with_attr("id", rule_id(level)).with(conditions(members.iter().map(identity)));
    rule.with(handling(word)).with(transformations(level))
}

/// What a level lets through.
fn transformations(level: Level) -> Element {
    let all = |what: &str, which: &str| Element::in_ns(what, PR).with(Element::in_ns(which, PR));
    let services = all("provide-services", "all-services");
    let persons = all("provide-persons", "all-persons");
    let devices = all("provide-devices", "all-devices");
    let yes = |what: &str| Element::in_ns(what, PR).with_text("true");
    let out = Element::in_ns("transformations", CP);
    match level {
        Level::Personal | Level::Workgroup => {
            out.with(services).with(persons).with(devices).with(Element::in_ns("provide-all-attributes", PR))
        }
        Level::Colleagues => out
            .with(services)
            .with(persons)
            .with(devices)
            .with(yes("provide-activities"))
            .with(yes("provide-class"))
            .with(yes("provide-time-offset"))
            .with(Element::in_ns("provide-user-input", PR).with_text("full")),
        Level::External => out.with(services),
        Level::Blocked | Level::Everyone => out,
    }
}

/// The level a rule amounts to; `None` where it lets nobody through and blocks nobody.
fn level_of(rule: &Element) -> Option<Level> {
    let ours = LEVELS.iter().find(|l| rule.attr("id") == Some(rule_id(**l)));
    if let Some(level) = ours {
        return Some(*level);
    }
    let word = rule.path(&["actions", "sub-handling"])?.text();
    match word.trim() {
        "block" | "polite-block" => Some(Level::Blocked),
        "allow" => {
            let t = rule.child("transformations");
            let has = |name: &str| t.is_some_and(|t| t.child(name).is_some());
            let nothing_said = t.is_none_or(Element::is_empty);
            Some(match (nothing_said || has("provide-all-attributes"), has("provide-persons")) {
                (true, _) => Level::Personal,
                (false, true) => Level::Colleagues,
                (false, false) => Level::External,
            })
        }
        _ => None,
    }
}

fn address(text: &str) -> Option<Address> {
    Address::parse(text.trim()).ok()
}

fn member(e: &Element) -> Option<Member> {
    match e.name.as_str() {
        "one" => address(e.attr("id")?).map(Member::User),
        "many" => Some(e.attr("domain").map_or(Member::Everyone, |d| Member::Domain(d.to_owned()))),
        _ => None,
    }
}

fn members(rule: &Element) -> Vec<Member> {
    let identity = rule.path(&["conditions", "identity"]);
    identity.into_iter().flat_map(Element::elements).take(RULES_MAX).filter_map(member).collect()
}

/// Servers compare what is written letter by letter, so it is written plainly.
fn identity(member: &Member) -> Element {
    match member {
        Member::User(u) => Element::in_ns("one", CP).with_attr("id", format!("sip:{}", u.bare())),
        Member::Domain(d) => Element::in_ns("many", CP).with_attr("domain", d),
        _ => Element::in_ns("many", CP),
    }
}

fn remove(rule: &mut Element, who: &Member) {
    for conditions in rule.children.iter_mut().filter_map(element).filter(|e| e.name == "conditions") {
        for identity in conditions.children.iter_mut().filter_map(element).filter(|e| e.name == "identity") {
            identity.children.retain(|n| !matches!(n, Node::Element(e) if member(e).as_ref() == Some(who)));
        }
    }
}

/// Whether the number is one of a level that has a rule.
pub fn is_level(container: u32) -> bool {
    LEVELS.iter().any(|l| l.container() == container) || container == BLOCKED_CONTAINER
}

#[cfg(test)]
mod tests;
