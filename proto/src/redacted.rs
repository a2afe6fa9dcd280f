//! `Debug` for the messages that carry a token or a handle: everything but the secret is shown.

use std::fmt;

use crate::audit::v1::{PayloadCondition, PayloadRecord, PayloadValue, SealedPayload};
use crate::credential::v1::{
    ImportPortalsRequest, ImportRotationsRequest, IntrospectHandleRequest, IssueHandleResponse,
    NarrowHandleRequest, NarrowHandleResponse, OnboardPortalRequest, PresentedHandle, RedeemHandleRequest,
    RedeemHandleResponse, RegisterConsumerRequest, RegisterConsumerResponse, ReserveCallRequest,
    RevokeHandleRequest, RotateCredentialRequest, revoke_handle_request,
};

const REDACTED: &str = "[redacted]";

impl fmt::Debug for OnboardPortalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnboardPortalRequest")
            .field("client_slug", &self.client_slug)
            .field("portal_token", &REDACTED)
            .field("expected_portal_id", &self.expected_portal_id)
            .field("credential_kind", &self.credential_kind)
            .field("credential_name", &self.credential_name)
            .field("validate_only", &self.validate_only)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ImportPortalsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportPortalsRequest")
            .field("row", &self.row)
            .field("client_slug", &self.client_slug)
            .field("portal_token", &REDACTED)
            .field("expected_portal_id", &self.expected_portal_id)
            .field("credential_kind", &self.credential_kind)
            .field("credential_name", &self.credential_name)
            .field("validate_only", &self.validate_only)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IssueHandleResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueHandleResponse")
            .field("handle", &REDACTED)
            .field("description", &self.description)
            .finish()
    }
}

impl fmt::Debug for PresentedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedHandle")
            .field("handle", &REDACTED)
            .field("presented_by", &self.presented_by)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IntrospectHandleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectHandleRequest")
            .field("handle", &REDACTED)
            .finish()
    }
}

impl fmt::Debug for NarrowHandleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NarrowHandleRequest")
            .field("handle", &REDACTED)
            .field("scope", &self.scope)
            .field("read_only", &self.read_only)
            .field("budget", &self.budget)
            .field("lifetime", &self.lifetime)
            .field("purpose_code", &self.purpose_code)
            .finish()
    }
}

impl fmt::Debug for NarrowHandleResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NarrowHandleResponse")
            .field("handle", &REDACTED)
            .field("description", &self.description)
            .finish()
    }
}

impl fmt::Debug for ReserveCallRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReserveCallRequest")
            .field("handle", &REDACTED)
            .field("presented_by", &self.presented_by)
            .field("scope", &self.scope)
            .field("purpose_code", &self.purpose_code)
            .field("lifetime", &self.lifetime)
            .field("call_id", &self.call_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RevokeHandleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevokeHandleRequest")
            .field("target", &self.target)
            .field("family", &self.family)
            .field("wait", &self.wait)
            .finish()
    }
}

impl fmt::Debug for revoke_handle_request::Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(_) => f.debug_tuple("Handle").field(&REDACTED).finish(),
            Self::HandleId(id) => f.debug_tuple("HandleId").field(id).finish(),
        }
    }
}

impl fmt::Debug for RedeemHandleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemHandleRequest")
            .field("handle", &REDACTED)
            .field("presented_by", &self.presented_by)
            .field("seen_revocation_seq", &self.seen_revocation_seq)
            .field("call_id", &self.call_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedeemHandleResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemHandleResponse")
            .field("description", &self.description)
            .field("portal_token", &REDACTED)
            .field("credential_version", &self.credential_version)
            .field("portal_generation", &self.portal_generation)
            .field("revocation_seq", &self.revocation_seq)
            .field("token_fingerprint", &self.token_fingerprint)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RotateCredentialRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotateCredentialRequest")
            .field("client_slug", &self.client_slug)
            .field("credential_name", &self.credential_name)
            .field("portal_token", &REDACTED)
            .field("allow_narrower_scopes", &self.allow_narrower_scopes)
            .finish()
    }
}

impl fmt::Debug for ImportRotationsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportRotationsRequest")
            .field("row", &self.row)
            .field("client_slug", &self.client_slug)
            .field("credential_name", &self.credential_name)
            .field("portal_token", &REDACTED)
            .field("allow_narrower_scopes", &self.allow_narrower_scopes)
            .finish()
    }
}

/// The address is left out, too: its query may hold a secret.
impl fmt::Debug for RegisterConsumerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterConsumerRequest")
            .field("consumer_name", &self.consumer_name)
            .field("client_slugs", &self.client_slugs)
            .field("webhook_url", &REDACTED)
            .field("webhook_secret", &REDACTED)
            .field("deadline", &self.deadline)
            .field("tags", &self.tags)
            .finish()
    }
}

impl fmt::Debug for RegisterConsumerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterConsumerResponse")
            .field(
                "consumer_name",
                &self.consumer.as_ref().map(|consumer| &consumer.consumer_name),
            )
            .field("made_webhook_secret", &REDACTED)
            .finish_non_exhaustive()
    }
}

/// What is sealed beside an entry: how much it is, and nothing of it.
impl fmt::Debug for SealedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedPayload")
            .field("records", &self.records.len())
            .field("conditions", &self.conditions.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PayloadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadRecord")
            .field("object_type", &self.object_type)
            .field("values", &self.values.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PayloadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadValue")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PayloadCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadCondition")
            .field("property", &self.property)
            .finish_non_exhaustive()
    }
}
