//! Which grant covers a wish for a handle, and what the nearest lacks if none does.

use std::{sync::Arc, time::Duration};

use hubkeep_core::id::{CallerName, ClientSlug, GrantId, PersonId};

use super::{Access, Budget, Error, Grant, LONGEST, Part, Scope, snapshot::Snapshot};
use crate::holders::{Holder, Standing};

/// What is asked of the grants when a handle is wished for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who wishes for it.
    pub caller: &'a CallerName,
    /// The portal.
    pub client_slug: &'a ClientSlug,
    /// The portal's tags, as of now.
    pub tags: &'a [String],
    /// What the handle shall allow.
    pub scope: &'a Scope,
    /// How long it shall live; `None` for what the grant allows.
    pub lifetime: Option<Duration>,
    /// How much it may do; what is not named is what the grant allows.
    pub budget: Budget,
}

/// What a handle is issued under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// The grant that covers the wish.
    pub grant_id: GrantId,
    /// Its revision.
    pub grant_revision: u64,
    /// The longest that the handle may live; `None` for what the deployment allows.
    pub max_lifetime: Option<Duration>,
    /// How much it may do.
    pub budget: Budget,
    /// Whether its writes are proposed, and made when a human has approved them.
    pub writes_need_approval: bool,
    /// The person that the caller is.
    pub person: Option<PersonId>,
    /// The generation of the caller's handles.
    pub caller_generation: u64,
    /// The generation of the person's handles.
    pub person_generation: Option<u64>,
}

/// What a grant does not cover of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// The portal.
    Portal,
    /// A part of the scope.
    Part(Part),
    /// The lifetime.
    Lifetime,
    /// The budget.
    Budget,
}

impl Lacking {
    /// Its name, as that of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Part(part) => part.name(),
            Self::Lifetime => "lifetime",
            Self::Budget => "budget",
        }
    }
}

/// What is told where no grant covers a wish: the grant that comes nearest, if any selects the portal, and the first thing
/// that it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nearest {
    pub(super) lacking: Lacking,
    pub(super) grant_id: Option<GrantId>,
}

/// A caller that is not contained: the generation of its handles, and its person with the generation of that one's.
#[derive(Debug)]
pub(super) struct Grantable {
    generation: u64,
    pub(super) person: Option<(PersonId, u64)>,
}

impl Grantable {
    /// What a handle is issued under by this grant.
    pub(super) fn under(self, snapshot: &Snapshot, grant: &Grant, budget: Budget) -> Permitted {
        let granted = snapshot.grant(&grant.grant_id);
        let (person, person_generation) = self.person.unzip();
        Permitted {
            grant_id: grant.grant_id.clone(),
            grant_revision: granted.map_or(0, |granted| granted.revision),
            max_lifetime: grant.max_lifetime,
            budget,
            writes_need_approval: grant.writes_need_approval,
            person,
            caller_generation: self.generation,
            person_generation,
        }
    }
}

impl Access {
    /// The grant that covers a wish whole. Of several, one whose writes need no approval comes first, and then the first
    /// by id.
    ///
    /// # Errors
    /// [`Error::Missing`] if none does, which never says whether there is such a portal to whom no grant selects it;
    /// [`Error::Contained`] if the caller, or its person, may have no handle.
    pub async fn permit(&self, asked: &Asked<'_>) -> Result<Permitted, Error> {
        let (snapshot, holder) = self.grantable(asked.caller).await?;
        let person = holder.person.as_ref().map(|(person, _)| person);
        let grants = snapshot.grants().map(|granted| &granted.grant);
        let grant = covering(grants, asked, person).map_err(|nearest| Error::Missing {
            client_slug: asked.client_slug.clone(),
            lacking: nearest.lacking,
            grant_id: nearest.grant_id,
        })?;
        Ok(holder.under(&snapshot, grant, asked.budget.or(grant.budget)))
    }

    /// How a caller stands whom a grant may let have a handle, with everything as it is now.
    ///
    /// # Errors
    /// [`Error::Contained`] if the caller, or its person, may have no handle.
    pub(super) async fn grantable(&self, name: &CallerName) -> Result<(Arc<Snapshot>, Grantable), Error> {
        // Read before the people are: when a name comes to or leaves a person, both change at once, and a handle that is
        // issued by what was true before must not have the generation that lives after it.
        let caller = self.standing_of(Holder::Caller(name.clone())).await?;
        let snapshot = self.now().await?;
        let person = match snapshot.person_of_caller(name) {
            Some(person) => {
                let standing = self.standing_of(Holder::Person(person.clone())).await?;
                Some((person.clone(), standing))
            }
            None => None,
        };
        if caller.contained || person.as_ref().is_some_and(|(_, standing)| standing.contained) {
            return Err(Error::Contained(name.clone()));
        }
        let holder = Grantable {
            generation: caller.generation,
            person: person.map(|(person, standing)| (person, standing.generation)),
        };
        Ok((snapshot, holder))
    }

    pub(super) async fn standing_of(&self, holder: Holder) -> Result<Standing, Error> {
        Ok(self.holders.standing(&holder).await?)
    }
}

/// The grant that covers a wish whole and asks least of the caller, or what comes nearest. They come by id.
pub(super) fn covering<'g>(
    grants: impl Iterator<Item = &'g Grant>,
    asked: &Asked<'_>,
    person: Option<&PersonId>,
) -> Result<&'g Grant, Nearest> {
    let mut best: Option<&Grant> = None;
    let mut nearest: Option<(usize, Nearest)> = None;
    for grant in grants {
        if !grant.grantee.is(asked.caller, person) || !grant.portals.selects(asked.client_slug, asked.tags) {
            continue;
        }
        let lacks = lacks(grant, asked);
        match lacks.first() {
            None => {
                let asks_less = |best: &Grant| best.writes_need_approval && !grant.writes_need_approval;
                if best.is_none_or(asks_less) {
                    best = Some(grant);
                }
            }
            Some(first) if nearest.as_ref().is_none_or(|(least, _)| lacks.len() < *least) => {
                let found = Nearest {
                    lacking: *first,
                    grant_id: Some(grant.grant_id.clone()),
                };
                nearest = Some((lacks.len(), found));
            }
            Some(_) => {}
        }
    }
    best.ok_or_else(|| {
        nearest.map_or(
            Nearest {
                lacking: Lacking::Portal,
                grant_id: None,
            },
            |(_, nearest)| nearest,
        )
    })
}

/// What a grant that selects the portal does not cover of a wish.
fn lacks(grant: &Grant, asked: &Asked<'_>) -> Vec<Lacking> {
    let mut lacks: Vec<Lacking> = asked.scope.all_beyond(&grant.scope).map(Lacking::Part).collect();
    let longest = grant.max_lifetime.unwrap_or(LONGEST);
    if asked.lifetime.is_some_and(|lifetime| lifetime > longest) {
        lacks.push(Lacking::Lifetime);
    }
    if !asked.budget.or(grant.budget).is_within(grant.budget) {
        lacks.push(Lacking::Budget);
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Operation, Selection,
            grant::tests::{grant, scope},
        },
        *,
    };

    /// What becomes of a wish of `sync` to update contacts of acme for 300 s.
    fn asked_of(grants: &[Grant]) -> Result<String, (&'static str, Option<String>)> {
        let (caller, slug) = ("sync".parse().expect("valid"), "acme".parse().expect("valid"));
        let asked = Asked {
            caller: &caller,
            client_slug: &slug,
            tags: &["eu".to_owned()],
            scope: &scope(&[Operation::Update], &[]),
            lifetime: Some(Duration::from_secs(300)),
            budget: Budget {
                max_calls: Some(10),
                max_records: None,
            },
        };
        covering(grants.iter(), &asked, None)
            .map(|found| found.grant_id.to_string())
            .map_err(|nearest| {
                let grant_id = nearest.grant_id.map(|id| id.to_string());
                (nearest.lacking.name(), grant_id)
            })
    }

    #[test]
    fn nothing_is_permitted_unless_one_grant_covers_all_of_it() {
        assert_eq!(asked_of(&[]), Err(("portal", None)));
        assert_eq!(asked_of(&[grant("a", "other", &["acme"])]), Err(("portal", None)));
        assert_eq!(
            asked_of(&[grant("a", "sync", &["globex"])]),
            Err(("portal", None))
        );
        assert_eq!(asked_of(&[grant("a", "sync", &["acme"])]), Ok("a".to_owned()));
        let by_tag = Grant {
            portals: Selection {
                tags: std::iter::once("eu".to_owned()).collect(),
                ..Selection::default()
            },
            ..grant("a", "*", &[])
        };
        assert_eq!(asked_of(&[by_tag]), Ok("a".to_owned()));
        // Together they would cover it.
        let short = Grant {
            max_lifetime: Some(Duration::from_secs(60)),
            ..grant("a", "sync", &["acme"])
        };
        let reads = Grant {
            scope: scope(&[Operation::Get], &[]),
            ..grant("b", "sync", &["acme"])
        };
        assert_eq!(
            asked_of(&[short, reads]),
            Err(("lifetime", Some("a".to_owned()))),
            "both lack one thing, and the first by id is told"
        );
    }

    #[test]
    fn the_grant_that_lacks_least_is_told_with_what_it_lacks() {
        let reads_briefly = Grant {
            scope: scope(&[Operation::Get], &["email"]),
            max_lifetime: Some(Duration::from_secs(60)),
            ..grant("a", "sync", &["acme"])
        };
        let little = Grant {
            budget: Budget {
                max_calls: Some(9),
                max_records: None,
            },
            ..grant("b", "sync", &["acme"])
        };
        assert_eq!(
            asked_of(std::slice::from_ref(&reads_briefly)),
            Err(("operations", Some("a".to_owned())))
        );
        assert_eq!(
            asked_of(&[reads_briefly, little]),
            Err(("budget", Some("b".to_owned())))
        );
    }

    #[test]
    fn of_several_that_cover_a_wish_the_one_that_needs_no_approval_comes_first() {
        let approved = Grant {
            writes_need_approval: true,
            ..grant("a", "sync", &["acme"])
        };
        let (b, c) = (grant("b", "*", &["acme"]), grant("c", "sync", &["acme"]));
        assert_eq!(asked_of(std::slice::from_ref(&approved)), Ok("a".to_owned()));
        assert_eq!(asked_of(&[approved, b, c]), Ok("b".to_owned()));
    }
}
