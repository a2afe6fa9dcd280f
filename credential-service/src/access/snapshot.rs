//! All grants and people in memory, as of one moment.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use hubkeep_audit_log::Head;
use hubkeep_core::{
    clock::Tick,
    id::{CallerName, GrantId, PersonId},
};

use super::{
    Access, Error, Granted, Known, OidcSubject, Person, SlackUser,
    sealed::{Kind, Record},
    store,
};

/// Everything is read anew after this in any case: a counter that somebody sets back keeps nothing alive for longer.
const MAX_AGE: Duration = Duration::from_secs(60);

/// All grants and people, as of one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    version: i64,
    read_at: Tick,
    grants: BTreeMap<GrantId, Granted>,
    people: BTreeMap<PersonId, Known>,
    by_name: HashMap<CallerName, PersonId>,
    by_account: HashMap<OidcSubject, PersonId>,
    by_slack: HashMap<SlackUser, PersonId>,
    /// How far each record has come, also of those that are deleted, altered or gone.
    revisions: HashMap<(Kind, String), u64>,
    /// The records that are not what was written last.
    altered: Vec<(Kind, String)>,
}

impl Snapshot {
    fn empty(version: i64, read_at: Tick) -> Self {
        Self {
            version,
            read_at,
            grants: BTreeMap::new(),
            people: BTreeMap::new(),
            by_name: HashMap::new(),
            by_account: HashMap::new(),
            by_slack: HashMap::new(),
            revisions: HashMap::new(),
            altered: Vec::new(),
        }
    }

    /// The counter as of which this is.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }

    /// Whether it may still be believed, where the counter stands at `version`.
    pub(super) fn serves(&self, version: i64, now: Tick) -> bool {
        self.version == version && now.since(self.read_at) < MAX_AGE
    }

    /// Every grant, by id.
    pub(super) fn grants(&self) -> impl Iterator<Item = &Granted> {
        self.grants.values()
    }

    pub(super) fn grant(&self, grant_id: &GrantId) -> Option<&Granted> {
        self.grants.get(grant_id)
    }

    /// Every person, by id.
    pub(super) fn people(&self) -> impl Iterator<Item = &Known> {
        self.people.values()
    }

    pub(super) fn person(&self, person_id: &PersonId) -> Option<&Known> {
        self.people.get(person_id)
    }

    pub(super) fn person_of_caller(&self, caller: &CallerName) -> Option<&PersonId> {
        self.by_name.get(caller)
    }

    pub(super) fn person_of_oidc(&self, account: &OidcSubject) -> Option<&PersonId> {
        self.by_account.get(account)
    }

    pub(super) fn person_of_slack(&self, user: &SlackUser) -> Option<&PersonId> {
        self.by_slack.get(user)
    }

    /// The revision that the next writing of a record has.
    pub(super) fn next_revision(&self, kind: Kind, id: &str) -> u64 {
        let known = self.revisions.get(&(kind, id.to_owned())).copied().unwrap_or(0);
        known.saturating_add(1)
    }

    /// Whether something stands there that is not what was written last.
    pub(super) fn is_altered(&self, kind: Kind, id: &str) -> bool {
        self.altered
            .iter()
            .any(|(other, altered)| *other == kind && altered == id)
    }

    fn add(&mut self, record: Record) {
        match record {
            Record::Grant(granted) => {
                self.grants.insert(granted.grant.grant_id.clone(), *granted);
            }
            Record::Person(known) => self.add_person(known),
            Record::Deleted => {}
        }
    }

    fn add_person(&mut self, known: Known) {
        let Person {
            person_id,
            certificate_names,
            oidc_subjects,
            slack_users,
            hubspot_emails: _,
        } = &known.person;
        let id = || person_id.clone();
        let users = oidc_subjects.iter().map(OidcSubject::user_name);
        let names = certificate_names.iter().cloned().chain(users);
        self.by_name.extend(names.map(|name| (name, id())));
        self.by_account
            .extend(oidc_subjects.iter().map(|account| (account.clone(), id())));
        self.by_slack
            .extend(slack_users.iter().map(|user| (user.clone(), id())));
        self.people.insert(id(), known);
    }
}

impl Access {
    /// Reads everything. What is not as it was written, or is older than the log knows it, is left out and told.
    pub(super) async fn read(&self) -> Result<Snapshot, Error> {
        loop {
            let version = store::version(&self.database).await?;
            let rows = store::all(&self.database).await?;
            let heads = self.log.heads().await?;
            // Rows and heads are of one moment if nobody changed anything meanwhile.
            if store::version(&self.database).await? == version {
                return self.snapshot_of(version, rows, &heads).await;
            }
        }
    }

    async fn snapshot_of(
        &self,
        version: i64,
        rows: Vec<store::Row>,
        heads: &[Head],
    ) -> Result<Snapshot, Error> {
        let mut snapshot = Snapshot::empty(version, self.clock.tick());
        snapshot.revisions = heads.iter().filter_map(Kind::of_head).collect();
        for row in rows {
            let Some(kind) = Kind::of_word(&row.kind) else {
                tracing::error!(kind = %row.kind, "a record of access is of no kind that there is: it is refused");
                continue;
            };
            let key = (kind, row.record_id.clone());
            let told = snapshot.revisions.get(&key).copied().unwrap_or(0);
            let (id, revision) = (row.record_id.clone(), row.revision());
            match self.open(kind, &row).await? {
                Some(_) if revision < told => {
                    tracing::error!(
                        %kind, %id, revision, told,
                        "a record of access is older than the log knows it: a backup was restored, or somebody brought it \
                         back; it is refused until it is put again"
                    );
                    snapshot.altered.push(key);
                }
                Some(record) => {
                    if revision > told {
                        self.tell_head(kind, &id, revision).await?;
                        snapshot.revisions.insert(key, revision);
                    }
                    snapshot.add(record);
                }
                None => {
                    tracing::error!(%kind, %id, "a record of access was altered, or made by somebody else: it is refused");
                    snapshot.altered.push(key);
                }
            }
        }
        Ok(snapshot)
    }

    /// Tells the log how far a record has come.
    pub(super) async fn tell_head(&self, kind: Kind, id: &str, revision: u64) -> Result<(), Error> {
        let head = Head {
            name: kind.head(id),
            number: revision,
            is_final: false,
        };
        Ok(self.log.raise_head(&head).await?)
    }
}
