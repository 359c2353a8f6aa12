//! The play as written in `assets/demo.toml`.

use serde::Deserialize;

/// The whole play.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// SIP domain of everybody.
    pub domain: String,
    /// The person at the screen.
    pub me: Me,
    /// The cast.
    pub person: Vec<Person>,
    /// Groups on the list of the person at the screen.
    pub group: Vec<CastGroup>,
    /// What happens by itself.
    pub scene: Vec<Scene>,
}

/// The person at the screen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Me {
    /// User part of the address.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Title.
    pub title: String,
}

/// One of the cast.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// User part of the address.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Work phone.
    #[serde(default)]
    pub phone: String,
    /// First status; `offline` stays away until a scene or mood brings them.
    pub status: Mood,
    /// Own words for the status.
    #[serde(default)]
    pub activity: String,
    /// First note.
    #[serde(default)]
    pub note: String,
    /// Statuses they wander through.
    #[serde(default)]
    pub moods: Vec<Mood>,
    /// Answers to words.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// Answers to anything else.
    #[serde(default)]
    pub says: Vec<String>,
    /// First words in a meeting.
    #[serde(default)]
    pub meets: Vec<String>,
}

/// A status by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Mood {
    Available,
    Busy,
    Dnd,
    Brb,
    Away,
    Offline,
}

/// What somebody says to certain words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Any of these in the text (lower case).
    pub on: Vec<String>,
    /// One of these comes back.
    pub say: Vec<String>,
}

/// A group of contacts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastGroup {
    /// Name.
    pub name: String,
    /// Ids of its members.
    pub members: Vec<String>,
}

/// One thing that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Seconds after the start.
    pub at: u64,
    /// Who does it.
    pub who: String,
    /// Writes this to the person at the screen.
    #[serde(default)]
    pub say: Option<String>,
    /// Sets this note.
    #[serde(default)]
    pub note: Option<String>,
    /// Sets this status.
    #[serde(default)]
    pub status: Option<Mood>,
    /// Calls a meeting of this title with the person at the screen and those of `invite`.
    #[serde(default)]
    pub meet: Option<String>,
    /// Whom else to invite.
    #[serde(default)]
    pub invite: Vec<String>,
    /// Adds the person at the screen to their contacts, who is told so.
    #[serde(default)]
    pub add: bool,
}

impl Script {
    /// The play that comes with the program.
    ///
    /// # Errors
    /// Where the text does not read as a play: line and reason.
    pub fn built_in() -> Result<Script, String> {
        toml::from_str(include_str!("../../../assets/demo.toml")).map_err(|e| format!("assets/demo.toml: {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_play_names_only_people_who_are_in_it() {
        let s = Script::built_in().unwrap();
        let known: HashSet<&str> = s.person.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(known.len(), s.person.len());
        assert!(s.person.len() >= 12);
        for name in s
            .group
            .iter()
            .flat_map(|g| &g.members)
            .chain(s.scene.iter().map(|c| &c.who))
            .chain(s.scene.iter().flat_map(|c| &c.invite))
        {
            assert!(known.contains(name.as_str()), "{name}");
        }
    }
}
