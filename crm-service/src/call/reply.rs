//! What a call gave.

use hubkeep_audit_log::{Position, ProvenPortal, Receipt};
use hubkeep_core::id::CallId;
use hubkeep_hubspot::Limits;

use crate::crm::Answer;

/// HubSpot's answer, and what is known of the call that gave it.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What HubSpot said.
    pub answer: Answer,
    /// The verified portal it came from.
    pub portal: ProvenPortal,
    /// Ties together the call's entries.
    pub call_id: CallId,
    /// The place of the last outcome in the audit log.
    pub outcome: Position,
    /// Of a write, the receipts for the outcomes that make up the answer, in their order.
    pub receipts: Vec<Receipt>,
    /// Where a call was made for several: the place of each one's outcome, in their order; `None` of one that is not durable.
    pub(super) outcomes: Vec<Option<Position>>,
    /// How many attempts HubSpot received.
    pub attempts: u32,
    /// What HubSpot said of the portal's limits.
    pub limits: Limits,
    /// Whether it is the result of an earlier request, and nothing was sent.
    pub kept: bool,
}
