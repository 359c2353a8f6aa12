//! Sockets, TLS and the clock: the only room that touches the network. Everything above speaks in octets.

pub mod certificates;
pub mod clock;
pub mod http;
pub mod stream;
pub mod tcp;
pub mod tls;

pub use clock::{Clock, entropy};
pub use stream::{Ends, Incoming, Outgoing, Stream};
