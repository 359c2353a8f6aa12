//! The words of the JSON lines (docs/app.md): operations in, answers and events out. Pure: no clock, no stream.
//!
//! The names are those of [`Operation`] and [`Event`] in snake case, so that whatever an endpoint can do can be said here
//! without being listed again.

use crate::endpoint::{Error, ErrorKind, Event, Operation, Outcome};
use serde_json::{Map, Value, json};

/// What a line asks for.
#[derive(Debug)]
pub enum Request {
    /// Something of the endpoint; the second part comes back with the answer.
    Operate(Box<Operation>, Map<String, Value>),
    /// Everything known, now.
    Snapshot,
    /// An event that fits the pattern, for so many milliseconds at most.
    Wait(Value, Option<u64>),
}

/// A request with the name its sender gave it.
#[derive(Debug)]
pub struct Line {
    /// A number or a string; null when the line has none.
    pub id: Value,
    /// The request, or why it cannot be done.
    pub request: Result<Request, Error>,
}

/// Reads a line. `fresh` makes names for what the sender does not name.
pub fn read(text: &str, fresh: impl FnMut() -> String) -> Line {
    let wrong = |id, text: String| Line { id, request: Err(Error::new(ErrorKind::Parsing, text)) };
    let mut map = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return wrong(Value::Null, "a line must be one JSON object such as {\"id\": 1, \"op\": \"snapshot\"}".into()),
        Err(e) => return wrong(Value::Null, format!("this line is no JSON: {e}")),
    };
    let id = map.remove("id").unwrap_or_default();
    if !(id.is_null() || id.is_number() || id.is_string()) {
        return wrong(Value::Null, "id must be a number or a string".into());
    }
    let Some(Value::String(op)) = map.remove("op") else {
        return wrong(id, "op is missing: the name of the operation as docs/app.md lists them".into());
    };
    let request = match op.as_str() {
        "snapshot" => Ok(Request::Snapshot),
        "wait" => wait(map),
        _ => operation(&op, map, fresh),
    };
    Line { id, request }
}

fn wait(mut map: Map<String, Value>) -> Result<Request, Error> {
    let timeout = match map.remove("timeout_ms") {
        None | Some(Value::Null) => None,
        Some(v) => Some(v.as_u64().ok_or_else(|| invalid("timeout_ms must be a number of milliseconds"))?),
    };
    match map.remove("for") {
        Some(pattern @ Value::Object(_)) => Ok(Request::Wait(pattern, timeout)),
        _ => Err(invalid("for must be an object with the fields the event must have, such as {\"event\": \"message\"}")),
    }
}

fn operation(op: &str, mut map: Map<String, Value>, mut fresh: impl FnMut() -> String) -> Result<Request, Error> {
    let mut named = Map::new();
    let key = match op {
        "send_message" | "send_privately" => Some(("message", "message")),
        "start_conversation" | "join_conference" | "meet_now" => Some(("id", "conversation")),
        _ => None,
    };
    if let Some((field, told)) = key {
        // “id” names the request; the conversation is called conversation everywhere.
        let value = map.remove(told).unwrap_or_else(|| Value::String(fresh()));
        named.insert(told.to_owned(), value.clone());
        map.insert(field.to_owned(), value);
    }
    if let Some(Value::String(link)) = map.get("target").cloned() {
        map.insert("target".into(), json!({ "Link": link }));
    }
    let variant = camel(op);
    let whole = if map.is_empty() { Value::String(variant.clone()) } else { json!({ variant: map }) };
    match serde_json::from_value::<Operation>(whole) {
        Ok(operation) => Ok(Request::Operate(Box::new(operation), named)),
        Err(e) if e.to_string().starts_with("unknown variant") => {
            Err(invalid(format!("there is no operation “{op}”; docs/app.md lists them")))
        }
        Err(e) => Err(invalid(format!("{op}: {e}"))),
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, text)
}

/// The answer to a request.
pub fn answer(id: &Value, named: Map<String, Value>, result: Result<Value, Error>) -> Value {
    let mut out = Map::new();
    out.insert("id".into(), id.clone());
    out.insert("ok".into(), Value::Bool(result.is_ok()));
    out.extend(named);
    match result {
        Ok(Value::Null) => None,
        Ok(value) => out.insert("result".into(), value),
        Err(error) => out.insert("error".into(), serde_json::to_value(error).unwrap_or_default()),
    };
    Value::Object(out)
}

/// What an operation brought; null for nothing but success.
pub fn outcome(outcome: &Outcome) -> Value {
    match serde_json::to_value(outcome).unwrap_or_default() {
        Value::Object(map) => map.into_iter().map(|(k, v)| (snake(&k), v)).collect::<Map<_, _>>().into(),
        _ => Value::Null,
    }
}

/// An event as a line: its name beside its fields.
pub fn event(event: &Event) -> Value {
    let mut out = Map::new();
    match serde_json::to_value(event).unwrap_or_default() {
        Value::Object(map) => {
            for (name, content) in map {
                out.insert("event".into(), Value::String(snake(&name)));
                match content {
                    Value::Object(mut fields) => {
                        // “id” is the name of a request; a conversation is called conversation everywhere.
                        if name == "Conversation"
                            && let Some(id) = fields.remove("id")
                        {
                            fields.insert("conversation".into(), id);
                        }
                        out.extend(fields);
                    }
                    other => drop(out.insert("value".into(), other)),
                }
            }
        }
        Value::String(name) => drop(out.insert("event".into(), Value::String(snake(&name)))),
        _ => {}
    }
    Value::Object(out)
}

/// Whether an event has what a pattern wants: every field named, lists as alternatives, a word also as the name of a state
/// with more to it (`"Failed"` fits `{"Failed": "why"}`).
pub fn fits(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::Array(any), _) => any.iter().any(|p| fits(p, value)),
        (Value::Object(wanted), Value::Object(there)) => wanted.iter().all(|(k, p)| there.get(k).is_some_and(|v| fits(p, v))),
        (Value::String(name), Value::Object(there)) => there.len() == 1 && there.contains_key(name),
        _ => pattern == value,
    }
}

fn camel(snake: &str) -> String {
    snake.split('_').flat_map(|w| w.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c })).collect()
}

fn snake(camel: &str) -> String {
    let mut out = String::new();
    for (i, c) in camel.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Address;
    use crate::domain::conversation::{ConversationId, Delivery, MessageId};

    fn request(text: &str) -> Result<Request, Error> {
        read(text, || "n1".into()).request
    }

    #[test]
    fn operations_are_named_as_they_are_and_what_is_unnamed_gets_a_name() {
        let Ok(Request::Operate(op, named)) = request(r#"{"id":1,"op":"send_message","conversation":"c","text":"hi"}"#) else {
            panic!()
        };
        let wanted = Operation::SendMessage {
            conversation: ConversationId("c".into()),
            message: MessageId("n1".into()),
            text: "hi".into(),
        };
        assert_eq!(*op, wanted);
        assert_eq!(Value::Object(named), json!({"message": "n1"}));
        let Ok(Request::Operate(op, _)) = request(r#"{"id":1,"op":"start_conversation","with":"bob@contoso.com"}"#) else {
            panic!()
        };
        let with = Address::parse("bob@contoso.com").unwrap();
        assert_eq!(*op, Operation::StartConversation { id: ConversationId("n1".into()), with, subject: String::new() });
        let Ok(Request::Operate(op, _)) = request(r#"{"op":"drain"}"#) else { panic!() };
        assert_eq!(*op, Operation::Drain);
        assert!(matches!(request(r#"{"op":"join_conference","target":"https://x/y/z"}"#), Ok(Request::Operate(..))));
    }

    #[test]
    fn bad_lines_are_answered_with_what_is_wrong() {
        let error = |text: &str| request(text).unwrap_err().text;
        assert!(error("hello").starts_with("this line is no JSON"));
        assert!(error("[1]").contains("one JSON object"));
        assert!(error("{}").contains("op is missing"));
        assert_eq!(error(r#"{"op":"fly"}"#), "there is no operation “fly”; docs/app.md lists them");
        assert!(error(r#"{"op":"eject","conversation":"c"}"#).contains("missing field `uri`"));
        assert!(error(r#"{"op":"eject","conversation":"c","uri":"bob"}"#).contains("is not an address"));
        assert!(error(r#"{"op":"wait"}"#).contains("for must be an object"));
        assert!(error(r#"{"op":"wait","for":{},"timeout_ms":"long"}"#).contains("timeout_ms"));
        assert_eq!(read(r#"{"id":[1],"op":"drain"}"#, String::new).id, Value::Null);
        assert_eq!(read(r#"{"id":"a","op":"fly"}"#, String::new).id, json!("a"));
    }

    #[test]
    fn events_carry_their_name_beside_their_fields() {
        let state = Event::MessageState {
            conversation: ConversationId("c".into()),
            message: MessageId("m".into()),
            state: Delivery::Failed("no".into()),
        };
        let line = event(&state);
        assert_eq!(line, json!({"event": "message_state", "conversation": "c", "message": "m", "state": {"Failed": "no"}}));
        assert!(fits(&json!({"event": "message_state", "state": ["Delivered", "Failed"]}), &line));
        assert!(fits(&json!({"message": "m", "state": {"Failed": "no"}}), &line));
        assert!(!fits(&json!({"message": "x"}), &line) && !fits(&json!({"state": "Sent"}), &line));
        assert_eq!(event(&Event::Notice("x".into())), json!({"event": "notice", "value": "x"}));
    }
}
