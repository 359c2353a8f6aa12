use super::*;

fn parse(text: &str) -> Element {
    Element::parse(text.as_bytes()).unwrap()
}

#[test]
fn prefixes_are_resolved_and_default_namespaces_written() {
    let e = parse("<a:x xmlns:a='urn:a' xmlns:b='urn:b' b:k='1'>\n <y xmlns='urn:c'/>\n <z>t &amp; &#228;</z>\r\n</a:x>");
    assert_eq!((e.name.as_str(), e.ns.as_str(), e.attr("K")), ("x", "urn:a", Some("1")));
    assert_eq!(
        e.to_string(),
        "<x xmlns=\"urn:a\" xmlns:ns1=\"urn:b\" ns1:k=\"1\"><y xmlns=\"urn:c\"/><z xmlns=\"\">t &amp; ä</z></x>"
    );
    assert_eq!(parse(&e.to_string()), e);
}

#[test]
fn xsi_type_survives_without_prefix_or_with() {
    let e = parse("<s xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='q:userState' type='x'/>");
    assert_eq!(e.xsi_type(), Some("userState"));
    assert_eq!(e.attr("type"), Some("x"));
    assert!(e.to_string().contains("xsi:type=\"q:userState\""));
}

#[test]
fn hostile_documents_are_refused() {
    let deep = "<a>".repeat(XML_MAX_DEPTH + 1);
    let wide = format!("<a>{}</a>", "<b/>".repeat(XML_MAX_NODES));
    let attrs = format!("<a {}/>", (0..=XML_MAX_ATTRIBUTES).map(|i| format!("a{i}='' ")).collect::<String>());
    let ns = format!("<a xmlns='{}'/>", "n".repeat(XML_MAX_NAMESPACE + 1));
    for bad in [
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<a>&x;</a>",
        "<a b='&x;'/>",
        "<a b='1' b='2'/>",
        "<a>",
        "<a></b>",
        "</a>",
        "",
        "text",
        "<a/><b/>",
        "<a/>x",
        "<a>&#0;</a>",
        &deep,
        &wide,
        &attrs,
        &ns,
    ] {
        assert!(Element::parse(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(60)]);
    }
    assert_eq!(Element::parse(b"<a>\xff</a>"), Err(XmlError::Encoding));
}

#[test]
fn writing_drops_forbidden_characters_and_escapes_the_rest() {
    let e = Element::new("a").with_attr("k", "\"<\n>&").with_text("\u{0}\u{1b}[31m]]> \r\n\u{ffff}x");
    assert_eq!(e.to_string(), "<a k=\"&quot;&lt;&#10;&gt;&amp;\">[31m]]&gt; &#13;\nx</a>");
    assert_eq!(parse(&e.to_string()).text(), "[31m]]> \r\nx");
    assert_eq!(parse(&e.to_string()).attr("k"), Some("\"<\n>&"));
}

#[test]
fn text_keeps_its_space_and_cdata_joins() {
    assert_eq!(parse("<a> b <![CDATA[<c>]]> </a>").text(), " b <c> ");
    assert_eq!(parse("\u{feff} <?xml version='1.0'?><!-- c --><a/>\r\n\0").name, "a");
    assert_eq!(parse("<x:a>u</x:a>").name, "a");
}
