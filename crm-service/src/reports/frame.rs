//! What stands around every report: of which portal it is, when, and from which entries.

use serde::Serialize;
use serde_json::Value;

use super::{
    ask::{Ask, Form, Positions},
    error::Error,
    source::Source,
    standings::{LogRead, Signed},
    tally::{day, written},
};

/// The version of the schemas; docs/schemas holds them.
pub(super) const VERSION: u32 = 1;

/// What stands around a report.
pub(super) struct Frame {
    pub(super) title: &'static str,
    name: &'static str,
    pub(super) client_slug: String,
    pub(super) portal_id: u64,
    pub(super) start: String,
    pub(super) end: String,
    first_day: String,
    as_of: Positions,
    logs: [LogRead; 2],
    is_erased: bool,
}

/// A report in JSON.
#[derive(Serialize)]
struct Framed<'a> {
    /// Which report, and the version of its schema: "usage-report/1".
    schema: String,
    title: &'a str,
    portal: PortalName<'a>,
    period: PeriodText<'a>,
    made_from: [MadeFrom<'a>; 2],
    report: Value,
    gaps: &'a [String],
}

#[derive(Serialize)]
struct PortalName<'a> {
    client_slug: &'a str,
    portal_id: u64,
}

#[derive(Serialize)]
struct PeriodText<'a> {
    /// The first moment.
    start: &'a str,
    /// The moment behind the last.
    end: &'a str,
}

#[derive(Serialize)]
struct MadeFrom<'a> {
    log: &'a str,
    /// The newest position of the service's log that was looked at.
    until_position: u64,
    /// How many entries this log had up to there: who holds a bundle of it counts those with an index below.
    size: u64,
    /// The smallest signed checkpoint that covers these; null where there is none.
    checkpoint: Option<&'a Signed>,
}

impl<'a> From<&'a LogRead> for MadeFrom<'a> {
    fn from(read: &'a LogRead) -> Self {
        Self {
            log: &read.name,
            until_position: read.until_position,
            size: read.size,
            checkpoint: read.checkpoint.as_ref(),
        }
    }
}

impl Frame {
    /// The frame of this question.
    pub(super) fn of(ask: &Ask, source: &Source) -> Self {
        Self {
            title: ask.kind.title(),
            name: ask.kind.name(),
            client_slug: ask.client_slug.to_string(),
            portal_id: source.portal_id().get(),
            start: written(ask.period.start),
            end: written(ask.period.end),
            first_day: day(ask.period.start),
            as_of: source.as_of(),
            logs: source.logs().clone(),
            is_erased: source.portal().credentials.is_empty(),
        }
    }

    /// What is missing from every report of such a portal, or of such logs.
    pub(super) fn gaps(&self) -> Vec<String> {
        let erased = self.is_erased.then(|| {
            "the portal is erased: what was known of its client is gone, and its entries are what is left"
                .to_owned()
        });
        let unsigned = self.logs.iter().filter_map(LogRead::gap);
        erased.into_iter().chain(unsigned).collect()
    }

    /// The report in JSON, with what it says.
    pub(super) fn json(&self, gaps: &[String], report: Value) -> Result<Vec<u8>, Error> {
        let [ours, theirs] = &self.logs;
        let framed = Framed {
            schema: format!("{}/{VERSION}", self.name),
            title: self.title,
            portal: PortalName {
                client_slug: &self.client_slug,
                portal_id: self.portal_id,
            },
            period: PeriodText {
                start: &self.start,
                end: &self.end,
            },
            made_from: [ours.into(), theirs.into()],
            report,
            gaps,
        };
        let mut written = serde_json::to_vec_pretty(&framed)?;
        written.push(b'\n');
        Ok(written)
    }

    /// A name for a file of it: "usage-report-acme-2026-11-01.json".
    pub(super) fn file_name(&self, form: Form) -> String {
        format!(
            "{}-{}-{}.{}",
            self.name,
            self.client_slug,
            self.first_day,
            form.extension()
        )
    }

    /// What everybody must know of a report before they read it: a name and a value each.
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let [ours, theirs] = &self.logs;
        let fact = |name: &str, value: String| (name.to_owned(), value);
        vec![
            fact(
                "Portal",
                format!("{} (HubSpot {})", self.client_slug, self.portal_id),
            ),
            fact("Period", format!("{} to before {}", self.start, self.end)),
            fact(
                "Made from",
                format!(
                    "{} up to position {}, {} up to position {}",
                    ours.name, self.as_of.crm_service, theirs.name, self.as_of.credential_service
                ),
            ),
            fact("Entries of this service", ours.told()),
            fact("Entries of credential-service", theirs.told()),
        ]
    }
}
