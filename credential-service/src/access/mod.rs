//! Who may have which handles, and how wide.

mod budget;
mod scope;

pub use budget::{Budget, MOST};
pub use scope::{Named, Operation, Part, Scope};
