//! MSRP, sans-IO: frames and their chunks, sessions, and what session descriptions say about them (RFC 4975, 4976, 6135,
//! 5547; `simple.md` 3.5, 3.6). It knows no SIP dialog: whoever has one gives a [`Session`] both paths and carries its frames.

pub mod frame;
pub mod framer;
pub mod limits;
pub mod range;
pub mod sdp;
pub mod session;
pub mod uri;

pub use frame::{Flag, Frame, Kind, Method};
pub use framer::{Fault, Framer};
pub use range::ByteRange;
pub use session::{Event, Session};
pub use uri::MsrpUri;
