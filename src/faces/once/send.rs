//! `adsum send`: one message.

use super::output;
use super::session::Session;
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, Delivery, MessageId};
use crate::endpoint::Operation;
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

/// Sends and waits for the delivery.
pub fn run(s: &mut Session, who: &Address, text: String, json: bool) -> Result<(), String> {
    let mut rng = entropy().map_err(|e| e.to_string())?;
    let (id, message) = (ConversationId(rng.hex(24)), MessageId(rng.hex(24)));
    s.ask(Operation::StartConversation { id: id.clone(), with: who.clone(), subject: String::new() })?;
    s.ask(Operation::SendMessage { conversation: id.clone(), message: message.clone(), text })?;
    let state = s.until("the delivery", |v| match v.deliveries.get(&message) {
        Some(d @ (Delivery::Delivered | Delivery::Failed(_))) => Some(d.clone()),
        _ => None,
    })?;
    // A conversation that cannot be ended in order ends with the sign-out.
    let _ = s.ask(Operation::EndConversation { conversation: id });
    match state {
        Delivery::Failed(why) => Err(format!("the message was not delivered: {why}")),
        _ => output::done(json, "Delivered.", json!({ "address": who.bare(), "message": message.0, "state": "delivered" })),
    }
}
