//! What will be written, before it has an id, a time and a place.

use hubkeep_core::{
    grpc::{Context, Refusal},
    id::{CallId, CallerName, ClientSlug, HandleId, PurposeCode},
    secret::TokenFingerprint,
};
use hubkeep_proto::audit::v1::{Entry, Pruning};

use crate::{
    Operation, Payload,
    portal::{Owner, ProvenPortal},
};

/// The longest method, path or type kept, in characters. Some of them come from strangers, and leaves stay small.
const MAX_TEXT: usize = 256;
/// The longest subject kept, in characters: an operator's reason may stand in it.
const MAX_SUBJECT: usize = 512;

/// What will be written: the fields of an entry that its writer knows, and the log that it goes to.
#[derive(Clone, Debug)]
pub struct Draft {
    owner: Owner,
    call_id: CallId,
    /// Apart, because a draft is handed from task to task, and an entry is large.
    entry: Box<Entry>,
    /// What is to be sealed beside it.
    payload: Option<Box<Payload>>,
}

impl Draft {
    /// For the service's own log: what belongs to no proven portal.
    pub fn system(operation: Operation, call_id: CallId) -> Self {
        Self {
            owner: Owner::System,
            call_id,
            entry: Box::new(Entry {
                operation: operation.into(),
                call_id: call_id.to_string(),
                ..Entry::default()
            }),
            payload: None,
        }
    }

    /// For the log of this portal.
    pub fn portal(portal: &ProvenPortal, operation: Operation, call_id: CallId) -> Self {
        let mut draft = Self::system(operation, call_id);
        draft.owner = Owner::Portal(portal.portal_id());
        draft.entry.portal_id = portal.portal_id().get();
        draft.entry.client_slug = portal.client_slug().to_string();
        draft
    }

    /// Who asks, by which method, under which request id.
    #[must_use]
    pub fn context(mut self, context: &Context) -> Self {
        self.entry.caller = context.caller.name.to_string();
        self.entry.request_id = context.request_id.to_string();
        self.entry.grpc_method = bounded(context.grpc_method.as_str(), MAX_TEXT);
        self.entry.trace_id = context.trace_id.as_deref().unwrap_or_default().to_owned();
        self
    }

    /// Who was refused before any method saw the request.
    pub(crate) fn refusal(mut self, refusal: &Refusal) -> Self {
        self.entry.caller = refusal
            .caller
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        self.entry.request_id = refusal.request_id.to_string();
        self.entry.grpc_method = bounded(refusal.grpc_method.as_str(), MAX_TEXT);
        self
    }

    /// Who asks.
    #[must_use]
    pub fn caller(mut self, caller: &CallerName) -> Self {
        self.entry.caller = caller.to_string();
        self
    }

    /// What is asked for, where more is known of it now.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.entry.operation = operation.into();
        self
    }

    /// The handle by which the call is allowed.
    #[must_use]
    pub fn handle(mut self, handle: HandleId) -> Self {
        self.entry.handle_id = handle.to_string();
        self
    }

    /// Why, as the handle's issuer stated it.
    #[must_use]
    pub fn purpose(mut self, purpose: &PurposeCode) -> Self {
        self.entry.purpose_code = purpose.to_string();
        self
    }

    /// The version of the portal's credential that is used.
    #[must_use]
    pub fn credential_version(mut self, version: u64) -> Self {
        self.entry.credential_version = version;
        self
    }

    /// The type of the CRM object, and the keyed hash of its id. At most 256 characters of each are kept.
    #[must_use]
    pub fn object(mut self, object_type: &str, object_ref: Option<&str>) -> Self {
        self.entry.object_type = bounded(object_type, MAX_TEXT);
        self.entry.object_ref = bounded(object_ref.unwrap_or_default(), MAX_TEXT);
        self
    }

    /// The call whose request answers this one too.
    #[must_use]
    pub fn physical(mut self, call_id: CallId) -> Self {
        self.entry.physical_id = call_id.to_string();
        self
    }

    /// On whose behalf: a keyed hash. At most 256 characters are kept.
    #[must_use]
    pub fn actor(mut self, actor_ref: Option<&str>) -> Self {
        self.entry.actor_ref = bounded(actor_ref.unwrap_or_default(), MAX_TEXT);
        self
    }

    /// What is sent to HubSpot. The path is one with ids left out; at most 256 characters of it are kept.
    #[must_use]
    pub fn http(mut self, method: &str, path_template: &str, request_bytes: u64) -> Self {
        self.entry.http_method = bounded(method, MAX_TEXT);
        self.entry.path_template = bounded(path_template, MAX_TEXT);
        self.entry.request_bytes = request_bytes;
        self
    }

    /// Which HTTP attempt of the call this is, from 1.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.entry.attempt = attempt;
        self
    }

    /// The token that the entry is about.
    #[must_use]
    pub fn token(mut self, fingerprint: &TokenFingerprint) -> Self {
        self.entry.token_fingerprint = bounded(fingerprint.as_str(), MAX_TEXT);
        self
    }

    /// What it is about, where that is no portal, record or handle, and why. At most 512 characters are kept.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.entry.subject = bounded(subject, MAX_SUBJECT);
        self
    }

    /// What is to be sealed beside the intent. Where it says nothing, or nothing is sealed, the entry has none.
    #[must_use]
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = Some(Box::new(payload)).filter(|payload| !payload.is_empty());
        self
    }

    /// Whether something is to be sealed beside the intent.
    pub const fn has_payload(&self) -> bool {
        self.payload.is_some()
    }

    /// The exact path, for what is sealed.
    #[must_use]
    pub fn exact_path(mut self, path: &str) -> Self {
        if let Some(payload) = &mut self.payload {
            payload.path(path);
        }
        self
    }

    /// What will go of the log.
    #[must_use]
    pub(crate) fn pruning(mut self, pruning: Pruning) -> Self {
        self.entry.pruning = Some(Box::new(pruning));
        self
    }

    /// The slug that an operator named, in the service's own log; a portal's entry keeps the proven one. Never set
    /// it for a stranger.
    #[must_use]
    pub fn claimed_slug(mut self, client_slug: &ClientSlug) -> Self {
        if self.owner == Owner::System {
            self.entry.client_slug = client_slug.to_string();
        }
        self
    }

    /// Without what tells one refusal from another: for an entry that stands for refusals of several callers.
    pub(crate) fn anonymous(mut self) -> Self {
        self.entry.caller.clear();
        self.entry.request_id.clear();
        self.entry.grpc_method.clear();
        self.entry.client_slug.clear();
        self.entry.subject.clear();
        self.entry.call_id.clear();
        self
    }

    pub(crate) const fn owner(&self) -> Owner {
        self.owner
    }

    pub(crate) fn take_payload(&mut self) -> Option<Box<Payload>> {
        self.payload.take()
    }

    pub(crate) const fn entry(&self) -> &Entry {
        &self.entry
    }

    pub(crate) fn entry_mut(&mut self) -> &mut Entry {
        &mut self.entry
    }

    pub(crate) const fn call_id(&self) -> CallId {
        self.call_id
    }

    /// How many refusals the entry stands for.
    pub(crate) fn occurrences(mut self, count: u32) -> Self {
        self.entry.occurrence_count = count;
        self
    }
}

/// The first `limit` characters, without control characters: they could forge lines where the log is printed.
pub(crate) fn bounded(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use hubkeep_core::{clock::SystemClock, id::PortalId, random::SystemRandom};

    use super::*;

    fn call_id() -> CallId {
        CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random")
    }

    #[test]
    fn a_claimed_slug_never_replaces_a_proven_one() {
        let slug = |text: &str| text.parse::<ClientSlug>().expect("valid");
        let portal = ProvenPortal::by_vault_row(PortalId::new(7).expect("valid"), slug("acme"));
        let proven = Draft::portal(&portal, Operation::PortalGet, call_id()).claimed_slug(&slug("other"));
        assert_eq!(proven.entry().client_slug, "acme");
        let claimed = Draft::system(Operation::PortalGet, call_id()).claimed_slug(&slug("other"));
        assert_eq!(
            (claimed.entry().client_slug.as_str(), claimed.entry().portal_id),
            ("other", 0)
        );
    }

    #[test]
    fn what_comes_from_strangers_is_cut_and_cannot_break_lines() {
        let draft = Draft::system(Operation::Other, call_id()).object(&"x\n".repeat(5_000), None);
        assert_eq!(draft.entry().object_type, "x".repeat(MAX_TEXT));
    }
}
