//! Whether what a handle was issued under still is.

use hubkeep_audit_log::Cause;
use hubkeep_core::id::{CallerName, ClientSlug, GrantId, PersonId};

use super::{Access, Error};
use crate::holders::Holder;

/// What a handle was issued under.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Whose it is.
    pub caller: &'a CallerName,
    /// The portal it is for.
    pub client_slug: &'a ClientSlug,
    /// The portal's tags, as of now.
    pub tags: &'a [String],
    /// The grant.
    pub grant_id: &'a GrantId,
    /// Its revision then.
    pub grant_revision: u64,
    /// The generation of the caller's handles then.
    pub caller_generation: u64,
    /// The person that the caller was, with the generation of that person's handles.
    pub person: Option<(&'a PersonId, u64)>,
}

impl Access {
    /// Why a handle that was permitted is not any more; `None` if it still is.
    ///
    /// # Errors
    /// If it cannot be read how things stand: then the handle must not serve.
    pub async fn lapsed(&self, held: &Held<'_>) -> Result<Option<Cause>, Error> {
        let caller = self.standing_of(Holder::Caller(held.caller.clone())).await?;
        let person = match held.person {
            Some((person, generation)) => Some((
                self.standing_of(Holder::Person(person.clone())).await?,
                generation,
            )),
            None => None,
        };
        if caller.contained || person.is_some_and(|(standing, _)| standing.contained) {
            return Ok(Some(Cause::Contained));
        }
        let snapshot = self.now().await?;
        let same_person = snapshot.person_of_caller(held.caller) == held.person.map(|(person, _)| person);
        let same_generations = caller.generation == held.caller_generation
            && person.is_none_or(|(standing, generation)| standing.generation == generation);
        if !same_person || !same_generations {
            return Ok(Some(Cause::CallerGenerationMoved));
        }
        let lives = snapshot.grant(held.grant_id).is_some_and(|granted| {
            (granted.living_from..=granted.revision).contains(&held.grant_revision)
                && granted.grant.portals.selects(held.client_slug, held.tags)
        });
        Ok((!lives).then_some(Cause::GrantChanged))
    }
}
