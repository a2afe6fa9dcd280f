//! The binary of crm-service.

use std::process::ExitCode;

#[expect(
    clippy::disallowed_methods,
    reason = "the environment is read once, here, and passed on"
)]
fn main() -> ExitCode {
    hubkeep_crm_service::cli::run(std::env::args_os(), std::env::vars().collect())
}
