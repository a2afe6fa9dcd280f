//! Writes that nobody can find by reading, settled by an operator who has looked.

use hubkeep_audit_log::{Operation, Position};
use hubkeep_core::id::{ClientSlug, PortalId};
use hubkeep_hubspot::objects::Object;

use super::{Error, Kept, Row, State, Writes, store};
use crate::crm::{Answer, RecordId};

/// How it was found out: by somebody.
const BY_AN_OPERATOR: &str = "operator";

/// What an operator says of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// HubSpot carried it out; on this record, where that is said.
    Done(Option<RecordId>),
    /// HubSpot did not carry it out.
    NotDone,
}

impl Said {
    /// The state that a write has by that.
    pub const fn state(&self) -> State {
        match self {
            Self::Done(_) => State::Done,
            Self::NotDone => State::NotDone,
        }
    }
}

impl Writes {
    /// The write of unknown outcome of which an operator says something.
    ///
    /// # Errors
    /// If there is none of this call in this portal; or if it is said not to be done while HubSpot may still be at it.
    pub async fn to_be_settled(
        &self,
        (client_slug, portal): (&ClientSlug, Option<PortalId>),
        call_id: &str,
        said: &Said,
    ) -> Result<Row, Error> {
        let not_listed = |state| Error::NotListed {
            call_id: call_id.to_owned(),
            state,
        };
        let found = store::find_call(&self.database, call_id).await?;
        let ours = found.filter(|row| {
            row.client_slug == client_slug.as_str() && portal.is_none_or(|portal| portal == row.portal_id)
        });
        let row = ours.ok_or_else(|| not_listed(None))?;
        if row.state != State::Unknown {
            return Err(not_listed(Some(row.state)));
        }
        let wait = self.quiet_at(&row).since(self.clock.now());
        if *said == Said::NotDone && !wait.is_zero() {
            return Err(Error::TooEarly {
                call_id: row.call_id,
                wait,
            });
        }
        Ok(row)
    }

    /// Settles a write as an operator says, who is on record for that at this place of the log. `object_ref` is what entries have
    /// for the record, if one is named.
    ///
    /// # Errors
    /// If it was settled otherwise meanwhile, or that is not noted.
    pub async fn settle_by_hand(
        &self,
        row: &Row,
        said: &Said,
        entry: Position,
        object_ref: &str,
    ) -> Result<Row, Error> {
        let sealed = match said.answer(row) {
            Some(answer) => match Kept::by_hand(&answer, entry) {
                Some(kept) => self.sealed(row, &kept).await?,
                None => Vec::new(),
            },
            None => Vec::new(),
        };
        let state = said.state();
        if !self.end(row, state, BY_AN_OPERATOR, &sealed, object_ref).await? {
            let now = store::find_call(&self.database, &row.call_id).await?;
            return Err(Error::NotListed {
                call_id: row.call_id.clone(),
                state: now.map(|row| row.state),
            });
        }
        let settled = store::find_call(&self.database, &row.call_id).await?;
        settled.ok_or(Error::Unreadable(None))
    }
}

impl Said {
    /// What whoever asks for it again is answered; `None` where that cannot be said.
    fn answer(&self, row: &Row) -> Option<Answer> {
        let Self::Done(id) = self else { return None };
        match Operation::try_from(row.operation).ok()? {
            Operation::ObjectArchive | Operation::ContactErase | Operation::AssociationRemove => {
                Some(Answer::Done)
            }
            Operation::ObjectCreate | Operation::ObjectUpdate | Operation::ObjectMerge => {
                let id = id.as_ref()?.as_str().to_owned();
                Some(Answer::Object(Object {
                    id,
                    ..Object::default()
                }))
            }
            _ => None,
        }
    }
}
