//! Authentication: NTLMv2 with message signing as Lync does it (`[MS-SIPAE]`, `[MS-NLMP]`), and Digest (RFC 7616, RFC 8760).
//!
//! Nothing here looks up users or keeps associations apart; callers hold an [`Association`] per registration.

mod challenge;
pub mod digest;
mod handshake;
mod hash;
pub mod ntlm;
mod ntlm_message;
mod signing;
mod window;

pub use challenge::AuthHeader;
pub use digest::{Algorithm, DigestClient, DigestError, DigestServer, Ha1};
pub use handshake::{Accepted, NtlmClient, NtlmServer, NtlmTarget, PendingChallenge};
pub use ntlm::NtHash;
pub use signing::{Association, Role, VerifyError, signature_string};

/// Protection space of every Lync server.
pub const LYNC_REALM: &str = "SIP Communications Service";

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// A header or token that breaks its grammar.
    #[error("the authentication data is malformed")]
    Malformed,
    /// A needed feature is missing on the other side.
    #[error("the other side cannot authenticate in a way known here")]
    Unsupported,
    /// No such account.
    #[error("the user is not known")]
    UnknownUser,
    /// The proof does not fit the password.
    #[error("the password is wrong")]
    WrongPassword,
}
