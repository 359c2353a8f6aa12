//! The terminal: taking it over, giving it back, and writing to it with as few bytes as possible.
//!
//! Nothing here asks the terminal a question: an answer that does not come would hold up the first frame.

pub mod hyperlinks;
pub mod input;
mod motion;
mod pen;
mod scroll;
pub mod sequence;
mod session;
mod writer;

pub use session::{Options, enter, install_panic_hook, is_entered, leave, output, screen_size};
pub use writer::Writer;

#[cfg(test)]
mod tests;
