//! Styles by meaning. No colour is named anywhere else; every meaning also has a sign or a word of its own.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;

const DEFAULT: &str = include_str!("../../assets/themes/default.toml");
const DARK: &str = include_str!("../../assets/themes/dark.toml");
const LIGHT: &str = include_str!("../../assets/themes/light.toml");

/// Names of the themes that come with the program.
pub const NAMES: [&str; 3] = ["default", "dark", "light"];

macro_rules! theme {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// All styles.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Theme {
            $($(#[$doc])* pub $name: Style,)*
            /// Names of authors, chosen by address.
            pub authors: Vec<Style>,
        }

        impl Theme {
            fn slot(&mut self, name: &str) -> Option<&mut Style> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }

            fn each(&mut self, f: impl Fn(&mut Style)) {
                $(f(&mut self.$name);)*
                self.authors.iter_mut().for_each(f);
            }
        }
    };
}

theme! {
    /// Ordinary text and the ground it stands on.
    text,
    /// What is there but not important.
    quiet,
    /// Lines around panes.
    border,
    /// Name of a pane or tab.
    title,
    /// Name of the pane or tab that has the keys.
    title_active,
    /// The selected row.
    selection,
    /// The selected row of a pane without the keys.
    selection_idle,
    /// Group headings.
    group,
    /// What wants to be seen: unread counts, the unread line.
    accent,
    /// It worked.
    good,
    /// Take care.
    warning,
    /// It failed.
    error,
    /// A message that mentions me.
    mention,
    /// A link.
    link,
    /// What a search or filter found.
    found,
    /// Own name.
    me,
    /// Keys on the hint line.
    key,
    /// Their words.
    hint,
    /// Overlays: ground and text.
    overlay,
    /// ●
    available,
    /// ◍ while available
    idle,
    /// ■
    busy,
    /// ⊖
    do_not_disturb,
    /// ◐
    away,
    /// ○
    offline,
    /// ◌
    unknown,
    /// ⛔
    blocked,
    /// Outgoing traffic.
    sent,
    /// Incoming traffic.
    received,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    styles: BTreeMap<String, Entry>,
    #[serde(default)]
    authors: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    mods: Vec<String>,
}

impl Theme {
    /// One of [`NAMES`]; the default for an unknown name.
    pub fn named(name: &str) -> Theme {
        let source = match name {
            "dark" => DARK,
            "light" => LIGHT,
            _ => DEFAULT,
        };
        Theme::parse(source).unwrap_or_default()
    }

    /// Reads a theme file; the error is one sentence with the place in it.
    pub fn parse(source: &str) -> Result<Theme, String> {
        let file: File = toml::from_str(source).map_err(|e| e.to_string())?;
        let mut theme = Theme::default();
        for (name, entry) in &file.styles {
            let style = entry.style().map_err(|e| format!("style “{name}”: {e}"))?;
            *theme.slot(name).ok_or_else(|| format!("there is no style “{name}”"))? = style;
        }
        theme.authors = file.authors.iter().map(Entry::style).collect::<Result<_, _>>()?;
        Ok(theme)
    }

    /// Attributes only, for NO_COLOR: what was told by colour is told by signs and words.
    pub fn without_colours(mut self) -> Theme {
        self.each(|s| {
            if s.bg.is_some_and(|b| b != Color::Reset) && s.add_modifier.is_empty() {
                s.add_modifier = Modifier::REVERSED;
            }
            (s.fg, s.bg) = (None, None);
        });
        self.overlay = Style::new();
        self.text = Style::new();
        self
    }

    /// The style of somebody's name.
    pub fn author(&self, key: &str) -> Style {
        let sum = key.bytes().fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
        let n = self.authors.len().max(1);
        self.authors.get(usize::try_from(sum).unwrap_or(0) % n).copied().unwrap_or(self.text)
    }
}

impl Entry {
    fn style(&self) -> Result<Style, String> {
        let mut style = Style::new();
        style.fg = self.fg.as_deref().map(colour).transpose()?;
        style.bg = self.bg.as_deref().map(colour).transpose()?;
        for m in &self.mods {
            style.add_modifier |= match m.as_str() {
                "bold" => Modifier::BOLD,
                "dim" => Modifier::DIM,
                "italic" => Modifier::ITALIC,
                "underline" => Modifier::UNDERLINED,
                "reverse" => Modifier::REVERSED,
                "strike" => Modifier::CROSSED_OUT,
                other => return Err(format!("there is no attribute “{other}”")),
            };
        }
        Ok(style)
    }
}

fn colour(name: &str) -> Result<Color, String> {
    name.parse().map_err(|_| format!("“{name}” is no colour; write a name such as \"light-blue\", a number 0–255 or \"#rrggbb\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_reads_and_names_every_style() {
        for source in [DEFAULT, DARK, LIGHT] {
            let mut theme = Theme::parse(source).unwrap();
            assert!(theme.authors.len() >= 5);
            let file: File = toml::from_str(source).unwrap();
            for name in ["text", "quiet", "border", "selection", "available", "busy", "away", "offline", "error", "sent"] {
                assert!(file.styles.contains_key(name), "{name}");
                assert!(theme.slot(name).is_some());
            }
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Theme::parse("[styles]\nborder = { fg = \"reddish\" }").unwrap_err().contains("reddish"));
        assert!(Theme::parse("[styles]\nbodrer = {}").unwrap_err().contains("bodrer"));
    }

    #[test]
    fn without_colours_no_colour_is_left() {
        let mut t = Theme::named("dark").without_colours();
        t.each(|s| assert!(s.fg.is_none() && s.bg.is_none()));
    }
}
