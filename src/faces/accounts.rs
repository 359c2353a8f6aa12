//! People of a front end as the administration makes them.

use crate::domain::Address;
use crate::frontend::UserRecord;

/// File of the front end's database in its data directory.
pub const SERVER_DATABASE: &str = "frontend.sqlite";

/// An account; of the password only the hashes stay that NTLM and Digest need.
pub fn record(address: Address, name: &str, title: &str, phone: &str, password: &str) -> UserRecord {
    let name = if name.is_empty() { address.user().to_owned() } else { name.to_owned() };
    let mut record = UserRecord::new(address, &name, password);
    record.email = record.address.bare().to_owned();
    record.title = title.to_owned();
    record.phone = if phone.is_empty() { String::new() } else { format!("tel:{phone}") };
    record
}
