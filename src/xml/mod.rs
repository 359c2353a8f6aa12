//! XML as a small tree, for every dialect: read with limits, written well-formed. Unknown elements and attributes survive.
//!
//! Reading matches what real peers send: any prefixes, any default namespaces. Writing obeys the strictest reader
//! known (pidgin-sipe, which forgets namespaces and does not trim): no white space between elements or in leaves.

pub mod limits;

use self::limits::{XML_MAX_ATTRIBUTES, XML_MAX_DEPTH, XML_MAX_NAMESPACE, XML_MAX_NODES, XML_MAX_OCTETS};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};
use std::fmt;

/// XML Schema instance namespace, home of `xsi:type`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// One element. Names are local names; `ns` is the resolved namespace (empty when none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Namespace URI, resolved; may be empty.
    pub ns: String,
    /// Attributes in order: name and value; `xmlns` declarations are not listed. An attribute with a namespace is named
    /// `{namespace}local`.
    pub attrs: Vec<(String, String)>,
    /// Children in order.
    pub children: Vec<Node>,
}

/// A child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text (entities resolved).
    Text(String),
}

/// Why octets are no acceptable XML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Over one of the limits.
    #[error("the XML document exceeds the limit of {0}")]
    Limit(&'static str),
    /// Not UTF-8.
    #[error("the XML document is not UTF-8")]
    Encoding,
    /// A document type or entity definition, or a use of one.
    #[error("the XML document uses a document type or own entities")]
    Entity,
    /// Not well-formed.
    #[error("the XML document is broken: {0}")]
    Malformed(String),
    /// Well-formed, but not the document that was expected.
    #[error("expected the XML document “{expected}”, found “{found}”")]
    Unexpected {
        /// Root element wanted.
        expected: &'static str,
        /// Root element found.
        found: String,
    },
    /// A part that must be there is missing or unreadable.
    #[error("the XML document has no usable “{0}”")]
    Missing(&'static str),
}

/// What documents begin with.
pub const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n";

impl Element {
    /// An element without namespace.
    pub fn new(name: &str) -> Element {
        Element { name: name.into(), ..Element::default() }
    }

    /// An element in a namespace.
    pub fn in_ns(name: &str, ns: &str) -> Element {
        Element { name: name.into(), ns: ns.into(), ..Element::default() }
    }

    /// Sets the namespace.
    pub fn with_ns(mut self, ns: &str) -> Element {
        self.ns = ns.into();
        self
    }

    /// Adds an attribute. A name `{namespace}local` gets a prefix when written.
    pub fn with_attr(mut self, name: &str, value: impl ToString) -> Element {
        self.attrs.push((name.into(), value.to_string()));
        self
    }

    /// Adds an attribute if there is a value.
    pub fn with_opt_attr(self, name: &str, value: Option<impl ToString>) -> Element {
        match value {
            Some(v) => self.with_attr(name, v),
            None => self,
        }
    }

    /// Adds a child element.
    pub fn with(mut self, child: Element) -> Element {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds a child element if there is one.
    pub fn with_opt(self, child: Option<Element>) -> Element {
        match child {
            Some(c) => self.with(c),
            None => self,
        }
    }

    /// Adds child elements.
    pub fn with_all(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Adds text.
    pub fn with_text(mut self, text: impl Into<String>) -> Element {
        let t = text.into();
        if !t.is_empty() {
            self.children.push(Node::Text(t));
        }
        self
    }

    /// Adds a child of the same namespace that holds only text.
    pub fn with_leaf(self, name: &str, text: impl Into<String>) -> Element {
        let leaf = Element::in_ns(name, &self.ns).with_text(text);
        self.with(leaf)
    }

    /// Reads one document. Document types, own entities, and documents over the limits are refused.
    pub fn parse(octets: &[u8]) -> Result<Element, XmlError> {
        Reader::read(octets)
    }

    /// Reads a document whose root must have this local name.
    pub fn parse_root(octets: &[u8], expected: &'static str) -> Result<Element, XmlError> {
        let root = Element::parse(octets)?;
        if root.name == expected { Ok(root) } else { Err(XmlError::Unexpected { expected, found: root.name }) }
    }

    /// The whole document with this root.
    pub fn to_document(&self) -> String {
        format!("{PROLOGUE}{self}")
    }

    /// Child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|n| match n {
            Node::Element(e) => Some(e),
            Node::Text(_) => None,
        })
    }

    /// First child element of this local name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name == name)
    }

    /// First child element of this local name; names compare without case (for peers whose spelling is not known).
    pub fn child_any_case(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name.eq_ignore_ascii_case(name))
    }

    /// Follows first children by local names.
    pub fn path(&self, names: &[&str]) -> Option<&Element> {
        names.iter().try_fold(self, |e, n| e.child(n))
    }

    /// Child elements of this local name.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |e| e.name == name)
    }

    /// Own text, all pieces joined, not trimmed.
    pub fn text(&self) -> String {
        self.children
            .iter()
            .filter_map(|n| match n {
                Node::Text(t) => Some(t.as_str()),
                Node::Element(_) => None,
            })
            .collect()
    }

    /// Trimmed text of the first child of this local name.
    pub fn child_text(&self, name: &str) -> Option<String> {
        self.child(name).map(|c| c.text().trim().to_owned())
    }

    /// Trimmed text of the first child of this local name, unless it is empty.
    pub fn child_value(&self, name: &str) -> Option<String> {
        self.child_text(name).filter(|t| !t.is_empty())
    }

    /// Value of an attribute by local name, without case; one without namespace goes before one with.
    pub fn attr(&self, name: &str) -> Option<&str> {
        let plain = self.attrs.iter().find(|a| a.0.eq_ignore_ascii_case(name));
        let found = plain.or_else(|| self.attrs.iter().find(|a| local(&a.0).eq_ignore_ascii_case(name)));
        found.map(|a| a.1.as_str())
    }

    /// Value of an attribute as a number.
    pub fn attr_num<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attr(name)?.trim().parse().ok()
    }

    /// Value of a boolean attribute (`true`/`1`, `false`/`0`).
    pub fn attr_bool(&self, name: &str) -> Option<bool> {
        parse_bool(self.attr(name)?)
    }

    /// Whether nothing is inside.
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// The `xsi:type` without its prefix.
    pub fn xsi_type(&self) -> Option<&str> {
        let wanted = format!("{{{XSI}}}type");
        let exact = self.attrs.iter().find(|a| a.0 == wanted).map(|a| a.1.as_str());
        exact.or_else(|| self.attr("type")).map(|t| t.rsplit(':').next().unwrap_or(t))
    }

    /// Adds an `xsi:type`.
    pub fn with_xsi_type(self, value: &str) -> Element {
        self.with_attr(&format!("{{{XSI}}}type"), value)
    }

    /// The document as octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for Element {
    /// Writes the element with default namespaces, declared where they change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(256);
        Writer::default().element(&mut out, self, "");
        f.write_str(&out)
    }
}

/// `true`/`1` and `false`/`0` in any case.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim() {
        "1" => Some(true),
        "0" => Some(false),
        t if t.eq_ignore_ascii_case("true") => Some(true),
        t if t.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn local(name: &str) -> &str {
    name.rsplit('}').next().unwrap_or(name)
}

/// Whether XML 1.0 allows the character (§2.2).
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether a name can be written as it is. Names come from code or from a parsed document, so this only guards bugs.
fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || "-._\u{B7}".contains(c) || !c.is_ascii())
        && name.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

/// Prefixes that people expect to see in traces; any other namespace gets `nsN`.
const PREFIXES: &[(&str, &str)] = &[
    ("http://www.w3.org/XML/1998/namespace", "xml"),
    (XSI, "xsi"),
    ("urn:ietf:params:xml:ns:conference-info", "ci"),
    ("http://schemas.microsoft.com/rtc/2005/08/confinfoextensions", "msci"),
    ("http://schemas.microsoft.com/rtc/2008/12/confinfoextensions", "msci2"),
    ("http://schemas.microsoft.com/rtc/2005/08/cccpextensions", "mscp"),
    ("http://schemas.microsoft.com/winrtc/2002/11/sip", "m"),
];

#[derive(Default)]
struct Writer {
    /// Namespaces with a prefix in scope, innermost last.
    scope: Vec<(String, String)>,
    generated: usize,
}

impl Writer {
    fn element(&mut self, out: &mut String, e: &Element, parent_ns: &str) {
        let name = if is_name(&e.name) { e.name.as_str() } else { "_" };
        let mark = self.scope.len();
        out.push('<');
        out.push_str(name);
        if e.ns != parent_ns {
            out.push_str(" xmlns=\"");
            escape(out, &e.ns, true);
            out.push('"');
        }
        for (key, value) in &e.attrs {
            self.attribute(out, key, value);
        }
        if e.children.is_empty() {
            out.push_str("/>");
        } else {
            out.push('>');
            for child in &e.children {
                match child {
                    Node::Element(c) => self.element(out, c, &e.ns),
                    Node::Text(t) => escape(out, t, false),
                }
            }
            out.push_str("</");
            out.push_str(name);
            out.push('>');
        }
        self.scope.truncate(mark);
    }

    fn attribute(&mut self, out: &mut String, key: &str, value: &str) {
        let (ns, name) = match key.strip_prefix('{').and_then(|k| k.split_once('}')) {
            Some((ns, name)) => (ns, name),
            None => ("", key),
        };
        if !is_name(name) || (ns.is_empty() && name == "xmlns") {
            return;
        }
        let prefix = if ns.is_empty() { String::new() } else { self.prefix(out, ns) };
        out.push(' ');
        if !prefix.is_empty() {
            out.push_str(&prefix);
            out.push(':');
        }
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
    }

    /// The prefix of a namespace, declared here if it is not in scope.
    fn prefix(&mut self, out: &mut String, ns: &str) -> String {
        if let Some(known) = self.scope.iter().find(|s| s.0 == ns) {
            return known.1.clone();
        }
        let prefix = match PREFIXES.iter().find(|p| p.0 == ns) {
            Some((_, "xml")) => return "xml".into(),
            Some((_, p)) => (*p).to_owned(),
            None => {
                self.generated += 1;
                format!("ns{}", self.generated)
            }
        };
        out.push_str(&format!(" xmlns:{prefix}=\""));
        escape(out, ns, true);
        out.push('"');
        self.scope.push((ns.to_owned(), prefix.clone()));
        prefix
    }
}

/// A text as it may stand in an element or between the double quotes of an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text, true);
    out
}

/// Escapes everything a reader could take for markup; characters that XML 1.0 does not allow fall away.
fn escape(out: &mut String, text: &str, attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            // A reader turns raw line ends in attributes into spaces and CR LF in text into LF (XML 1.0 §2.11, §3.3.3).
            '\r' => out.push_str("&#13;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            c if allowed(c) => out.push(c),
            _ => {}
        }
    }
}

/// Builds the tree while the events come; never recursive, so depth costs no stack.
struct Reader {
    stack: Vec<Element>,
    root: Option<Element>,
    nodes: usize,
}

impl Reader {
    fn read(octets: &[u8]) -> Result<Element, XmlError> {
        if octets.len() > XML_MAX_OCTETS {
            return Err(XmlError::Limit("octets"));
        }
        let text = std::str::from_utf8(octets).map_err(|_| XmlError::Encoding)?;
        let text = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).trim_end_matches(['\0', ' ', '\t', '\r', '\n']);
        let mut source = NsReader::from_str(text);
        source.config_mut().check_end_names = true;
        let mut reader = Reader { stack: Vec::new(), root: None, nodes: 0 };
        loop {
            let event = source.read_event().map_err(malformed)?;
            if matches!(event, Event::Eof) {
                break;
            }
            reader.event(&source, event)?;
        }
        match (reader.stack.is_empty(), reader.root) {
            (true, Some(root)) => Ok(root),
            _ => Err(XmlError::Malformed("the document ends too early".into())),
        }
    }

    fn event(&mut self, source: &NsReader<&[u8]>, event: Event<'_>) -> Result<(), XmlError> {
        match event {
            Event::Start(start) => {
                let e = self.start(source, &start)?;
                if self.stack.len() >= XML_MAX_DEPTH {
                    return Err(XmlError::Limit("nesting"));
                }
                self.stack.push(e);
                Ok(())
            }
            Event::Empty(start) => {
                let e = self.start(source, &start)?;
                self.finish(e)
            }
            Event::End(_) => match self.stack.pop() {
                Some(e) => self.finish(e),
                None => Err(XmlError::Malformed("an end tag without its beginning".into())),
            },
            Event::Text(t) => self.text(&t.xml10_content()),
            Event::CData(t) => self.text(&t.xml10_content()),
            Event::GeneralRef(r) => {
                let c = reference(&r)?;
                self.text(c.encode_utf8(&mut [0; 4]))
            }
            Event::DocType(_) => Err(XmlError::Entity),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.nodes += 1;
        if self.nodes > XML_MAX_NODES { Err(XmlError::Limit("elements")) } else { Ok(()) }
    }

    fn start(&mut self, source: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, XmlError> {
        self.count()?;
        let (ns, name) = source.resolver().resolve_element(start.name());
        let mut e = Element { name: checked(name.into_inner())?, ns: namespace(ns)?, ..Element::default() };
        for (i, attr) in start.attributes().with_checks(false).enumerate() {
            if i >= XML_MAX_ATTRIBUTES {
                return Err(XmlError::Limit("attributes"));
            }
            let attr = attr.map_err(malformed)?;
            if attr.key.as_namespace_binding().is_some() {
                continue;
            }
            let (ns, local) = source.resolver().resolve_attribute(attr.key);
            let (ns, local) = (namespace(ns)?, checked(local.into_inner())?);
            let key = if ns.is_empty() { local } else { format!("{{{ns}}}{local}") };
            let value = attr.normalized_value(XmlVersion::Implicit1_0).map_err(entity)?;
            if e.attrs.iter().any(|a| a.0 == key) {
                return Err(XmlError::Malformed(format!("the attribute “{key}” occurs twice")));
            }
            e.attrs.push((key, value.chars().filter(|c| allowed(*c)).collect()));
        }
        Ok(e)
    }

    fn finish(&mut self, mut e: Element) -> Result<(), XmlError> {
        // White space between elements is layout; between words it is text.
        if e.children.iter().any(|n| matches!(n, Node::Element(_))) {
            e.children.retain(|n| !matches!(n, Node::Text(t) if t.trim_matches([' ', '\t', '\r', '\n']).is_empty()));
        }
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(Node::Element(e)),
            None if self.root.is_none() => self.root = Some(e),
            None => return Err(XmlError::Malformed("more than one root element".into())),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        let clean = text.chars().filter(|c| allowed(*c));
        match self.stack.last_mut() {
            Some(e) => {
                if let Some(Node::Text(last)) = e.children.last_mut() {
                    last.extend(clean);
                } else {
                    let t: String = clean.collect();
                    if !t.is_empty() {
                        e.children.push(Node::Text(t));
                        self.count()?;
                    }
                }
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(XmlError::Malformed("text outside the root element".into())),
        }
    }
}

fn checked(name: &str) -> Result<String, XmlError> {
    if is_name(name) {
        Ok(name.to_owned())
    } else {
        Err(XmlError::Malformed("a name has characters that are not allowed".into()))
    }
}

fn namespace(result: ResolveResult<'_>) -> Result<String, XmlError> {
    match result {
        ResolveResult::Bound(ns) if ns.into_inner().len() > XML_MAX_NAMESPACE => Err(XmlError::Limit("namespace length")),
        // Braces would break the spelling of attribute names in the tree; the others no real namespace has.
        ResolveResult::Bound(ns)
            if ns.into_inner().contains(|c: char| "{}&<>".contains(c) || c.is_whitespace() || !allowed(c)) =>
        {
            Err(XmlError::Malformed("a namespace has characters that are not allowed".into()))
        }
        ResolveResult::Bound(ns) => Ok(ns.into_inner().to_owned()),
        // A prefix nobody declared: local names are what counts, so read on (guide 0).
        ResolveResult::Unbound | ResolveResult::Unknown(_) => Ok(String::new()),
    }
}

fn reference(r: &BytesRef<'_>) -> Result<char, XmlError> {
    if r.is_char_ref() {
        let c = r.resolve_char_ref().map_err(malformed)?.ok_or(XmlError::Entity)?;
        return if allowed(c) { Ok(c) } else { Err(XmlError::Malformed("a reference to a forbidden character".into())) };
    }
    match &*r.xml10_content() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlError::Entity),
    }
}

fn malformed(e: impl fmt::Display) -> XmlError {
    XmlError::Malformed(e.to_string().chars().take(200).collect())
}

fn entity(e: quick_xml::Error) -> XmlError {
    match e {
        quick_xml::Error::Escape(quick_xml::escape::EscapeError::UnrecognizedEntity(..)) => XmlError::Entity,
        other => malformed(other),
    }
}

#[cfg(test)]
mod tests;
