//! Which events a reader asks for.

use hubkeep_core::{
    clock::Timestamp,
    id::{CallId, CallerName, ClientSlug, PortalId},
};
use hubkeep_proto::audit::v1::{Entry, Event};

use crate::{CallResult, Operation, Phase, Severity};

/// The keyed hash of a record's id, as entries name records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRef(pub [u8; Self::BYTES]);

impl ObjectRef {
    /// How long it is.
    pub const BYTES: usize = 16;

    /// From hexadecimal digits.
    ///
    /// # Errors
    /// With the rule that the text breaks.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let mut bytes = [0; Self::BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| "must be 32 hexadecimal digits")?;
        Ok(Self(bytes))
    }

    /// Whether an entry is about the record, or names it among others.
    pub fn is_in(&self, entry: &Entry) -> bool {
        let mut others = entry.record_refs.chunks_exact(Self::BYTES);
        Self::read(&entry.object_ref).is_ok_and(|own| own == *self) || others.any(|one| one == self.0)
    }
}

/// Which events a reader asks for. What is unset or empty excludes nothing; what is set must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only the log of this portal. Events of the service's own log are then never given.
    pub portal_id: Option<PortalId>,
    /// Only events that carry this slug.
    pub client_slug: Option<ClientSlug>,
    /// Only what this caller asked for.
    pub caller: Option<CallerName>,
    /// Any of these phases.
    pub phases: Vec<Phase>,
    /// Any of these operations.
    pub operations: Vec<Operation>,
    /// Only the entries of this call.
    pub call_id: Option<CallId>,
    /// Only the log of this full name.
    pub log: Option<String>,
    /// Any of these results.
    pub results: Vec<CallResult>,
    /// Of this severity or a higher one.
    pub min_severity: Option<Severity>,
    /// Made at this time or later.
    pub start_time: Option<Timestamp>,
    /// Made before this time.
    pub end_time: Option<Timestamp>,
    /// Only what was about CRM objects of this type.
    pub object_type: Option<String>,
    /// Only what was about this record, or names it among others.
    pub object_ref: Option<ObjectRef>,
}

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether an event of this log, if one is asked for, passes.
    pub(crate) fn passes(&self, log: Option<&str>, event: &Event) -> bool {
        let Some(entry) = &event.entry else { return false };
        let text = |wanted: Option<&str>, found: &str| wanted.is_none_or(|wanted| wanted == found);
        let call_id = self.call_id.map(|call_id| call_id.to_string());
        text(log, &event.log)
            && text(
                self.client_slug.as_ref().map(ClientSlug::as_str),
                &entry.client_slug,
            )
            && text(self.caller.as_ref().map(CallerName::as_str), &entry.caller)
            && text(call_id.as_deref(), &entry.call_id)
            && (self.phases.is_empty() || self.phases.contains(&entry.phase()))
            && (self.operations.is_empty() || self.operations.contains(&entry.operation()))
            && self.passes_late(entry)
    }

    /// The part that no column of the log repeats.
    fn passes_late(&self, entry: &Entry) -> bool {
        let made = entry.entry_time.map(Timestamp::from);
        (self.results.is_empty() || self.results.contains(&entry.result()))
            && self.min_severity.is_none_or(|least| entry.severity() >= least)
            && self
                .start_time
                .is_none_or(|start| made.is_some_and(|made| made >= start))
            && self
                .end_time
                .is_none_or(|end| made.is_some_and(|made| made < end))
            && self
                .object_type
                .as_ref()
                .is_none_or(|wanted| *wanted == entry.object_type)
            && self.object_ref.is_none_or(|wanted| wanted.is_in(entry))
    }
}
