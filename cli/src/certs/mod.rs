//! A first CA, and certificates from it: what `hubkeep certs` makes, and tests too.
//!
//! | module | holds |
//! |---|---|
//! | [`Authority`] | a CA that signs |
//! | [`CertsDir`] | the files, of which none is replaced unasked but the list of what is revoked |

mod authority;
mod files;

pub use authority::Error as AuthorityError;
pub use authority::{Authority, Issued, Validity, Wish};
pub use files::{CertsDir, Pair};
