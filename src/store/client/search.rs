//! What the search index sees of a message, and what a person's words become.

use crate::domain::conversation::TextFormat;
use crate::store::limits::MAX_SEARCH_TERMS;

/// The words of a body for the index: markup of HTML left out, letters folded.
pub(super) fn indexed(body: &str, format: TextFormat) -> String {
    match format {
        TextFormat::Html => fold(&without_tags(body)),
        TextFormat::Plain | TextFormat::Rtf => fold(body),
    }
}

/// An FTS5 expression that finds all words, each as a beginning; `None` when there is no word.
///
/// User text is a query language to FTS5, so every word is quoted.
pub(super) fn expression(text: &str) -> Option<String> {
    let words: Vec<String> = fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(MAX_SEARCH_TERMS)
        .map(|w| format!("\"{w}\"*"))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The tokenizer folds accents of Latin letters but not Cyrillic io.
fn fold(text: &str) -> String {
    text.chars().map(|c| if c == 'ё' || c == 'Ё' { 'е' } else { c }).collect()
}

fn without_tags(html: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(html.len());
    for c in html.chars() {
        match c {
            '<' => {
                inside = true;
                out.push(' ');
            }
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_words_are_never_query_syntax() {
        assert_eq!(expression("budget \"or\" AND* (x"), Some("\"budget\"* \"or\"* \"AND\"* \"x\"*".into()));
        assert_eq!(expression("—  !"), None);
    }

    #[test]
    fn markup_is_not_found() {
        assert_eq!(indexed("<b class=\"x\">Ёлка</b>", TextFormat::Html).trim(), "елка");
    }
}
