//! Everything that was recorded when it was asked for, in batches, and a summary at the end. It is read from the log itself: an
//! index that somebody has changed hides nothing from it.

use futures::{Stream, stream};
use hubkeep_core::grpc::Context;
use hubkeep_proto::audit::v1::{
    EventBatch, ExportEventsRequest, ExportEventsResponse, ExportSummary, export_events_response::Message,
};
use tonic::metadata::MetadataMap;

use super::{
    api::{AuditApi, Reading, Refused},
    error::Error,
    stream::Responses,
};
use crate::{AuditLog, Event, Filter, Operation, Position, retention, tail::without_leaf};

/// Events in a batch: an entry has at most 4 KiB or so, and a message 4 MiB.
const BATCH: usize = 250;

impl AuditApi {
    pub(super) async fn export(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        request: ExportEventsRequest,
    ) -> Result<Responses<ExportEventsResponse>, Refused> {
        let reading = self.admit(context, metadata, request.filter.as_ref()).await?;
        let began = self.begin_export(context, &reading).await;
        let (from, until) = began.map_err(|error| Refused {
            error,
            portal: reading.portal.clone(),
        })?;
        let from = Position(request.after_position).max(from);
        let export = Export {
            log: self.log.clone(),
            filter: reading.filter.clone(),
            from,
            after: from,
            until,
            count: 0,
            is_over: false,
        };
        Ok(self.opened(context, reading, Box::pin(export.responses()), false))
    }

    /// Between what positions it lies. The export itself is put on the log after it.
    async fn begin_export(
        &self,
        context: &Context,
        reading: &Reading,
    ) -> Result<(Position, Position), Error> {
        let until = self.log.end().await?;
        let from = match reading.filter.start_time {
            Some(start) => self.log.before(start).await?,
            None => Position::START,
        };
        self.on_record(context, reading, Operation::AuditExport).await?;
        Ok((from, until))
    }
}

/// An export under way.
struct Export {
    log: AuditLog,
    filter: Filter,
    /// Where it began.
    from: Position,
    /// Everything up to here was given.
    after: Position,
    until: Position,
    count: u64,
    is_over: bool,
}

impl Export {
    fn responses(self) -> impl Stream<Item = Result<ExportEventsResponse, crate::Error>> + Send {
        stream::try_unfold(self, |mut export| async move {
            let message = export.message().await?;
            let response = |message| ExportEventsResponse {
                message: Some(message),
            };
            Ok(message.map(|message| (response(message), export)))
        })
    }

    async fn message(&mut self) -> Result<Option<Message>, crate::Error> {
        while self.after < self.until {
            let reader = self.log.reader();
            let page = reader.page(&self.filter, self.after, self.until, BATCH).await?;
            self.after = page.reached;
            let events: Vec<Event> = page.events.into_iter().map(without_leaf).collect();
            if !events.is_empty() {
                let more = u64::try_from(events.len()).unwrap_or(u64::MAX);
                self.count = self.count.saturating_add(more);
                return Ok(Some(Message::Batch(EventBatch { events })));
            }
        }
        if self.is_over {
            return Ok(None);
        }
        self.is_over = true;
        let gone = retention::within(self.log.reader(), &self.filter, self.from, self.until).await?;
        Ok(Some(Message::Summary(ExportSummary {
            event_count: self.count,
            until_position: self.until.get(),
            beginnings: gone.into_iter().map(Into::into).collect(),
        })))
    }
}
