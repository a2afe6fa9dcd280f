//! What a request is found to be about while it is worked on, and the one audit entry that it leaves.

use std::sync::{Arc, Mutex, PoisonError};

use hubkeep_audit_log::{AuditLog, Cause, Draft, Operation, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    error::{ErrorKind, ServiceError},
    grpc::Context,
    id::{CallId, CallerName, ClientSlug, HandleId, PurposeCode},
    random::{Random, RandomError},
    secret::TokenFingerprint,
};

/// One request, or one row of an import: who asks what, and what it was found to be about. Clones share it.
///
/// Rooms add what they learn. Whoever began it closes it, once, before the answer is released.
#[derive(Clone, Debug)]
pub struct Act(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    context: Context,
    operation: Operation,
    began: Tick,
    facts: Mutex<Facts>,
}

#[derive(Clone, Debug)]
struct Facts {
    call_id: CallId,
    portal: Option<ProvenPortal>,
    claimed_slug: Option<ClientSlug>,
    handle: Option<HandleId>,
    purpose: Option<PurposeCode>,
    credential_version: Option<u64>,
    token: Option<TokenFingerprint>,
    subject: Option<String>,
    user: Option<CallerName>,
    cause: Cause,
}

impl Act {
    /// The beginning of an act.
    ///
    /// # Errors
    /// If there is no randomness for its call id.
    pub fn begin(
        context: Context,
        operation: Operation,
        clock: &SharedClock,
        random: &dyn Random,
    ) -> Result<Self, RandomError> {
        let facts = Facts {
            call_id: CallId::make(&**clock, random)?,
            portal: None,
            claimed_slug: None,
            handle: None,
            purpose: None,
            credential_version: None,
            token: None,
            subject: None,
            user: None,
            cause: Cause::Unspecified,
        };
        let (began, facts) = (clock.tick(), Mutex::new(facts));
        Ok(Self(Arc::new(Inner {
            context,
            operation,
            began,
            facts,
        })))
    }

    /// Who asks, and until when.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// It belongs to a call that another service made.
    pub fn for_call(&self, call_id: CallId) {
        self.note(|facts| facts.call_id = call_id);
    }

    /// It is about this portal, which a vault row or a handle proves: the entry goes to the portal's log.
    pub fn concerns(&self, portal: ProvenPortal) {
        self.note(|facts| facts.portal = Some(portal));
    }

    /// The operator names this slug; nothing proves it yet. Kept for operators only: what a stranger names is not.
    pub fn claims(&self, client_slug: &ClientSlug) {
        if self.context().caller.name.is_operator() {
            self.note(|facts| facts.claimed_slug = Some(client_slug.clone()));
        }
    }

    /// It is about this handle.
    pub fn handle(&self, handle: HandleId) {
        self.note(|facts| facts.handle = Some(handle));
    }

    /// The handle's purpose.
    pub fn purpose(&self, purpose: &PurposeCode) {
        self.note(|facts| facts.purpose = Some(purpose.clone()));
    }

    /// It is about this token.
    pub fn credential(&self, version: u64, fingerprint: &TokenFingerprint) {
        self.note(|facts| {
            facts.credential_version = Some(version);
            facts.token = Some(fingerprint.clone());
        });
    }

    /// It is about this, which is neither a portal nor a handle: a rotation, a consumer.
    pub fn subject(&self, subject: &str) {
        self.note(|facts| facts.subject = Some(subject.to_owned()));
    }

    /// On whose behalf it is: somebody who has signed in, by the name that says nothing of who it is.
    pub fn user(&self, name: &CallerName) {
        self.note(|facts| facts.user = Some(name.clone()));
    }

    /// The true cause of a refusal. It stands on the log only.
    pub fn cause(&self, cause: Cause) {
        self.note(|facts| facts.cause = cause);
    }

    /// A draft for an entry about a part of this act, such as a call to HubSpot.
    pub fn draft(&self, operation: Operation) -> Draft {
        let facts = self.facts();
        let draft = match &facts.portal {
            Some(portal) => Draft::portal(portal, operation, facts.call_id),
            None => Draft::system(operation, facts.call_id),
        };
        let draft = draft.context(&self.0.context);
        let draft = with(draft, facts.claimed_slug.as_ref(), Draft::claimed_slug);
        let draft = with(draft, facts.handle, Draft::handle);
        let draft = with(draft, facts.purpose.as_ref(), Draft::purpose);
        let draft = with(draft, facts.credential_version, Draft::credential_version);
        let draft = with(draft, facts.subject.as_deref(), Draft::subject);
        let draft = draft.actor(facts.user.as_ref().map(CallerName::as_str));
        with(draft, facts.token.as_ref(), Draft::token)
    }

    /// Writes the act's entry. When this returns, the entry is durable and the answer may be released.
    ///
    /// State changes are committed by then. The order is act, entry, answer: an entry never claims what did not
    /// happen, and a caller that got an answer always has an entry. If the process dies between act and entry, the
    /// caller has no answer, and what was done is still to be seen in the vault itself and on the revocation feed.
    ///
    /// # Errors
    /// If the entry is not durable in time: then the caller must be told so, and nothing else.
    pub async fn close(
        &self,
        log: &AuditLog,
        clock: &SharedClock,
        refusal: Option<&dyn ServiceError>,
    ) -> Result<(), hubkeep_audit_log::Error> {
        let facts = self.facts();
        let outcome = Outcome {
            cause: facts.cause,
            duration: Some(clock.tick().since(self.0.began)),
            ..refusal.map_or_else(Outcome::ok, outcome_of)
        };
        let draft = self.draft(self.0.operation);
        // What strangers are refused must not fill the service's own log: that is counted, not written one by one. What is
        // refused to somebody who has signed in is written each: whose secret was used again must not be lost in a count.
        let stranger = facts.portal.is_none() && !self.context().caller.name.is_operator();
        match refusal {
            Some(_) if facts.user.is_some() => log.admin(draft, outcome).await?,
            Some(refusal) if stranger || is_denial(refusal) => log.denied(draft, outcome).await?,
            _ => log.admin(draft, outcome).await?,
        };
        Ok(())
    }

    fn facts(&self) -> Facts {
        self.0
            .facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, note: impl FnOnce(&mut Facts)) {
        note(&mut self.0.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn with<T>(draft: Draft, fact: Option<T>, set: impl FnOnce(Draft, T) -> Draft) -> Draft {
    match fact {
        Some(fact) => set(draft, fact),
        None => draft,
    }
}

/// Whether somebody was not let in, rather than something not done.
fn is_denial(refusal: &dyn ServiceError) -> bool {
    matches!(
        refusal.kind(),
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied
    )
}

fn outcome_of(error: &dyn ServiceError) -> Outcome {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::DeadlineExceeded | ErrorKind::Internal => {
            Outcome::failed(error.reason())
        }
        _ => Outcome::refused(error.reason()),
    }
}
