//! Questions put to the audit logs about one portal, and answered by a report.
//!
//! Nothing is counted beforehand: a report is made from the entries of both services, as of a position in each log, so that
//! the same question gives the same bytes, and whoever holds the entries can count again. What a report ought to say and
//! nobody has stated is listed in it as a gap.
//!
//! | file | does |
//! |---|---|
//! | `ask` | what is asked: which report, of which portal, from when to when |
//! | `source`, `standings` | the entries of both logs, and what credential-service knows of the portal; how the logs stood, signed |
//! | `counted`, `tally`, `acts` | counts them, and tells some one by one |
//! | `fields` | what must be said: each field is filled, or a gap |
//! | `usage`, `processing`, `provider`, `subject`, `scope`, `sunset` | what each report says |
//! | `page` | a report as sections of rows, which every form is written from |
//! | `csv`, `html`, `charts` | the forms |
//! | `scopes` | which of HubSpot's scopes what was done needs |
//! | `config` | who the processor is, and what else only an operator can state |

mod acts;
mod ask;
mod charts;
mod config;
mod counted;
mod csv;
mod error;
mod fields;
mod frame;
mod html;
mod page;
mod processing;
mod provider;
#[cfg(test)]
mod schema;
mod scope;
mod scopes;
mod source;
mod standings;
mod subject;
mod sunset;
mod tally;
mod usage;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use hubkeep_audit_log::{AuditLog, ProvenPortal};
use hubkeep_core::clock::{SharedClock, Tick};

pub use ask::{Ask, Form, Kind, LONGEST, Period, Positions, Subject};
pub use config::{Categories, Config, Ground, Party, Stated, Subprocessor, Term, Transfer};
pub use error::Error;

use crate::credentials::{Credentials, Reader};
use frame::Frame;
use source::Source;

/// Makes reports. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    log: AuditLog,
    credentials: Credentials,
    stated: Arc<Stated>,
    clock: SharedClock,
}

/// A report, whole. One answer holds a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its bytes.
    pub content: Vec<u8>,
    /// What they are.
    pub form: Form,
    /// A name for a file of it.
    pub file_name: String,
    /// As of where the logs were read.
    pub as_of: Positions,
    /// What it is about: from when to when.
    pub period: Period,
    /// The portal, as credential-service's row of it proves.
    pub portal: ProvenPortal,
    /// What nobody has stated.
    pub gaps: Vec<String>,
}

impl Report {
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        hex::encode(digest(&SHA256, &self.content).as_ref())
    }

    /// In how many parts it is given.
    pub fn part_count(&self) -> usize {
        self.content.len().div_ceil(PART_BYTES).max(1)
    }

    /// A part of it, from 1; 0 is the first.
    ///
    /// # Errors
    /// If it has not so many.
    pub fn part(&self, number: usize) -> Result<&[u8], Error> {
        let before = number.max(1) - 1;
        let mut parts = self.content.chunks(PART_BYTES);
        match parts.nth(before) {
            Some(part) => Ok(part),
            None if before == 0 => Ok(&[]),
            None => Err(Error::NoSuchPart {
                parts: self.part_count(),
            }),
        }
    }

    /// What is signed of it.
    pub fn statement(&self) -> String {
        format!(
            "hubkeep report\nfile {}\nportal {}\nas of {},{}\nsha256 {}\n",
            self.file_name,
            self.portal.portal_id(),
            self.as_of.crm_service,
            self.as_of.credential_service,
            self.sha256()
        )
    }
}

impl Reports {
    /// Reports from this log and that of credential-service.
    pub fn new(stated: Stated, log: AuditLog, credentials: Credentials, clock: SharedClock) -> Self {
        Self {
            log,
            credentials,
            stated: Arc::new(stated),
            clock,
        }
    }

    /// Makes a report, for this reader, by `deadline`.
    ///
    /// # Errors
    /// If the reader may not have it, a log cannot be read in time, or it would be longer than 64 MiB.
    pub async fn make(&self, ask: &Ask, reader: Reader, deadline: Tick) -> Result<Report, Error> {
        let made = self.clock.timeout_at(deadline, self.made(ask, reader));
        made.await.unwrap_or(Err(Error::TooLate))
    }

    async fn made(&self, ask: &Ask, reader: Reader) -> Result<Report, Error> {
        let mut source = Source::open(&self.log, &self.credentials, ask, reader).await?;
        let (mut page, body) = match &ask.kind {
            Kind::Usage => usage::report(&mut source).await?,
            Kind::Processing => processing::report(&mut source, &self.stated).await?,
            Kind::ServiceProvider => provider::report(&mut source, &self.stated).await?,
            Kind::Subject(subject) => subject::report(&mut source, subject).await?,
            Kind::Scope => scope::report(&mut source).await?,
            Kind::Sunset => sunset::report(&mut source).await?,
        };
        let frame = Frame::of(ask, &source);
        page.gaps.extend(frame.gaps());
        page.gaps.extend(source.pruned().await?);
        let content = match ask.form {
            Form::Json => frame.json(&page.gaps, body)?,
            Form::Csv => csv::written(&frame, &page)?,
            Form::Html => html::written(&frame, &page).into_bytes(),
        };
        if content.len() > MOST_BYTES {
            return Err(Error::TooLong {
                bytes: content.len(),
                limit: MOST_BYTES,
            });
        }
        Ok(Report {
            content,
            form: ask.form,
            file_name: frame.file_name(ask.form),
            as_of: source.as_of(),
            period: ask.period,
            portal: ProvenPortal::by_record(source.portal_id(), ask.client_slug.clone()),
            gaps: page.gaps,
        })
    }
}

/// The longest report, in bytes: it is in memory as a whole while it is made.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The longest part, in bytes: one gRPC answer holds 4 MiB.
const PART_BYTES: usize = 3 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_one_after_the_other_are_the_report_and_there_is_none_behind_the_last() {
        let portal = hubkeep_core::id::PortalId::new(7).expect("an id");
        let report = |length: usize| Report {
            content: (0..length).map(|at| (at % 251) as u8).collect(),
            form: Form::Json,
            file_name: String::new(),
            as_of: Positions {
                crm_service: 1,
                credential_service: 1,
            },
            period: Period {
                start: hubkeep_core::clock::Timestamp::from_micros(0),
                end: hubkeep_core::clock::Timestamp::from_micros(1),
            },
            portal: ProvenPortal::by_record(portal, "acme".parse().expect("a slug")),
            gaps: Vec::new(),
        };
        for (length, parts) in [(0, 1), (1, 1), (PART_BYTES, 1), (PART_BYTES + 1, 2)] {
            let report = report(length);
            assert_eq!(report.part_count(), parts, "{length}");
            let together: Vec<u8> = (1..=parts)
                .flat_map(|part| report.part(part).expect("is there").to_vec())
                .collect();
            assert_eq!(together, report.content);
            assert_eq!(
                report.part(0).expect("the first"),
                report.part(1).expect("the same")
            );
            report.part(parts + 1).expect_err("behind the last");
        }
    }
}
