//! Provisioning: asked once at sign-in (`lync.md` 4.2).

use super::service::Service;

/// The service.
#[derive(Debug, Default)]
pub struct Provisioning {}

impl Service for Provisioning {}
