//! Which endpoints an established dialog binds together, and its end when one of them goes away.

use crate::domain::{Address, Time};
use crate::frontend::limits::DIALOG_ORPHAN;
use crate::frontend::{Ctx, Incoming, Registration, RegistrationId};
use crate::sip::{Method, Name, Request, Uri};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One end of a dialog.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub user: Address,
    pub registration: RegistrationId,
    pub tag: String,
    /// As it stands in From or To, tag included.
    pub name: String,
    /// Highest CSeq seen from this side.
    pub cseq: u32,
    /// It lost its connection and came back, and nothing of it proves yet that it remembers the dialog.
    pub returned: bool,
}

/// A dialog that a 2xx has just made.
#[derive(Debug)]
pub(super) struct Made {
    pub call_id: String,
    pub caller: Side,
    pub callee: Side,
}

/// Caller and callee.
#[derive(Debug)]
struct Dialog([Side; 2]);

/// All dialogs, by Call-ID. (Old multi-party chats use one Call-ID for many dialogs, so there may be several.)
#[derive(Debug, Default)]
pub(super) struct Dialogs {
    calls: HashMap<String, Vec<Dialog>>,
    of_endpoint: HashMap<RegistrationId, BTreeSet<String>>,
    orphans: BTreeMap<(Time, RegistrationId), Orphan>,
}

/// An endpoint whose connection is gone and that may come back.
#[derive(Debug)]
struct Orphan {
    user: Address,
    gruu: String,
    epid: String,
}

impl Dialogs {
    pub fn add(&mut self, made: Made) {
        let Made { call_id, caller, callee } = made;
        for side in [&caller, &callee] {
            self.of_endpoint.entry(side.registration).or_default().insert(call_id.clone());
        }
        let call = self.calls.entry(call_id).or_default();
        call.retain(|d| !(d.0[0].tag == caller.tag && d.0[1].tag == callee.tag));
        call.push(Dialog([caller, callee]));
    }

    /// Dialogs of one endpoint, counted by Call-ID.
    pub fn count(&self, id: RegistrationId) -> usize {
        self.of_endpoint.get(&id).map_or(0, BTreeSet::len)
    }

    /// These endpoints, the one with the fewest dialogs first.
    pub fn least_busy(&self, endpoints: &[RegistrationId]) -> Vec<RegistrationId> {
        let mut order = endpoints.to_vec();
        order.sort_by_key(|id| self.count(*id));
        order
    }

    /// The other endpoint of the dialog a request belongs to: `None` when there is no such dialog, `Some(None)` when the
    /// endpoint is away. The sender's side is brought up to date.
    pub fn peer(&mut self, ctx: &Ctx<'_>, incoming: &Incoming) -> Option<Option<RegistrationId>> {
        let headers = &incoming.request.headers;
        let (from, to) = (headers.from()?, headers.to()?);
        let (own, other) = (from.tag()?, to.tag()?);
        let call = self.calls.get_mut(headers.call_id())?;
        let (dialog, me) = call.iter_mut().find_map(|d| d.place(own, other).map(|at| (d, at)))?;
        if dialog.0[me].user != incoming.caller {
            return None;
        }
        let mine = &mut dialog.0[me];
        mine.returned = false;
        mine.cseq = mine.cseq.max(headers.cseq().map_or(0, |c| c.number));
        let theirs = &dialog.0[1 - me];
        // A URI that names a living endpoint of the right person is more current than what was true at the 2xx.
        let named = ctx.registration_by_uri(&incoming.request.uri).filter(|r| r.user == theirs.user).map(|r| r.id);
        Some(named.or_else(|| ctx.registration(theirs.registration).map(|r| r.id)))
    }

    /// Forgets the dialog that a request of this user belongs to: it is a BYE, or the other side knows no such dialog.
    pub fn remove(&mut self, user: &Address, request: &Request) {
        let headers = &request.headers;
        let (Some(from), Some(to)) = (headers.from(), headers.to()) else { return };
        let (own, other) = (from.tag().unwrap_or(""), to.tag().unwrap_or(""));
        let mine = |d: &Dialog| d.place(own, other).is_some_and(|at| d.0[at].user == *user);
        self.take(headers.call_id(), mine);
    }

    /// Ends the dialog that the caller made with this tag, by a BYE of ours to the other side. `false` when there is none.
    pub fn end_of_caller(&mut self, ctx: &mut Ctx<'_>, caller: RegistrationId, call_id: &str, tag: &str) -> bool {
        let gone = self.take(call_id, |d| d.0[0].registration == caller && d.0[0].tag == tag);
        gone.iter().for_each(|d| d.bye(ctx, call_id, 1));
        !gone.is_empty()
    }

    /// An endpoint is gone. One that signed out (its registration has run out) will not come back; one that only lost its
    /// connection has a minute to do so.
    pub fn lost(&mut self, ctx: &mut Ctx<'_>, gone: &Registration) {
        if !self.of_endpoint.contains_key(&gone.id) {
            return;
        }
        if gone.expires <= ctx.now {
            return self.end_all(ctx, gone.id);
        }
        let orphan = Orphan { user: gone.user.clone(), gruu: gone.gruu.clone(), epid: gone.epid.clone() };
        self.orphans.insert((ctx.now + DIALOG_ORPHAN, gone.id), orphan);
        // It may be back already: the new connection is often seen before the end of the old one.
        let back = ctx.registrations_of(&gone.user).find(|r| r.id != gone.id && same_device(&gone.gruu, &gone.epid, r)).cloned();
        if let Some(back) = back {
            self.rebind(&back);
        }
    }

    /// An endpoint has come back under a new registration: its dialogs are its own again.
    pub fn rebind(&mut self, back: &Registration) {
        let same = |o: &Orphan| o.user == back.user && same_device(&o.gruu, &o.epid, back);
        let olds: Vec<_> = self.orphans.iter().filter(|(_, o)| same(o)).map(|(key, _)| *key).collect();
        for key in olds {
            self.orphans.remove(&key);
            let calls = self.of_endpoint.remove(&key.1).unwrap_or_default();
            for call in &calls {
                let sides = self.calls.get_mut(call).into_iter().flatten().flat_map(|d| d.0.iter_mut());
                for side in sides.filter(|s| s.registration == key.1) {
                    (side.registration, side.returned) = (back.id, true);
                }
            }
            self.of_endpoint.entry(back.id).or_default().extend(calls.iter().cloned());
            // A client that does remember names the endpoint of its peer, and gets there without our help.
            for call in &calls {
                self.take(call, |d| d.0.iter().all(|s| s.returned));
            }
        }
    }

    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        while let Some((&(at, id), _)) = self.orphans.first_key_value() {
            if at > ctx.now {
                break;
            }
            self.orphans.remove(&(at, id));
            self.end_all(ctx, id);
        }
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        self.orphans.first_key_value().map(|(key, _)| key.0)
    }

    fn end_all(&mut self, ctx: &mut Ctx<'_>, id: RegistrationId) {
        for call in self.of_endpoint.remove(&id).unwrap_or_default() {
            for dialog in self.take(&call, |d| d.0.iter().any(|s| s.registration == id)) {
                let survivor = usize::from(dialog.0[0].registration == id);
                dialog.bye(ctx, &call, survivor);
            }
        }
    }

    /// Takes the dialogs of a call that match out of all indexes.
    fn take(&mut self, call_id: &str, wanted: impl Fn(&Dialog) -> bool) -> Vec<Dialog> {
        let Some(call) = self.calls.get_mut(call_id) else { return Vec::new() };
        let (gone, kept): (Vec<Dialog>, Vec<Dialog>) = std::mem::take(call).into_iter().partition(wanted);
        for side in gone.iter().flat_map(|d| &d.0) {
            let still = kept.iter().any(|d| d.0.iter().any(|s| s.registration == side.registration));
            if !still && let Some(calls) = self.of_endpoint.get_mut(&side.registration) {
                calls.remove(call_id);
                if calls.is_empty() {
                    self.of_endpoint.remove(&side.registration);
                }
            }
        }
        if kept.is_empty() {
            self.calls.remove(call_id);
        } else {
            *call = kept;
        }
        gone
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.calls.values().map(Vec::len).sum()
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.of_endpoint.is_empty() && self.orphans.is_empty()
    }
}

impl Dialog {
    /// Which side has these tags as (own, other).
    fn place(&self, own: &str, other: &str) -> Option<usize> {
        let [a, b] = &self.0;
        if a.tag == own && b.tag == other {
            Some(0)
        } else if b.tag == own && a.tag == other {
            Some(1)
        } else {
            None
        }
    }

    /// BYE to one side in the name of the other.
    fn bye(&self, ctx: &mut Ctx<'_>, call_id: &str, to: usize) {
        let (Some(to), Some(from)) = (self.0.get(to), self.0.get(1 - to.min(1))) else { return };
        let Some(uri) = ctx.registration(to.registration).map(|r| r.contact.clone()) else { return };
        let request = Request::new(Method::Bye, uri)
            .with(Name::MaxForwards, "70")
            .with(Name::From, from.name.clone())
            .with(Name::To, to.name.clone())
            .with(Name::CallId, call_id)
            .with(Name::CSeq, format!("{} BYE", from.cseq.saturating_add(1)));
        ctx.send(to.registration, request);
    }
}

/// The same installation: the GRUU when there is one, else the epid.
fn same_device(gruu: &str, epid: &str, r: &Registration) -> bool {
    let named = Uri::parse(gruu).is_some_and(|a| Uri::parse(&r.gruu).is_some_and(|b| a == b));
    named || (!epid.is_empty() && epid.eq_ignore_ascii_case(&r.epid))
}
