//! Where files live: configuration and data directories of this platform.

use etcetera::BaseStrategy;
use std::path::PathBuf;

/// Directories in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Configuration file.
    pub config: PathBuf,
    /// Client data: history, drafts, caches.
    pub data: PathBuf,
    /// Data of the front end.
    pub server: PathBuf,
}

impl Paths {
    /// The platform's directories, unless the command line names others. A data directory named there serves client and server.
    ///
    /// # Errors
    /// Without a home directory and without both options.
    pub fn new(config: Option<PathBuf>, data: Option<PathBuf>) -> Result<Paths, String> {
        let base = etcetera::choose_base_strategy();
        let missing = |what: &str| format!("this user has no home directory; name the {what}");
        let config = match (config, &base) {
            (Some(c), _) => c,
            (None, Ok(b)) => b.config_dir().join("adsum").join("config.toml"),
            (None, Err(_)) => return Err(missing("configuration file with --config")),
        };
        let (data, server) = match (data, &base) {
            (Some(d), _) => (d.clone(), d),
            (None, Ok(b)) => (b.data_dir().join("adsum"), b.data_dir().join("adsum").join("server")),
            (None, Err(_)) => return Err(missing("data directory with --data")),
        };
        Ok(Paths { config, data, server })
    }
}
