//! Files that go from one person to another: where a transfer stands, and names that do no harm on this machine.

use super::conversation::ConversationId;
use super::{Address, Time};
use serde::{Deserialize, Serialize};

/// A transfer's name, chosen by whoever first holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransferId(pub String);

/// Where a transfer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferState {
    /// The receiver has not answered yet.
    Offered,
    /// It was accepted; the way is being made.
    Starting,
    /// Octets are moving: so many are there.
    Running {
        /// Octets that have crossed.
        octets: u64,
    },
    /// All of it is there. Where it was saved, on the receiving side.
    Done {
        /// The file; `None` for one that was sent.
        path: Option<String>,
    },
    /// The receiver does not want it.
    Declined,
    /// One of both broke it off.
    Cancelled {
        /// We did.
        here: bool,
    },
    /// It did not work: why, and what to do.
    Failed(String),
}

impl TransferState {
    /// Nothing more will happen.
    pub fn is_over(&self) -> bool {
        !matches!(self, TransferState::Offered | TransferState::Starting | TransferState::Running { .. })
    }
}

/// One file on its way; sent whole with every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its name.
    pub id: TransferId,
    /// Where it was offered.
    pub conversation: ConversationId,
    /// The other person.
    pub with: Address,
    /// We send it.
    pub outgoing: bool,
    /// Name of the file as the sender gives it, raw.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// Media type, raw; may be empty.
    pub media: String,
    /// When it was offered.
    pub at: Time,
    /// Where it stands.
    pub state: TransferState,
}

/// Octets of the longest name a file is given here.
pub const NAME_MOST: usize = 120;

/// Names that mean devices on some systems.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com1", "lpt1"];

/// The name a file gets on this machine: no folders, no leading dot, nothing that a terminal, a shell or another system
/// would take for something else.
pub fn safe_name(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or("");
    let harmless = |c: char| {
        !c.is_control()
            && !matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{feff}' | '\u{fffd}')
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}')
    };
    let clean: String = last.chars().map(|c| if harmless(c) { c } else { '_' }).collect();
    let edge = |c: char| c.is_whitespace() || c == '.';
    let clean = clean.trim_start_matches(|c| edge(c) || c == '-').trim_end_matches(edge);
    let stem = clean.split('.').next().unwrap_or("").to_ascii_lowercase();
    let safe = if clean.is_empty() || clean.chars().all(|c| c == '_') {
        "file".to_owned()
    } else if DEVICES.contains(&stem.as_str()) {
        format!("_{clean}")
    } else {
        clean.to_owned()
    };
    shortened(&safe)
}

/// Cuts the middle of a long name, so that its ending stays.
fn shortened(name: &str) -> String {
    if name.len() <= NAME_MOST {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |at| &name[at..]);
    let ending = if ending.len() <= 16 { ending } else { "" };
    let mut end = NAME_MOST - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", name[..end].trim_end_matches(|c: char| c.is_whitespace() || c == '.'))
}

/// The `n`th name to try where a file of this name is there already: `report (2).pdf`.
pub fn numbered(name: &str, n: u32) -> String {
    if n <= 1 {
        return name.to_owned();
    }
    match name.rfind('.').filter(|at| *at > 0) {
        Some(at) => format!("{} ({n}){}", &name[..at], &name[at..]),
        None => format!("{name} ({n})"),
    }
}

/// A size for people: `49 KB`.
pub fn size_words(octets: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if octets < 1000 {
        return format!("{octets} B");
    }
    let mut tenths = u128::from(octets) * 10 / 1000;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    let unit = UNITS[unit];
    if tenths < 100 { format!("{}.{} {unit}", tenths / 10, tenths % 10) } else { format!("{} {unit}", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_others_do_no_harm() {
        for (raw, safe) in [
            ("report v2.pdf", "report v2.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\evil.exe", "evil.exe"),
            ("..", "file"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a\u{1b}[31mb.txt", "a_[31mb.txt"),
            ("x\u{202e}fdp.exe", "x_fdp.exe"),
            ("", "file"),
            ("/", "file"),
            ("con.txt", "_con.txt"),
            ("grüße.txt", "grüße.txt"),
            ("trail. . ", "trail"),
        ] {
            assert_eq!(safe_name(raw), safe, "{raw:?}");
        }
        let long = safe_name(&format!("{}.tar.gz", "ä".repeat(300)));
        assert!(long.len() <= NAME_MOST && long.ends_with(".gz"), "{long}");
    }

    #[test]
    fn the_next_name_keeps_its_ending() {
        assert_eq!(numbered("a.pdf", 1), "a.pdf");
        assert_eq!(numbered("a.pdf", 2), "a (2).pdf");
        assert_eq!(numbered("README", 3), "README (3)");
    }

    #[test]
    fn sizes_are_told_in_words() {
        assert_eq!(size_words(999), "999 B");
        assert_eq!(size_words(49_113), "49 KB");
        assert_eq!(size_words(5_242_880), "5.2 MB");
        assert_eq!(size_words(u64::MAX), "18446744 TB");
    }

    proptest! {
        #[test]
        fn a_safe_name_is_one_part_and_stays_so(raw in "\\PC{0,200}|[./\\\\ a-z\u{1b}\u{202e}-]{0,40}") {
            let safe = safe_name(&raw);
            prop_assert!(!safe.is_empty() && safe.len() <= NAME_MOST);
            prop_assert!(!safe.contains(['/', '\\', '\0']) && !safe.starts_with('.') && safe != "..");
            prop_assert!(!safe.chars().any(char::is_control));
        }
    }
}
