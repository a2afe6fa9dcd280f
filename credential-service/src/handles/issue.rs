//! Issues a handle to whoever asks.

use std::{collections::HashSet, time::Duration};

use hubkeep_core::{
    clock::Timestamp,
    handle_token::HandleToken,
    id::{CallerName, ClientSlug, HandleId, PortalId, PurposeCode},
};

use super::{
    EndUser, Error, Handle, Handles, claims,
    claims::Under,
    list::{BEFORE_ALL, is_rows_own},
    store,
};
use crate::{
    access::{self, Asked, Budget, Permitted, Scope},
    portals::{self, Portal},
    record::Act,
};

/// How long a handle's row is kept after its end, to tell on the log that it expired rather than never was.
pub(super) const KEPT_AFTER_END: Duration = Duration::from_secs(24 * 60 * 60);
/// So many of a caller's handles of one portal are looked at, to tell which have died: more than that are taken to live.
const MOST_LOOKED_AT: usize = 1_000;
/// The shortest life of a handle.
pub(super) const MIN_LIFETIME: Duration = Duration::from_secs(1);

/// What a caller wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The portal.
    pub client_slug: ClientSlug,
    /// What the handle shall allow.
    pub scope: Scope,
    /// How long it shall live; `None` for the default.
    pub lifetime: Option<Duration>,
    /// Why.
    pub purpose: PurposeCode,
    /// How much it may do; what is not named is what the grant allows.
    pub budget: Budget,
    /// The portal's id, where the caller knows it.
    pub expected_portal_id: Option<PortalId>,
    /// The only service that may redeem it; `None` for the deployment's default.
    pub audience: Option<CallerName>,
    /// On whose behalf.
    pub end_user: Option<EndUser>,
}

/// A handle that was issued. Its token is shown this once.
#[derive(Debug)]
pub struct Issued {
    /// The handle itself.
    pub token: HandleToken,
    /// What it is.
    pub handle: Handle,
}

impl Handles {
    /// Issues a handle to the caller of this act.
    ///
    /// # Errors
    /// If no grant covers the wish, which does not say whether there is such a portal; if there is none, none of its credentials covers the scope, the lifetime is out of bounds, or the caller holds too many living handles.
    pub async fn issue(&self, act: &Act, wish: Wish) -> Result<Issued, Error> {
        act.purpose(&wish.purpose);
        act.claims(&wish.client_slug);
        // No certificate is issued to such a name: whoever calls itself so is nobody who has signed in.
        if act.context().caller.name.is_user() {
            return Err(no_grant(&wish.client_slug));
        }
        self.within_bounds(wish.lifetime.unwrap_or(self.config.default_lifetime))?;
        // What is found is told, and proven on the log, only to whom a grant allows it: others must not learn what there is.
        let found = match self.portals.named(&wish.client_slug).await {
            Err(error) if !matches!(error, portals::Error::Altered(_)) => return Err(error.into()),
            found => found,
        };
        let permitted = self.permitted(act, &wish, &found).await?;
        let portal = found?.ok_or_else(|| portals::Error::Unknown(wish.client_slug.clone()))?;
        act.concerns(portal.proven());
        if wish
            .expected_portal_id
            .is_some_and(|expected| expected != portal.portal_id)
        {
            return Err(Error::NotThatPortal {
                requested: wish.client_slug,
                expected: wish.expected_portal_id,
            });
        }
        portal.served()?;
        portal.covers(&claims::need(&wish.scope))?;
        let lifetime = self.lifetime(wish.lifetime, permitted.max_lifetime);
        let token = HandleToken::make(&*self.random)?;
        let handle = self.new_handle(act, portal, (wish, permitted), lifetime).await?;
        act.handle(handle.handle_id);
        self.store(&token, &handle, handle.budget.is_limited()).await?;
        metrics::counter!("hubkeep_handles_issued_total").increment(1);
        Ok(Issued { token, handle })
    }

    async fn permitted(
        &self,
        act: &Act,
        wish: &Wish,
        found: &Result<Option<Portal>, portals::Error>,
    ) -> Result<Permitted, Error> {
        let tags = match found {
            Ok(Some(portal)) => self.portals.tags_of(portal).await?,
            Ok(None) | Err(_) => Vec::new(),
        };
        let asked = Asked {
            caller: &act.context().caller.name,
            client_slug: &wish.client_slug,
            tags: &tags,
            scope: &wish.scope,
            lifetime: wish.lifetime,
            budget: wish.budget,
        };
        Ok(self.access.permit(&asked).await?)
    }

    /// How long a handle lives: as is wished, which the grant has allowed; or else the default, no longer than the grant
    /// allows.
    fn lifetime(&self, wish: Option<Duration>, granted: Option<Duration>) -> Duration {
        let default = self.config.default_lifetime;
        wish.unwrap_or(granted.map_or(default, |granted| default.min(granted)))
    }

    fn within_bounds(&self, lifetime: Duration) -> Result<(), Error> {
        let max = self.config.max_lifetime;
        if (MIN_LIFETIME..=max).contains(&lifetime) {
            return Ok(());
        }
        Err(Error::Lifetime {
            max_secs: max.as_secs(),
        })
    }

    async fn new_handle(
        &self,
        act: &Act,
        portal: Portal,
        (wish, permitted): (Wish, Permitted),
        lifetime: Duration,
    ) -> Result<Handle, Error> {
        let issue_time = self.time.now().await?;
        let handle_id = HandleId::make(&*self.clock, &*self.random)?;
        let budget = permitted.budget;
        Ok(Handle {
            handle_id,
            ancestors: Vec::new(),
            audience: wish.audience.unwrap_or_else(|| self.config.audience.clone()),
            budget,
            budgeted: budget.is_limited().then_some(handle_id).into_iter().collect(),
            under: under(permitted),
            end_user: wish.end_user,
            portal_id: portal.portal_id,
            client_slug: portal.client_slug,
            portal_generation: portal.portal_generation,
            caller: act.context().caller.clone(),
            scope: wish.scope,
            purpose: wish.purpose,
            issue_time,
            expire_time: issue_time.plus(lifetime),
            user: None,
        })
    }

    /// Stores a new handle, with a budget of its own where it has one.
    pub(super) async fn store(
        &self,
        token: &HandleToken,
        handle: &Handle,
        own_budget: bool,
    ) -> Result<(), Error> {
        // Keys are made where there are none, so all of this comes before the transaction.
        let row = self.sealed_row(token, handle).await?;
        let dead = self.dead_of(handle).await?;
        let mut transaction = self.database.begin().await?;
        let (portal, caller, now) = (handle.portal_id, &handle.caller.name, handle.issue_time);
        // Counted and added by one at a time: else those who issue in the same instant would not see each other.
        transaction.lock(&format!("handle/{portal}/{caller}")).await?;
        let held = store::ids_of(&mut transaction, portal, caller, now).await?;
        let living = held.iter().filter(|id| !dead.contains(*id)).count();
        if living >= self.most_living() {
            transaction.rollback().await?;
            return Err(Error::TooMany(self.config.max_live_per_caller));
        }
        store::insert(&mut transaction, &row).await?;
        if own_budget {
            let (handle_id, end) = (handle.handle_id, handle.expire_time);
            store::budgets::insert(&mut transaction, handle_id, handle.budget, end).await?;
        }
        transaction.commit().await?;
        self.sweep(now).await;
        Ok(())
    }

    /// Those of a caller's handles of a portal that died with something else than themselves, where there are so many that
    /// it matters: they take no place.
    async fn dead_of(&self, handle: &Handle) -> Result<HashSet<String>, Error> {
        let mut dead = HashSet::new();
        let wanted = store::Wanted {
            portal_id: Some(handle.portal_id),
            caller: Some(&handle.caller.name),
            now: handle.issue_time,
            before: BEFORE_ALL.to_owned(),
            limit: MOST_LOOKED_AT,
        };
        let rows = store::page(&self.database, &wanted).await?;
        if rows.len() < self.most_living() {
            return Ok(dead);
        }
        for row in rows {
            let handle_id = row.handle_id.clone();
            // What was altered is refused to everybody: it lives for nobody, and takes no place.
            let lives = match self.open(row).await {
                Ok(found) => self.lives(&found.handle).await?,
                Err(error) if is_rows_own(&error) => false,
                Err(error) => return Err(error),
            };
            if !lives {
                dead.insert(handle_id);
            }
        }
        Ok(dead)
    }

    fn most_living(&self) -> usize {
        usize::try_from(self.config.max_live_per_caller).unwrap_or(usize::MAX)
    }

    /// Deletes rows that nobody asks about any more. By itself, and not with the new handle: replicas that sweep at
    /// once may get into each other's way, and then the next sweep will do.
    async fn sweep(&self, now: Timestamp) {
        if self.sweeps.is_due(self.clock.tick())
            && let Err(error) = self.sweep_before(now.minus(KEPT_AFTER_END)).await
        {
            tracing::warn!(%error, "handles that ended long ago could not be deleted");
        }
    }

    async fn sweep_before(&self, time: Timestamp) -> Result<(), Error> {
        store::sweep(&self.database, time).await?;
        store::budgets::sweep(&self.database, time).await?;
        store::reservations::sweep(&self.database, time).await?;
        store::successions::sweep(&self.database, time).await
    }

    pub(super) async fn sealed_row(&self, token: &HandleToken, handle: &Handle) -> Result<store::Row, Error> {
        let handle_id = handle.handle_id.to_string();
        let secret_mac = self.mac(token).await?;
        let place = claims::place(&handle_id, handle.portal_id, handle.client_slug.as_str());
        let sealed = self
            .keyring
            .seal(&place, &claims::encode(handle, &secret_mac)?)
            .await?;
        Ok(store::Row {
            secret_mac: secret_mac.to_vec(),
            portal_id: handle.portal_id.as_i64(),
            client_slug: handle.client_slug.to_string(),
            caller: handle.caller.name.to_string(),
            expire_time: handle.expire_time.as_micros(),
            grant_id: Some(handle.under.grant_id.to_string()),
            claims: sealed,
            revocation_seq: None,
            handle_id,
        })
    }
}

fn no_grant(client_slug: &ClientSlug) -> Error {
    Error::Access(access::Error::Missing {
        client_slug: client_slug.clone(),
        lacking: access::Lacking::Portal,
        grant_id: None,
    })
}

pub(super) fn under(permitted: Permitted) -> Under {
    Under {
        grant_id: permitted.grant_id,
        grant_revision: permitted.grant_revision,
        caller_generation: permitted.caller_generation,
        person: permitted.person.zip(permitted.person_generation),
        writes_need_approval: permitted.writes_need_approval,
    }
}
