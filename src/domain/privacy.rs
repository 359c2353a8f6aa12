//! Privacy mode: whether people beyond the contact list see anything (`domain.md` 3.12).

use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preference {
    /// What the administrator says.
    #[default]
    None,
    /// Only contacts see more than the name.
    Private,
    /// Everybody sees what their network gets, whatever the administrator says.
    Standard,
}

/// What is so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Open.
    #[default]
    Standard,
    /// Contacts only.
    Private,
    /// The containers are being changed to contacts only.
    MigratingToPrivate,
    /// The containers are being opened.
    MigratingToStandard,
}

impl Mode {
    /// The mode when everything is done.
    pub fn settled(private: bool) -> Mode {
        if private { Mode::Private } else { Mode::Standard }
    }

    /// The mode while the containers are changed.
    pub fn migrating(private: bool) -> Mode {
        if private { Mode::MigratingToPrivate } else { Mode::MigratingToStandard }
    }

    /// Whether it is, or becomes, contacts only.
    pub fn is_private(self) -> bool {
        matches!(self, Mode::Private | Mode::MigratingToPrivate)
    }

    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Mode::Standard => "open",
            Mode::Private => "contacts only",
            Mode::MigratingToPrivate => "changing to contacts only",
            Mode::MigratingToStandard => "being opened",
        }
    }
}

/// Whether only contacts are to see more: the administrator's setting (`None`: there is none) prevails unless the user
/// chose Standard; without one the user's wish counts.
pub fn wants_private(preference: Preference, administrator: Option<bool>) -> bool {
    match (preference, administrator) {
        (Preference::Standard, _) => false,
        (_, Some(private)) => private,
        (preference, None) => preference == Preference::Private,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrators_setting_prevails_unless_the_user_chose_standard() {
        for (preference, administrator, private) in [
            (Preference::None, None, false),
            (Preference::None, Some(true), true),
            (Preference::None, Some(false), false),
            (Preference::Private, None, true),
            (Preference::Private, Some(true), true),
            (Preference::Private, Some(false), false),
            (Preference::Standard, None, false),
            (Preference::Standard, Some(true), false),
            (Preference::Standard, Some(false), false),
        ] {
            assert_eq!(wants_private(preference, administrator), private, "{preference:?} {administrator:?}");
        }
    }
}
