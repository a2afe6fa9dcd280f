//! Gives children of handles: never wider than their parents, in anything.

use std::{fmt, time::Duration};

use hubkeep_core::{
    clock::Timestamp,
    handle_token::HandleToken,
    id::{HandleId, PurposeCode},
};

use super::{Error, Handle, Handles, Issued, issue::MIN_LIFETIME};
use crate::{
    access::{Budget, Named, Operation, Scope},
    record::Act,
};

/// A handle is narrowed no deeper.
pub(super) const DEEPEST: usize = 3;

/// What a child shall allow. What is not named is as its parent has it.
#[derive(Clone, Debug, Default)]
pub struct Narrowing {
    /// Lists; an empty one means the parent's.
    pub named: Named,
    /// Leaves out every operation that writes.
    pub read_only: bool,
    /// How much it may do, of what the parent may.
    pub budget: Budget,
    /// How long it shall live; never beyond its parent.
    pub lifetime: Option<Duration>,
    /// Why.
    pub purpose: Option<PurposeCode>,
}

/// Where a child would be wider than its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wider(pub(super) &'static str);

impl fmt::Display for Wider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Handles {
    /// Gives a child of the caller's own handle, for the same caller.
    ///
    /// # Errors
    /// If the parent is not valid, the child would be wider, the parent was itself narrowed as often as may be, or the
    /// caller holds too many living handles.
    pub async fn narrow(&self, act: &Act, parent: &HandleToken, wish: Narrowing) -> Result<Issued, Error> {
        let caller = act.context().caller.clone();
        let parent = self.living(act, parent, &caller).await?.handle;
        let handle_id = HandleId::make(&*self.clock, &*self.random)?;
        let own_budget = wish.budget.is_limited();
        let child = child_of(&parent, handle_id, wish, self.time.now().await?)?;
        act.handle(child.handle_id);
        act.purpose(&child.purpose);
        let token = HandleToken::make(&*self.random)?;
        self.store(&token, &child, own_budget).await?;
        Ok(Issued { token, handle: child })
    }
}

/// A child of a handle.
fn child_of(parent: &Handle, handle_id: HandleId, wish: Narrowing, now: Timestamp) -> Result<Handle, Error> {
    if parent.ancestors.len() >= DEEPEST {
        return Err(Error::TooDeep(parent.handle_id));
    }
    if wish.lifetime.is_some_and(|lifetime| lifetime < MIN_LIFETIME) {
        return Err(Error::Lifetime {
            max_secs: parent.expire_time.since(now).as_secs(),
        });
    }
    let scope = narrowed(&parent.scope, wish.named, wish.read_only)?;
    if let Some(part) = scope.beyond(&parent.scope) {
        return Err(Error::Wider(parent.handle_id, Wider(part.name())));
    }
    let budget = wish.budget.or(parent.budget);
    if !budget.is_within(parent.budget) {
        return Err(Error::Wider(parent.handle_id, Wider("budget")));
    }
    let ancestors = parent.lineage().collect();
    let own = wish.budget.is_limited().then_some(handle_id);
    let budgeted = own.into_iter().chain(parent.budgeted.iter().copied()).collect();
    let asked = wish.lifetime.map(|lifetime| now.plus(lifetime));
    Ok(Handle {
        handle_id,
        ancestors,
        scope,
        budget,
        budgeted,
        purpose: wish.purpose.unwrap_or_else(|| parent.purpose.clone()),
        issue_time: now,
        expire_time: asked.map_or(parent.expire_time, |asked| asked.min(parent.expire_time)),
        ..parent.clone()
    })
}

/// What is named, and of what is not, what the parent has.
fn narrowed(parent: &Scope, named: Named, read_only: bool) -> Result<Scope, Error> {
    let from = parent.named();
    let mut operations = filled(named.operations, from.operations);
    if read_only {
        operations.retain(|operation| !Operation::writes(*operation));
    }
    let named = Named {
        operations,
        object_types: filled(named.object_types, from.object_types),
        properties: filled(named.properties, from.properties),
        pipelines: filled(named.pipelines, from.pipelines),
        owner_ids: filled(named.owner_ids, from.owner_ids),
    };
    Scope::new(named).map_err(Error::Scope)
}

fn filled<T: IntoIterator<Item: Sized> + Clone>(named: T, parent: T) -> T {
    if named.clone().into_iter().next().is_some() {
        named
    } else {
        parent
    }
}

#[cfg(test)]
mod tests;
