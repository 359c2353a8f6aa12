//! `adsum category`: the names that may be published besides those of the dialect.

use super::admin::{apply, open};
use super::cli::CategoryCommand;
use crate::frontend::StoreOp;
use crate::frontend::presence::publish::CATEGORIES;
use std::path::Path;

/// Longest category name in characters.
const MAX_NAME: usize = 64;

/// Carries out `adsum category …`.
///
/// # Errors
/// One sentence that says what failed.
pub fn run(data: &Path, what: CategoryCommand) -> Result<(), String> {
    let mut store = open(data)?;
    let known = store.categories().map_err(|e| e.to_string())?;
    match what {
        CategoryCommand::Add { name } => {
            check(&name)?;
            if known.contains(&name) {
                return Err(format!("{name} is registered already"));
            }
            apply(data, &mut store, StoreOp::PutCategory(name.clone()))?;
            super::print(format!("{name} can be published now.\n").as_bytes())
        }
        CategoryCommand::Remove { name } => {
            if !known.contains(&name) {
                return Err(format!("there is no category {name}; adsum category list shows all"));
            }
            apply(data, &mut store, StoreOp::DeleteCategory(name.clone()))?;
            super::print(format!("{name} cannot be published any more.\n").as_bytes())
        }
        CategoryCommand::List { json } => {
            let line = |n: &String| if json { format!("{}\n", serde_json::json!({ "category": n })) } else { format!("{n}\n") };
            super::print(known.iter().map(line).collect::<String>().as_bytes())
        }
    }
}

fn check(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
        return Err(format!("“{name}” is no category name; use up to {MAX_NAME} letters, digits, dots, hyphens and underscores"));
    }
    if CATEGORIES.iter().any(|c| c.eq_ignore_ascii_case(name)) {
        return Err(format!("{name} belongs to the dialect and is always registered"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_kept_and_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let add = |name: &str| run(dir.path(), CategoryCommand::Add { name: name.into() });
        let remove = |name: &str| run(dir.path(), CategoryCommand::Remove { name: name.into() });
        let known = || open(dir.path()).unwrap().categories().unwrap();
        assert!(add("has blank").unwrap_err().contains("no category name"));
        assert!(add("State").unwrap_err().contains("belongs to the dialect"));
        add("mood").unwrap();
        assert!(add("mood").unwrap_err().contains("already"));
        assert_eq!(known(), ["mood"]);
        assert!(remove("moood").unwrap_err().contains("adsum category list"));
        remove("mood").unwrap();
        assert!(known().is_empty());
    }
}
