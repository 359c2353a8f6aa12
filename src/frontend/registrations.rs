//! Who is signed in where: look-up by user, by GRUU or epid, by flow.

use crate::domain::{Address, Time};
use crate::sip::{FlowId, Uri};
use std::collections::HashMap;

/// One signed-in endpoint. Not used twice, also not when the same device signs in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(pub u64);

/// One signed-in endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its name here.
    pub id: RegistrationId,
    /// Owner.
    pub user: Address,
    /// `epid`; empty for a standard SIP client that has none.
    pub epid: String,
    /// Instance UUID without `urn:uuid:` and angle brackets, exactly as the client wrote it; may be empty.
    pub instance: String,
    /// GRUU as text without angle brackets.
    pub gruu: String,
    /// The Contact URI it registered: the Request-URI of what is sent to it.
    pub contact: Uri,
    /// Its connection.
    pub flow: FlowId,
    /// The connection is TLS.
    pub secure: bool,
    /// When it ends unless refreshed.
    pub expires: Time,
    /// A Lync client (categories, signing); otherwise a standard SIP client.
    pub lync: bool,
    /// A trusted application's connection; it does not register (no REGISTER, no expiry).
    pub trusted: bool,
    /// Call-ID of its REGISTERs.
    pub call_id: String,
    /// `From` of the REGISTER that signed it in: To of notices about the registration.
    pub dialog_from: String,
    /// Last CSeq of its REGISTERs.
    pub cseq: u32,
    /// Its `User-Agent`.
    pub user_agent: String,
    /// When it signed in.
    pub since: Time,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Registrations {
    by_id: HashMap<RegistrationId, Registration>,
    by_user: HashMap<Address, Vec<RegistrationId>>,
    by_gruu: HashMap<String, RegistrationId>,
    by_flow: HashMap<FlowId, Vec<RegistrationId>>,
    last: u64,
}

impl Registrations {
    /// One by its name.
    pub fn get(&self, id: RegistrationId) -> Option<&Registration> {
        self.by_id.get(&id)
    }

    /// The endpoints of a user in the order they signed in.
    pub fn of_user(&self, user: &Address) -> impl Iterator<Item = &Registration> {
        self.by_user.get(user).into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    /// How many endpoints a user has.
    pub fn count(&self, user: &Address) -> usize {
        self.by_user.get(user).map_or(0, Vec::len)
    }

    /// The endpoints on a connection.
    pub fn on_flow(&self, flow: FlowId) -> impl Iterator<Item = &Registration> {
        self.by_flow.get(&flow).into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    /// The one a URI with `;gruu` names.
    pub fn by_gruu(&self, uri: &Uri) -> Option<&Registration> {
        uri.param("gruu")?;
        self.by_id.get(self.by_gruu.get(&gruu_key(&uri.address()?, uri.param("opaque")?))?)
    }

    /// The endpoint of a user with this epid.
    pub fn by_epid(&self, user: &Address, epid: &str) -> Option<&Registration> {
        self.of_user(user).find(|r| !r.epid.is_empty() && r.epid.eq_ignore_ascii_case(epid))
    }

    /// The endpoint a request URI names exactly: a GRUU, or a registered Contact.
    pub fn by_uri(&self, uri: &Uri) -> Option<&Registration> {
        self.by_gruu(uri).or_else(|| {
            let user = uri.address()?;
            self.of_user(&user).find(|r| r.contact == *uri)
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Nobody is signed in.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.by_id.values()
    }

    /// Adds one under a fresh name (`id` of the argument is replaced).
    pub fn add(&mut self, mut registration: Registration) -> RegistrationId {
        self.last += 1;
        let id = RegistrationId(self.last);
        registration.id = id;
        self.by_user.entry(registration.user.clone()).or_default().push(id);
        self.by_flow.entry(registration.flow).or_default().push(id);
        if let Some(key) = own_gruu_key(&registration) {
            self.by_gruu.insert(key, id);
        }
        self.by_id.insert(id, registration);
        id
    }

    /// Changes what a refresh may change (not user, flow, GRUU).
    pub fn get_mut(&mut self, id: RegistrationId) -> Option<&mut Registration> {
        self.by_id.get_mut(&id)
    }

    /// Takes one out.
    pub fn remove(&mut self, id: RegistrationId) -> Option<Registration> {
        let gone = self.by_id.remove(&id)?;
        if let Some(key) = own_gruu_key(&gone)
            && self.by_gruu.get(&key) == Some(&id)
        {
            self.by_gruu.remove(&key);
        }
        if let Some(list) = self.by_user.get_mut(&gone.user) {
            list.retain(|i| *i != id);
            if list.is_empty() {
                self.by_user.remove(&gone.user);
            }
        }
        if let Some(list) = self.by_flow.get_mut(&gone.flow) {
            list.retain(|i| *i != id);
            if list.is_empty() {
                self.by_flow.remove(&gone.flow);
            }
        }
        Some(gone)
    }
}

fn gruu_key(user: &Address, opaque: &str) -> String {
    format!("{}|{}", user.bare(), opaque.to_lowercase())
}

fn own_gruu_key(r: &Registration) -> Option<String> {
    Some(gruu_key(&r.user, Uri::parse(&r.gruu)?.param("opaque")?))
}
