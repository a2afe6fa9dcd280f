//! `hubkeep.credential.v1.KeyService`, which both services serve, each for its own keys.
//!
//! | file | does |
//! |---|---|
//! | `api` | the two methods, and their entries on the log |
//! | `rotation` | a rotation that goes on when its caller is gone, and what is told of it |
//! | `wire` | what the keyring says, as messages |
//! | `wipe` | takes keys out of memory whose time is over |
//! | `error` | what a method is refused with |

mod api;
mod error;
mod rotation;
mod wipe;
mod wire;

pub use api::KeyApi;
pub use error::Error;
pub use wipe::wipe_until;
