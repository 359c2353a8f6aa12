//! Tab completion in the composer: @names, :emoji:, /commands.

use super::Editor;
use super::commands;
use super::state::State;
use super::state::conversations::Completion;

/// Candidates offered at most.
const MOST: usize = 20;

/// Completes the word before the cursor; again, goes through the candidates (`by` 1 or -1).
pub fn complete(state: &mut State, by: isize) -> Result<(), String> {
    let at = state.conversations.at;
    let going = state.conversations.current().and_then(|t| t.completion.clone());
    let next = match going {
        Some(mut c) => {
            let len = isize::try_from(c.candidates.len()).unwrap_or(1).max(1);
            c.at = usize::try_from((isize::try_from(c.at).unwrap_or(0) + by).rem_euclid(len)).unwrap_or(0);
            c
        }
        None => start(state).ok_or("nothing completes this; @name, :emoji: and /command do")?,
    };
    let Some(tab) = state.conversations.tabs.get_mut(at) else { return Ok(()) };
    if let Some((text, _)) = next.candidates.get(next.at) {
        tab.composer.replace_before(next.from, text);
    }
    // A single candidate is final: the next Tab completes the next word.
    tab.completion = Some(next).filter(|c| c.candidates.len() > 1);
    Ok(())
}

fn start(state: &State) -> Option<Completion> {
    let tab = state.conversations.current()?;
    let (from, word) = word(&tab.composer);
    let candidates = if from == 0 && word.starts_with('/') {
        slashes(word.get(1..)?)
    } else if let Some(name) = word.strip_prefix('@') {
        names(state, name)
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

/// People of the conversation first, then the list.
fn names(state: &State, begin: &str) -> Vec<(String, String)> {
    let low = begin.to_lowercase();
    let tab = state.conversations.current();
    let here = tab.iter().flat_map(|t| t.conversation.participants.iter().map(|p| &p.uri));
    let mut out: Vec<(String, String)> = Vec::new();
    for uri in here.chain(state.people.contacts.keys()) {
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
