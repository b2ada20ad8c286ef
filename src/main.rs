//! Runs the command line, prints the error chain, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
