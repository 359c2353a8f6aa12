//! What a person or a script starts: the screen, the demo, the front end and the small commands.

pub mod cli;
pub mod demo;
pub mod keeper;
pub mod link;
pub mod paths;
pub mod prompt;
pub mod server;

use std::process::ExitCode;

/// Runs the program named by the command line.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
