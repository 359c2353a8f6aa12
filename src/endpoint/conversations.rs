//! Conversations.

use super::service::Service;
use crate::domain::Rng;

/// The service.
#[derive(Debug)]
pub struct Conversations {}

impl Conversations {
    /// Nothing yet.
    pub fn new(_rng: Rng) -> Conversations {
        Conversations {}
    }
}

impl Service for Conversations {}
