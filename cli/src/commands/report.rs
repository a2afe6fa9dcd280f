//! `hubkeep report`: reports about one portal, from the audit logs of both services.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use hubkeep_proto::crm::v1::{Report, ReportFormat, ReportPositions, ReportScope};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    crm::Expected,
    report_parts::Asked,
    report_verify::{self, VerifyArgs, note_of},
    shown_handle::ShownHandle,
    time::{moment, on_the_wire},
};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{Output, printable},
    wire_json,
};

/// Make a report about a portal, from the audit logs of both services.
///
/// With a handle that allows `report`, of its own portal. An operator with the role auditor without a handle, of any.
#[derive(Args, Debug)]
pub struct ReportArgs {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Subcommand, Debug)]
enum ReportCommand {
    /// What a processor keeps of its processing for a controller: GDPR Art. 30(2).
    Processing(Of),
    /// What a service provider shows a business: CCPA.
    ServiceProvider(Of),
    /// Calls, records and writes, by caller, day and month: for a bill.
    Usage(Of),
    /// Every access to one record.
    Subject(Subject),
    /// What callers and tokens may do, beside what was done.
    Scope(Of),
    /// Which of HubSpot's interfaces that end were used.
    Sunset(Of),
    /// Whether a report that was kept is what the service has signed. Speaks to nobody.
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
struct Subject {
    /// The record: its type and HubSpot's id, as contacts/101.
    #[arg(long, value_name = "TYPE/ID", value_parser = record)]
    record: (String, String),
    #[command(flatten)]
    of: Of,
}

#[derive(Args, Debug)]
struct Of {
    /// The portal's slug.
    slug: String,
    /// The first day in UTC, or the first moment; without it, 30 days before the end, of a record 365.
    #[arg(long, value_name = "DAY|TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// The day behind the last in UTC, or that moment; without it, now.
    #[arg(long, value_name = "DAY|TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// As of these positions in the logs of crm-service and credential-service, as an earlier report tells them: the same
    /// question gives the same bytes then.
    #[arg(long, value_name = "CRM,CREDENTIAL", value_parser = positions)]
    as_of: Option<ReportPositions>,
    /// In what form.
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
    /// Where to write it: a file, or a folder, where it gets a name of its own. Without it, it is printed.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

/// In what form a report is given.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// One JSON object.
    Json,
    /// Rows for a spreadsheet.
    Csv,
    /// One page for people, which prints well.
    Html,
}

impl From<Form> for ReportFormat {
    fn from(form: Form) -> Self {
        match form {
            Form::Json => Self::Json,
            Form::Csv => Self::Csv,
            Form::Html => Self::Html,
        }
    }
}

/// Runs `report`.
///
/// # Errors
/// If the service refuses or is not reached, or the file cannot be written.
pub async fn run(args: ReportArgs, service: Service, output: &Output) -> Result<Exit, Error> {
    let (of, asked) = match args.command {
        ReportCommand::Processing(of) => (of, Asked::Processing),
        ReportCommand::ServiceProvider(of) => (of, Asked::ServiceProvider),
        ReportCommand::Usage(of) => (of, Asked::Usage),
        ReportCommand::Subject(Subject { record, of }) => (of, Asked::Subject(record)),
        ReportCommand::Scope(of) => (of, Asked::Scope),
        ReportCommand::Sunset(of) => (of, Asked::Sunset),
        ReportCommand::Verify(args) => return report_verify::run(&args, output),
    };
    let service = match of.shown.get()? {
        Some(handle) => service.with_handle(&handle)?,
        None => service,
    };
    let scope = ReportScope {
        client_slug: of.slug,
        expected_portal_id: of.expected.stated(),
        start_time: of.from.map(on_the_wire),
        end_time: of.to.map(on_the_wire),
        as_of: of.as_of,
        format: ReportFormat::from(of.format).into(),
        part: 0,
    };
    let report = asked.whole(&service, scope).await?;
    match of.out {
        Some(place) => keep(&report, &place, output)?,
        None if output.is_json() => output.document(&document(&report)?)?,
        None => print(&report, output)?,
    }
    for gap in &report.gaps {
        output.note(&format!("missing in it: {}", printable(gap)))?;
    }
    Ok(Exit::Done)
}

/// Writes a report to a file, which must not be there yet.
fn keep(report: &Report, place: &Path, output: &Output) -> Result<(), Error> {
    let path = match place.is_dir() {
        true => place.join(&report.file_name),
        false => place.to_owned(),
    };
    let written = fs::File::create_new(&path).and_then(|mut file| file.write_all(&report.content));
    written.map_err(|error| Error::Usage(format!("{} cannot be written: {error}", path.display())))?;
    if !report.note.is_empty() {
        let path = note_of(&path);
        let written = fs::write(&path, &report.note);
        written.map_err(|error| Error::Usage(format!("{} cannot be written: {error}", path.display())))?;
    }
    let positions = report.as_of.unwrap_or_default();
    output.line(&format!(
        "{}: as of {},{}, SHA-256 {}",
        path.display(),
        positions.crm_service,
        positions.credential_service,
        report.sha256
    ))
}

/// A report as a script reads it: what is in it as JSON where it is JSON, else as text.
fn document(report: &Report) -> Result<Value, Error> {
    let mut document = wire_json::of("hubkeep.crm.v1.Report", report)?;
    let text = || String::from_utf8_lossy(&report.content).into_owned();
    let is_json = report.media_type.starts_with("application/json");
    let read = is_json
        .then(|| serde_json::from_slice(&report.content).ok())
        .flatten();
    let content = read.unwrap_or_else(|| Value::String(text()));
    if let Some(fields) = document.as_object_mut() {
        fields.insert("content".to_owned(), content);
    }
    Ok(document)
}

fn print(report: &Report, output: &Output) -> Result<(), Error> {
    let text = String::from_utf8_lossy(&report.content);
    text.lines().try_for_each(|line| output.line(line))
}

/// "1200,340".
fn positions(text: &str) -> Result<ReportPositions, String> {
    let read = || {
        let (crm_service, credential_service) = text.split_once(',')?;
        Some(ReportPositions {
            crm_service: crm_service.trim().parse().ok()?,
            credential_service: credential_service.trim().parse().ok()?,
        })
    };
    read().ok_or_else(|| "expected two positions, as an earlier report tells them: 1200,340".to_owned())
}

/// "contacts/101".
pub(super) fn record(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((object_type, id)) if !object_type.is_empty() && !id.is_empty() => {
            Ok((object_type.to_owned(), id.to_owned()))
        }
        _ => Err("expected a type and an id, such as contacts/101".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_what_is_in_a_report_and_no_other_writing_of_it() {
        let report = |media_type: &str, content: &str| Report {
            content: content.as_bytes().to_vec(),
            media_type: media_type.to_owned(),
            ..Report::default()
        };
        let read = document(&report("application/json", "{\"calls\":7}")).expect("reads");
        assert_eq!(read["content"]["calls"], 7);
        let read = document(&report("text/csv; charset=utf-8", "a,b\n")).expect("reads");
        assert_eq!(read["content"], "a,b\n");
    }

    #[test]
    fn positions_and_records_are_read_whole_or_not_at_all() {
        let read = positions("12, 7").expect("two");
        assert_eq!((read.crm_service, read.credential_service), (12, 7));
        assert!(positions("12").is_err() && positions("a,b").is_err());
        assert_eq!(
            record("contacts/101"),
            Ok(("contacts".to_owned(), "101".to_owned()))
        );
        assert!(record("contacts").is_err() && record("/101").is_err());
    }
}
