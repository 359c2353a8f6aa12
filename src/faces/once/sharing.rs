//! `adsum level`, `block`, `unblock`, `watchers`, `containers`: who may see what.

use super::output;
use super::session::Session;
use crate::app::addressbook::level_word;
use crate::domain::Address;
use crate::domain::presence::{Level, Member};
use crate::endpoint::Operation;
use crate::text::Line;
use serde_json::json;

/// Puts somebody on a level; `None`: what their network gets.
pub fn level(s: &mut Session, who: &Address, level: Option<Level>, json: bool) -> Result<(), String> {
    s.own()?;
    s.ask(Operation::SetLevel { uri: who.clone(), level })?;
    let words = match level {
        Some(Level::Blocked) => format!("{} is blocked.", who.bare()),
        Some(l) => format!("{} is on the level {} now.", who.bare(), level_word(l)),
        None => format!("{} sees what their network sees.", who.bare()),
    };
    output::done(json, &words, json!({ "address": who.bare(), "level": level.map(level_word) }))
}

/// Prints who watches.
pub fn watchers(s: &mut Session, json: bool) -> Result<(), String> {
    s.own()?;
    let own = s.view.own.clone().unwrap_or_default();
    for w in &own.subscribers {
        let level = s.view.level(&w.uri).map(level_word);
        let answered = if w.acknowledged { "" } else { "not answered yet" };
        let row = format!("{:<32} {} {} {answered}", w.uri.bare(), Line::new(&w.display_name), Line::new(&w.words));
        let value = json!({
            "address": w.uri.bare(),
            "name": w.display_name,
            "acknowledged": w.acknowledged,
            "words": w.words,
            "level": level,
        });
        output::print(json, row.trim_end(), &value)?;
    }
    Ok(())
}

/// Prints the containers with their members.
pub fn containers(s: &mut Session, json: bool) -> Result<(), String> {
    s.own()?;
    let own = s.view.own.clone().unwrap_or_default();
    for c in &own.containers {
        let members: Vec<String> = c.members.iter().map(word).collect();
        let name = Level::of_container(c.id).map(level_word);
        let value = json!({ "id": c.id, "name": name, "version": c.version, "members": members });
        let row = format!("{:<6} {:<11} {}", c.id, name.unwrap_or(""), Line::new(&members.join(", ")));
        output::print(json, row.trim_end(), &value)?;
    }
    Ok(())
}

fn word(member: &Member) -> String {
    match member {
        Member::User(a) => a.bare().to_owned(),
        Member::Domain(d) => format!("domain:{d}"),
        Member::SameEnterprise => "same-enterprise".into(),
        Member::Federated => "federated".into(),
        Member::PublicCloud => "public-cloud".into(),
        Member::Everyone => "everyone".into(),
    }
}
