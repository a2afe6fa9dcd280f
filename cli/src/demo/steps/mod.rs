//! The steps of the demo, in order.

pub(super) mod calls;
pub(super) mod issue;
pub(super) mod onboard;
pub(super) mod refusals;
