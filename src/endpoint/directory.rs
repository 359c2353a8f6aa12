//! Directory search (`lync.md` 9.1).

use super::service::Service;

/// The service.
#[derive(Debug, Default)]
pub struct Directory {}

impl Service for Directory {}
