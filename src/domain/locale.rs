//! Languages as activities name them: Windows locale ids.

/// The text for a viewer: of exactly this locale, of its language, or one that is of no locale.
pub fn choose(texts: &[(u32, String)], viewer: u32) -> Option<&str> {
    let language = |id: u32| id & 0x3ff;
    let exact = texts.iter().find(|t| t.0 == viewer);
    let near = || texts.iter().find(|t| t.0 != 0 && language(t.0) == language(viewer));
    exact.or_else(near).or_else(|| texts.iter().find(|t| t.0 == 0)).map(|t| t.1.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_of_the_viewers_locale_or_at_least_language() {
        let texts = [(1033, "Writing".to_owned()), (1031, "Schreiben".to_owned())];
        assert_eq!(choose(&texts, 1031), Some("Schreiben"));
        assert_eq!(choose(&texts, 3079), Some("Schreiben"));
        assert_eq!(choose(&texts, 1036), None);
        assert_eq!(choose(&[(0, "Anything".to_owned())], 1036), Some("Anything"));
    }
}
