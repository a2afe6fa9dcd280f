//! Which wishes of the past other grants would not have covered. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_core::{
    clock::Timestamp,
    id::{CallerName, ClientSlug, GrantId, PersonId},
};

use super::{Access, Asked, Error, Grant, Granted, Grantee, Known, Lacking, permit::covering, put::known};

/// The most callers and portals of which it is told.
const MOST_TOLD: usize = 1_000;

/// Grants as they would be.
#[derive(Clone, Debug, Default)]
pub struct Proposed {
    /// Each beside the others, or in the place of the one with its id.
    pub grants: Vec<Grant>,
    /// Those that would be gone.
    pub without: BTreeSet<GrantId>,
}

/// A handle that was issued.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// What it was issued for.
    pub asked: Asked<'a>,
    /// The grant under which it was, where that is known.
    pub grant_id: Option<&'a GrantId>,
    /// When.
    pub issue_time: Timestamp,
}

/// Handles of one caller and portal that would not have been issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The caller.
    pub caller: CallerName,
    /// The portal.
    pub client_slug: ClientSlug,
    /// How many.
    pub count: u64,
    /// The grant under which the newest of them was issued.
    pub grant_id: Option<GrantId>,
    /// What no grant would have covered of the newest.
    pub lacking: Lacking,
    /// When the newest was issued.
    pub last_issue_time: Timestamp,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// The handles that were looked at.
    pub issued: u64,
    /// Those that would not have been issued, by caller and portal, at most 1,000 of these.
    pub refusals: Vec<Refusal>,
}

/// A replay under way: wishes are added one by one.
#[derive(Debug)]
pub struct Replay {
    grants: BTreeMap<GrantId, Grant>,
    people: BTreeMap<CallerName, PersonId>,
    issued: u64,
    refusals: BTreeMap<(CallerName, ClientSlug), Refusal>,
}

impl Access {
    /// A replay against grants as they would be, and people as they are.
    ///
    /// # Errors
    /// If a grant would be gone that is not there, or be for a person that there is not.
    pub async fn replay(&self, proposed: Proposed) -> Result<Replay, Error> {
        let snapshot = self.now().await?;
        let mut grants: BTreeMap<GrantId, Grant> = snapshot
            .grants()
            .map(|Granted { grant, .. }| (grant.grant_id.clone(), grant.clone()))
            .collect();
        for gone in &proposed.without {
            if grants.remove(gone).is_none() {
                return Err(Error::GrantUnknown(gone.clone()));
            }
        }
        for grant in proposed.grants {
            if let Grantee::Person(person) = &grant.grantee {
                known(&snapshot, person)?;
            }
            grants.insert(grant.grant_id.clone(), grant);
        }
        let names = |Known { person, .. }: &Known| {
            let person_id = person.person_id.clone();
            let names = person.certificate_names.clone().into_iter();
            names.map(move |name| (name, person_id.clone()))
        };
        Ok(Replay {
            grants,
            people: snapshot.people().flat_map(names).collect(),
            issued: 0,
            refusals: BTreeMap::new(),
        })
    }
}

impl Replay {
    /// Looks at one handle that was issued. The order in which they come does not matter.
    pub fn add(&mut self, past: &Past<'_>) {
        self.issued += 1;
        let asked = &past.asked;
        let Err(nearest) = covering(self.grants.values(), asked, self.people.get(asked.caller)) else {
            return;
        };
        let key = (asked.caller.clone(), asked.client_slug.clone());
        let refusal = self.refusals.entry(key).or_insert_with(|| Refusal {
            caller: asked.caller.clone(),
            client_slug: asked.client_slug.clone(),
            count: 0,
            grant_id: None,
            lacking: nearest.lacking,
            last_issue_time: past.issue_time,
        });
        refusal.count += 1;
        if refusal.count == 1 || past.issue_time >= refusal.last_issue_time {
            refusal.last_issue_time = past.issue_time;
            refusal.grant_id = past.grant_id.cloned();
            refusal.lacking = nearest.lacking;
        }
    }

    /// What was found.
    pub fn end(self) -> Replayed {
        Replayed {
            issued: self.issued,
            refusals: self.refusals.into_values().take(MOST_TOLD).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Budget, Operation,
            grant::tests::{grant, scope},
        },
        *,
    };

    #[test]
    fn what_no_grant_would_have_covered_is_counted_by_caller_and_portal_and_the_newest_is_told() {
        let reads = Grant {
            scope: scope(&[Operation::Get], &[]),
            ..grant("reads", "sync", &["acme"])
        };
        let mut replay = Replay {
            grants: BTreeMap::from([(reads.grant_id.clone(), reads)]),
            people: BTreeMap::new(),
            issued: 0,
            refusals: BTreeMap::new(),
        };
        let caller: CallerName = "sync".parse().expect("valid");
        let (acme, globex): (ClientSlug, ClientSlug) =
            ("acme".parse().expect("valid"), "globex".parse().expect("valid"));
        let old: GrantId = "old".parse().expect("valid");
        let (get, update) = (scope(&[Operation::Get], &[]), scope(&[Operation::Update], &[]));
        for (client_slug, scope, micros) in [
            (&acme, &get, 1),
            (&acme, &update, 3),
            (&acme, &update, 2),
            (&globex, &get, 4),
        ] {
            replay.add(&Past {
                asked: Asked {
                    caller: &caller,
                    client_slug,
                    tags: &[],
                    scope,
                    lifetime: None,
                    budget: Budget::default(),
                },
                grant_id: (micros == 3).then_some(&old),
                issue_time: Timestamp::from_micros(micros),
            });
        }
        let found = replay.end();
        assert_eq!(found.issued, 4);
        let told: Vec<_> = found
            .refusals
            .iter()
            .map(|refusal| {
                (
                    refusal.client_slug.as_str(),
                    refusal.count,
                    refusal.lacking.name(),
                )
            })
            .collect();
        assert_eq!(told, [("acme", 2, "operations"), ("globex", 1, "portal")]);
        assert_eq!(found.refusals[0].last_issue_time, Timestamp::from_micros(3));
        assert_eq!(
            found.refusals[0].grant_id,
            Some(old),
            "the newest, whenever it came"
        );
    }
}
