//! Where a call can be found suspended, so that `tests/kills` can end the process at each such point. Only a build with the
//! feature `dying` counts them, and no build of the product has it: without it a future goes in as it comes out.

#[cfg(feature = "dying")]
mod points;

/// The future of a task that makes writes, or keeps account of them.
#[cfg(not(feature = "dying"))]
pub const fn watched<F: Future>(future: F) -> F {
    future
}

#[cfg(feature = "dying")]
pub use points::{first, watched};
