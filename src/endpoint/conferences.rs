//! Conferences.

use super::service::Service;
use crate::domain::Rng;

/// The service.
#[derive(Debug)]
pub struct Conferences {}

impl Conferences {
    /// Nothing yet.
    pub fn new(_rng: Rng) -> Conferences {
        Conferences {}
    }
}

impl Service for Conferences {}
