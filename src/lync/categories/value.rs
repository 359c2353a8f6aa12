//! What all category values have in common: they are read, written, and edited without losing what is not understood.

use crate::lync::xml::{Element, Node};

/// A typed category value.
pub trait Value: Sized {
    /// Local name of the root element.
    const ROOT: &'static str;
    /// Local names of the elements and attributes this type answers for; on an edit all others stay as they are. A name
    /// with `/*` behind it answers for everything inside.
    const KNOWN: &'static [&'static str];

    /// Reads the root element; `None` when it holds something else.
    fn read(root: &Element) -> Option<Self>;

    /// The element.
    fn write(&self) -> Element;

    /// Reads a publication's value.
    fn parse(value: &str) -> Option<Self> {
        Element::parse(value.as_bytes()).ok().filter(|e| e.name == Self::ROOT).and_then(|e| Self::read(&e))
    }

    /// The value as text.
    fn to_xml(&self) -> String {
        self.write().to_string()
    }

    /// The value as text, with everything in `original` that this type does not know.
    fn edit(&self, original: &str) -> String {
        match Element::parse(original.as_bytes()) {
            Ok(e) if e.name == Self::ROOT => keep_unknown(&e, self.write(), Self::KNOWN).to_string(),
            _ => self.to_xml(),
        }
    }
}

/// `fresh`, with the attributes and elements of `original` whose names are not `known`. Elements that occur on both sides
/// are joined where it is clear which belongs to which: by a naming attribute, or because each side has but one.
fn keep_unknown(original: &Element, mut fresh: Element, known: &[&str]) -> Element {
    for (name, value) in &original.attrs {
        let there = fresh.attrs.iter().any(|a| a.0 == *name);
        if !there && !known.contains(&local(name)) {
            fresh.attrs.push((name.clone(), value.clone()));
        }
    }
    let before = fresh.clone();
    for child in &mut fresh.children {
        if let Node::Element(e) = child
            && let Some(o) = partner(original, &before, e)
        {
            *e = keep_unknown(o, std::mem::take(e), known);
        }
    }
    if known.iter().any(|k| k.strip_suffix("/*") == Some(&original.name)) {
        return fresh;
    }
    let unknown = original.elements().filter(|e| !known.contains(&e.name.as_str()));
    fresh.children.extend(unknown.cloned().map(Node::Element));
    fresh
}

fn partner<'a>(original: &'a Element, fresh: &Element, e: &Element) -> Option<&'a Element> {
    const NAMING: [&str; 3] = ["type", "name", "uri"];
    let all: Vec<&'a Element> = original.elements().filter(|o| o.name == e.name).collect();
    if let ([one], 1) = (all.as_slice(), fresh.children_named(&e.name).count()) {
        return Some(one);
    }
    let name = |x: &Element| NAMING.iter().find_map(|n| x.attr(n).map(str::to_owned));
    let mine = name(e)?;
    let same: Vec<&Element> = all.into_iter().filter(|o| name(o).as_ref() == Some(&mine)).collect();
    if let [one] = same.as_slice() { Some(one) } else { None }
}

fn local(name: &str) -> &str {
    name.rsplit('}').next().unwrap_or(name)
}

/// A leaf in a namespace, if there is text.
pub(super) fn leaf(ns: &str, name: &str, text: Option<&str>) -> Option<Element> {
    text.filter(|t| !t.is_empty()).map(|t| Element::in_ns(name, ns).with_text(t))
}

/// A leaf that says `true` or `false`.
pub(super) fn flag(ns: &str, name: &str, on: bool) -> Element {
    Element::in_ns(name, ns).with_text(if on { "true" } else { "false" })
}

/// What a leaf says; `None` when it is missing or says something else.
pub(super) fn read_flag(e: &Element, name: &str) -> Option<bool> {
    e.child_text(name).and_then(|t| crate::lync::xml::parse_bool(&t))
}
