//! A small text editor model for the composer and for form fields: lines, a cursor on grapheme boundaries, a kill buffer, undo.

use super::limits::UNDO_STEPS;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// Text being written. The cursor is an octet offset that always lies on a grapheme boundary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    cursor: usize,
    column: Option<usize>,
    killed: String,
    undo: Vec<(String, usize)>,
    typing_run: bool,
    limit: Option<usize>,
}

impl Editor {
    /// An editor with this text and the cursor at its end.
    pub fn new(text: impl Into<String>) -> Editor {
        let text = text.into();
        Editor { cursor: text.len(), text, ..Editor::default() }
    }

    /// The same, refusing more than `chars` characters.
    pub fn limited(text: impl Into<String>, chars: usize) -> Editor {
        Editor { limit: Some(chars), ..Editor::new(text) }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The cursor as octet offset into the text.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The text before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or("")
    }

    /// The text after the cursor.
    pub fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or("")
    }

    /// Line of the cursor and octet offset within that line, both from 0.
    pub fn line_and_offset(&self) -> (usize, usize) {
        let before = self.before();
        let line = before.matches('\n').count();
        (line, before.len() - before.rfind('\n').map_or(0, |i| i + 1))
    }

    /// Replaces everything; the cursor goes to the end.
    pub fn set(&mut self, text: impl Into<String>) {
        self.remember();
        self.text = text.into();
        self.cursor = self.text.len();
        self.moved();
    }

    /// Takes the text out, leaving nothing (and nothing to undo).
    pub fn take(&mut self) -> String {
        let limit = self.limit;
        let killed = std::mem::take(&mut self.killed);
        let text = std::mem::take(&mut self.text);
        *self = Editor { limit, killed, ..Editor::default() };
        text
    }

    /// Inserts text at the cursor; carriage returns become line feeds, other control characters but tab fall away.
    pub fn insert(&mut self, text: &str) {
        let clean = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut clean: String = clean.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
        if let Some(limit) = self.limit {
            let room = limit.saturating_sub(self.text.chars().count());
            clean = clean.chars().take(room).collect();
        }
        if clean.is_empty() {
            return;
        }
        let one = clean.chars().count() == 1 && !clean.contains(char::is_whitespace);
        if !(one && self.typing_run) {
            self.remember();
        }
        self.text.insert_str(self.cursor, &clean);
        self.cursor = boundary_at_or_after(&self.text, self.cursor + clean.len());
        self.column = None;
        self.typing_run = one;
    }

    /// Inserts one character.
    pub fn insert_char(&mut self, c: char) {
        self.insert(c.encode_utf8(&mut [0; 4]));
    }

    /// One grapheme to the left.
    pub fn left(&mut self) {
        self.cursor = previous(&self.text, self.cursor);
        self.moved();
    }

    /// One grapheme to the right.
    pub fn right(&mut self) {
        self.cursor = next(&self.text, self.cursor);
        self.moved();
    }

    /// One grapheme to the left, but not into the line above.
    pub fn left_in_line(&mut self) {
        if !self.before().ends_with('\n') {
            self.left();
        }
    }

    /// Kills the whole line with its line end.
    pub fn kill_line(&mut self) {
        let from = self.before().rfind('\n').map_or(0, |i| i + 1);
        let to = self.cursor + self.after().find('\n').map_or(self.after().len(), |i| i + 1);
        self.delete(from, to, true);
    }

    /// To the start of the word before.
    pub fn word_left(&mut self) {
        self.cursor = self.word_start();
        self.moved();
    }

    /// To the end of the next word.
    pub fn word_right(&mut self) {
        self.cursor = self.word_end();
        self.moved();
    }

    /// To the start of the line.
    pub fn home(&mut self) {
        self.cursor = self.before().rfind('\n').map_or(0, |i| i + 1);
        self.moved();
    }

    /// To the end of the line.
    pub fn end(&mut self) {
        self.cursor += self.after().find('\n').unwrap_or(self.after().len());
        self.moved();
    }

    /// To the very start.
    pub fn start(&mut self) {
        self.cursor = 0;
        self.moved();
    }

    /// To the very end.
    pub fn finish(&mut self) {
        self.cursor = self.text.len();
        self.moved();
    }

    /// One line up; `false` if the cursor is on the first line.
    pub fn up(&mut self) -> bool {
        let (line, _) = self.line_and_offset();
        line > 0 && self.go_to_line(line - 1)
    }

    /// One line down; `false` if the cursor is on the last line.
    pub fn down(&mut self) -> bool {
        let (line, _) = self.line_and_offset();
        line < self.text.matches('\n').count() && self.go_to_line(line + 1)
    }

    /// Deletes the grapheme before the cursor.
    pub fn backspace(&mut self) {
        let from = previous(&self.text, self.cursor);
        self.delete(from, self.cursor, false);
    }

    /// Deletes the grapheme after the cursor.
    pub fn delete_forward(&mut self) {
        let to = next(&self.text, self.cursor);
        self.delete(self.cursor, to, false);
    }

    /// Kills the word before the cursor.
    pub fn kill_word_left(&mut self) {
        let from = self.word_start();
        self.delete(from, self.cursor, true);
    }

    /// Kills the word after the cursor.
    pub fn kill_word_right(&mut self) {
        let to = self.word_end();
        self.delete(self.cursor, to, true);
    }

    /// Kills to the start of the line.
    pub fn kill_to_start(&mut self) {
        let from = self.before().rfind('\n').map_or(0, |i| i + 1);
        self.delete(from, self.cursor, true);
    }

    /// Kills to the end of the line, or the line end itself.
    pub fn kill_to_end(&mut self) {
        let after = self.after();
        let len = after.find('\n').unwrap_or(after.len());
        let to = if len == 0 { next(&self.text, self.cursor) } else { self.cursor + len };
        self.delete(self.cursor, to, true);
    }

    /// Puts back what was killed last.
    pub fn yank(&mut self) {
        let killed = self.killed.clone();
        self.insert(&killed);
    }

    /// Swaps the graphemes around the cursor.
    pub fn transpose(&mut self) {
        let at = if self.after().is_empty() { previous(&self.text, self.cursor) } else { self.cursor };
        let (from, to) = (previous(&self.text, at), next(&self.text, at));
        if from == at || at == to {
            return;
        }
        self.remember();
        let swapped = format!("{}{}", self.text.get(at..to).unwrap_or(""), self.text.get(from..at).unwrap_or(""));
        self.text.replace_range(from..to, &swapped);
        self.cursor = to;
        self.moved();
    }

    /// Takes the last change back.
    pub fn undo(&mut self) {
        if let Some((text, cursor)) = self.undo.pop() {
            (self.text, self.cursor) = (text, cursor);
            self.moved();
        }
    }

    /// Replaces the octets `from` up to the cursor, both on grapheme boundaries (completion).
    pub fn replace_before(&mut self, from: usize, with: &str) {
        if from <= self.cursor && self.text.is_char_boundary(from) {
            self.remember();
            self.text.replace_range(from..self.cursor, with);
            self.cursor = from + with.len();
            self.moved();
        }
    }

    fn word_start(&self) -> usize {
        let before = self.before();
        before.unicode_word_indices().next_back().map_or(0, |(i, _)| i)
    }

    fn word_end(&self) -> usize {
        self.after().unicode_word_indices().next().map_or(self.text.len(), |(i, w)| self.cursor + i + w.len())
    }

    fn go_to_line(&mut self, line: usize) -> bool {
        let column = self.column.unwrap_or_else(|| {
            let start = self.before().rfind('\n').map_or(0, |i| i + 1);
            self.text.get(start..self.cursor).unwrap_or("").graphemes(true).count()
        });
        let start: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
        let text = self.text.get(start..).unwrap_or("").split('\n').next().unwrap_or("");
        self.cursor = start + text.grapheme_indices(true).nth(column).map_or(text.len(), |(i, _)| i);
        self.typing_run = false;
        self.column = Some(column);
        true
    }

    fn delete(&mut self, from: usize, to: usize, kill: bool) {
        if from >= to {
            return;
        }
        self.remember();
        let gone = self.text.get(from..to).unwrap_or("").to_owned();
        self.text.replace_range(from..to, "");
        self.cursor = from;
        self.moved();
        if kill {
            self.killed = gone;
        }
    }

    fn remember(&mut self) {
        if self.undo.len() == UNDO_STEPS {
            self.undo.remove(0);
        }
        self.undo.push((self.text.clone(), self.cursor));
    }

    fn moved(&mut self) {
        self.column = None;
        self.typing_run = false;
    }
}

fn previous(text: &str, at: usize) -> usize {
    GraphemeCursor::new(at, text.len(), true).prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

fn next(text: &str, at: usize) -> usize {
    GraphemeCursor::new(at, text.len(), true).next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
}

/// A combining mark typed after its base joins it, so the boundary may lie further on than what was inserted.
fn boundary_at_or_after(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if cursor.is_boundary(text, 0).unwrap_or(true) { at } else { next(text, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphemes_go_as_a_whole() {
        let mut e = Editor::new("a👨‍👩‍👧e\u{301}");
        e.backspace();
        assert_eq!(e.text(), "a👨‍👩‍👧");
        e.left();
        e.delete_forward();
        assert_eq!((e.text(), e.cursor()), ("a", 1));
    }

    #[test]
    fn a_mark_typed_after_its_base_keeps_the_cursor_on_a_boundary() {
        let mut e = Editor::new("ae");
        e.left();
        e.right();
        e.insert_char('\u{301}');
        assert_eq!(e.before(), "ae\u{301}");
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut e = Editor::new("long line\nab\nanother");
        assert!(e.up());
        assert_eq!(e.line_and_offset(), (1, 2));
        assert!(e.up());
        assert_eq!(e.line_and_offset(), (0, 7));
        assert!(!e.up());
        assert!(e.down() && e.down());
        assert_eq!(e.line_and_offset(), (2, 7));
        assert!(!e.down());
    }

    #[test]
    fn words_are_killed_and_yanked() {
        let mut e = Editor::new("did the numbers");
        e.kill_word_left();
        assert_eq!(e.text(), "did the ");
        e.start();
        e.yank();
        assert_eq!(e.text(), "numbersdid the ");
        e.undo();
        assert_eq!(e.text(), "did the ");
    }

    #[test]
    fn pasted_control_characters_fall_away_and_the_limit_holds() {
        let mut e = Editor::limited("", 6);
        e.insert("a\u{1b}[31mb\r\nc");
        assert_eq!(e.text(), "a[31mb");
        assert_eq!(Editor::limited("", 9).text(), "");
    }

    #[test]
    fn a_run_of_letters_is_undone_at_once() {
        let mut e = Editor::default();
        "hello".chars().for_each(|c| e.insert_char(c));
        e.insert_char(' ');
        "you".chars().for_each(|c| e.insert_char(c));
        e.undo();
        assert_eq!(e.text(), "hello ");
    }
}
