//! The program `crm-service`: reads the environment once, and hands over.

use std::process::ExitCode;

use hubkeep_core::service;
use hubkeep_crm_service::server::Running;

/// Many small things are taken and given back for each call, often by another thread than took them.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment is read"
)]
async fn main() -> ExitCode {
    service::run::<Running>(std::env::args_os(), std::env::vars().collect()).await
}
