//! Entries into a file for other programs. It is there when it is whole, and not before.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use hubkeep_proto::audit::v1::{
    EventFilter, ExportEventsRequest, ExportSummary, audit_service_client::AuditServiceClient,
    export_events_response::Message,
};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::retention::begins;
use crate::{
    channel::Service,
    errors::Error,
    events::{self, Writer},
    exit::Exit,
    output::Output,
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines of JSON by OCSF.
    Ocsf,
    /// Rows.
    Csv,
    /// A table that is not text.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Kind {
    fn writer<'a>(self, to: impl Write + Send + 'a) -> Result<Box<dyn Writer + Send + 'a>, Error> {
        match self {
            Self::Ocsf => Ok(events::ocsf(to)),
            Self::Csv => events::csv(to),
            #[cfg(feature = "parquet")]
            Self::Parquet => events::parquet(to),
        }
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Ocsf | Self::Csv)
    }
}

/// Writes all entries that pass a filter and are there now: of one service after the other.
pub(super) async fn run(
    kind: Kind,
    filter: EventFilter,
    to: &Path,
    services: &[Service],
    output: &Output,
) -> Result<Exit, Error> {
    if to == Path::new("-") {
        if !kind.is_text() {
            let why = "this format is no text: name a file in place of -";
            return Err(Error::Usage(why.to_owned()));
        }
        let summaries = written(kind.writer(Printed::to(output))?, filter, services, output).await?;
        for (summary, service) in summaries.iter().zip(services) {
            output.note(&told(summary, service))?;
        }
        return Ok(Exit::Done);
    }
    let cannot_be_made = |error: io::Error| Error::Usage(format!("{} cannot be made: {error}", to.display()));
    if to.exists() {
        return Err(cannot_be_made(io::ErrorKind::AlreadyExists.into()));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(cannot_be_made)?;
    let writer = kind.writer(BufWriter::new(file.as_file()))?;
    let summaries = written(writer, filter, services, output).await?;
    file.as_file().sync_all()?;
    file.persist_noclobber(to)
        .map_err(|error| cannot_be_made(error.error))?;
    if output.is_json() {
        let logs = summaries.iter().zip(services).map(|(summary, service)| {
            json!({
                "service": service.name(),
                "events": summary.event_count,
                "until_position": summary.until_position,
            })
        });
        output.document(&json!({"file": to, "logs": logs.collect::<Vec<Value>>()}))?;
        return Ok(Exit::Done);
    }
    for (summary, service) in summaries.iter().zip(services) {
        output.line(&format!("{} in {}", told(summary, service), to.display()))?;
    }
    Ok(Exit::Done)
}

fn told(summary: &ExportSummary, service: &Service) -> String {
    let ExportSummary {
        event_count,
        until_position,
        ..
    } = summary;
    format!(
        "{event_count} entries of {} up to position {until_position}",
        service.name()
    )
}

/// Writes what comes of each service, and gives their summaries at the end.
async fn written(
    mut writer: Box<dyn Writer + Send + '_>,
    filter: EventFilter,
    services: &[Service],
    output: &Output,
) -> Result<Vec<ExportSummary>, Error> {
    let mut summaries = Vec::new();
    for service in services {
        summaries.push(written_of(&mut *writer, filter.clone(), service, output).await?);
    }
    writer.finish()?;
    Ok(summaries)
}

/// Writes what comes, and gives the summary at its end.
async fn written_of(
    writer: &mut (dyn Writer + Send + '_),
    filter: EventFilter,
    service: &Service,
    output: &Output,
) -> Result<ExportSummary, Error> {
    let service = service.clone().without_timeout();
    let request = ExportEventsRequest {
        filter: Some(filter),
        after_position: 0,
    };
    let mut client = AuditServiceClient::new(service.connection());
    let opened = client.export_events(request).await;
    let mut stream = opened.map_err(|status| service.ended(status))?.into_inner();
    let mut count: u64 = 0;
    loop {
        let next = stream.message().await.map_err(|status| service.ended(status))?;
        match next.map(|response| response.message) {
            Some(Some(Message::Batch(batch))) => {
                for event in &batch.events {
                    writer.write(event)?;
                    count = count.saturating_add(1);
                }
            }
            Some(Some(Message::Summary(summary))) if summary.event_count == count => {
                for beginning in &summary.beginnings {
                    output.note(&begins(beginning))?;
                }
                return Ok(summary);
            }
            Some(None) => {}
            Some(Some(Message::Summary(_))) | None => {
                let name = service.name();
                return Err(Error::Failed(format!(
                    "the export of {name} ended before it was whole: try again"
                )));
            }
        }
    }
}

/// Standard output, line by line.
struct Printed {
    output: Output,
    line: Vec<u8>,
}

impl Printed {
    fn to(output: &Output) -> Self {
        Self {
            output: output.clone(),
            line: Vec::new(),
        }
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if let Some(line) = self.line.strip_suffix(b"\n") {
                let printed = self.output.line(&String::from_utf8_lossy(line));
                printed.map_err(as_written)?;
                self.line.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What keeps output from being written, as those know it who write.
fn as_written(error: Error) -> io::Error {
    match error {
        Error::Output(error) => error,
        other => io::Error::other(other),
    }
}
