//! The lines of each section, from the replica.

use super::{level_shows, network_name};
use crate::app::State;
use crate::app::state::own::{About, Line, Mark, Section, Tone};
use crate::domain::access::{self, BLOCKED_CONTAINER};
use crate::domain::presence::{Container, Expiry, Level, Member, Subscriber};
use crate::domain::privacy::Preference;
use crate::domain::{Address, Time};
use crate::endpoint::Feature;
use crate::endpoint::sight::{self, Sight, Viewer, container_name};
use crate::endpoint::why::{self, Row, Verdict};

/// Lines of the section that is shown.
pub(super) fn of(state: &State) -> Vec<Line> {
    if !state.own.loaded {
        return vec![quiet("Not known yet: the server has not told what it keeps of you.")];
    }
    match state.own.section {
        Section::Status => Vec::new(),
        Section::Access => containers(state),
        Section::Watchers => watchers(state),
        Section::View => view(state),
        Section::Why => reasons(state),
    }
}

fn quiet(words: impl Into<String>) -> Line {
    Line { tone: Tone::Quiet, words: words.into(), ..Line::default() }
}

/// A sentence of any length, and an empty line.
fn told(words: &str) -> Vec<Line> {
    vec![quiet(words), Line::default()]
}

fn heading(label: impl Into<String>, words: impl Into<String>, about: About) -> Line {
    Line { tone: Tone::Heading, label: label.into(), words: words.into(), about, ..Line::default() }
}

fn containers(state: &State) -> Vec<Line> {
    let p = &state.own.privacy;
    let by = match (p.preference, p.administrator) {
        (Preference::Standard, Some(true)) => "as you chose, against the administrator's setting",
        (Preference::Standard | Preference::Private, None) => "as you chose",
        (_, Some(_)) => "as the administrator says",
        _ => "everybody sees what their network gets",
    };
    let mut out = match (state.missing(Feature::Levels), state.missing(Feature::DefaultAccess)) {
        (Some(why), _) => return told(why),
        (None, Some(why)) => told(why),
        (None, None) => vec![heading("Privacy", format!("{} · {by}", p.mode.text()), About::Privacy), Line::default()],
    };
    let mut all: Vec<&Container> = state.own.replica.containers.iter().filter(|c| access::may_change(c.id)).collect();
    // Most trusted first, one's own making after the levels, the blocked last.
    let place = |c: &Container| match c.id {
        400 => 0,
        300 => 1,
        200 => 2,
        100 => 3,
        BLOCKED_CONTAINER => 5,
        _ => 4,
    };
    all.sort_by_key(|c| (place(c), c.id));
    for c in all {
        let shows = Level::of_container(c.id).map_or("only what you publish into it", |l| level_shows(state, l));
        out.push(heading(container_name(c.id), shows, About::Container(c.id)));
        if c.members.is_empty() {
            out.push(quiet("nobody"));
        }
        out.extend(c.members.iter().map(|m| member(state, c.id, m)));
    }
    out.push(Line::default());
    if let Some(why) = state.missing(Feature::Delegates) {
        out.extend(told(why));
        return out;
    }
    out.push(heading("Delegates", "act for you, stand in Workgroup", About::Delegates));
    let delegates = &state.own.replica.delegates.members;
    if delegates.is_empty() {
        out.push(quiet("nobody"));
    }
    let delegate = |uri: &Address| Line {
        label: state.name(uri).to_owned(),
        words: uri.bare().to_owned(),
        about: About::Delegate(uri.clone()),
        ..Line::default()
    };
    out.extend(delegates.iter().map(delegate));
    out
}

fn member(state: &State, container: u32, m: &Member) -> Line {
    let (label, words) = match m {
        Member::User(u) => (state.name(u).to_owned(), u.bare().to_owned()),
        Member::Domain(d) => (format!("everyone at {d}"), "a domain".into()),
        Member::SameEnterprise => ("my organisation".into(), "everybody not named more exactly".into()),
        Member::Federated => ("federated partners".into(), "everybody not named more exactly".into()),
        Member::PublicCloud => ("public networks".into(), "everybody not named more exactly".into()),
        Member::Everyone => ("everyone".into(), String::new()),
    };
    let blocked = (container == BLOCKED_CONTAINER).then_some(Mark::Blocked);
    Line { label, words, mark: blocked.unwrap_or_default(), about: About::Member(container, m.clone()), ..Line::default() }
}

fn watchers(state: &State) -> Vec<Line> {
    let mut all: Vec<&Subscriber> = state.own.replica.subscribers.iter().collect();
    if let Some(why) = state.missing(Feature::Watchers) {
        return told(why);
    }
    if all.is_empty() {
        return vec![quiet("Nobody has told the server that they watch you.")];
    }
    all.sort_by_key(|s| (s.acknowledged, std::cmp::Reverse(s.since), s.uri.clone()));
    let line = |s: &&Subscriber| {
        let network = state.network_of(&s.uri);
        let place = access::place(&state.own.replica.containers, &s.uri, network);
        let by = match place.by {
            Some(Member::User(_)) => "by name",
            Some(Member::Domain(_)) => "as their domain",
            Some(_) => network_name(network),
            None => "nobody named them",
        };
        let mut words = vec![format!("sees {} ({by})", container_name(place.container))];
        words.extend(s.since.map(|t| format!("since {}", moment(state, t))));
        words.push(match (s.acknowledged, state.missing(Feature::Levels)) {
            (true, _) => "acknowledged".into(),
            (false, None) => "new: Enter answers".into(),
            (false, Some(_)) => "waits; it cannot be answered from here".into(),
        });
        let name = if s.display_name.is_empty() { state.name(&s.uri) } else { &s.display_name };
        Line {
            tone: if s.acknowledged { Tone::Plain } else { Tone::Warning },
            mark: if place.container == BLOCKED_CONTAINER { Mark::Blocked } else { Mark::None },
            label: name.to_owned(),
            words: words.join(" · "),
            about: About::Watcher(s.uri.clone()),
        }
    };
    all.iter().map(line).collect()
}

fn moment(state: &State, t: Time) -> String {
    let zoned = |t: Time| t.timestamp().to_zoned(state.view.zone.clone());
    let (then, now) = (zoned(t), zoned(state.view.now));
    let form = if then.date() == now.date() { "%H:%M" } else { "%-d %b %H:%M" };
    then.strftime(form).to_string()
}

fn view(state: &State) -> Vec<Line> {
    if let Some(why) = [Feature::OwnPresence, Feature::Levels].into_iter().find_map(|f| state.missing(f)) {
        return told(why);
    }
    let (Some(viewer), Some(owner)) = (&state.own.viewer, &state.account.address) else {
        return vec![quiet("v chooses whose eyes: a contact, a level, or an address.")];
    };
    let s = sight::sight(owner, &state.own.replica, viewer.clone(), state.view.now);
    let mut out = vec![title(state, &s), Line::default()];
    out.extend(s.facts.iter().map(|f| Line {
        mark: match (f.what.as_str(), s.presence.availability) {
            ("Status", Some(a)) => Mark::Presence(a),
            _ => Mark::None,
        },
        label: f.what.clone(),
        words: f.words.clone(),
        ..Line::default()
    }));
    if s.presence.availability.is_none() {
        out.push(Line { label: "Status".into(), words: "not told; you look unknown to them".into(), ..Line::default() });
    }
    out.push(Line { label: "Reaching you".into(), words: reaching(&s).into(), ..Line::default() });
    out.push(Line::default());
    out.push(heading("Hidden", if s.hidden.is_empty() { "nothing that you publish" } else { "and why" }, About::Nothing));
    out.extend(s.hidden.iter().map(|h| Line {
        tone: Tone::Quiet,
        label: h.what.clone(),
        words: h.why.clone(),
        ..Line::default()
    }));
    out
}

fn title(state: &State, s: &Sight) -> Line {
    let level = container_name(s.container);
    let (who, why) = match &s.viewer {
        Viewer::Container(_) => (format!("Whoever stands in {level}"), s.level.map_or("", |l| level_shows(state, l)).to_owned()),
        Viewer::Person { uri, network } => {
            let by = match &s.by {
                Some(Member::User(_)) => "named there".to_owned(),
                Some(Member::Domain(d)) => format!("as everyone at {d}"),
                Some(_) => format!("as {}", network_name(*network)),
                None => format!("{}; nobody named them", network_name(*network)),
            };
            (state.name(uri).to_owned(), format!("sees {level}: {by}"))
        }
    };
    heading(who, why, About::Nothing)
}

/// What becomes of an invitation (`domain.md` 5.8, block rules).
fn reaching(s: &Sight) -> &'static str {
    let network = match &s.viewer {
        Viewer::Person { network, .. } => *network,
        Viewer::Container(_) => access::SourceNetwork::SameEnterprise,
    };
    match access::reach(s.container, network, s.presence.availability) {
        access::Reach::Allow => "messages and calls get through",
        access::Reach::DoNotDisturb => "messages and calls are turned away: do not disturb",
        access::Reach::Blocked => "nothing gets through; you look offline",
    }
}

fn reasons(state: &State) -> Vec<Line> {
    if let Some(why) = state.missing(Feature::OwnPresence) {
        return told(why);
    }
    let why = why::why(&state.own.replica, &state.own.gruu, state.view.now);
    let mut out = Vec::new();
    let mut first: Option<&Verdict> = None;
    for v in &why.results {
        if let Some(f) = first
            && (f.availability, f.step, f.rows.len()) == (v.availability, v.step, v.rows.len())
        {
            out.push(heading("The workgroup", "sees the same, for the same reasons", About::Nothing));
            continue;
        }
        first = first.or(Some(v));
        out.extend(verdict(state, v));
    }
    out
}

fn verdict(state: &State, v: &Verdict) -> Vec<Line> {
    let said = if v.activity.is_empty() { v.availability.class().text() } else { v.activity.as_str() };
    let who = if v.container == access::AGGREGATION_CONTAINER { "Others see" } else { "The workgroup sees" };
    let mut out = vec![
        Line { mark: Mark::Presence(v.availability), ..heading(who, format!("{said} ({})", v.availability.0), About::Nothing) },
        Line { words: v.rule.to_owned(), ..Line::default() },
    ];
    if let Some(other) = v.server_says {
        let words = format!("The server itself says {} ({}): it goes by other rules.", other.class().text(), other.0);
        out.push(Line { tone: Tone::Warning, words, ..Line::default() });
    }
    for r in &v.rows {
        out.push(source(r));
        out.push(Line { tone: Tone::Quiet, words: age(state, r), ..Line::default() });
    }
    out.push(Line::default());
    out
}

fn source(r: &Row) -> Line {
    let said = match (r.availability, r.activity.is_empty()) {
        (_, false) => r.activity.clone(),
        (Some(a), true) => a.class().text().to_owned(),
        (None, true) => "no number".into(),
    };
    Line {
        tone: if r.decides() { Tone::Strong } else { Tone::Plain },
        mark: r.availability.map_or(Mark::None, Mark::Presence),
        label: r.who.clone(),
        words: format!("{said} · {}", r.reason),
        about: About::Source { keys: r.keys.clone(), here: r.here, who: r.who.clone() },
    }
}

/// When it was said, how old that is, and when it ends.
fn age(state: &State, r: &Row) -> String {
    let mut parts = Vec::new();
    if let Some(t) = r.published {
        parts.push(format!("said {}", moment(state, t)));
        let minutes = state.view.now.since(t).as_secs() / 60;
        parts.push(match minutes {
            0 => "just now".into(),
            1..=59 => format!("{minutes}m ago"),
            60..=1439 => format!("{}h {}m ago", minutes / 60, minutes % 60),
            _ => format!("{}d ago", minutes / 1440),
        });
    }
    parts.push(match (r.ends, r.expiry) {
        (Some(t), _) => format!("ends {}", moment(state, t)),
        (None, Expiry::Endpoint) => "ends when that device signs out".into(),
        (None, Expiry::User) => "ends with your last device".into(),
        (None, _) => "stays until it is taken back".into(),
    });
    if !r.place.is_empty() {
        parts.push(r.place.clone());
    }
    parts.join(" · ")
}
