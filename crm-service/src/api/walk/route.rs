//! What a walk is over, and how far it has come.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use hubkeep_audit_log::Cause;
use hubkeep_hubspot::objects::{Object, Page};
use hubkeep_proto::crm::v1::StreamObjectsRequest;

use crate::{
    api::{
        entrance::meant,
        read::{associated_types, filter_groups},
    },
    call::{Error, Meant},
    crm::{
        self, Ask, Faults, ObjectType, Question, Search, WALK_HISTORY_PAGE, WALK_PAGE, Wanted, read_history,
        read_names,
    },
};

/// A walk, up to its next page.
pub(super) struct Route {
    pub(super) meant: Meant,
    over: Over,
    /// What the tokens of this walk are bound to.
    question: Question,
    /// Where pages have begun, as hashes: one that begins where another did would lead round for ever.
    begun: HashSet<u64>,
}

/// What it goes over, and where the next page begins.
enum Over {
    /// A whole type, by HubSpot's cursor; `None` at the beginning, and at the end.
    All {
        object_type: ObjectType,
        wanted: Arc<Wanted>,
        archived: bool,
        limit: u32,
        after: Option<String>,
    },
    /// What a search finds, by the records' ids; `None` at the end.
    Found { search: Search, at: Option<At> },
}

/// How far a search has come: so many results beyond a record's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct At {
    beyond: u64,
    offset: u64,
}

impl At {
    fn read(cursor: &str) -> Option<Self> {
        let (beyond, offset) = cursor.split_once('+')?;
        Some(Self {
            beyond: beyond.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    }

    fn cursor(self) -> String {
        format!("{}+{}", self.beyond, self.offset)
    }

    /// Whether a record lies before it.
    fn is_past(self, object: &Object) -> bool {
        object.id.parse().is_ok_and(|id: u64| id <= self.beyond)
    }

    /// Where it goes on after a page; `None` after the last.
    fn after(self, page: &Page<Object>) -> Option<Self> {
        let offset = page.after.as_ref()?.parse().ok()?;
        let last = page
            .items
            .iter()
            .filter_map(|object| object.id.parse().ok())
            .max();
        Some(match last {
            Some(beyond) => Self { beyond, offset: 0 },
            // All of the page was withheld: whatever comes next comes after as many results.
            None => Self { offset, ..self },
        })
    }
}

/// Whether a walk is over what a search finds.
pub(super) fn searches(message: &StreamObjectsRequest) -> bool {
    !message.filter_groups.is_empty() || !message.query.is_empty()
}

impl Route {
    pub(super) fn read(message: &StreamObjectsRequest) -> Result<Self, crm::Error> {
        let mut faults = Faults::default();
        let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
        let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
        let wanted = Wanted {
            properties: read_names("properties", &message.properties, &mut faults),
            history: read_history(&message.history_properties, &mut faults),
            associated: associated_types(&message.associated_types, &mut faults),
        };
        let page = match message.history_properties.is_empty() {
            true => WALK_PAGE,
            false => WALK_HISTORY_PAGE,
        };
        let limit = faults.keep("page_size", page.read(message.page_size));
        let question = question(message, &wanted);
        let after = question.cursor_in("resume_token", &message.resume_token, &mut faults);
        let of_page = object_type.zip(limit);
        let over = match searches(message) {
            false => of_page.map(|(object_type, limit)| Over::All {
                object_type,
                wanted: Arc::new(wanted),
                archived: message.archived,
                limit,
                after,
            }),
            true => of_page
                .map(|(object_type, limit)| found(message, object_type, (wanted, limit), after, &mut faults)),
        };
        faults.resolve(meant.zip(over).map(|(meant, over)| Self {
            meant,
            over,
            question,
            begun: HashSet::new(),
        }))
    }

    /// What the next page is asked for with.
    pub(super) fn ask(&self) -> Ask {
        match &self.over {
            Over::All {
                object_type,
                wanted,
                archived,
                limit,
                after,
            } => Ask::ListObjects {
                object_type: object_type.clone(),
                wanted: wanted.clone(),
                limit: *limit,
                after: after.clone(),
                archived: *archived,
            },
            Over::Found { search, at } => {
                let At { beyond, offset } = at.unwrap_or_default();
                let mut search = search.beyond(beyond);
                search.offset = offset;
                Ask::SearchObjects(Arc::new(search))
            }
        }
    }

    /// A page came: the next one begins after it.
    ///
    /// # Errors
    /// If it is not one that comes after the page before.
    pub(super) fn go_on(&mut self, page: &Page<Object>) -> Result<(), Error> {
        match &mut self.over {
            Over::All {
                after, object_type, ..
            } => {
                self.begun.insert(hash(after));
                if page.after.is_some() && self.begun.contains(&hash(&page.after)) {
                    return Err(not_asked_for(object_type));
                }
                after.clone_from(&page.after);
            }
            Over::Found { at, search } => {
                let now = at.unwrap_or_default();
                let next = now.after(page);
                if next == Some(now) || page.items.iter().any(|object| now.is_past(object)) {
                    return Err(not_asked_for(&search.object_type));
                }
                *at = next;
            }
        }
        Ok(())
    }

    /// The token of where the next page begins; empty where there is none.
    pub(super) fn token(&self) -> String {
        match &self.over {
            Over::All { after, .. } => self.question.token(after.as_deref()),
            Over::Found { at, .. } => self.question.token(at.map(At::cursor).as_deref()),
        }
    }
}

fn not_asked_for(object_type: &ObjectType) -> Error {
    Error::HubSpot {
        error: hubkeep_hubspot::Error::NoAnswer {
            cause: Cause::ConnectionLost,
            detail: "records came that were not asked for".to_owned(),
        },
        object_type: object_type.clone(),
    }
}

fn hash(after: &Option<String>) -> u64 {
    let mut hasher = DefaultHasher::new();
    after.hash(&mut hasher);
    hasher.finish()
}

fn found(
    message: &StreamObjectsRequest,
    object_type: ObjectType,
    (wanted, limit): (Wanted, u32),
    after: Option<String>,
    faults: &mut Faults,
) -> Over {
    // Each has a way in ListObjects only: a walk that left it out would look complete.
    for (field, is_wanted) in [
        ("history_properties", !wanted.history.is_empty()),
        ("associated_types", !wanted.associated.is_empty()),
    ] {
        if is_wanted {
            faults.add(
                field,
                "HubSpot's search does not tell it: leave out filter_groups and query",
            );
        }
    }
    if message.archived {
        faults.add(
            "archived",
            "HubSpot finds no archived records: leave out filter_groups and query",
        );
    }
    let search = Search {
        object_type,
        groups: filter_groups(&message.filter_groups, faults),
        query: (!message.query.is_empty()).then(|| message.query.clone()),
        properties: wanted.properties,
        sort: None,
        limit,
        offset: 0,
    };
    // With what it takes to go on.
    search.beyond(u64::MAX).check(faults);
    let at = after.as_deref().map_or(Some(At::default()), At::read);
    Over::Found { search, at }
}

/// In which order the properties are named makes no other walk. What is wanted beside them stands behind marks that no name of a
/// property is: without any, a token is what it was when there was nothing beside.
fn question(message: &StreamObjectsRequest, wanted: &Wanted) -> Question {
    let archived = message.archived.to_string();
    let filters = format!("{:?}", message.filter_groups);
    let mut parts = vec!["walk", &message.client_slug, &message.object_type, &archived];
    if searches(message) {
        parts.extend([filters.as_str(), message.query.as_str()]);
    }
    parts.extend(wanted.properties.iter().map(|name| name.as_str()));
    if !wanted.history.is_empty() {
        parts.push("history:");
        parts.extend(wanted.history.iter().map(|name| name.as_str()));
    }
    if !wanted.associated.is_empty() {
        parts.push("associated:");
        parts.extend(wanted.associated.iter().map(ObjectType::as_str));
    }
    Question::of(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], after: Option<&str>) -> Page<Object> {
        let object = |id: &&str| Object {
            id: (*id).to_owned(),
            ..Object::default()
        };
        Page {
            items: ids.iter().map(object).collect(),
            after: after.map(str::to_owned),
            total: None,
        }
    }

    #[test]
    fn a_walk_goes_on_beyond_the_greatest_id_and_over_pages_that_were_withheld() {
        let begun = At::default();
        let next = begun.after(&page(&["9", "10"], Some("2"))).expect("more");
        assert_eq!(
            next,
            At {
                beyond: 10,
                offset: 0
            }
        );
        let withheld = next.after(&page(&[], Some("100"))).expect("more");
        assert_eq!(
            withheld,
            At {
                beyond: 10,
                offset: 100
            }
        );
        assert_eq!(At::read(&withheld.cursor()), Some(withheld));
        assert_eq!(withheld.after(&page(&["11"], None)), None, "the last page");
        for nonsense in ["", "7", "+", "a+0", "7+x", "-1+0"] {
            assert_eq!(At::read(nonsense), None, "{nonsense}");
        }
    }
}
