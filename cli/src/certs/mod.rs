//! A first CA, and certificates from it: what `hubkeep certs` makes, and tests too.
//!
//! | module | holds |
//! |---|---|
//! | [`Authority`] | a CA that signs |
//! | [`CertsDir`] | the files, none of which is ever overwritten |

mod authority;
mod files;

pub use authority::Error as AuthorityError;
pub use authority::{Authority, Issued, Validity, Wish};
pub use files::{CertsDir, Pair};
