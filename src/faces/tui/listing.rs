//! Files for completing a path.

use crate::faces::link::files::expanded;
use std::path::Path;

/// Entries of a folder looked at; what a person completes by hand stands in smaller ones.
const LOOKED_AT: usize = 10_000;

/// Names in the folder of a path that begin like its last part, in order; folders end with a slash. Hidden ones only where a
/// dot is written; none that could not be typed.
pub fn names(begin: &str) -> Vec<String> {
    if begin == "~" {
        return vec!["~/".into()];
    }
    let (folder, start) = begin.rfind('/').map_or((".", begin), |at| (&begin[..=at], &begin[at + 1..]));
    let entries = std::fs::read_dir(expanded(folder)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.take(LOOKED_AT).filter_map(|e| name(&e.path(), start)).collect();
    names.sort();
    names
}

fn name(path: &Path, start: &str) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let hidden = name.starts_with('.') && !start.starts_with('.');
    let fits = name.starts_with(start) && !hidden && !name.chars().any(char::is_control);
    fits.then(|| if path.is_dir() { format!("{name}/") } else { name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_folder_that_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().to_str().unwrap();
        std::fs::create_dir(dir.path().join("reports")).unwrap();
        for name in ["report v2.pdf", "other", ".hidden", "report\n"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        assert_eq!(names(&format!("{at}/re")), ["report v2.pdf", "reports/"]);
        assert_eq!(names(&format!("{at}/")), ["other", "report v2.pdf", "reports/"]);
        assert_eq!(names(&format!("{at}/.h")), [".hidden"]);
        assert!(names(&format!("{at}/reports/")).is_empty());
        assert!(names(&format!("{at}/nowhere/x")).is_empty());
        assert_eq!(names("~"), ["~/"]);
    }
}
