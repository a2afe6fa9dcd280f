//! The command `hubkeep`.

use std::process::ExitCode;

/// As in the services, which `dev` and `demo` run in this process.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    hubkeep::main(std::env::args_os().collect()).into()
}
