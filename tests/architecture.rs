//! Reads the imports of every source file and fails on an arrow that `docs/architecture.md` does not allow,
//! and on clocks, sockets, files or randomness in the rooms that must be pure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::Visit;

/// Room, and the rooms it may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("text", &["domain"]),
    ("sip", &["domain"]),
    ("xml", &[]),
    ("msrp", &["domain"]),
    ("lync", &["xml", "sip", "domain", "text"]),
    ("simple", &["xml", "sip", "domain", "text"]),
    ("endpoint", &["lync", "simple", "msrp", "sip", "domain", "text"]),
    ("frontend", &["lync", "sip", "domain", "text"]),
    ("app", &["endpoint", "domain", "text"]),
    ("ui", &["app", "endpoint", "domain", "text"]),
    ("store", &["app", "frontend", "endpoint", "domain"]),
    ("net", &["domain"]),
    ("faces", &["ui", "app", "endpoint", "frontend", "lync", "sip", "domain", "text", "store", "net"]),
];

/// Rooms without I/O, clock and chance of their own.
const PURE: &[&str] = &["domain", "text", "sip", "xml", "lync", "simple", "msrp", "endpoint", "frontend", "app"];

/// Paths that mean I/O, a clock or chance.
const IMPURE: &[&str] = &[
    "tokio",
    "std::net",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::env",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "getrandom",
    "rusqlite",
    "crossterm",
];

#[derive(Default)]
struct Paths(Vec<String>);

fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|a| a.path().is_ident("cfg") && a.parse_args::<syn::Ident>().is_ok_and(|i| i == "test"))
}

impl Paths {
    fn tree(&mut self, before: &str, tree: &syn::UseTree) {
        let join = |name: String| if before.is_empty() { name } else { format!("{before}::{name}") };
        match tree {
            syn::UseTree::Path(p) => self.tree(&join(p.ident.to_string()), &p.tree),
            syn::UseTree::Name(n) => self.0.push(join(n.ident.to_string())),
            syn::UseTree::Rename(r) => self.0.push(join(r.ident.to_string())),
            syn::UseTree::Glob(_) => self.0.push(before.to_owned()),
            syn::UseTree::Group(g) => g.items.iter().for_each(|t| self.tree(before, t)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, m: &'ast syn::ItemMod) {
        if !is_test(&m.attrs) {
            syn::visit::visit_item_mod(self, m);
        }
    }

    fn visit_item_use(&mut self, u: &'ast syn::ItemUse) {
        if !is_test(&u.attrs) {
            self.tree("", &u.tree);
        }
    }

    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        if !is_test(&f.attrs) {
            syn::visit::visit_item_fn(self, f);
        }
    }

    fn visit_path(&mut self, p: &'ast syn::Path) {
        self.0.push(p.segments.iter().map(|s| s.ident.to_string()).collect::<Vec<_>>().join("::"));
        syn::visit::visit_path(self, p);
    }
}

/// Files, and directories of files, that a parent declares as `#[cfg(test)] mod name;`.
fn test_files(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut out = BTreeSet::new();
    for file in files {
        let ast = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
        let parent = file.parent().unwrap();
        let dir = match file.file_stem().unwrap().to_str().unwrap() {
            "mod" | "lib" | "main" => parent.to_owned(),
            stem => parent.join(stem),
        };
        for item in ast.items {
            if let syn::Item::Mod(m) = item
                && m.content.is_none()
                && is_test(&m.attrs)
            {
                out.insert(dir.join(format!("{}.rs", m.ident)));
                out.insert(dir.join(m.ident.to_string()));
            }
        }
    }
    out
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// (room, file, path named there) for everything outside tests.
fn named_paths() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let tests = test_files(&files);
    let mut out = Vec::new();
    for file in files.iter().filter(|f| !f.ancestors().any(|a| tests.contains(a))) {
        let inside = file.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let mut paths = Paths::default();
        paths.visit_file(&syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap());
        out.extend(paths.0.into_iter().map(|p| (room.clone(), inside.to_owned(), p)));
    }
    out
}

#[test]
fn imports_point_downwards_only() {
    let mut wrong = BTreeSet::new();
    for (room, file, path) in named_paths() {
        let Some((_, allowed)) = ARROWS.iter().find(|a| a.0 == room) else { continue };
        let mut parts = path.split("::");
        if parts.next() == Some("crate")
            && let Some(target) = parts.next()
            && ARROWS.iter().any(|a| a.0 == target)
            && target != room
            && !allowed.contains(&target)
        {
            wrong.insert(format!("{} names {path}: {room} may not import {target}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn pure_rooms_name_no_clock_socket_file_or_chance() {
    let mut wrong = BTreeSet::new();
    for (room, file, path) in named_paths() {
        if PURE.contains(&room.as_str())
            && IMPURE
                .iter()
                .any(|bad| path == *bad || path.starts_with(&format!("{bad}::")) || path.ends_with(&format!("::{bad}")))
        {
            wrong.insert(format!("{} names {path}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}
