//! The command `hubkeep`.

use std::process::ExitCode;

fn main() -> ExitCode {
    hubkeep::main(std::env::args_os().collect()).into()
}
