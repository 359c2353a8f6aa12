//! `adsum publications`, `publish`, `unpublish`: category instances as they are, without grammar.

use super::cli::Key;
use super::session::Session;
use super::{Job, job, output};
use crate::domain::presence::{Expiry, Publication, PublicationKey};
use crate::endpoint::Operation;
use crate::text::Line;
use serde_json::json;
use std::io::Read;

/// Most octets of a value that are read.
const MAX_VALUE: u64 = 64 * 1024;

fn key(k: &Key) -> PublicationKey {
    PublicationKey { category: k.category.clone(), instance: k.instance, container: k.container }
}

/// Prints what is published.
pub fn list(s: &mut Session, category: Option<&str>, json: bool) -> Result<(), String> {
    s.own()?;
    let own = s.view.own.clone().unwrap_or_default();
    for p in own.publications.iter().filter(|p| category.is_none_or(|c| c == p.key.category)) {
        let value = json!({
            "category": p.key.category,
            "instance": p.key.instance,
            "container": p.key.container,
            "version": p.version,
            "expires": expiry(p.expiry),
            "published": p.publish_time.map(|t| t.timestamp().to_string()),
            "endpoint": p.endpoint_id,
            "value": p.value,
        });
        let row =
            format!("{:<16} {:>10} {:>6}  {}", Line::new(&p.key.category), p.key.instance, p.key.container, Line::new(&p.value));
        output::print(json, &row, &value)?;
    }
    Ok(())
}

fn expiry(e: Expiry) -> String {
    match e {
        Expiry::Endpoint => "endpoint".into(),
        Expiry::Static => "static".into(),
        Expiry::User => "user".into(),
        Expiry::Time(s) => s.to_string(),
    }
}

/// Publishes one instance.
pub fn publish(k: Key, value: Option<String>, expires: &str, json: bool) -> Result<Job, String> {
    let expiry = match expires {
        "static" => Expiry::Static,
        "user" => Expiry::User,
        "endpoint" => return Err("what this command publishes would end with it; use static, user or seconds".into()),
        seconds => Expiry::Time(seconds.parse().map_err(|_| format!("“{seconds}” is neither static nor user nor seconds"))?),
    };
    let value = match value {
        Some(v) => v,
        None => {
            let mut text = String::new();
            let stdin = std::io::stdin().take(MAX_VALUE);
            std::io::BufReader::new(stdin).read_to_string(&mut text).map_err(|e| format!("standard input: {e}"))?;
            text.trim().to_owned()
        }
    };
    Ok(job(move |s| {
        s.own()?;
        let publication = Publication { key: key(&k), version: 0, expiry, publish_time: None, endpoint_id: None, value };
        s.ask(Operation::Publish { publications: vec![publication] })?;
        output::done(json, &format!("{} is published.", k.category), named(&k))
    }))
}

/// Takes one instance back.
pub fn unpublish(s: &mut Session, k: &Key, json: bool) -> Result<(), String> {
    s.own()?;
    let there = s.view.own.iter().flat_map(|o| &o.publications).any(|p| p.key == key(k));
    if !there {
        return Err(format!("{} is not published with instance {} in container {}", k.category, k.instance, k.container));
    }
    s.ask(Operation::Unpublish { keys: vec![key(k)] })?;
    output::done(json, &format!("{} is taken back.", k.category), named(k))
}

fn named(k: &Key) -> serde_json::Value {
    json!({ "category": k.category, "instance": k.instance, "container": k.container })
}
