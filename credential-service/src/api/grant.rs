//! A grant of handles, from messages into the words of its room and back.

use std::{collections::BTreeSet, time::Duration};

use hubkeep_proto::credential::v1::{
    self as wire, PortalSelection, ReplayGrantsRequest, ReplayGrantsResponse, ReplayedRefusal, grant::Holder,
};

use super::{Error, faults::Faults, fields, scope};
use crate::{
    access::{Grant, Granted, Grantee, LONGEST, Proposed, Refusal, Replayed, SHORTEST, Selection},
    portals::are_words,
};

/// The most slugs, and the most tags, that one grant names.
const MAX_SLUGS: usize = 1_000;
const MAX_TAGS: usize = 64;
/// Tags that are checked at once: as many as a portal may have.
const WORDS_AT_ONCE: usize = 32;
/// The most grants that are replayed, or left out, at once.
const MAX_REPLAYED: usize = 100;
/// How far back a replay looks at most: handles are not kept for longer.
const MAX_SINCE: Duration = Duration::from_secs(24 * 3_600);

/// A grant that stands at this place in its request, with every fault told at once.
pub(super) fn grant(place: &str, wire: wire::Grant) -> Result<Grant, Error> {
    let mut faults = Faults::of(format!("{place}."));
    let grant_id = faults.take(fields::name("grant_id", &wire.grant_id));
    let grantee = faults.take(grantee(wire.holder));
    let portals = faults.take(selection(wire.portals.unwrap_or_default()));
    let scope = faults.take(scope::read(wire.scope.unwrap_or_default()));
    let max_lifetime = faults.take(wire.max_lifetime.map(lifetime).transpose());
    let budget = faults.take(scope::budget(wire.budget));
    let read = (|| {
        Some(Grant {
            grant_id: grant_id?,
            grantee: grantee?,
            portals: portals?,
            scope: scope?,
            max_lifetime: max_lifetime?,
            budget: budget?,
            writes_need_approval: wire.writes_need_approval,
        })
    })();
    faults.or(read)
}

fn grantee(holder: Option<Holder>) -> Result<Grantee, Error> {
    match holder {
        Some(Holder::Caller(callers)) => Grantee::of_callers(&callers).ok_or_else(|| {
            Error::field(
                "caller",
                "must be a caller's name, \"<prefix>/*\", or \"*\" for all",
            )
        }),
        Some(Holder::PersonId(person)) => fields::name("person_id", &person).map(Grantee::Person),
        None => Err(Error::field(
            "holder",
            "name a caller or a person: who shall have it",
        )),
    }
}

fn selection(wire: PortalSelection) -> Result<Selection, Error> {
    let mut faults = Faults::of("portals.");
    if wire.client_slugs.len() > MAX_SLUGS {
        faults.add("client_slugs", "must be at most 1,000");
    }
    if wire.tags.len() > MAX_TAGS || !wire.tags.chunks(WORDS_AT_ONCE).all(are_words) {
        faults.add(
            "tags",
            "are at most 64, each of 1 to 64 characters without line ends",
        );
    }
    if !wire.all && wire.client_slugs.is_empty() && wire.tags.is_empty() {
        faults.add(
            "",
            "name portals by slug or tag, or all of them: what is not named is not granted",
        );
    }
    let read = |slug: String| fields::name("client_slugs", &slug);
    let client_slugs = faults.take_each(wire.client_slugs, read);
    faults.or(Some(Selection {
        client_slugs,
        tags: wire.tags.into_iter().collect(),
        all: wire.all,
    }))
}

fn lifetime(wire: prost_types::Duration) -> Result<Duration, Error> {
    let lifetime = fields::duration("max_lifetime", wire)?;
    if (SHORTEST..=LONGEST).contains(&lifetime) {
        Ok(lifetime)
    } else {
        Err(Error::field(
            "max_lifetime",
            "must be from 1 s to 900 s, or unset",
        ))
    }
}

pub(super) fn to_wire(granted: &Granted) -> wire::Grant {
    let grant = &granted.grant;
    wire::Grant {
        grant_id: grant.grant_id.to_string(),
        holder: Some(match &grant.grantee {
            Grantee::Person(person) => Holder::PersonId(person.to_string()),
            callers => Holder::Caller(callers.callers().unwrap_or_default()),
        }),
        portals: Some(PortalSelection {
            client_slugs: grant
                .portals
                .client_slugs
                .iter()
                .map(ToString::to_string)
                .collect(),
            tags: grant.portals.tags.iter().cloned().collect(),
            all: grant.portals.all,
        }),
        scope: Some(scope::to_wire(&grant.scope)),
        max_lifetime: grant.max_lifetime.and_then(fields::to_wire),
        budget: scope::budget_to_wire(grant.budget),
        writes_need_approval: grant.writes_need_approval,
        revision: granted.revision,
        update_time: Some(granted.update_time.into()),
        updated_by: granted.updated_by.to_string(),
    }
}

/// What is replayed, and how far back.
pub(super) fn proposed(request: ReplayGrantsRequest) -> Result<(Proposed, Duration), Error> {
    let mut faults = Faults::of("");
    if request.grants.len() > MAX_REPLAYED {
        faults.add("grants", "must be at most 100");
    }
    let numbered = request.grants.into_iter().enumerate();
    let grants: Vec<Grant> = faults.take_each(numbered, |(number, wire)| {
        grant(&format!("grants[{number}]"), wire)
    });
    let ids: BTreeSet<_> = grants.iter().map(|grant| &grant.grant_id).collect();
    if ids.len() < grants.len() {
        faults.add("grants", "two have the same id");
    }
    let gone = |id: String| fields::name("without_grant_ids", &id);
    let without = faults.take_each(request.without_grant_ids, gone);
    let since = faults.take(request.since.map_or(Ok(MAX_SINCE), since));
    let read = since.map(|since| (Proposed { grants, without }, since));
    faults.or(read)
}

fn since(wire: prost_types::Duration) -> Result<Duration, Error> {
    let since = fields::duration("since", wire)?;
    if since <= MAX_SINCE {
        Ok(since)
    } else {
        Err(Error::field(
            "since",
            "must be at most 24 h: handles are not kept for longer",
        ))
    }
}

pub(super) fn replayed_to_wire(replayed: Replayed) -> ReplayGrantsResponse {
    let refusal = |refusal: Refusal| ReplayedRefusal {
        caller: refusal.caller.to_string(),
        client_slug: refusal.client_slug.to_string(),
        count: refusal.count,
        grant_id: refusal.grant_id.map(|id| id.to_string()).unwrap_or_default(),
        lacking: refusal.lacking.name().to_owned(),
        last_issue_time: Some(refusal.last_issue_time.into()),
    };
    ReplayGrantsResponse {
        issued: replayed.issued,
        refusals: replayed.refusals.into_iter().map(refusal).collect(),
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::credential::v1::{HandleBudget, HandleScope};

    use super::*;

    fn faulty(request: wire::Grant) -> Vec<String> {
        match grant("grant", request) {
            Err(Error::Fields(found)) => found.into_iter().map(|fault| fault.field).collect(),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn every_fault_of_a_grant_is_told_at_once_with_its_place_in_the_request() {
        let bad = wire::Grant {
            grant_id: "A b".to_owned(),
            holder: Some(Holder::Caller("a*".to_owned())),
            portals: Some(PortalSelection {
                client_slugs: vec!["-".to_owned()],
                tags: vec![String::new()],
                all: false,
            }),
            scope: Some(HandleScope::default()),
            max_lifetime: Some(prost_types::Duration {
                seconds: 901,
                nanos: 0,
            }),
            budget: Some(HandleBudget {
                max_calls: u64::MAX,
                max_records: 0,
            }),
            ..wire::Grant::default()
        };
        assert_eq!(
            faulty(bad),
            [
                "grant.grant_id",
                "grant.caller",
                "grant.portals.tags",
                "grant.portals.client_slugs",
                "grant.scope.operations",
                "grant.max_lifetime",
                "grant.budget.max_calls",
            ]
        );
        let nothing = faulty(wire::Grant::default());
        for field in [
            "grant.grant_id",
            "grant.holder",
            "grant.portals",
            "grant.scope.operations",
        ] {
            assert!(nothing.iter().any(|told| told == field), "{field} of {nothing:?}");
        }
    }

    #[test]
    fn a_replay_is_bounded_in_what_it_names_and_how_far_it_looks() {
        let request = ReplayGrantsRequest {
            grants: vec![wire::Grant::default(); 101],
            without_grant_ids: vec!["A".to_owned()],
            since: Some(prost_types::Duration {
                seconds: 86_401,
                nanos: 0,
            }),
        };
        let Err(Error::Fields(found)) = proposed(request) else {
            panic!("not refused");
        };
        let fields: BTreeSet<&str> = found.iter().map(|fault| fault.field.as_str()).collect();
        for field in ["grants", "grants[100].grant_id", "without_grant_ids", "since"] {
            assert!(fields.contains(field), "{field}");
        }
        let (_, since) = proposed(ReplayGrantsRequest::default()).expect("valid");
        assert_eq!(since, MAX_SINCE);
    }
}
