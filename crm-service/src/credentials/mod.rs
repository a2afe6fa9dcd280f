//! The client of credential-service: handles redeemed for grants, kept in memory only as long as the revocation
//! feed says that they still hold.
//!
//! A grant is served from memory only while the feed is no older than 5 seconds; else every call goes over the wire, and
//! if credential-service does not answer, the call is refused. Of a handle that has a budget, what was given to this
//! process to spend is kept until the handle ends.
//!
//! | file | does |
//! |---|---|
//! | `redeem` | turns a handle into a grant, from memory or over the wire |
//! | `turns` | one redemption at a time for each handle |
//! | `refused` | tokens that HubSpot refuses, by which little is sent |
//! | `grant` | what a handle gives, and what is under way by it |
//! | `record` | what is known of a portal, and what the other log holds of it |
//! | `clients` | what people let their clients do: codes and tokens, which are the other service's to judge |
//! | `people` | people's own sessions, connections and clients, as they see and end them |
//! | `contain` | has a caller or a portal contained |
//! | `reserve` | reads that outlast their handle |
//! | `budget` | what this process may still spend of a handle's budget |
//! | `memory` | keeps grants as of a place in the feed |
//! | `feed`, `pulse` | hears what is revoked, and says what is applied |
//! | `ending` | waits until what a revocation must end has ended |
//! | `own_calls` | whether credential-service is about to call HubSpot itself |
//! | `erasure` | orders to erase, and the word that it is done |
//! | `wire` | the connection, and its answers read |

mod budget;
mod clients;
mod config;
mod contain;
mod ending;
mod erasure;
mod error;
mod feed;
mod grant;
mod memory;
mod old_tokens;
mod own_calls;
mod people;
mod pulse;
mod record;
mod redeem;
mod refused;
mod reserve;
mod turns;
mod wire;

pub use budget::{Allowance, Amount, Half, Purse, Taken, Unused};
pub use clients::{ClientError, ClientTokens, Code, Connected, Exchange, Standing, Visitor, link_mark};
pub use config::Config;
pub use contain::Contained;
pub use erasure::{ErasureDone, ErasureOrder};
pub use error::Error;
pub use grant::{Grant, ObjectTypes};
pub use old_tokens::OldToken;
pub use own_calls::OwnCalls;
pub use people::{Allowed, Disconnected, OwnConnection, OwnSession, People, SignedIn, Tokens};
pub use record::{Reader, RecordOf, RecordReading};
pub use redeem::Credentials;
pub use refused::{Pass, RefusedToken, Word};
pub use reserve::Reservation;
