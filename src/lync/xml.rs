//! XML as a small tree: read with limits, written well-formed. Unknown elements and attributes survive.

/// One element. Names are local names; `ns` is the resolved namespace (empty when none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Namespace URI, resolved; may be empty.
    pub ns: String,
    /// Attributes in order: local name (prefix dropped, but `xmlns` declarations are not listed) and value.
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
