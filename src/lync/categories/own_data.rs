//! `userProperties`, `userInformation` and `mwi` values: what only the own endpoints see (domain guide 5.5, container 1).

use super::value::{Value, flag, leaf};
use crate::lync::roaming::CATEGORIES;
use crate::lync::xml::{Element, parse_bool};

const INFORMATION: &str = "http://schemas.microsoft.com/2006/09/sip/options/userInformation";
const MWI: &str = "http://schemas.microsoft.com/2006/09/sip/mwi";

/// How the server handles telephony.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TelephonyMode {
    #[default]
    None,
    Uc,
    Rcc,
    Dual,
}

impl TelephonyMode {
    const ALL: [(TelephonyMode, &'static str); 4] =
        [(TelephonyMode::None, "None"), (TelephonyMode::Uc, "Uc"), (TelephonyMode::Rcc, "Rcc"), (TelephonyMode::Dual, "Dual")];
}

/// A phone line of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOfUser {
    /// Uc, Rcc, Dual
    pub kind: String,
    /// `tel:` URI.
    pub uri: String,
    /// Server of the line, with remote call control.
    pub server: Option<String>,
}

/// A `userProperties` value, made by the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserProperties {
    /// Lines.
    pub lines: Vec<LineOfUser>,
    /// Mode.
    pub telephony: TelephonyMode,
    /// Address for facsimile and mail, if told.
    pub address: Option<String>,
    /// Voice mail is kept for the user (`exumEnabled`).
    pub voice_mail: bool,
}

impl Value for UserProperties {
    const ROOT: &'static str = "userProperties";
    const KNOWN: &'static [&'static str] =
        &["lines", "line", "lineType", "lineServer", "telephonyMode", "facsimileAddress", "exumEnabled"];

    fn read(root: &Element) -> Option<UserProperties> {
        let line = |e: &Element| LineOfUser {
            kind: e.attr("lineType").unwrap_or("Uc").to_owned(),
            uri: e.text().trim().to_owned(),
            server: e.attr("lineServer").map(str::to_owned),
        };
        let mode = root.child_text("telephonyMode").unwrap_or_default();
        let found = TelephonyMode::ALL.iter().find(|m| m.1.eq_ignore_ascii_case(&mode));
        Some(UserProperties {
            lines: root.child("lines").map(|l| l.children_named("line").map(line).collect()).unwrap_or_default(),
            telephony: found.map_or(TelephonyMode::None, |m| m.0),
            address: root.child_value("facsimileAddress"),
            voice_mail: root.child_text("exumEnabled").and_then(|t| parse_bool(&t)).unwrap_or(false),
        })
    }

    fn write(&self) -> Element {
        let line = |l: &LineOfUser| {
            let e = Element::in_ns("line", CATEGORIES).with_attr("lineType", &l.kind);
            e.with_opt_attr("lineServer", l.server.as_deref()).with_text(l.uri.as_str())
        };
        let lines = Element::in_ns("lines", CATEGORIES).with_all(self.lines.iter().map(line));
        let mode = TelephonyMode::ALL.iter().find(|m| m.0 == self.telephony).map_or("None", |m| m.1);
        Element::in_ns("userProperties", CATEGORIES)
            .with_opt((!self.lines.is_empty()).then_some(lines))
            .with_leaf("telephonyMode", mode)
            .with_opt(leaf(CATEGORIES, "facsimileAddress", self.address.as_deref()))
            .with_leaf("exumEnabled", if self.voice_mail { "1" } else { "0" })
    }
}

/// A phone the user has named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPhone {
    /// work, home, mobile, other, custom1
    pub kind: String,
    /// Put it on the contact card; `true` by default.
    pub publish: bool,
    /// The user may not change it; `false` by default.
    pub read_only: bool,
    /// As shown; may be empty.
    pub text: String,
    /// `tel:` URI; may be empty.
    pub uri: String,
}

/// A `userInformation` value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInformation {
    /// Own phones.
    pub phones: Vec<OwnPhone>,
}

impl Value for UserInformation {
    const ROOT: &'static str = "userInformation";
    const KNOWN: &'static [&'static str] = &["phones", "phone", "type", "publish", "readOnly", "displayString", "uri"];

    fn read(root: &Element) -> Option<UserInformation> {
        let phone = |e: &Element| OwnPhone {
            kind: e.attr("type").unwrap_or("other").to_owned(),
            publish: e.attr_bool("publish").unwrap_or(true),
            read_only: e.attr_bool("readOnly").unwrap_or(false),
            text: e.child_text("displayString").unwrap_or_default(),
            uri: e.child_text("uri").unwrap_or_default(),
        };
        let phones = root.child("phones").map(|p| p.children_named("phone").map(phone).collect());
        Some(UserInformation { phones: phones.unwrap_or_default() })
    }

    fn write(&self) -> Element {
        let phone = |p: &OwnPhone| {
            Element::in_ns("phone", INFORMATION)
                .with_attr("type", &p.kind)
                .with_opt_attr("publish", (!p.publish).then_some(false))
                .with_opt_attr("readOnly", p.read_only.then_some(true))
                .with_opt(leaf(INFORMATION, "displayString", Some(&p.text)))
                .with_opt(leaf(INFORMATION, "uri", Some(&p.uri)))
        };
        let phones = Element::in_ns("phones", INFORMATION).with_all(self.phones.iter().map(phone));
        Element::in_ns("userInformation", INFORMATION).with(phones)
    }
}

/// An `mwi` value, made by the server: waiting voice messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageWaiting {
    /// Something waits.
    pub waiting: bool,
    /// Not heard yet.
    pub unread: u32,
    /// Heard and kept.
    pub read: u32,
}

impl Value for MessageWaiting {
    const ROOT: &'static str = "mwi";
    const KNOWN: &'static [&'static str] = &["messageWaiting", "unread", "read"];

    fn read(root: &Element) -> Option<MessageWaiting> {
        let number = |name| root.child_text(name).and_then(|t| t.parse().ok()).unwrap_or(0);
        let waiting = super::value::read_flag(root, "messageWaiting").unwrap_or(false);
        Some(MessageWaiting { waiting, unread: number("unread"), read: number("read") })
    }

    fn write(&self) -> Element {
        Element::in_ns("mwi", MWI)
            .with(flag(MWI, "messageWaiting", self.waiting))
            .with_leaf("unread", self.unread.to_string())
            .with_leaf("read", self.read.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_guide_read() {
        let p = UserProperties::parse(r#"<userProperties xmlns="http://schemas.microsoft.com/2006/09/sip/categories"><lines><line lineType="Uc">tel:+15551230100;ext=100</line></lines><telephonyMode>Uc</telephonyMode><exumEnabled>0</exumEnabled></userProperties>"#).unwrap();
        assert_eq!((p.lines[0].uri.as_str(), p.telephony, p.voice_mail), ("tel:+15551230100;ext=100", TelephonyMode::Uc, false));
        let i = UserInformation::parse(r#"<userInformation xmlns="http://schemas.microsoft.com/2006/09/sip/options/userInformation"><phones><phone type="mobile"><displayString>+1 555 123 0199</displayString><uri>tel:+15551230199</uri></phone></phones></userInformation>"#).unwrap();
        assert_eq!((i.phones[0].publish, i.phones[0].read_only), (true, false), "the defaults");
    }
}
