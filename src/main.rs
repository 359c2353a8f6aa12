//! The `adsum` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    adsum::faces::main()
}
