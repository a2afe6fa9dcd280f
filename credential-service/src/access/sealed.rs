//! How a grant or a person lies in its row: sealed whole, bound to kind, id and revision.

use std::{collections::BTreeSet, fmt, time::Duration};

use hubkeep_audit_log::Head;
use hubkeep_core::{clock::Timestamp, id::ClientSlug};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{
    Access, Budget, Email, Error, Grant, Granted, Grantee, Known, OidcSubject, Person, Scope, Selection,
    SlackUser,
    store::{self, Row},
};

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Grant,
    Person,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Grant, Self::Person];

    /// The word by which the table names it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Person => "person",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The name under which the log knows how far one has come.
    pub(super) fn head(self, id: &str) -> String {
        format!("{self}/{id}")
    }

    pub(super) fn of_head(head: &Head) -> Option<((Self, String), u64)> {
        let (word, id) = head.name.split_once('/')?;
        Some(((Self::of_word(word)?, id.to_owned()), head.number))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a row holds.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Grant(Box<Granted>),
    Person(Known),
    /// It was deleted: what is left goes on counting.
    Deleted,
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Content {
    Grant(Box<GrantContent>),
    Person(PersonContent),
    Deleted,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantContent {
    /// "sync", "jobs/*", "*".
    callers: Option<String>,
    person_id: Option<String>,
    client_slugs: Vec<String>,
    tags: BTreeSet<String>,
    all: bool,
    scope: Scope,
    max_lifetime_micros: Option<u64>,
    budget: Budget,
    writes_need_approval: bool,
    living_from: u64,
    update_time: i64,
    updated_by: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonContent {
    certificate_names: Vec<String>,
    oidc_subjects: BTreeSet<OidcSubject>,
    slack_users: BTreeSet<SlackUser>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    hubspot_emails: BTreeSet<Email>,
    update_time: i64,
}

impl Record {
    fn content(&self) -> Content {
        match self {
            Self::Grant(granted) => Content::Grant(Box::new(GrantContent::of(granted))),
            Self::Person(known) => Content::Person(PersonContent::of(known)),
            Self::Deleted => Content::Deleted,
        }
    }
}

impl GrantContent {
    fn of(granted: &Granted) -> Self {
        let grant = &granted.grant;
        Self {
            callers: grant.grantee.callers(),
            person_id: match &grant.grantee {
                Grantee::Person(person) => Some(person.to_string()),
                Grantee::Caller(_) | Grantee::Below(_) | Grantee::Everyone => None,
            },
            client_slugs: grant
                .portals
                .client_slugs
                .iter()
                .map(ToString::to_string)
                .collect(),
            tags: grant.portals.tags.clone(),
            all: grant.portals.all,
            scope: grant.scope.clone(),
            max_lifetime_micros: grant
                .max_lifetime
                .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            budget: grant.budget,
            writes_need_approval: grant.writes_need_approval,
            living_from: granted.living_from,
            update_time: granted.update_time.as_micros(),
            updated_by: granted.updated_by.to_string(),
        }
    }

    fn into_granted(self, grant_id: &str, revision: u64) -> Option<Granted> {
        let slugs: Result<BTreeSet<ClientSlug>, _> =
            self.client_slugs.iter().map(|slug| slug.parse()).collect();
        let grantee = match (self.callers, self.person_id) {
            (Some(callers), None) => Grantee::of_callers(&callers)?,
            (None, Some(person)) => Grantee::Person(person.parse().ok()?),
            _ => return None,
        };
        Some(Granted {
            grant: Grant {
                grant_id: grant_id.parse().ok()?,
                grantee,
                portals: Selection {
                    client_slugs: slugs.ok()?,
                    tags: self.tags,
                    all: self.all,
                },
                scope: self.scope,
                max_lifetime: self.max_lifetime_micros.map(Duration::from_micros),
                budget: self.budget,
                writes_need_approval: self.writes_need_approval,
            },
            revision,
            living_from: self.living_from,
            update_time: Timestamp::from_micros(self.update_time),
            updated_by: self.updated_by.parse().ok()?,
        })
    }
}

impl PersonContent {
    fn of(known: &Known) -> Self {
        let person = &known.person;
        Self {
            certificate_names: person.certificate_names.iter().map(ToString::to_string).collect(),
            oidc_subjects: person.oidc_subjects.clone(),
            slack_users: person.slack_users.clone(),
            hubspot_emails: person.hubspot_emails.clone(),
            update_time: known.update_time.as_micros(),
        }
    }

    fn into_known(self, person_id: &str) -> Option<Known> {
        let names: Result<_, _> = self.certificate_names.iter().map(|name| name.parse()).collect();
        Some(Known {
            person: Person {
                person_id: person_id.parse().ok()?,
                certificate_names: names.ok()?,
                oidc_subjects: self.oidc_subjects,
                slack_users: self.slack_users,
                hubspot_emails: self.hubspot_emails,
            },
            update_time: Timestamp::from_micros(self.update_time),
        })
    }
}

impl Access {
    /// A record sealed for its row. No transaction may be open: it may make the key.
    pub(super) async fn seal(
        &self,
        kind: Kind,
        id: &str,
        revision: u64,
        record: &Record,
    ) -> Result<Row, Error> {
        let bytes = serde_json::to_vec(&record.content())?;
        let sealed = self.keyring.seal(&place(kind, id, revision), &bytes).await?;
        Ok(Row::new(kind.word(), id, revision, sealed))
    }

    /// What a row holds; `None` if it is not what was sealed for it.
    pub(super) async fn open(&self, kind: Kind, row: &Row) -> Result<Option<Record>, Error> {
        let (id, revision) = (row.record_id.as_str(), row.revision());
        let opened = match self.keyring.open(&place(kind, id, revision), &row.sealed).await {
            Ok(opened) => opened,
            // Without the key that sealed them, nobody here made these rows.
            Err(hubkeep_seal::Error::Broken { .. } | hubkeep_seal::Error::KeyMissing { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let Ok(content) = serde_json::from_slice(&opened) else {
            return Ok(None);
        };
        Ok(match (kind, content) {
            (_, Content::Deleted) => Some(Record::Deleted),
            (Kind::Grant, Content::Grant(content)) => content
                .into_granted(id, revision)
                .map(|granted| Record::Grant(Box::new(granted))),
            (Kind::Person, Content::Person(content)) => content.into_known(id).map(Record::Person),
            (Kind::Grant, Content::Person(_)) | (Kind::Person, Content::Grant(_)) => None,
        })
    }
}

fn place<'a>(kind: Kind, id: &'a str, revision: u64) -> Place<'a> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Access,
        table: store::TABLE,
        column: store::COLUMN,
        row: id,
        client_slug: "",
        kind: kind.word(),
        generation: revision,
    }
}
