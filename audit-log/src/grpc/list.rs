//! Lists of events, page by page.

use hubkeep_core::grpc::Context;
use hubkeep_proto::audit::v1::{EventOrder, ListEventsRequest, ListEventsResponse};
use tonic::metadata::MetadataMap;

use super::{
    api::{AuditApi, Reading, Refused},
    error::Error,
    page::{self, Listing},
};
use crate::{Event, Operation, Position, Search, retention, tail::without_leaf};

impl AuditApi {
    pub(super) async fn list(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: ListEventsRequest,
    ) -> Result<ListEventsResponse, Refused> {
        let reading = self.admit(context, metadata, request.filter.as_ref()).await?;
        let listed = self.page(context, &reading, &request).await;
        listed.map_err(|error| Refused {
            error,
            portal: reading.portal,
        })
    }

    async fn page(
        &self,
        context: &Context,
        reading: &Reading,
        request: &ListEventsRequest,
    ) -> Result<ListEventsResponse, Error> {
        let size = page::size(request.page_size)?;
        let listing = Listing {
            filter: &reading.filter,
            newest_first: newest_first(request.order)?,
            after: Position(request.after_position),
        };
        // One more than asked for tells whether there is another page.
        let search = listing.page(&request.page_token, size.saturating_add(1))?;
        self.on_record(context, reading, Operation::AuditList).await?;
        let end = self.log.end().await?;
        let mut events = self.log.find(&search).await?;
        let more = events.len() > size;
        events.truncate(size);
        let next_page_token = match events.last() {
            Some(last) if more => listing.token(Position(last.position)),
            _ => String::new(),
        };
        let last = events.last().filter(|_| more).map(|last| Position(last.position));
        let (after, until) = looked_through(&search, last, end);
        let gone = retention::within(self.log.reader(), &search.filter, after, until).await?;
        let given = if request.leaves {
            without_entry
        } else {
            without_leaf
        };
        Ok(ListEventsResponse {
            events: events.into_iter().map(given).collect(),
            next_page_token,
            beginnings: gone.into_iter().map(Into::into).collect(),
        })
    }
}

/// After which position a page begins, and up to which it goes, if it ends with the event at `last` and is not the last page.
fn looked_through(search: &Search, last: Option<Position>, end: Position) -> (Position, Position) {
    let before = |position: Position| Position(position.get().saturating_sub(1));
    let until = search.before.map_or(end, before);
    match (search.newest_first, last) {
        (_, None) => (search.after, until),
        (true, Some(last)) => (before(last), until),
        (false, Some(last)) => (search.after, last),
    }
}

/// What readers of leaves get.
fn without_entry(event: Event) -> Event {
    Event { entry: None, ..event }
}

fn newest_first(order: i32) -> Result<bool, Error> {
    match EventOrder::try_from(order) {
        Ok(EventOrder::NewestFirst) => Ok(true),
        Ok(EventOrder::Unspecified | EventOrder::OldestFirst) => Ok(false),
        Err(_) => Err(Error::field("order", "is none of the enum's values")),
    }
}
