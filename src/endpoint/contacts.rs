//! Contacts.

use super::service::Service;
use crate::domain::Rng;

/// The service.
#[derive(Debug)]
pub struct Contacts {}

impl Contacts {
    /// Nothing yet.
    pub fn new(_rng: Rng) -> Contacts {
        Contacts {}
    }
}

impl Service for Contacts {}
