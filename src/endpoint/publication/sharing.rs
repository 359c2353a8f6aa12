//! Who may see what, as requests: members of containers, delegates, privacy mode; and the order that the manifest keeps in
//! them (`domain.md` 5.8, 3.12).

use super::intent::{Built, Ground};
use crate::domain::Address;
use crate::domain::access::{self, Change, may_change};
use crate::domain::manifest::{self, Person};
use crate::domain::presence::{Expiry, Member, SelfPresence};
use crate::domain::privacy::{self, Preference};
use crate::endpoint::limits::MAX_MEMBER_CHANGES;
use crate::endpoint::{Error, ErrorKind, sight};
use crate::lync::categories::options;
use crate::lync::containers::{ContainerChange, MemberChange};
use crate::lync::delegates::SetDelegates;
use crate::lync::publish::PublishItem;

/// Instance of `otherOptions` that holds the wish about privacy mode (`domain.md` 5.5).
const PRIVACY_OPTION: u32 = 2;

/// What the user chose about privacy mode.
pub(super) fn preference(known: &SelfPresence) -> Preference {
    let held = known.publications.iter().find(|p| {
        p.key.category == "otherOptions" && p.key.instance == PRIVACY_OPTION && p.key.container == access::SELF_CONTAINER
    });
    held.and_then(|p| options::privacy(&p.value)).unwrap_or_default()
}

/// Everybody the manifest has a rule about: contacts and delegates.
pub(super) fn people(owner: &Address, known: &SelfPresence, contacts: &[Address]) -> Vec<Person> {
    let delegate = |uri: &Address| known.delegates.members.contains(uri);
    let extra = known.delegates.members.iter().filter(|d| !contacts.contains(d));
    let all = contacts.iter().chain(extra).filter(|uri| *uri != owner);
    all.map(|uri| Person { uri: uri.clone(), network: sight::network(owner, known, uri), delegate: delegate(uri) }).collect()
}

/// Changes as the wire wants them: each container once, in the order of the changes.
pub(super) fn grouped(changes: &[Change], version: impl Fn(u32) -> u32) -> Vec<ContainerChange> {
    let mut out: Vec<ContainerChange> = Vec::new();
    for change in changes {
        let id = change.container();
        let member = match change.clone() {
            Change::Add(_, m) => MemberChange::Add(m),
            Change::Remove(_, m) => MemberChange::Remove(m),
        };
        match out.iter_mut().find(|c| c.id == id) {
            Some(c) => c.changes.push(member),
            None => out.push(ContainerChange { id, version: version(id), changes: vec![member] }),
        }
    }
    out
}

impl Ground<'_> {
    /// What the manifest wants changed.
    pub(super) fn corrections(&self) -> Vec<ContainerChange> {
        let people = people(&self.me.uri, self.known, self.contacts);
        let private = privacy::wants_private(preference(self.known), self.administrator);
        let mut changes = manifest::corrections(&self.known.containers, &people, private);
        // The rest follows with the next request.
        changes.truncate(MAX_MEMBER_CHANGES);
        grouped(&changes, |id| self.container_version(id))
    }

    /// Members added and taken out by hand; what is so already is left out.
    pub(super) fn members(&self, changes: &[Change]) -> Result<Vec<ContainerChange>, Error> {
        let wrong = |text: String| Err(Error::new(ErrorKind::InvalidArgument, text));
        for change in changes {
            let (Change::Add(id, member) | Change::Remove(id, member)) = change;
            if !may_change(*id) {
                return wrong(format!("The members of container {id} are fixed; choose a number from 100 to 32767."));
            }
            match member {
                Member::User(uri) if *uri == self.me.uri => return wrong("This is your own address.".into()),
                Member::Everyone => return wrong("Everyone who matches nothing else sees container 0 in any case.".into()),
                Member::Domain(d) if !is_domain(d) => return wrong(format!("“{d}” is no domain, such as fabrikam.com.")),
                _ => {}
            }
        }
        let holds = |id: u32, m: &Member| self.known.containers.iter().any(|c| c.id == id && c.members.contains(m));
        let needed = |c: &&Change| match c {
            Change::Add(id, m) => !holds(*id, m),
            Change::Remove(id, m) => holds(*id, m),
        };
        let needed: Vec<Change> = changes.iter().filter(needed).cloned().collect();
        Ok(grouped(&needed, |id| self.container_version(id)))
    }

    /// Delegates who come and go; `None` when all is so already.
    pub(super) fn delegates(&self, add: &[Address], remove: &[Address]) -> Result<Option<Built>, Error> {
        if add.contains(&self.me.uri) {
            return Err(Error::new(ErrorKind::InvalidArgument, "You cannot be your own delegate."));
        }
        let held = &self.known.delegates;
        let come = add.iter().filter(|a| !held.members.contains(a)).map(|a| (a.clone(), true));
        let go = remove.iter().filter(|a| held.members.contains(a)).map(|a| (a.clone(), false));
        let changes: Vec<(Address, bool)> = come.chain(go).collect();
        let version = self.delegates_version.unwrap_or(held.version);
        Ok((!changes.is_empty()).then_some(Built::Delegates(SetDelegates { version, changes })))
    }

    pub(super) fn privacy(&self, wanted: Preference) -> Vec<PublishItem> {
        if preference(self.known) == wanted {
            return Vec::new();
        }
        let value = options::privacy_to_xml(wanted);
        vec![self.put("otherOptions", PRIVACY_OPTION, access::SELF_CONTAINER, Expiry::Static, value)]
    }
}

fn is_domain(text: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}
