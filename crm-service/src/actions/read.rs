//! Arguments turned into what is asked of the CRM.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    arguments::Arguments,
    catalogue::{Does, Kind},
    fields::Fields,
    filters,
};
use crate::{
    call::Meant,
    crm::{
        Ask, Error, Faults, LIST_PAGE, OWNER_PAGE, ObjectType, PropertyNames, Question, RecordId, RecordKey,
        SEARCH_PAGE, Search, Wanted,
    },
};

/// What is asked, and how the answer is told.
pub(super) struct Asked {
    pub(super) ask: Ask,
    /// The fields that are told of each record.
    pub(super) shown: PropertyNames,
    /// What the tokens of its pages are bound to.
    pub(super) question: Option<Question>,
}

/// Reads the arguments of an action.
///
/// # Errors
/// With every fault of the arguments.
pub(super) fn ask(
    does: Does,
    given: Map<String, Value>,
    meant: &Meant,
    fields: &Fields,
) -> Result<Asked, Error> {
    let arguments = Arguments::new(given);
    match does {
        Does::List(kind) => list(kind, arguments, meant, fields),
        Does::Get(kind) => get(kind, arguments, fields),
        Does::Search(kind) => search(kind, arguments, meant, fields),
        Does::ListOwners => owners(arguments, meant),
    }
}

fn type_of(kind: Kind, faults: &mut Faults) -> Option<ObjectType> {
    faults.keep("object_type", ObjectType::read(kind.plural()))
}

fn list(kind: Kind, mut arguments: Arguments, meant: &Meant, fields: &Fields) -> Result<Asked, Error> {
    let names = arguments.names("fields");
    let size = arguments.size("page_size");
    let token = arguments.text("page_token").unwrap_or_default();
    let mut faults = arguments.end();
    let shown = fields.wanted(kind, &names, &mut faults);
    let question = Question::of(&["action list", meant.client_slug.as_str(), kind.plural()]);
    let limit = faults.keep("page_size", LIST_PAGE.read(size));
    let after = question.cursor(&token, &mut faults);
    let asked = type_of(kind, &mut faults).zip(limit);
    let ask = asked.map(|(object_type, limit)| Ask::ListObjects {
        object_type,
        wanted: Arc::new(Wanted::properties(shown.clone())),
        limit,
        after,
        archived: false,
    });
    let question = Some(question);
    faults.resolve(ask.map(|ask| Asked { ask, shown, question }))
}

fn get(kind: Kind, mut arguments: Arguments, fields: &Fields) -> Result<Asked, Error> {
    let id = arguments.id("id").unwrap_or_default();
    let names = arguments.names("fields");
    let mut faults = arguments.end();
    let shown = fields.wanted(kind, &names, &mut faults);
    let id = RecordId::read(&id).map_err(|_| "must be HubSpot's id of the record: digits");
    let key = type_of(kind, &mut faults).zip(faults.keep("id", id));
    let ask = key.map(|(object_type, id)| Ask::GetObject {
        key: Arc::new(RecordKey {
            object_type,
            id,
            id_property: None,
        }),
        wanted: Arc::new(Wanted::properties(shown.clone())),
        archived: false,
    });
    let question = None;
    faults.resolve(ask.map(|ask| Asked { ask, shown, question }))
}

fn search(kind: Kind, mut arguments: Arguments, meant: &Meant, fields: &Fields) -> Result<Asked, Error> {
    let query = arguments.text("query").filter(|query| !query.is_empty());
    let filters = arguments.objects("filters");
    let sort = arguments.object("sort");
    let bound_to = format!("{filters:?}{sort:?}");
    let names = arguments.names("fields");
    let size = arguments.size("page_size");
    let token = arguments.text("page_token").unwrap_or_default();
    let mut faults = arguments.end();
    let shown = fields.wanted(kind, &names, &mut faults);
    let conditions = filters::read(kind, filters, fields, &mut faults);
    let sort = sort.and_then(|sort| {
        let mut sort = Arguments::inside(sort, "sort".to_owned());
        let (field, descending) = (sort.text("field").unwrap_or_default(), sort.truth("descending"));
        faults.add_all(sort.end());
        let property = fields.one(kind, "sort.field", &field, &mut faults)?;
        Some((property, descending))
    });
    let question = Question::of(&[
        "action search",
        meant.client_slug.as_str(),
        kind.plural(),
        query.as_deref().unwrap_or_default(),
        &bound_to,
    ]);
    let limit = faults.keep("page_size", SEARCH_PAGE.read(size));
    let after = question.cursor(&token, &mut faults);
    let offset = after.map_or(Ok(0), |after| after.parse::<u64>());
    let offset = faults.keep("page_token", offset.map_err(|_| "is not one of a search"));
    let asked = type_of(kind, &mut faults).zip(limit).zip(offset);
    let search = asked.map(|((object_type, limit), offset)| Search {
        object_type,
        groups: Some(conditions)
            .filter(|conditions| !conditions.is_empty())
            .into_iter()
            .collect(),
        query,
        properties: shown.clone(),
        sort,
        limit,
        offset,
    });
    if let Some(search) = &search {
        search.check(&mut faults);
    }
    let ask = search.map(|search| Ask::SearchObjects(Arc::new(search)));
    let question = Some(question);
    faults.resolve(ask.map(|ask| Asked { ask, shown, question }))
}

/// The longest address that mail knows (RFC 5321).
const MAX_EMAIL_CHARS: usize = 254;

fn owners(mut arguments: Arguments, meant: &Meant) -> Result<Asked, Error> {
    let email = arguments.text("email").filter(|email| !email.is_empty());
    let size = arguments.size("page_size");
    let token = arguments.text("page_token").unwrap_or_default();
    let mut faults = arguments.end();
    if email
        .as_ref()
        .is_some_and(|email| email.chars().count() > MAX_EMAIL_CHARS)
    {
        faults.add("email", format!("at most {MAX_EMAIL_CHARS} characters"));
    }
    let question = Question::of(&[
        "action owners",
        meant.client_slug.as_str(),
        email.as_deref().unwrap_or_default(),
    ]);
    let limit = faults.keep("page_size", OWNER_PAGE.read(size));
    let after = question.cursor(&token, &mut faults);
    let ask = limit.map(|limit| Ask::ListOwners {
        email,
        limit,
        after,
        archived: false,
    });
    let (shown, question) = (PropertyNames::new(), Some(question));
    faults.resolve(ask.map(|ask| Asked { ask, shown, question }))
}
