//! Publications.

use super::service::Service;
use crate::domain::Rng;

/// The service.
#[derive(Debug)]
pub struct Publications {}

impl Publications {
    /// Nothing yet.
    pub fn new(_rng: Rng) -> Publications {
        Publications {}
    }
}

impl Service for Publications {}
