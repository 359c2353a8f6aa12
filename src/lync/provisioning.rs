//! Provisioning: what the server offers, asked once after sign-in (guide 4.2).

use super::xml::{Element, XmlError, parse_bool};

/// Event package.
pub const EVENT: &str = "vnd-microsoft-provisioning-v2";
/// `Content-Type` and `Accept`.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";

const REQUEST: &str = "http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist";
const ANSWER: &str = "http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification";
const GROUPS: [&str; 5] =
    ["ServerConfiguration", "meetingPolicy", "ucPolicy", "persistentChatConfiguration", "endpointConfiguration"];
/// The administrator's word on privacy mode.
const PRIVACY: &str = "EnablePrivacyMode";

/// Body of the SUBSCRIBE.
pub fn request_body() -> Vec<u8> {
    let group = |name: &str| Element::in_ns("provisioningGroup", REQUEST).with_attr("name", name);
    Element::in_ns("provisioningGroupList", REQUEST).with_all(GROUPS.map(group)).to_bytes()
}

/// Group names a SUBSCRIBE asks for.
pub fn parse_request(octets: &[u8]) -> Result<Vec<String>, XmlError> {
    let root = Element::parse_root(octets, "provisioningGroupList")?;
    Ok(root.children_named("provisioningGroup").filter_map(|g| g.attr("name")).map(str::to_owned).collect())
}

/// What matters of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provisioning {
    /// Where conferences are scheduled; without it there are none.
    pub focus_factory: Option<String>,
    /// Persistent chat rooms.
    pub persistent_chat: bool,
    /// The administrator's word on privacy mode; `None`: none.
    pub privacy: Option<bool>,
    /// Everything `ServerConfiguration` says: name and value, in order.
    pub server: Vec<(String, String)>,
}

impl Provisioning {
    /// Reads the answer.
    pub fn parse(octets: &[u8]) -> Result<Provisioning, XmlError> {
        let root = Element::parse_root(octets, "provisionGroupList")?;
        let group = |name: &str| {
            root.children_named("provisionGroup").find(|g| g.attr("name").is_some_and(|n| n.eq_ignore_ascii_case(name)))
        };
        let server: Vec<_> = group("ServerConfiguration")
            .map(|g| g.elements().map(|e| (e.name.clone(), e.text().trim().to_owned())).collect())
            .unwrap_or_default();
        let focus_factory = server.iter().find(|p| p.0 == "focusFactoryUri").map(|p| p.1.clone()).filter(|u| !u.is_empty());
        let flag = |of: &str, name: &str| {
            let list = group(of)?.child("propertyEntryList")?;
            parse_bool(&list.children_named("property").find(|p| p.attr("name") == Some(name))?.text())
        };
        let persistent_chat = flag("persistentChatConfiguration", "EnablePersistentChat").unwrap_or(false);
        let privacy = flag("endpointConfiguration", PRIVACY);
        Ok(Provisioning { focus_factory, persistent_chat, privacy, server })
    }

    /// The answer of a server: `ServerConfiguration` with the factory first, and empty groups for the rest asked for.
    pub fn to_bytes(&self, asked: &[String]) -> Vec<u8> {
        let group = |name: &str| Element::in_ns("provisionGroup", ANSWER).with_attr("name", name);
        let factory = self.focus_factory.iter().map(|u| ("focusFactoryUri", u.as_str()));
        let other = self.server.iter().filter(|p| p.0 != "focusFactoryUri").map(|p| (p.0.as_str(), p.1.as_str()));
        let values = factory.chain(other).map(|(n, v)| Element::in_ns(n, ANSWER).with_text(v));
        let rest = asked.iter().filter(|n| !n.eq_ignore_ascii_case("ServerConfiguration"));
        let known = rest.filter(|n| GROUPS.iter().any(|g| g.eq_ignore_ascii_case(n)));
        Element::in_ns("provisionGroupList", ANSWER)
            .with(group("ServerConfiguration").with_all(values))
            .with_all(known.map(|n| group(n).with_opt(self.properties(n))))
            .to_bytes()
    }

    fn properties(&self, of: &str) -> Option<Element> {
        let private = self.privacy.filter(|_| of.eq_ignore_ascii_case("endpointConfiguration"))?;
        let property = Element::in_ns("property", ANSWER).with_attr("name", PRIVACY).with_text(private.to_string());
        Some(Element::in_ns("propertyEntryList", ANSWER).with(property))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"<provisionGroupList xmlns="http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification">
<provisionGroup name="ServerConfiguration">
<focusFactoryUri>sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory</focusFactoryUri>
<ucPortRangeEnabled>false</ucPortRangeEnabled>
</provisionGroup>
<provisionGroup name="persistentChatConfiguration"><propertyEntryList>
<property name="EnablePersistentChat">true</property>
</propertyEntryList></provisionGroup>
</provisionGroupList>"#;

    #[test]
    fn request_and_answer() {
        let asked = parse_request(&request_body()).unwrap();
        assert_eq!(asked, GROUPS);
        let p = Provisioning::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(p.focus_factory.as_deref(), Some("sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory"));
        assert!(p.persistent_chat && p.server.len() == 2);
        let again = Provisioning::parse(&p.to_bytes(&asked)).unwrap();
        assert_eq!((again.focus_factory, again.server), (p.focus_factory, p.server));
        let private = Provisioning { privacy: Some(true), ..Provisioning::default() };
        assert_eq!(Provisioning::parse(&private.to_bytes(&asked)).unwrap().privacy, Some(true));
        assert_eq!(Provisioning::parse(b"<provisionGroupList/>").unwrap(), Provisioning::default());
    }
}
