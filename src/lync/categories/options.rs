//! `otherOptions`, `rccOptions` and `routing` values: how calls are treated, and options of the own clients (domain guide 5.5).

use super::value::{Value, leaf};
use crate::domain::privacy::Preference;
use crate::lync::xml::Element;

const OTHER: &str = "http://schemas.microsoft.com/2006/09/sip/options/otherOptions";
const RCC: &str = "http://schemas.microsoft.com/2006/09/sip/options/rccOptions";
const ROUTING: &str = "http://schemas.microsoft.com/02/2006/sip/routing";

/// Instance of `otherOptions` with permissions.
pub const PERMISSIONS: u32 = 0;
/// Instance of `otherOptions` with timestamps.
pub const TIMESTAMPS: u32 = 1;
/// Instance of `otherOptions` with the wish for privacy.
pub const PRIVACY: u32 = 2;

/// An `otherOptions` value: named texts, and the wish for privacy among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherOptions {
    /// `privacyModeUserSelection`: none, private, standard.
    pub privacy: Option<String>,
    /// All other leaves: name and text.
    pub entries: Vec<(String, String)>,
}

const SELECTION: &str = "privacyModeUserSelection";

impl OtherOptions {
    /// The instance such a value belongs into.
    pub fn instance(&self) -> u32 {
        let times = !self.entries.is_empty() && self.entries.iter().all(|e| e.0.to_lowercase().contains("time"));
        match &self.privacy {
            Some(_) => PRIVACY,
            None if times => TIMESTAMPS,
            None => PERMISSIONS,
        }
    }
}

impl Value for OtherOptions {
    const ROOT: &'static str = "otherOptions";
    const KNOWN: &'static [&'static str] = &[SELECTION];

    fn read(root: &Element) -> Option<OtherOptions> {
        let leaves = root.elements().filter(|e| e.name != SELECTION && e.elements().next().is_none() && !e.text().is_empty());
        Some(OtherOptions {
            privacy: root.child_value(SELECTION),
            entries: leaves.map(|e| (e.name.clone(), e.text().trim().to_owned())).collect(),
        })
    }

    fn write(&self) -> Element {
        let entries = self.entries.iter().map(|(n, t)| Element::in_ns(n, OTHER).with_text(t.as_str()));
        Element::in_ns("otherOptions", OTHER).with_opt(leaf(OTHER, SELECTION, self.privacy.as_deref())).with_all(entries)
    }

    fn edit(&self, original: &str) -> String {
        let Ok(mut e) = Element::parse(original.as_bytes()) else { return self.to_xml() };
        // Every leaf is known; what is deeper stays.
        e.children.retain(|n| matches!(n, crate::lync::xml::Node::Element(c) if c.elements().next().is_some()));
        let deeper = std::mem::take(&mut e.children);
        let mut fresh = self.write();
        fresh.attrs = e.attrs;
        fresh.children.extend(deeper);
        fresh.to_string()
    }
}

/// The value for a preference about privacy mode (instance 2).
pub fn privacy_to_xml(preference: Preference) -> String {
    let word = match preference {
        Preference::None => "none",
        Preference::Private => "private",
        Preference::Standard => "standard",
    };
    OtherOptions { privacy: Some(word.into()), entries: Vec::new() }.to_xml()
}

/// The preference a value holds; an unknown word says nothing.
pub fn privacy(value: &str) -> Option<Preference> {
    Some(match OtherOptions::parse(value)?.privacy?.to_ascii_lowercase().as_str() {
        "private" | "privacy" => Preference::Private,
        "standard" => Preference::Standard,
        _ => Preference::None,
    })
}

/// An `rccOptions` value: forwarding of the desk phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RccOptions {
    /// Calls are forwarded to a fixed phone (`static`); else `disabled`.
    pub forward: bool,
    /// Type of that phone; `mobile` by default.
    pub target_type: String,
    /// Its URI, if it is none of the own phones.
    pub target: Option<String>,
}

impl Default for RccOptions {
    fn default() -> RccOptions {
        RccOptions { forward: false, target_type: "mobile".into(), target: None }
    }
}

impl Value for RccOptions {
    const ROOT: &'static str = "rccOptions";
    const KNOWN: &'static [&'static str] = &["forwarding", "mode", "target", "type", "uri"];

    fn read(root: &Element) -> Option<RccOptions> {
        let f = root.child("forwarding");
        let target = f.and_then(|f| f.child("target"));
        Some(RccOptions {
            forward: f.and_then(|f| f.child_text("mode")).is_some_and(|m| m == "static"),
            target_type: target.and_then(|t| t.attr("type")).unwrap_or("mobile").to_owned(),
            target: target.and_then(|t| t.child_value("uri")),
        })
    }

    fn write(&self) -> Element {
        let target = Element::in_ns("target", RCC).with_attr("type", &self.target_type);
        let target = target.with_opt(leaf(RCC, "uri", self.target.as_deref()));
        let mode = if self.forward { "static" } else { "disabled" };
        Element::in_ns("rccOptions", RCC).with(Element::in_ns("forwarding", RCC).with_leaf("mode", mode).with(target))
    }
}

/// A `routing` value: call forwarding. Only the flags are understood; the rules stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// Name of the rule set, usually `rtcdefault`.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Oldest client that understands it.
    pub client: String,
    /// block, enablecf, forward_immediate, simultaneous_ring, team_ring, delegate_ring, …
    pub flags: Vec<String>,
}

impl Default for Routing {
    fn default() -> Routing {
        Routing { name: "rtcdefault".into(), version: 1, client: "2.0.0.0".into(), flags: Vec::new() }
    }
}

impl Routing {
    /// What container 32000 holds: no call of a blocked person gets through.
    pub fn block() -> Routing {
        Routing { flags: vec!["block".into()], ..Routing::default() }
    }
}

const FLAGS: &str = "clientflags";

impl Value for Routing {
    const ROOT: &'static str = "routing";
    const KNOWN: &'static [&'static str] = &["name", "version", "minSupportedClientVersion", "preamble", "value"];

    fn read(root: &Element) -> Option<Routing> {
        let flags = root.child("preamble").and_then(|p| p.children_named("flags").find(|f| f.attr("name") == Some(FLAGS)));
        let flags = flags.and_then(|f| f.attr("value")).unwrap_or("");
        Some(Routing {
            name: root.attr("name").unwrap_or("rtcdefault").to_owned(),
            version: root.attr_num("version").unwrap_or(1),
            client: root.attr("minSupportedClientVersion").unwrap_or("2.0.0.0").to_owned(),
            flags: flags.split_whitespace().map(str::to_owned).collect(),
        })
    }

    fn write(&self) -> Element {
        let flags = Element::in_ns("flags", ROUTING).with_attr("name", FLAGS).with_attr("value", self.flags.join(" "));
        Element::in_ns("routing", ROUTING)
            .with_attr("name", &self.name)
            .with_attr("version", self.version)
            .with_attr("minSupportedClientVersion", &self.client)
            .with(Element::in_ns("preamble", ROUTING).with(flags))
    }

    fn edit(&self, original: &str) -> String {
        let Ok(original) = Element::parse(original.as_bytes()) else { return self.to_xml() };
        // Beside our flags the preamble may hold others, lists and waits.
        let mut fresh = self.write();
        let others = original.child("preamble").into_iter().flat_map(Element::elements);
        let others: Vec<Element> = others.filter(|e| e.name != "flags" || e.attr("name") != Some(FLAGS)).cloned().collect();
        if let Some(crate::lync::xml::Node::Element(preamble)) = fresh.children.first_mut() {
            preamble.children.extend(others.into_iter().map(crate::lync::xml::Node::Element));
        }
        let rules = original.elements().filter(|e| e.name != "preamble").cloned().map(crate::lync::xml::Node::Element);
        fresh.children.extend(rules);
        let foreign = original.attrs.iter().filter(|a| !Routing::KNOWN.contains(&a.0.as_str()));
        fresh.attrs.extend(foreign.cloned());
        fresh.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_round_trips() {
        for p in [Preference::None, Preference::Private, Preference::Standard] {
            assert_eq!(privacy(&privacy_to_xml(p)), Some(p));
        }
        assert_eq!(privacy("<otherOptions/>"), None);
        assert_eq!(privacy("<oops"), None);
    }

    #[test]
    fn options_go_into_the_instance_of_their_kind() {
        let of = |entries: &[&str], privacy: Option<&str>| {
            let entries = entries.iter().map(|e| ((*e).to_owned(), "1".to_owned())).collect();
            OtherOptions { privacy: privacy.map(str::to_owned), entries }.instance()
        };
        assert_eq!((of(&["any"], None), of(&["lastTimestamp"], None), of(&[], Some("private"))), (0, 1, 2));
    }

    #[test]
    fn the_blocking_rule_is_written_as_servers_write_it() {
        let text = r#"<routing xmlns="http://schemas.microsoft.com/02/2006/sip/routing" name="rtcdefault" version="1" minSupportedClientVersion="2.0.0.0"><preamble><flags name="clientflags" value="block"/></preamble></routing>"#;
        assert_eq!(Routing::block().to_xml(), text);
        assert_eq!(Routing::parse(text), Some(Routing::block()));
    }

    #[test]
    fn rules_of_others_survive_a_change_of_the_flags() {
        let text = r#"<routing name="rtcdefault" version="1"><preamble><flags name="clientflags" value="block"/><list name="l"><target uri="sip:a@b"/></list></preamble><rule><x/></rule></routing>"#;
        let edited = Routing { flags: vec!["enablecf".into(), "team_ring".into()], ..Routing::default() }.edit(text);
        assert!(edited.contains("enablecf team_ring") && edited.contains("sip:a@b") && edited.contains("<x"), "{edited}");
        assert!(!edited.contains("\"block\""));
    }

    #[test]
    fn forwarding_goes_to_the_mobile_phone_if_nothing_is_said() {
        assert_eq!(
            RccOptions::parse("<rccOptions><forwarding><mode>none</mode></forwarding></rccOptions>"),
            Some(RccOptions::default())
        );
        assert_eq!(RccOptions::default().target_type, "mobile");
    }
}
