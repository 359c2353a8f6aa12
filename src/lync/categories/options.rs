//! `otherOptions` values: the user's wish about privacy mode (instance 2; guide 6.6).

use crate::domain::privacy::Preference;
use crate::lync::xml::Element;

const OPTIONS: &str = "http://schemas.microsoft.com/2006/09/sip/options/otherOptions";
const SELECTION: &str = "privacyModeUserSelection";

/// The value for a preference.
pub fn privacy_to_xml(preference: Preference) -> String {
    let word = match preference {
        Preference::None => "none",
        Preference::Private => "private",
        Preference::Standard => "standard",
    };
    Element::in_ns("otherOptions", OPTIONS).with_leaf(SELECTION, word).to_string()
}

/// The preference a value holds; an unknown word says nothing.
pub fn privacy(value: &str) -> Option<Preference> {
    let root = Element::parse_root(value.as_bytes(), "otherOptions").ok()?;
    Some(match root.child_text(SELECTION)?.to_ascii_lowercase().as_str() {
        "private" | "privacy" => Preference::Private,
        "standard" => Preference::Standard,
        _ => Preference::None,
    })
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
}
