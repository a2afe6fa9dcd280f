//! The account of writes: what a caller asked for under a request id is made once, over restarts and replicas, and a write of
//! which nobody knows whether HubSpot carried it out stays on the list until it is known.
//!
//! A row is durable before the intent is. It ends in one of three ways: its result is kept; it is let go of, because nothing
//! was sent or HubSpot refused it; or it is unknown, until it is *settled* as done or as not done. A row whose process was lost
//! is sorted by the audit log, which has an intent for everything that was sent.
//!
//! | file | holds |
//! |---|---|
//! | `store` | the table |
//! | `names` | what tells a write from every other, and where its result lies |
//! | `kept` | what is kept of a result, sealed |
//! | `lost` | rows of lost processes, sorted by the log |
//! | `fate` | what became of a write, for rooms that wait to know |
//! | `sweep` | what is looked after from time to time |
//! | `by_hand` | what operators say of writes that nobody can find |
//! | `within` | to whom a result is given whose handle is limited by pipeline or owner |
//! | `inherited` | writes of lost processes that had no row, taken over from the log |
//! | `read_back` | what to ask HubSpot to learn what became of a write |
//! | `verdict` | what HubSpot's histories say of it |

mod by_hand;
mod config;
mod error;
mod fate;
mod inherited;
mod kept;
mod lost;
mod mark;
mod names;
mod read_back;
mod state;
mod store;
mod sweep;
mod unlisted;
mod verdict;
mod within;

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{AuditLog, Operation, ProvenPortal};
use hubkeep_core::{
    clock::{SharedClock, Tick, Timestamp},
    database::{Database, Transaction},
    id::{CallId, CallerName, PortalId, RequestId},
};
use hubkeep_seal::{Keyring, Owner, Purpose};

pub use by_hand::Said;
pub use config::Config;
pub use error::Error;
pub use fate::Fate;
pub use inherited::Inheritance;
pub use kept::Kept;
pub use mark::Mark;
use names::{key_of, place};
pub use read_back::{Look, Unique, in_the_way, read_back};
pub use state::State;
pub use store::Row;
pub use verdict::Verdict;

/// How often a free place is looked for again, where others take it and let go of it.
const TRIES: usize = 16;
/// Clocks of replicas differ by no more than this.
const CLOCKS_DIFFER: Duration = Duration::from_secs(10);

/// What makes a write one that may be asked for again: its request id, which call of the request it is, and the message.
#[derive(Clone, Debug)]
pub struct Repeatable {
    /// The caller's own id for it.
    pub request_id: RequestId,
    /// Which call of the request, from 0.
    pub part: u32,
    /// SHA-256 of the message.
    pub message: [u8; 32],
    /// 0 for the whole of the call; else the inputs that HubSpot has passed over so many times, and that are asked for again.
    pub rest: u32,
}

/// Who asks for a write, and for what.
#[derive(Clone, Debug)]
pub struct Asker<'a> {
    /// The portal.
    pub portal: &'a ProvenPortal,
    /// Who asks.
    pub caller: &'a CallerName,
    /// The call that would make it.
    pub call_id: CallId,
    /// What is asked for.
    pub operation: Operation,
    /// Of records of which type.
    pub object_type: &'a str,
    /// The limits by pipeline and owner under which it is asked for, as text.
    pub bounds: &'a str,
    /// When it was begun.
    pub begun: Timestamp,
    /// By when the call has ended.
    pub deadline: Tick,
}

/// What is to be done about a write that is asked for.
#[derive(Debug)]
pub enum Begun {
    /// It is this call's to make.
    Ours(Row),
    /// It is this call's to make again: it was begun at this time before, and is taken for not done.
    OursAgain(Row, Timestamp),
    /// It was made: this came of it.
    Kept(Row, Box<Kept>),
    /// It was made, and its answer was lost with its process.
    AnswerLost(Row),
    /// It is under way by another call.
    UnderWay(Row),
    /// It was sent, and nobody knows what became of it.
    Unknown(Row),
}

/// The account of writes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writes {
    database: Database,
    keyring: Keyring,
    log: AuditLog,
    clock: SharedClock,
    /// This process, as rows name it.
    holder: Arc<str>,
    config: Config,
}

impl Writes {
    /// The account is kept here, by keys of this ring. `holder` tells this process from every other.
    pub fn new(
        config: Config,
        database: Database,
        keyring: Keyring,
        log: AuditLog,
        clock: SharedClock,
        holder: RequestId,
    ) -> Self {
        Self {
            database,
            keyring,
            log,
            clock,
            holder: holder.to_string().into(),
            config,
        }
    }

    /// Begins a write, or says what became of it. When this gives [`Begun::Ours`] or [`Begun::OursAgain`], that is
    /// durable.
    ///
    /// # Errors
    /// [`Error::Reused`] if the request id belongs to another write; else if nobody can say.
    pub async fn begin(&self, asker: &Asker<'_>, again: &Repeatable) -> Result<Begun, Error> {
        let portal = Owner::Portal(asker.portal.portal_id());
        let mac = self.keyring.mac(portal, Purpose::Writes, &again.message).await?;
        let bounds_mac = self.mac_of_bounds(asker.portal.portal_id(), asker.bounds).await?;
        let ours = Row {
            write_key: key_of(asker, again),
            asked_mac: hex::encode(mac),
            request_id: again.request_id.to_string(),
            part: again.part,
            bounds_mac,
            ..self.row(asker, State::UnderWay)
        };
        for _ in 0..TRIES {
            if store::insert(&self.database, &ours).await? {
                return Ok(Begun::Ours(ours));
            }
            let Some(row) = store::find(&self.database, &ours.write_key).await? else {
                continue;
            };
            if row.asked_mac != ours.asked_mac || row.operation != ours.operation {
                return Err(Error::Reused { call_id: row.call_id });
            }
            match row.state {
                State::NotDone => {
                    if store::take_again(&self.database, &row, &ours).await? {
                        return Ok(Begun::OursAgain(ours, row.begin_time));
                    }
                }
                State::Done if row.sealed_answer.is_empty() => return Ok(Begun::AnswerLost(row)),
                State::Done => {
                    let kept = self.opened(&row).await?;
                    return Ok(Begun::Kept(row, Box::new(kept)));
                }
                State::Unknown => return Ok(Begun::Unknown(row)),
                State::UnderWay if self.is_lost(&row) => self.sort(&row).await?,
                State::UnderWay => return Ok(Begun::UnderWay(row)),
            }
        }
        Err(Error::Contended)
    }

    /// Whether there is anything of a write that is asked for.
    ///
    /// # Errors
    /// If nobody can say.
    pub async fn is_known(&self, asker: &Asker<'_>, again: &Repeatable) -> Result<bool, Error> {
        let found = store::find(&self.database, &key_of(asker, again)).await?;
        Ok(found.is_some_and(|row| row.state != State::NotDone))
    }

    /// Keeps what came of a write, for whoever asks for it again.
    ///
    /// # Errors
    /// If it is not kept: then the log still says that it was carried out.
    pub async fn keep(&self, row: &Row, kept: &Kept, settled_by: &str) -> Result<bool, Error> {
        let sealed = self.sealed(row, kept).await?;
        self.end_open(row, State::Done, settled_by, &sealed).await
    }

    /// Lets go of a write of which nothing was done.
    ///
    /// # Errors
    /// If it is still taken: the log says what became of it.
    pub async fn free(&self, row: &Row) -> Result<bool, Error> {
        store::free(&self.database, row).await
    }

    /// Puts a write on the list of those that are unknown. `object_ref` is what entries have for its record.
    ///
    /// # Errors
    /// If it is not on it: the log says what became of it.
    pub async fn mark_unknown(&self, row: &Row, object_ref: &str, why: &str) -> Result<bool, Error> {
        self.end(row, State::Unknown, why, &[], object_ref).await
    }

    /// The same for a write that was made without a request id, of which there is no row yet.
    ///
    /// # Errors
    /// If it is not on the list.
    pub async fn note_unknown(&self, asker: &Asker<'_>, object_ref: &str, why: &str) -> Result<Row, Error> {
        let row = Row {
            settled_by: why.to_owned(),
            object_ref: object_ref.to_owned(),
            ..self.row(asker, State::Unknown)
        };
        store::insert(&self.database, &row).await?;
        Ok(row)
    }

    /// Settles an unknown write as not done.
    ///
    /// # Errors
    /// If that is not noted.
    pub async fn settle_not_done(&self, row: &Row) -> Result<bool, Error> {
        self.end_open(row, State::NotDone, "read", &[]).await
    }

    /// So long after it was sent HubSpot cannot carry out a write any more.
    pub const fn not_done_after(&self) -> Duration {
        self.config.not_done_after
    }

    /// So much time is between two looks for a write of unknown outcome in the end, before chance makes it up to twice as long.
    pub const fn longest_between_looks(&self) -> Duration {
        self.config.longest_between_looks
    }

    /// When enough time has passed to take what is not there for not done. A write may have waited long before it was sent: it was
    /// sent before its call's deadline, and before it was known to be of unknown outcome.
    pub fn quiet_at(&self, row: &Row) -> Timestamp {
        let sent = row.end_time.min(row.until_time).max(row.begin_time);
        sent.plus(self.config.not_done_after)
    }

    /// A page of the writes in one of these states, oldest first; of one portal, or of all, and of all or one slug. `after`
    /// is the last one of the page before.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn list(
        &self,
        which: (Option<PortalId>, &str),
        states: &[State],
        after: Option<&Mark>,
        limit: u32,
    ) -> Result<Vec<Row>, Error> {
        let beginning = (Timestamp::from_micros(i64::MIN), String::new());
        let after = after.map_or(beginning, |mark| (mark.0, mark.1.clone()));
        store::list(&self.database, which, states, &after, limit).await
    }

    /// Forgets all writes of a portal.
    ///
    /// # Errors
    /// If they are still there.
    pub async fn forget(&self, transaction: &mut Transaction, portal: PortalId) -> Result<(), Error> {
        store::forget_portal(transaction, portal).await
    }

    async fn end(
        &self,
        row: &Row,
        state: State,
        settled_by: &str,
        sealed_answer: &[u8],
        object_ref: &str,
    ) -> Result<bool, Error> {
        let end = store::End {
            state,
            at: self.clock.now(),
            settled_by,
            sealed_answer,
            object_ref,
        };
        store::end(&self.database, row, &end).await
    }

    /// The same of a write that is as it was, under way or unknown: somebody may have taken the process that made it for lost, and
    /// that may not have been able yet to mark it as unknown.
    async fn end_open(
        &self,
        row: &Row,
        state: State,
        settled_by: &str,
        sealed_answer: &[u8],
    ) -> Result<bool, Error> {
        let others = [State::UnderWay, State::Unknown];
        let others = others.into_iter().filter(|other| {
            let is_open = [State::UnderWay, State::Unknown].contains(&row.state);
            is_open && *other != row.state
        });
        for before in [row.state].into_iter().chain(others) {
            let row = Row {
                state: before,
                ..row.clone()
            };
            if self.end(&row, state, settled_by, sealed_answer, "").await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn sealed(&self, row: &Row, kept: &Kept) -> Result<Vec<u8>, Error> {
        let sealed = self
            .keyring
            .seal(&place(row, &row.call_id), &serde_json::to_vec(kept)?)
            .await?;
        Ok(sealed)
    }

    async fn opened(&self, row: &Row) -> Result<Kept, Error> {
        let opened = self
            .keyring
            .open(&place(row, &row.call_id), &row.sealed_answer)
            .await?;
        Ok(serde_json::from_slice(&opened)?)
    }

    fn row(&self, asker: &Asker<'_>, state: State) -> Row {
        let now = self.clock.now();
        let call_id = asker.call_id.to_string();
        Row {
            write_key: store::unnamed(&call_id),
            portal_id: asker.portal.portal_id(),
            client_slug: asker.portal.client_slug().to_string(),
            caller: asker.caller.to_string(),
            request_id: String::new(),
            part: 0,
            call_id,
            operation: asker.operation as i32,
            object_type: asker.object_type.to_owned(),
            asked_mac: String::new(),
            state,
            holder: self.holder.to_string(),
            begin_time: asker.begun,
            until_time: now.plus(asker.deadline.since(self.clock.tick())),
            end_time: now,
            settled_by: String::new(),
            sealed_answer: Vec::new(),
            object_ref: String::new(),
            bounds_mac: String::new(),
        }
    }
}

impl Row {
    /// The same, marked as unknown now.
    #[must_use]
    pub fn unknown(mut self, now: Timestamp) -> Self {
        self.state = State::Unknown;
        self.end_time = now;
        self
    }
}

#[cfg(test)]
mod tests;
