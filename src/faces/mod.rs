//! faces.
use std::process::ExitCode;
/// Runs the program named by the command line.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
