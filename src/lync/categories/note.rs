//! `note` and `noteHistory` values (guide 6.6): the same document under two category names.

use super::value::Value;
use crate::domain::presence::Note;
use crate::lync::time;
use crate::lync::xml::Element;

const NOTE: &str = "http://schemas.microsoft.com/2006/09/sip/note";

/// Reads all bodies; empty texts are none.
pub fn read(e: &Element) -> Vec<Note> {
    if e.name != "note" {
        return Vec::new();
    }
    e.children_named("body").filter_map(read_body).collect()
}

fn read_body(b: &Element) -> Option<Note> {
    let note = Note {
        text: b.text().trim().to_owned(),
        out_of_office: b.attr("type").is_some_and(|t| t.eq_ignore_ascii_case("OOF")),
        start: b.attr("startTime").and_then(time::parse),
        end: b.attr("endTime").and_then(time::parse),
    };
    (!note.text.is_empty()).then_some(note)
}

/// Reads the first body of a publication's value.
pub fn parse(value: &str) -> Option<Note> {
    read(&Element::parse(value.as_bytes()).ok()?).into_iter().next()
}

/// The element.
pub fn write(n: &Note) -> Element {
    Element::in_ns("note", NOTE).with(write_body(n))
}

fn write_body(n: &Note) -> Element {
    Element::in_ns("body", NOTE)
        .with_attr("type", if n.out_of_office { "OOF" } else { "personal" })
        .with_attr("uri", "")
        .with_opt_attr("startTime", n.start.map(time::seconds_z))
        .with_opt_attr("endTime", n.end.map(time::seconds_z))
        .with_text(n.text.as_str())
}

/// The value as text; an empty note (for 100 and 32000) when there is none.
pub fn to_xml(n: Option<&Note>) -> String {
    n.map_or_else(|| Element::in_ns("note", NOTE), write).to_string()
}

/// One body with its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteBody {
    /// The note.
    pub note: Note,
    /// Windows locale id of the text, if told.
    pub lcid: Option<u32>,
}

/// All bodies of a `note` or `noteHistory` value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(pub Vec<NoteBody>);

impl Value for Notes {
    const ROOT: &'static str = "note";
    const KNOWN: &'static [&'static str] = &["body", "type", "startTime", "endTime", "LCID"];

    fn read(root: &Element) -> Option<Notes> {
        let bodies = root.children_named("body");
        Some(Notes(bodies.filter_map(|b| Some(NoteBody { note: read_body(b)?, lcid: b.attr_num("LCID") })).collect()))
    }

    fn write(&self) -> Element {
        let body = |b: &NoteBody| write_body(&b.note).with_opt_attr("LCID", b.lcid);
        Element::in_ns("note", NOTE).with_all(self.0.iter().map(body))
    }
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
