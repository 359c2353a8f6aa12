//! Why a command failed, for people and for scripts.

/// It failed, and nothing came of it.
const FAILED: u8 = 1;

/// It was done as far as this program can tell, and nobody has confirmed it: doing it again may do it twice.
const UNCERTAIN: u8 = 3;

/// A sentence for standard error and an exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed, why, and what to do.
    pub text: String,
    /// 1: it failed; 3: it may have worked all the same.
    pub code: u8,
}

impl Failure {
    /// What may have worked all the same.
    pub fn uncertain(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), code: UNCERTAIN }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure { text, code: FAILED }
    }
}
