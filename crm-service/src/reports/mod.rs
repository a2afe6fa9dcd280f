//! Questions put to the audit logs about one portal, and answered by a report.
//!
//! Nothing is counted beforehand: a report is made from the entries of both services, as of a position in each log, so that
//! the same question gives the same bytes, and whoever holds the entries can count again. What a report ought to say and
//! nobody has stated is listed in it as a gap.
//!
//! | file | does |
//! |---|---|
//! | `ask` | what is asked: which report, of which portal, from when to when |
//! | `source` | the entries of both logs, and what credential-service knows of the portal |
//! | `tally` | counts them |
//! | `usage`, `processing`, `provider`, `subject`, `scope`, `sunset` | what each report says |
//! | `page` | a report as sections of rows, which every form is written from |
//! | `csv`, `html`, `charts` | the forms |
//! | `config` | who the processor is, and what else only an operator can state |

mod ask;
mod charts;
mod config;
mod csv;
mod error;
mod frame;
mod html;
mod page;
mod processing;
mod provider;
#[cfg(test)]
mod schema;
mod scope;
mod source;
mod subject;
mod sunset;
mod tally;
mod usage;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use hubkeep_audit_log::AuditLog;
use hubkeep_core::clock::{SharedClock, Tick};

pub use ask::{Ask, Form, Kind, LONGEST, Period, Positions, Subject};
pub use config::{Config, Party, Stated, Subprocessor, Transfer};
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

/// A report.
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
    /// HubSpot's id of the portal.
    pub portal_id: u64,
    /// What nobody has stated.
    pub gaps: Vec<String>,
}

impl Report {
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        hex::encode(digest(&SHA256, &self.content).as_ref())
    }

    /// What is signed of it.
    pub fn statement(&self) -> String {
        format!(
            "hubkeep report\nfile {}\nportal {}\nas of {},{}\nsha256 {}\n",
            self.file_name,
            self.portal_id,
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
    /// If the reader may not have it, a log cannot be read in time, or it would be too long for one answer.
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
            portal_id: source.portal_id().get(),
            gaps: page.gaps,
        })
    }
}

/// The longest report, in bytes: one gRPC answer holds 4 MiB.
const MOST_BYTES: usize = 3 * 1024 * 1024;
