//! Looks for a write when its handle has ended, by a read that was reserved while the handle lived. It takes the whole way of
//! every call, from the top.

use std::sync::Arc;

use aws_lc_rs::digest;
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    id::CallId,
};

use super::{Held, Once};
use crate::{
    call::{Call, CallStack, Error},
    credentials::{Grant, Reservation},
    crm::{Answer, Ask},
    writes::{Look, Row, Unique, Verdict, read_back},
};

/// The most records that one call reads.
const MOST_RECORDS: u64 = 100;

/// Asks by what a reservation gave.
struct Reserved<'a> {
    once: &'a Once,
    stack: CallStack,
    made: &'a Call<Held>,
    grant: Arc<Grant>,
}

impl Look for Reserved<'_> {
    type Error = Error;

    async fn ask(&mut self, ask: Ask) -> Result<Option<Answer>, Error> {
        let question = self.once.question(self.made)?;
        let call = Call::reserved(
            ask,
            question.meant,
            question.context,
            question.call_id,
            self.grant.clone(),
        );
        match self.stack.run(call).await {
            Ok(reply) => Ok(Some(reply.answer)),
            Err(error) if error.reason() == ErrorReason::ObjectNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Once {
    /// Reserves the reading back of a write, while its handle lives. Without a reservation it is looked for as long as the
    /// handle lives, and by whoever asks again.
    pub(super) async fn reserve(&self, made: &Call<Held>, row: &Row) -> Option<Reservation> {
        let handle = made.handle.as_ref()?;
        let object_type = made.ask.object_type();
        let beside = made.ask.beside();
        let types: Vec<_> = [&object_type]
            .into_iter()
            .chain(beside.into_iter().map(|(_, other)| other))
            .collect();
        // What is read is decided by the write, and that has one call.
        let hash = digest::digest(&digest::SHA256, format!("read back {}", row.call_id).as_bytes());
        let mut action = [0; 32];
        action.copy_from_slice(hash.as_ref());
        let records = made.ask.touches().clamp(1, MOST_RECORDS);
        let grant = made.authority.grant();
        let caller = &made.context.caller;
        let reserved = self
            .credentials
            .reserve_read(handle, caller, grant, (&types, records, action), made.call_id)
            .await;
        match reserved {
            Ok(reservation) => Some(reservation),
            Err(error) => {
                tracing::info!(%error, call_id = %row.call_id, "the reading back of a write is not reserved");
                None
            }
        }
    }

    /// The grant that a reservation gives, once.
    pub(super) async fn redeem(&self, reservation: Reservation) -> Result<Arc<Grant>, Error> {
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        Ok(self.credentials.redeem_reservation(reservation, call_id).await?)
    }

    /// Looks what became of a write by a grant that was reserved.
    pub(super) async fn look_reserved(
        &self,
        made: &Call<Held>,
        row: &Row,
        unique: &mut Unique,
        grant: &Arc<Grant>,
    ) -> Result<Verdict, Error> {
        let stack = self.stack.get().and_then(super::WeakNext::upgrade);
        let mut look = Reserved {
            once: self,
            // Without it the service is gone.
            stack: stack.ok_or(Error::Stopping)?,
            made,
            grant: grant.clone(),
        };
        read_back(&made.ask, row.begin_time, unique, &mut look).await
    }
}
