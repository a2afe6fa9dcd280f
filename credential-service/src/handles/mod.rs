//! Handles: what callers hold in place of tokens.
//!
//! A handle is a random secret. Its row has a keyed hash of the secret, by which it is found, and sealed claims, which
//! say what it is. Who can write the table can neither make a handle nor widen one.
//!
//! | file | does |
//! |---|---|
//! | `issue` | makes one |
//! | `judge` | says whether a presented one lives, and whose it is |
//! | `redeem`, `budgets` | gives the token behind it, and a part of what it may still do |
//! | `narrow` | gives a child of it, never wider |
//! | `reserve` | keeps one call of it for later |
//! | `succession` | lets it go on with the certificate that replaces its caller's |
//! | `revoke`, `list` | end it, and show those that live |
//! | `replay` | holds those that were issued against other grants |
//! | `users` | those of people who have signed in |
//! | `read_authority` | lets it open what is kept of its portal |
//! | `claims`, `end_user` | what it is, and how that is sealed |
//! | `seen_time` | the time by which it expires |
//! | `sweeps` | when rows of long ago are deleted |
//! | `store` | the table |

mod budgets;
mod claims;
mod config;
mod end_user;
mod error;
mod issue;
mod judge;
mod list;
mod narrow;
mod read_authority;
mod redeem;
mod replay;
mod reserve;
mod revoke;
mod seen_time;
mod store;
mod succession;
mod sweeps;
mod users;

use hubkeep_core::{clock::SharedClock, database::Database, handle_token::HandleToken, random::SharedRandom};
use hubkeep_seal::{Keyring, Owner, Purpose};

pub use budgets::{Slice, Spent, Unspent};
pub use claims::{Handle, Under};
pub use config::Config;
pub use end_user::EndUser;
pub use error::Error;
pub use issue::{Issued, Wish};
pub use judge::Living;
pub use list::{Listing, Page};
pub use narrow::{Narrowing, Wider};
pub use read_authority::Reading;
pub use redeem::{Opened, Presented, Presenter, Redeemed};
pub use reserve::{ActionHash, Due, Reserved, Reserving};
pub use revoke::{Reach, Target};
pub use users::{Introspected, New, OfUser, Resource, UserHandle, UserWish};

use crate::{
    access::{Access, Budget},
    connections::Connections,
    portals::Portals,
    record::Act,
    revocations::Revocations,
};
use seen_time::SeenTime;
use sweeps::Sweeps;

/// What handles are made with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Where their table is.
    pub database: Database,
    /// Seals their claims and keeps their pepper.
    pub keyring: Keyring,
    /// Who may have which.
    pub access: Access,
    /// The portals they are for.
    pub portals: Portals,
    /// What is behind those of people who have signed in.
    pub connections: Connections,
    /// Where their end is announced.
    pub revocations: Revocations,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// The handles of all callers.
#[derive(Clone, Debug)]
pub struct Handles {
    config: Config,
    database: Database,
    keyring: Keyring,
    access: Access,
    portals: Portals,
    connections: Connections,
    revocations: Revocations,
    time: SeenTime,
    sweeps: Sweeps,
    clock: SharedClock,
    random: SharedRandom,
}

impl Handles {
    /// The handles in this database.
    ///
    /// # Errors
    /// If the latest time seen, or the key under which handles are looked up, cannot be read.
    pub async fn build(config: Config, deps: Deps) -> Result<Self, Error> {
        let Deps {
            database,
            keyring,
            access,
            portals,
            connections,
            revocations,
            clock,
            random,
        } = deps;
        // A key-encryption key that opens nothing here is told at the start, not to the first caller.
        keyring.mac(Owner::Service, Purpose::HandlePepper, &[]).await?;
        let time = SeenTime::load(database.clone(), clock.clone()).await?;
        Ok(Self {
            config,
            database,
            keyring,
            access,
            portals,
            connections,
            revocations,
            time,
            sweeps: Sweeps::default(),
            clock,
            random,
        })
    }

    /// Says what a handle of the caller's own allows, how long it lives, and what is left of its budget.
    ///
    /// # Errors
    /// If it is unknown, expired, revoked, or another caller's.
    pub async fn introspect(&self, act: &Act, token: &HandleToken) -> Result<(Living, Budget), Error> {
        let caller = act.context().caller.clone();
        let living = self.living(act, token, &caller).await?;
        let left = self.left(&living.handle).await?;
        Ok((living, left))
    }
}
