//! What the search index sees of a message, and what a person's words become.

use super::sqlite::format;
use crate::domain::conversation::TextFormat;
use crate::store::limits::MAX_SEARCH_TERMS;
use rusqlite::{Connection, params};

/// Takes the messages that came after the last indexed one into the index, once there are `least` of them.
pub(super) fn index(conn: &Connection, least: i64) -> rusqlite::Result<()> {
    let number = |sql| conn.prepare_cached(sql)?.query_row([], |r| r.get::<_, Option<i64>>(0));
    let newest = number("select max(row) from message")?.unwrap_or(0);
    let done = number("select max(id) from message_text_docsize")?.unwrap_or(0);
    if newest - done < least {
        return Ok(());
    }
    let mut insert = conn.prepare_cached("insert into message_text (rowid, body) values (?, ?)")?;
    let mut select = conn.prepare_cached("select row, body, format from message where row > ? order by row")?;
    let mut rows = select.query([done])?;
    while let Some(row) = rows.next()? {
        let words = indexed(row.get_ref(1)?.as_str()?, format(row.get(2)?));
        insert.execute(params![row.get::<_, i64>(0)?, words])?;
    }
    Ok(())
}

/// The words of a body for the index: markup of HTML left out, letters folded.
fn indexed(body: &str, format: TextFormat) -> String {
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
