//! What REGISTER carries beside authentication: contacts, GRUU, keep-alive, registration events (guide 1.3, 2).

use super::diagnostics::pairs;
use super::identity;
use crate::domain::Address;
use crate::sip::NameAddr;
use std::fmt;

/// `ms-keep-alive` of a client.
pub const KEEP_ALIVE_OFFER: &str = "UAC;hop-hop=yes";

/// Events a front end grants: comma list without spaces (guide 2.3).
pub const ALLOW_EVENTS: &str =
    "vnd-microsoft-provisioning-v2,vnd-microsoft-roaming-contacts,presence,vnd-microsoft-roaming-self,conference";

/// `methods=` of a client's Contact.
pub const CONTACT_METHODS: &str = "INVITE, MESSAGE, INFO, SUBSCRIBE, OPTIONS, BYE, CANCEL, NOTIFY, ACK, REFER, BENOTIFY";

/// `Content-Type` of a registration notice.
pub const REGISTRATION_EVENT_TYPE: &str = "text/registration-event";

/// `ms-keep-alive` of a server with its timeout in seconds.
pub fn keep_alive_answer(timeout: u32) -> String {
    format!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={timeout}")
}

/// Seconds a server asks for; `None` when it names none.
pub fn keep_alive_timeout(value: &str) -> Option<u32> {
    pairs(value).into_iter().find(|p| p.0.eq_ignore_ascii_case("timeout")).and_then(|p| p.1.parse().ok())
}

/// The Contact of a client's REGISTER: `local` is `ip:port`, `transport` `tls` or `tcp`, `instance` the UUID.
pub fn client_contact(local: &str, transport: &str, instance: &str) -> String {
    format!(
        "<sip:{local};transport={transport};ms-opaque={}>;methods=\"{CONTACT_METHODS}\";proxy=replace;+sip.instance=\"<urn:uuid:{instance}>\"",
        instance.get(..8).unwrap_or(instance)
    )
}

/// One Contact line of a 200 to REGISTER: the URI and the instance exactly as they came.
pub fn granted_contact(uri: &str, expires: u32, instance: &str, user: &Address) -> String {
    format!("<{uri}>;expires={expires};+sip.instance=\"<urn:uuid:{instance}>\";gruu=\"{}\"", identity::gruu(user, instance))
}

/// The instance UUID in a Contact value, exactly as written.
pub fn contact_instance(value: &str) -> Option<String> {
    let at = value.to_ascii_lowercase().find("+sip.instance")?;
    let rest = value.get(at..)?;
    let from = rest.to_ascii_lowercase().find("urn:uuid:")? + "urn:uuid:".len();
    let id: String = rest.get(from..)?.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect();
    (!id.is_empty()).then_some(id)
}

/// The GRUU granted to `instance` among the Contact values of a 200 to REGISTER.
pub fn own_gruu<'a>(contacts: impl IntoIterator<Item = &'a str>, instance: &str) -> Option<String> {
    contacts
        .into_iter()
        .filter(|c| contact_instance(c).is_some_and(|i| i.eq_ignore_ascii_case(instance)))
        .find_map(|c| NameAddr::parse(c)?.params.get("gruu").map(|g| g.trim_matches('"').to_owned()))
        .filter(|g| !g.is_empty())
}

/// Why a server ends or changes a registration (guide 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// 4140: signed in elsewhere, or policy; do not retry by yourself.
    Unregistered,
    /// 4141: account disabled.
    Rejected,
    /// 4142: moved or going away; register again after a back-off.
    Deactivated,
    /// 4165: contacts and presence are unavailable.
    UserServicesUnavailable,
    /// 4166, 4167: another registrar is preferred.
    PreferredRegistrarChange,
    /// `registered;event=…` or something newer: nothing to do.
    Other,
}

impl Notice {
    /// Reads the body of a registration notice.
    pub fn parse(body: &str) -> Notice {
        let event = pairs(&format!(";{}", body.trim().split_once(';').map_or("", |p| p.1)));
        let name = event.iter().find(|p| p.0.eq_ignore_ascii_case("event")).map(|p| p.1.to_ascii_lowercase());
        match name.as_deref() {
            Some("unregistered") => Notice::Unregistered,
            Some("rejected") => Notice::Rejected,
            Some("deactivated") => Notice::Deactivated,
            Some("userservices-unavailable") => Notice::UserServicesUnavailable,
            Some("preferred-registrar-change") => Notice::PreferredRegistrarChange,
            _ => Notice::Other,
        }
    }

    /// Diagnostics number that goes with it; 0 when there is none.
    pub fn code(self) -> u32 {
        match self {
            Notice::Unregistered => 4140,
            Notice::Rejected => 4141,
            Notice::Deactivated => 4142,
            Notice::UserServicesUnavailable => 4165,
            Notice::PreferredRegistrarChange => 4166,
            Notice::Other => 0,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Notice::Unregistered => "deregistered;event=unregistered",
            Notice::Rejected => "deregistered;event=rejected",
            Notice::Deactivated => "deregistered;event=deactivated",
            Notice::UserServicesUnavailable => "registered;event=userservices-unavailable",
            Notice::PreferredRegistrarChange => "registered;event=preferred-registrar-change",
            Notice::Other => "registered;event=userservices-available",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_contact_is_found_among_several() {
        let me = Address::parse("alice@contoso.com").unwrap();
        let mine = "b143f5ff-8f08-50a3-b656-3cfc251b5b28";
        let other = granted_contact("sip:192.0.2.11:50001;transport=tls", 600, "4233fd41-093b-5fd6-b5d2-651ed55969e6", &me);
        let own = granted_contact("sip:192.0.2.10:50001;transport=tls", 600, mine, &me);
        let found = own_gruu([other.as_str(), own.as_str()], &mine.to_uppercase());
        assert_eq!(found.as_deref(), Some("sip:alice@contoso.com;opaque=user:epid:__VDsQiPo1C2Vjz8JRtbKAAA;gruu"));
        assert_eq!(own_gruu([other.as_str()], mine), None);
        assert_eq!(contact_instance(&client_contact("192.0.2.10:50001", "tls", mine)).as_deref(), Some(mine));
    }

    #[test]
    fn keep_alive_and_notices() {
        assert_eq!(keep_alive_timeout(&keep_alive_answer(300)), Some(300));
        assert_eq!(keep_alive_timeout(KEEP_ALIVE_OFFER), None);
        for n in [
            Notice::Unregistered,
            Notice::Rejected,
            Notice::Deactivated,
            Notice::UserServicesUnavailable,
            Notice::PreferredRegistrarChange,
            Notice::Other,
        ] {
            assert_eq!(Notice::parse(&n.to_string()), n);
        }
        assert_eq!(Notice::parse("deregistered;event=rejected"), Notice::Rejected);
    }
}
