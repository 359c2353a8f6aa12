//! Subscriptions.

use super::service::Service;
use crate::domain::Rng;

/// The service.
#[derive(Debug)]
pub struct Subscriptions {}

impl Subscriptions {
    /// Nothing yet.
    pub fn new(_rng: Rng) -> Subscriptions {
        Subscriptions {}
    }
}

impl Service for Subscriptions {}
