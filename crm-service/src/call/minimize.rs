//! Asks for no more of a record than the permit covers, and lets no more of it through.

use std::sync::Arc;

use super::{Call, Error, Next, Permit, Reply, Step};
use crate::{
    credentials::Grant,
    crm::{Answer, Ask, PropertyName, PropertyNames},
};

/// What HubSpot is asked for when a permit covers none of the wanted properties: an empty list would mean its
/// default ones.
const NOTHING_ELSE: &str = "hs_object_id";

/// Proof that the call asks for what is covered, and nothing else. Only [`Minimize`] makes it.
#[derive(Clone, Debug)]
pub struct Minimal {
    permit: Permit,
}

impl Minimal {
    pub(super) fn grant(&self) -> &Arc<Grant> {
        self.permit.grant()
    }
}

/// The step.
#[derive(Debug)]
pub struct Minimize;

impl Step<Call<Permit>> for Minimize {
    type Out = Call<Minimal>;

    async fn take(&self, mut call: Call<Permit>, next: &Next<Call<Minimal>>) -> Result<Reply, Error> {
        let permit = call.authority.clone();
        let grant = permit.grant().clone();
        let Some(covered) = grant.properties() else {
            return next.run(call.by(Minimal { permit })).await;
        };
        call.ask = call
            .ask
            .wanting(Some(covered), |wanted| narrowed(wanted, covered));
        if let Ask::SearchObjects(search) = &call.ask {
            search.still_fits()?;
        }
        let mut reply = next.run(call.by(Minimal { permit })).await?;
        reply.answer = covered_only(&grant, reply.answer);
        Ok(reply)
    }
}

/// Of an answer what a grant covers.
pub(super) fn covered_only(grant: &Grant, answer: Answer) -> Answer {
    match grant.properties() {
        Some(covered) => answer.keeping(|name| covered.iter().any(|covered| covered.as_str() == name)),
        None => answer,
    }
}

fn narrowed(wanted: &PropertyNames, covered: &PropertyNames) -> PropertyNames {
    let narrowed: PropertyNames = match wanted.is_empty() {
        true => covered.clone(),
        false => wanted.intersection(covered).cloned().collect(),
    };
    match narrowed.is_empty() {
        true => PropertyName::read(NOTHING_ELSE).into_iter().collect(),
        false => narrowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> PropertyNames {
        names
            .iter()
            .map(|name| PropertyName::read(name).expect("valid"))
            .collect()
    }

    #[test]
    fn who_wants_the_default_properties_gets_the_covered_ones() {
        assert_eq!(
            narrowed(&names(&[]), &names(&["email", "phone"])),
            names(&["email", "phone"])
        );
    }

    #[test]
    fn only_covered_properties_are_asked_for() {
        assert_eq!(
            narrowed(&names(&["email", "salary"]), &names(&["email", "phone"])),
            names(&["email"])
        );
    }

    #[test]
    fn nothing_covered_never_becomes_everything() {
        assert_eq!(
            narrowed(&names(&["salary"]), &names(&["email"])),
            names(&[NOTHING_ELSE])
        );
    }
}
