//! A rotation, and the task of one consumer in it.

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Timestamp,
    id::{CallerName, ClientSlug, CredentialId, CredentialName, DeliveryId, PortalId, RotationId},
    secret::TokenFingerprint,
};

use super::state::{Known, Standing, State, Token};
use crate::vault;

/// How far the consumers of a rotation are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checklist {
    /// Have acknowledged the token in force.
    pub done: u32,
    /// Have not, and still have time.
    pub behind: u32,
    /// Have not, and their time is over.
    pub overdue: u32,
    /// Have not, and need not any more: dropped by an operator, or superseded.
    pub ended: u32,
}

impl Checklist {
    /// Tasks that are waited for.
    pub const fn open(&self) -> u32 {
        self.behind.saturating_add(self.overdue)
    }
}

/// How an operator ended a rotation, or a later one did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub time: Timestamp,
}

/// The token that a rotation took out of force: the old one, or, where it was rolled back, the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired<'a> {
    /// The version under which it is sealed.
    pub version: u64,
    /// The token.
    pub fingerprint: &'a TokenFingerprint,
    /// What HubSpot said of it.
    pub token: Token,
}

/// A token in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Its id.
    pub rotation_id: RotationId,
    /// The portal.
    pub portal_id: PortalId,
    /// Its slug.
    pub client_slug: ClientSlug,
    /// The credential.
    pub credential_id: CredentialId,
    /// Its name.
    pub credential_name: CredentialName,
    /// What was decided about it.
    pub standing: Standing,
    /// The credential's version before.
    pub old_version: u64,
    /// The version of the new token.
    pub new_version: u64,
    /// The version that is in force by it: the new one, or that under which the old token was put back.
    pub credential_version: u64,
    /// The old token.
    pub old_fingerprint: TokenFingerprint,
    /// The new token.
    pub new_fingerprint: TokenFingerprint,
    /// What HubSpot said of the old token.
    pub old_token: Token,
    /// What HubSpot said of the new token.
    pub new_token: Token,
    /// What the old token may do and the new one may not.
    pub lost_scopes: Vec<String>,
    /// The vault's store version at its last switch.
    pub store_version: u64,
    /// Who asked for it.
    pub rotated_by: CallerName,
    /// When the new token was put in force.
    pub switch_time: Timestamp,
    /// When HubSpot was last asked.
    pub probe_time: Option<Timestamp>,
    /// When it is asked next, if it still is.
    pub next_probe_time: Option<Timestamp>,
    /// How it was ended, if it was.
    pub end: Option<End>,
    /// How far its consumers are.
    pub checklist: Checklist,
}

impl Rotation {
    /// What the state machine knows of it.
    pub const fn known(&self) -> Known {
        Known {
            standing: self.standing,
            old: self.old_token,
            new: self.new_token,
            open_tasks: self.checklist.open(),
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> State {
        self.known().state()
    }

    /// The token that it took out of force.
    pub const fn retired(&self) -> Retired<'_> {
        let (version, fingerprint) = match self.standing {
            Standing::RolledBack => (self.new_version, &self.new_fingerprint),
            Standing::InForce | Standing::Superseded | Standing::Closed => {
                (self.old_version, &self.old_fingerprint)
            }
        };
        Retired {
            version,
            fingerprint,
            token: self.known().retired(),
        }
    }

    /// The same, as long as HubSpot is asked about it and not known to refuse it.
    pub fn alive(&self) -> Option<Retired<'_>> {
        let retired = self.retired();
        let asked = self.next_probe_time.is_some() && retired.token != Token::Refused;
        asked.then_some(retired)
    }

    /// The token that consumers must run on.
    pub const fn fingerprint_in_force(&self) -> &TokenFingerprint {
        match self.standing {
            Standing::RolledBack => &self.old_fingerprint,
            Standing::InForce | Standing::Superseded | Standing::Closed => &self.new_fingerprint,
        }
    }

    /// The proof that opens its portal's log.
    pub fn proven(&self) -> ProvenPortal {
        ProvenPortal::by_vault_row(self.portal_id, self.client_slug.clone())
    }

    /// The place in the vault of one of its tokens.
    pub(super) fn in_vault(&self, version: u64) -> vault::Credential {
        vault::Credential {
            portal_id: self.portal_id,
            client_slug: self.client_slug.clone(),
            version,
        }
    }
}

/// How a task ended that nobody acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnding {
    /// A later rotation took the place of its own.
    Superseded,
    /// An operator dropped it.
    Dropped,
}

/// What one consumer has to do for a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The rotation.
    pub rotation_id: RotationId,
    /// The consumer.
    pub consumer: CallerName,
    /// The message by which it is told: another when the task is given anew.
    pub delivery_id: DeliveryId,
    /// Until when it should be done.
    pub due_time: Timestamp,
    /// When the consumer was told.
    pub told_time: Option<Timestamp>,
    /// When its webhook is tried next, if it is.
    pub next_tell_time: Option<Timestamp>,
    /// How often its webhook was tried in vain.
    pub failed_deliveries: u32,
    /// What became of the last of these.
    pub last_failure: String,
    /// When it was done, and the store version it was done with.
    pub acknowledged: Option<(Timestamp, u64)>,
    /// How it ended without that, if it did.
    pub ended: Option<(TaskEnding, End)>,
}
