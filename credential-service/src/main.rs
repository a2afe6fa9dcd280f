//! The program `credential-service`: reads the environment once, and hands over.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the environment is read"
    )]
    let environment = std::env::vars().collect();
    hubkeep_credential_service::cli::run(std::env::args_os(), environment).await
}
