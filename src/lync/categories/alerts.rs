//! `alerts` values: what may disturb (domain guide 5.9).

use super::value::{Value, flag, read_flag};
use crate::lync::xml::Element;

const ALERTS: &str = "http://schemas.microsoft.com/2006/09/sip/options/alerts";

/// What is shown during Do Not Disturb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenDoNotDisturb {
    /// `displayAllAlerts`, the default.
    #[default]
    All,
    /// `displayAlertsFromHighPresence`: conversations of the workgroup only.
    FromWorkgroup,
    /// `noAlerts`
    None,
}

/// An `alerts` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// During Do Not Disturb.
    pub when_do_not_disturb: WhenDoNotDisturb,
    /// Tell when somebody adds me.
    pub additions: bool,
    /// Show the first words of invitations.
    pub message_text: bool,
}

impl Default for Alerts {
    fn default() -> Alerts {
        Alerts { when_do_not_disturb: WhenDoNotDisturb::All, additions: true, message_text: true }
    }
}

impl Value for Alerts {
    const ROOT: &'static str = "alerts";
    const KNOWN: &'static [&'static str] =
        &["alertsWhenDoNotDisturb", "notifyAdditionToContactList", "showMessageTextForIncomingConversation"];

    fn read(root: &Element) -> Option<Alerts> {
        let when = root.child_text("alertsWhenDoNotDisturb");
        Some(Alerts {
            when_do_not_disturb: match when.as_deref() {
                Some("displayAlertsFromHighPresence") => WhenDoNotDisturb::FromWorkgroup,
                Some("noAlerts") => WhenDoNotDisturb::None,
                _ => WhenDoNotDisturb::All,
            },
            additions: read_flag(root, "notifyAdditionToContactList").unwrap_or(true),
            message_text: read_flag(root, "showMessageTextForIncomingConversation").unwrap_or(true),
        })
    }

    fn write(&self) -> Element {
        let when = match self.when_do_not_disturb {
            WhenDoNotDisturb::All => "displayAllAlerts",
            WhenDoNotDisturb::FromWorkgroup => "displayAlertsFromHighPresence",
            WhenDoNotDisturb::None => "noAlerts",
        };
        Element::in_ns("alerts", ALERTS)
            .with_leaf("alertsWhenDoNotDisturb", when)
            .with(flag(ALERTS, "notifyAdditionToContactList", self.additions))
            .with(flag(ALERTS, "showMessageTextForIncomingConversation", self.message_text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(Alerts::parse("<alerts/>"), Some(Alerts::default()));
        let some = r#"<alerts xmlns="http://schemas.microsoft.com/2006/09/sip/options/alerts"><alertsWhenDoNotDisturb>noAlerts</alertsWhenDoNotDisturb><notifyAdditionToContactList>false</notifyAdditionToContactList></alerts>"#;
        let expected = Alerts { when_do_not_disturb: WhenDoNotDisturb::None, additions: false, message_text: true };
        assert_eq!(Alerts::parse(some), Some(expected));
    }
}
