//! `adsum send`: one message.

use super::session::{PATIENCE, Session};
use super::view::View;
use super::{history, output};
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, Delivery, InstantMessage, MessageId, TextFormat};
use crate::endpoint::Operation;
use crate::faces::failure::Failure;
use crate::net::entropy;
use serde_json::json;
use std::io::Read;

/// Most octets of a message that are read from standard input.
const MAX_TEXT: u64 = 64 * 1024;

/// The words to send; `-` reads them from standard input.
pub fn words(text: String) -> Result<String, String> {
    let text = if text == "-" {
        let mut read = String::new();
        std::io::stdin().take(MAX_TEXT).read_to_string(&mut read).map_err(|e| format!("standard input: {e}"))?;
        read.trim_end().to_owned()
    } else {
        text
    };
    if text.trim().is_empty() { Err("there is nothing to send".into()) } else { Ok(text) }
}

/// Sends and waits for the delivery, or for the server's word that it keeps the message.
///
/// # Errors
/// When it did not arrive; [`Failure::uncertain`] when nobody knows.
pub fn run(s: &mut Session, who: &Address, text: String, json: bool) -> Result<(), Failure> {
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let (id, message) = (ConversationId(rng.hex(24)), MessageId(rng.hex(24)));
    s.ask(Operation::StartConversation { id: id.clone(), with: who.clone(), subject: String::new() })?;
    let at = s.clock.now();
    let sent = Operation::SendMessage { conversation: id.clone(), message: message.clone(), text: text.clone() };
    let end = s.ask(sent).and_then(|_| s.within(PATIENCE, |v| end(v, &message)));
    // A conversation that cannot be ended in order ends with the sign-out.
    let _ = s.ask(Operation::EndConversation { conversation: id });
    let state = s.view.deliveries.get(&message).cloned().unwrap_or(Delivery::Queued);
    let written = InstantMessage {
        alone: None,
        id: message.clone(),
        author: s.account.address.clone(),
        at,
        body: text,
        format: TextFormat::Plain,
        state: state.clone(),
    };
    if let Err(e) = history::keep(&s.data, &s.account.address, who, written) {
        eprintln!("adsum: the history on this machine goes without the message: {e}");
    }
    let (state, words) = match verdict(end, &state)? {
        Arrival::Delivered => ("delivered", "Delivered.".to_owned()),
        Arrival::Kept => ("kept", format!("{} is not signed in; the server keeps the message until then.", who.bare())),
    };
    Ok(output::done(json, &words, json!({ "address": who.bare(), "message": message.0, "state": state }))?)
}

/// How a message came to rest well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    Delivered,
    Kept,
}

/// What to say of an end, of none in time (`None`), or of a wait that broke; `told` is how far the message was known to be.
fn verdict(end: Result<Option<End>, String>, told: &Delivery) -> Result<Arrival, Failure> {
    match (end, told) {
        (Ok(Some(End::Delivered)), _) => Ok(Arrival::Delivered),
        (Ok(Some(End::Kept)), _) => Ok(Arrival::Kept),
        (Ok(Some(End::Failed(why))), told) if told.is_uncertain() => Err(uncertain(&why)),
        (Ok(Some(End::Failed(why))), _) => Err(format!("the message was not delivered: {why}").into()),
        (Ok(None), _) => Err(uncertain(&format!("it was not confirmed within {} seconds", PATIENCE.as_secs()))),
        (Err(why), Delivery::Sent) => Err(uncertain(&why)),
        (Err(why), _) => Err(why.into()),
    }
}

fn uncertain(why: &str) -> Failure {
    Failure::uncertain(format!("the message may have arrived or not: {why}; sent again it may arrive twice"))
}

/// How far a message gets at last.
enum End {
    Delivered,
    Kept,
    Failed(String),
}

fn end(v: &View, message: &MessageId) -> Option<End> {
    match v.deliveries.get(message) {
        Some(Delivery::Delivered) => Some(End::Delivered),
        Some(Delivery::Failed(why)) => Some(End::Failed(why.clone())),
        _ if v.kept.contains(message) => Some(End::Kept),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_did_not_arrive_may_be_sent_again() {
        let code = |end, told: &Delivery| verdict(end, told).unwrap_err().code;
        let failed = |why: &str| (Ok(Some(End::Failed(why.to_owned()))), Delivery::Failed(why.to_owned()));
        let (refused, told) = failed("bob@contoso.example cannot be reached");
        assert_eq!(code(refused, &told), 1);
        let (lost, told) = failed("the connection broke; it may or may not have arrived");
        assert_eq!(code(lost, &told), 3);
        assert_eq!(code(Ok(None), &Delivery::Sent), 3);
        assert_eq!(code(Err("the connection ended".into()), &Delivery::Sent), 3);
        assert_eq!(code(Err("the connection ended".into()), &Delivery::Queued), 1);
        assert_eq!(verdict(Ok(Some(End::Kept)), &Delivery::Sent), Ok(Arrival::Kept));
    }
}
