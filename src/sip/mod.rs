//! SIP, sans-IO: messages, framing, transactions, dialogs and authentication (RFC 3261 and the Lync dialect's wire rules).

pub mod auth;
mod check;
pub mod dialog;
pub mod framing;
pub mod header;
pub mod limits;
pub mod message;
pub mod multipart;
pub mod parse;
pub mod session_timer;
mod syntax;
pub mod transaction;
pub mod transport;
pub mod uri;

pub use dialog::{Dialog, DialogId, Misfit};
pub use framing::{Frame, FrameError, Framer};
pub use header::{CSeq, Headers, Name, NameAddr, Params, Via};
pub use message::{Message, Method, Request, Response};
pub use parse::{Fault, ParseError};
pub use session_timer::SessionTimer;
pub use transaction::{ClientTx, FlowId, Layer, ServerTx, Transmit};
pub use transport::{Server, Transport};
pub use uri::Uri;
