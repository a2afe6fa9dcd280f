//! What the layers work with.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Access, CallerSource, Config, Holds, RefusalLog, places::Places};
use crate::{clock::SharedClock, random::SharedRandom};

/// What the layers work with.
pub(super) struct Tools {
    pub(super) clock: SharedClock,
    pub(super) random: SharedRandom,
    pub(super) limits: Config,
    pub(super) callers: CallerSource,
    pub(super) access: Arc<Access>,
    pub(super) holds: Holds,
    pub(super) refusals: Arc<dyn RefusalLog>,
    pub(super) places: Arc<Places>,
    /// Fires when nothing new is taken any more.
    pub(super) stopping: CancellationToken,
}
