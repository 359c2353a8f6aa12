//! Sockets, TLS and the clock: the only room that touches the network. Everything above speaks in octets.

pub mod certificates;
pub mod clock;
pub mod dial;
pub mod dns;
pub mod http;
pub mod judge;
pub mod stream;
pub mod tcp;
pub mod tls;
pub mod udp;

pub use clock::{Clock, entropy};
pub use dial::{ConnectError, Over, Refused, dial};
pub use stream::{Ends, Incoming, Outgoing, Stream};
