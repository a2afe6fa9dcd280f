//! A batch of which HubSpot has passed over some inputs, for a limit: they were not carried out. Its result is kept with that; who asks
//! for it again has those made which were not, under the same request id, and no other.

use std::sync::Arc;

use super::{Held, Once};
use crate::{
    call::{Call, Error, Next, Reply},
    writes::{Kept, Repeatable, Row},
};

impl Once {
    /// Gives what came of a write the first time, and makes what was passed over then.
    pub(super) async fn again(
        &self,
        call: Call<Held>,
        row: &Row,
        kept: Kept,
        next: &Next<Call<Held>>,
    ) -> Result<Reply, Error> {
        let reply = self.repeat(&call, row, kept).await?;
        let places = reply.answer.passed_over();
        let Some(again) = call.again.clone().filter(|_| !places.is_empty()) else {
            return Ok(reply);
        };
        // They are an account of their own: what becomes of them is found out without the others.
        let rest = Call {
            ask: call.ask.only(&places).ok_or(Error::WrongAnswer)?,
            again: Some(Arc::new(Repeatable {
                rest: again.rest.saturating_add(1),
                ..(*again).clone()
            })),
            ..call
        };
        let made = Box::pin(self.once(rest, next)).await?;
        let receipts = [reply.receipts, made.receipts].concat();
        let answer = reply
            .answer
            .with(&places, made.answer)
            .ok_or(Error::WrongAnswer)?;
        Ok(Reply {
            answer,
            receipts,
            ..made
        })
    }
}
