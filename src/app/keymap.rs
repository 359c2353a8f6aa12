//! Keys to command names: a trie per place, defaults from `assets/keymap.toml`, overrides from the config.

use super::commands;
use super::event::Key;
pub use super::keys::parse_key;
use std::collections::BTreeMap;
use std::fmt;

/// The default keys.
pub const DEFAULTS: &str = include_str!("../../assets/keymap.toml");

/// A place where keys mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Mode {
    People,
    Transcript,
    /// The people of a meeting.
    Roster,
    Composer,
    /// The composer's normal mode, with `composer.keys = "vi"`.
    Vi,
    Meetings,
    /// An open form or a field being edited.
    Form,
    Me,
    /// A section of the Me pane that is a list.
    MeList,
    Wire,
    /// A dialog without text entry.
    Dialog,
    /// A line of text in a dialog, or a filter.
    Line,
    /// Every place where text is written; looked up after the place itself.
    Edit,
    Anywhere,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 14] = [
        Mode::People,
        Mode::Transcript,
        Mode::Roster,
        Mode::Composer,
        Mode::Vi,
        Mode::Meetings,
        Mode::Form,
        Mode::Me,
        Mode::MeList,
        Mode::Wire,
        Mode::Dialog,
        Mode::Line,
        Mode::Edit,
        Mode::Anywhere,
    ];

    /// The word in the keymap file and the help.
    pub fn name(self) -> &'static str {
        match self {
            Mode::People => "people",
            Mode::Transcript => "transcript",
            Mode::Roster => "roster",
            Mode::Composer => "composer",
            Mode::Vi => "vi",
            Mode::Meetings => "meetings",
            Mode::Form => "form",
            Mode::Me => "me",
            Mode::MeList => "me-list",
            Mode::Wire => "wire",
            Mode::Dialog => "dialog",
            Mode::Line => "line",
            Mode::Edit => "edit",
            Mode::Anywhere => "anywhere",
        }
    }

    fn from_name(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Whether typed characters are text here.
    pub fn takes_text(self) -> bool {
        matches!(self, Mode::Composer | Mode::Line | Mode::Form | Mode::Edit)
    }
}

/// What a key leads to.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Command(&'static str),
    Branch(BTreeMap<Key, Node>),
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This command.
    Command(&'static str),
    /// More keys must follow: what may follow, and the command (empty: a further branch).
    More(Vec<(Key, &'static str)>),
    /// Nothing.
    Nothing,
}

/// A mistake in a keymap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct KeymapError {
    /// Line in the text given, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

/// One binding to be added: where it stands, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Line in its file, from 1.
    pub line: usize,
    /// Name of the place.
    pub place: String,
    /// The keys.
    pub keys: String,
    /// Name of the command, or `none`.
    pub command: String,
}

/// All keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    modes: BTreeMap<Mode, BTreeMap<Key, Node>>,
    /// The key to show for each command of a place; the hint line asks for it with every frame.
    shown: BTreeMap<Mode, BTreeMap<&'static str, String>>,
    /// Bindings in the order they were written, overrides before defaults: the first of a command is the one to show.
    written: Vec<(Mode, Vec<Key>, &'static str)>,
}

impl Keymap {
    /// The default keys; a mistake in them is found by a test, and leaves the rest in force.
    pub fn defaults() -> Keymap {
        let mut map = Keymap::default();
        for b in bindings_of(DEFAULTS).unwrap_or_default() {
            let _ = map.bind(&b);
        }
        map.index();
        map
    }

    /// The defaults with overrides; two overrides of one key in one place are a conflict.
    pub fn with_overrides(overrides: &[Binding]) -> Result<Keymap, KeymapError> {
        let mut map = Keymap::defaults();
        let defaults = std::mem::take(&mut map.written);
        let mut seen: BTreeMap<(Mode, Vec<Key>), usize> = BTreeMap::new();
        for b in overrides {
            let (mode, keys) = map.bind(b)?;
            for ((m, other), line) in &seen {
                if *m == mode && (keys.starts_with(other) || other.starts_with(&keys)) {
                    let text = format!("“{}” conflicts with line {line} (same keys in [keys.{}])", b.keys, mode.name());
                    return Err(KeymapError { line: b.line, text });
                }
            }
            seen.insert((mode, keys), b.line);
        }
        map.written.extend(defaults);
        map.index();
        Ok(map)
    }

    /// Adds or replaces one binding.
    fn bind(&mut self, b: &Binding) -> Result<(Mode, Vec<Key>), KeymapError> {
        let wrong = |text: String| KeymapError { line: b.line, text };
        let mode = Mode::from_name(&b.place).ok_or_else(|| {
            let places: Vec<_> = Mode::ALL.iter().map(|m| m.name()).collect();
            wrong(format!("there is no place “{}”; places are {}", b.place, places.join(", ")))
        })?;
        let keys: Option<Vec<Key>> = b.keys.split_whitespace().map(parse_key).collect();
        let keys = keys
            .filter(|k| !k.is_empty())
            .ok_or_else(|| wrong(format!("“{}” is no key; write Ctrl-K, Alt-Enter, F1 or a character", b.keys)))?;
        let command = match b.command.as_str() {
            "none" => None,
            name => Some(commands::find(name).map(|c| c.name).ok_or_else(|| {
                let near = commands::nearest(name, commands::all().map(|c| c.name));
                wrong(format!(
                    "there is no command “{name}”{}",
                    near.map(|n| format!("; did you mean “{n}”?")).unwrap_or_default()
                ))
            })?),
        };
        set(self.modes.entry(mode).or_default(), &keys, command);
        self.written.extend(command.map(|c| (mode, keys.clone(), c)));
        Ok((mode, keys))
    }

    /// What these keys mean in the first of `modes` that knows them.
    pub fn look_up(&self, modes: &[Mode], keys: &[Key]) -> Found {
        modes
            .iter()
            .filter_map(|m| self.modes.get(m))
            .map(|t| walk(t, keys))
            .find(|f| *f != Found::Nothing)
            .unwrap_or(Found::Nothing)
    }

    /// All bindings of a place: keys as text, command name; in the order of the keys.
    pub fn bindings(&self, mode: Mode) -> Vec<(String, &'static str)> {
        let mut out = Vec::new();
        if let Some(t) = self.modes.get(&mode) {
            collect(t, "", &mut out);
        }
        out
    }

    /// Works out the key to show for every command.
    fn index(&mut self) {
        self.shown.clear();
        for (mode, keys, command) in &self.written {
            if self.look_up(&[*mode], keys) == Found::Command(command) {
                let text = || keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ");
                self.shown.entry(*mode).or_default().entry(command).or_insert_with(text);
            }
        }
    }

    /// The keys of a command in the first of these places that has any, as shown to people.
    pub fn keys_of(&self, modes: &[Mode], command: &str) -> Option<&str> {
        modes.iter().find_map(|m| self.shown.get(m)?.get(command)).map(String::as_str)
    }

    /// The keys of a command, wherever it has any.
    pub fn any_keys_of(&self, command: &str) -> Option<&str> {
        self.keys_of(&Mode::ALL, command)
    }
}

fn set(tree: &mut BTreeMap<Key, Node>, keys: &[Key], command: Option<&'static str>) {
    match keys {
        [] => {}
        [last] => {
            match command {
                Some(c) => tree.insert(*last, Node::Command(c)),
                None => tree.remove(last),
            };
        }
        [first, rest @ ..] => {
            let node = tree.entry(*first).or_insert_with(|| Node::Branch(BTreeMap::new()));
            if let Node::Command(_) = node {
                *node = Node::Branch(BTreeMap::new());
            }
            if let Node::Branch(b) = node {
                set(b, rest, command);
            }
        }
    }
}

fn walk(tree: &BTreeMap<Key, Node>, keys: &[Key]) -> Found {
    let Some((first, rest)) = keys.split_first() else { return Found::Nothing };
    match (tree.get(first), rest.is_empty()) {
        (Some(Node::Command(c)), true) => Found::Command(c),
        (Some(Node::Branch(b)), true) => Found::More(
            b.iter()
                .map(|(k, n)| match n {
                    Node::Command(c) => (*k, *c),
                    Node::Branch(_) => (*k, ""),
                })
                .collect(),
        ),
        (Some(Node::Branch(b)), false) => walk(b, rest),
        _ => Found::Nothing,
    }
}

fn collect(tree: &BTreeMap<Key, Node>, before: &str, out: &mut Vec<(String, &'static str)>) {
    for (key, node) in tree {
        let keys = if before.is_empty() { key.to_string() } else { format!("{before} {key}") };
        match node {
            Node::Command(c) => out.push((keys, c)),
            Node::Branch(b) => collect(b, &keys, out),
        }
    }
}

/// Sections by place: keys and commands, with their position in the text.
pub type Sections = BTreeMap<String, BTreeMap<String, toml::Spanned<String>>>;

/// The bindings of a keymap text: `[place]` sections of `"keys" = "command"`, with their lines.
pub fn bindings_of(text: &str) -> Result<Vec<Binding>, KeymapError> {
    let sections: Sections = toml::from_str(text)
        .map_err(|e| KeymapError { line: e.span().map_or(1, |s| line_of(text, s.start)), text: e.message().to_owned() })?;
    Ok(bindings_in(text, &sections))
}

/// The bindings of sections that were read out of `text`.
pub fn bindings_in(text: &str, sections: &Sections) -> Vec<Binding> {
    let all = sections.iter().flat_map(|(place, keys)| keys.iter().map(move |(k, c)| (place, k, c)));
    let mut found: Vec<_> = all.collect();
    found.sort_by_key(|(.., command)| command.span().start);
    let (mut line, mut counted) = (1, 0);
    let mut out = Vec::with_capacity(found.len());
    for (place, keys, command) in found {
        let at = command.span().start;
        line += line_of(text.get(counted..at).unwrap_or_default(), at) - 1;
        counted = at;
        out.push(Binding { line, place: place.clone(), keys: keys.clone(), command: command.get_ref().clone() });
    }
    out
}

/// The line of an octet offset, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::KeyCode;

    fn binding(line: usize, place: &str, keys: &str, command: &str) -> Binding {
        Binding { line, place: place.into(), keys: keys.into(), command: command.into() }
    }

    #[test]
    fn every_default_key_names_a_command() {
        let mut map = Keymap::default();
        let all = bindings_of(DEFAULTS).unwrap();
        assert!(all.len() > 100);
        for b in &all {
            map.bind(b).unwrap();
        }
    }

    #[test]
    fn no_default_key_is_bound_twice_in_one_place() {
        let mut seen = std::collections::HashSet::new();
        for b in bindings_of(DEFAULTS).unwrap() {
            let keys: Vec<_> = b.keys.split(' ').map(|k| parse_key(k).unwrap()).collect();
            assert!(seen.insert((b.place.clone(), keys)), "{b:?}");
        }
    }

    #[test]
    fn keys_are_read_and_shown_the_same() {
        for text in ["Ctrl-K", "Alt-Enter", "Shift-Tab", "F1", "Space", "PgUp", "g", "G", "Alt-←", "?", "Ctrl-_", "-"] {
            assert_eq!(parse_key(text).map(|k| k.to_string()).as_deref(), Some(text));
        }
        assert_eq!(parse_key("Ctrl-k"), parse_key("CTRL-K"));
        assert_eq!(parse_key("F99"), None);
        assert_eq!(parse_key("Hyper-x"), None);
    }

    #[test]
    fn overrides_replace_and_remove() {
        let map = Keymap::with_overrides(&[binding(3, "people", "x", "message"), binding(4, "people", "Enter", "none")]).unwrap();
        assert_eq!(map.look_up(&[Mode::People], &[Key::char('x')]), Found::Command("message"));
        assert_eq!(map.look_up(&[Mode::People], &[Key::plain(KeyCode::Enter)]), Found::Nothing);
        assert_eq!(map.keys_of(&[Mode::People], "message"), Some("x"));
        assert_eq!(map.keys_of(&[Mode::Composer, Mode::Anywhere], "new-line"), Some("Alt-Enter"));
        assert_eq!(map.keys_of(&[Mode::Composer, Mode::Anywhere], "palette"), Some("Ctrl-K"));
    }

    #[test]
    fn chords_wait_for_more() {
        let map = Keymap::with_overrides(&[binding(1, "people", "z z", "message")]).unwrap();
        let z = Key::char('z');
        assert_eq!(map.look_up(&[Mode::People], &[z]), Found::More(vec![(z, "message")]));
        assert_eq!(map.look_up(&[Mode::People], &[z, z]), Found::Command("message"));
    }

    #[test]
    fn mistakes_name_the_line_and_the_remedy() {
        let unknown = Keymap::with_overrides(&[binding(7, "people", "x", "mesage")]).unwrap_err();
        assert_eq!(unknown.to_string(), "line 7: there is no command “mesage”; did you mean “message”?");
        let conflict =
            Keymap::with_overrides(&[binding(3, "people", "x", "message"), binding(9, "people", "x", "card")]).unwrap_err();
        assert!(conflict.to_string().starts_with("line 9: “x” conflicts with line 3"), "{conflict}");
        assert!(Keymap::with_overrides(&[binding(2, "poeple", "x", "card")]).unwrap_err().text.contains("no place"));
        assert_eq!(bindings_of("[people]\n\"x\" = \n").unwrap_err().line, 2);
    }
}
