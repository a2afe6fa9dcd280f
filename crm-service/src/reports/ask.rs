//! What is asked of the logs.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    id::{CallId, ClientSlug, PortalId},
};

/// The longest period.
pub const LONGEST: Duration = Duration::from_secs(800 * 24 * 60 * 60);

/// A question.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which report.
    pub kind: Kind,
    /// Of which portal, by its slug.
    pub client_slug: ClientSlug,
    /// HubSpot's id of the portal that is meant, where it is stated.
    pub expected_portal_id: Option<PortalId>,
    /// From when to when.
    pub period: Period,
    /// As of where the logs are read, where that is stated.
    pub as_of: Option<Positions>,
    /// In what form.
    pub form: Form,
    /// The call for which it is made.
    pub call_id: CallId,
}

/// Which report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GDPR Art. 30(2).
    Processing,
    /// CCPA.
    ServiceProvider,
    /// Calls, records and writes.
    Usage,
    /// Every access to the record with this keyed hash, which is of this type.
    Subject(Subject),
    /// What may be done, beside what was done.
    Scope,
    /// Interfaces that end.
    Sunset,
}

/// A record, by its keyed hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its type.
    pub object_type: String,
    /// Its keyed hash, in hexadecimal digits as one entry names it.
    pub object_ref: String,
    /// The same in bytes, as entries about many records hold it.
    pub record_ref: [u8; 16],
}

impl Kind {
    /// The word for it, as in file names and in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Processing => "processing-record",
            Self::ServiceProvider => "service-provider-report",
            Self::Usage => "usage-report",
            Self::Subject(_) => "subject-report",
            Self::Scope => "scope-report",
            Self::Sunset => "sunset-report",
        }
    }

    /// What it is called.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Processing => "Record of processing activities (GDPR Art. 30(2))",
            Self::ServiceProvider => "Service provider report (CCPA)",
            Self::Usage => "Usage statement",
            Self::Subject(_) => "Accesses to one record",
            Self::Scope => "Permissions granted and used",
            Self::Sunset => "HubSpot interfaces that end",
        }
    }
}

/// From when to when: the first moment, and the one behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub start: Timestamp,
    /// The moment behind the last.
    pub end: Timestamp,
}

impl Period {
    /// Whether it was then.
    pub fn holds(&self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }
}

/// Positions in both logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positions {
    /// In that of crm-service.
    pub crm_service: u64,
    /// In that of credential-service.
    pub credential_service: u64,
}

/// In what form a report is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object.
    Json,
    /// Rows for a spreadsheet.
    Csv,
    /// One page.
    Html,
}

impl Form {
    /// What the bytes are.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    /// How a file of it ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }
}
