//! Tab completion in the composer: @names, :emoji:, /commands, and the people and files that commands take.

use super::Editor;
use super::commands::{self, Arg};
use super::door::Door;
use super::effect::Effect;
use super::state::State;
use super::state::conversations::Completion;

/// Candidates offered at most.
const MOST: usize = 20;

/// Completes the word before the cursor; again, goes through the candidates (`by` 1 or -1).
pub fn complete(door: &mut Door<'_>, by: isize) -> Result<(), String> {
    let state = &mut *door.state;
    let at = state.conversations.at;
    let going = state.conversations.current().and_then(|t| t.completion.clone());
    let next = match going {
        Some(mut c) => {
            let len = isize::try_from(c.candidates.len()).unwrap_or(1).max(1);
            c.at = usize::try_from((isize::try_from(c.at).unwrap_or(0) + by).rem_euclid(len)).unwrap_or(0);
            c
        }
        None => {
            if let Some(begin) = file_begun(state) {
                door.effects.push(Effect::ListFiles { begin: begin.to_owned() });
                return Ok(());
            }
            start(state).ok_or("nothing completes this; @name, :emoji: and /command do")?
        }
    };
    show(state, at, next);
    Ok(())
}

/// Files that begin like what is written, by their names in their folder; folders end with a slash.
pub fn files(door: &mut Door<'_>, begin: &str, names: Vec<String>) {
    if file_begun(door.state) != Some(begin) {
        // Something else was written meanwhile.
        return;
    }
    if names.is_empty() {
        return door.complain(format!("there is no file “{begin}…”"));
    }
    let at = door.state.conversations.at;
    let Some(tab) = door.state.conversations.current() else { return };
    let name = begin.rsplit('/').next().unwrap_or("");
    let from = tab.composer.before().len() - name.len();
    let candidates = names.into_iter().take(MOST).map(|n| (n, String::new())).collect();
    show(door.state, at, Completion { from, candidates, at: 0 });
}

/// The path that is written before the cursor, where a command takes one.
fn file_begun(state: &State) -> Option<&str> {
    let before = state.conversations.current()?.composer.before();
    let (command, args) = commands::of_line(before)?;
    matches!(command.args, Arg::File(_)).then(|| args.trim_start())
}

fn show(state: &mut State, at: usize, next: Completion) {
    let Some(tab) = state.conversations.tabs.get_mut(at) else { return };
    if let Some((text, _)) = next.candidates.get(next.at) {
        tab.composer.replace_before(next.from, text);
    }
    // A single candidate is final: the next Tab completes the next word.
    tab.completion = Some(next).filter(|c| c.candidates.len() > 1);
}

fn start(state: &State) -> Option<Completion> {
    let tab = state.conversations.current()?;
    let (from, word) = word(&tab.composer);
    let candidates = if from == 0 && word.starts_with('/') {
        slashes(word.get(1..)?)
    } else if let Some(name) = word.strip_prefix('@') {
        names(state, name, false)
    } else if let Some(only_here) = person_begun(tab.composer.before(), word) {
        names(state, word, only_here)
    } else if let Some(code) = word.strip_prefix(':') {
        emoji(code)
    } else {
        Vec::new()
    };
    (!candidates.is_empty()).then_some(Completion { from, candidates, at: 0 })
}

/// Where the word before the cursor begins, and the word.
fn word(line: &Editor) -> (usize, &str) {
    let before = line.before();
    let from = before.char_indices().rfind(|(_, c)| c.is_whitespace()).map_or(0, |(i, c)| i + c.len_utf8());
    (from, before.get(from..).unwrap_or_default())
}

/// A `:code:` whose second colon was just typed becomes what it stands for; undo brings the letters back.
pub fn close_emoji(line: &mut Editor) {
    let (from, word) = word(line);
    let code = word.strip_prefix(':').and_then(|w| w.strip_suffix(':')).map(str::to_lowercase);
    if let Some(emoji) = code.and_then(|c| emojis::get_by_shortcode(&c)) {
        line.replace_before(from, emoji.as_str());
    }
}

fn slashes(word: &str) -> Vec<(String, String)> {
    let all = commands::all().filter_map(|c| Some((c.slash?, c)));
    let mut out: Vec<_> = all.filter(|(s, _)| s.starts_with(word)).map(|(s, c)| (format!("/{s} "), c.help.to_owned())).collect();
    out.sort();
    out
}

/// Whether a command takes a person where this word stands; then, whether only one of this conversation.
fn person_begun(before: &str, word: &str) -> Option<bool> {
    let (command, args) = commands::of_line(before)?;
    let first = args.trim_start() == word;
    match command.args {
        Arg::Person(_) if first => Some(false),
        Arg::PersonAndWords if first => Some(true),
        _ => None,
    }
}

/// People of the conversation first, then the list, unless only those count.
fn names(state: &State, begin: &str, only_here: bool) -> Vec<(String, String)> {
    let low = begin.to_lowercase();
    let tab = state.conversations.current();
    let here = tab.iter().flat_map(|t| t.conversation.participants.iter().map(|p| &p.uri));
    let mut out: Vec<(String, String)> = Vec::new();
    for uri in here.chain(state.people.contacts.keys().filter(|_| !only_here)) {
        let name = state.name(uri);
        let fits = name.to_lowercase().split_whitespace().any(|w| w.starts_with(&low))
            || name.to_lowercase().starts_with(&low)
            || uri.user().starts_with(&low);
        let row = (format!("@{name} "), uri.bare().to_owned());
        if fits && !out.contains(&row) {
            out.push(row);
        }
        if out.len() == MOST {
            break;
        }
    }
    out
}

fn emoji(code: &str) -> Vec<(String, String)> {
    let code = code.trim_end_matches(':').to_lowercase();
    if code.is_empty() {
        return Vec::new();
    }
    if let Some(e) = emojis::get_by_shortcode(&code) {
        return vec![(e.as_str().to_owned(), code)];
    }
    let all = emojis::iter().filter_map(|e| Some((e, e.shortcodes().find(|s| s.starts_with(&code))?)));
    let mut out: Vec<(String, String)> = all.map(|(e, s)| (e.as_str().to_owned(), s.to_owned())).collect();
    out.sort_by_key(|(_, s)| (s.len(), s.clone()));
    out.truncate(MOST);
    out
}
