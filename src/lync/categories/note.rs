//! `note` values (guide 6.6).

use crate::domain::presence::Note;
use crate::lync::time;
use crate::lync::xml::Element;

const NOTE: &str = "http://schemas.microsoft.com/2006/09/sip/note";

/// Reads all bodies; empty texts are none.
pub fn read(e: &Element) -> Vec<Note> {
    if e.name != "note" {
        return Vec::new();
    }
    let body = |b: &Element| Note {
        text: b.text().trim().to_owned(),
        out_of_office: b.attr("type").is_some_and(|t| t.eq_ignore_ascii_case("OOF")),
        start: b.attr("startTime").and_then(time::parse),
        end: b.attr("endTime").and_then(time::parse),
    };
    e.children_named("body").map(body).filter(|n| !n.text.is_empty()).collect()
}

/// Reads the first body of a publication's value.
pub fn parse(value: &str) -> Option<Note> {
    read(&Element::parse(value.as_bytes()).ok()?).into_iter().next()
}

/// The element.
pub fn write(n: &Note) -> Element {
    let body = Element::in_ns("body", NOTE)
        .with_attr("type", if n.out_of_office { "OOF" } else { "personal" })
        .with_attr("uri", "")
        .with_opt_attr("startTime", n.start.map(time::seconds_z))
        .with_opt_attr("endTime", n.end.map(time::seconds_z))
        .with_text(n.text.as_str());
    Element::in_ns("note", NOTE).with(body)
}

/// The value as text; an empty note (for 100 and 32000) when there is none.
pub fn to_xml(n: Option<&Note>) -> String {
    n.map_or_else(|| Element::in_ns("note", NOTE), write).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_round_trip() {
        let oof = r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="OOF" uri="" startTime="2014-01-16T00:00:00Z" endTime="2014-01-20T00:00:00Z">On leave, ask Dave</body></note>"#;
        let n = parse(oof).unwrap();
        assert!(n.out_of_office && n.end.is_some());
        assert_eq!(to_xml(Some(&n)), oof);
        assert_eq!(parse(&to_xml(None)), None);
        assert_eq!(parse("<note><body type=\"personal\"> </body></note>"), None);
    }
}
