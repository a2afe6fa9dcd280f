//! What the keyring says, as messages.

use hubkeep_proto::credential::v1::{GetKeyStatusResponse, KekState, KekVersion, RotateKekResponse};
use hubkeep_seal::{Probe, Progress, Status, VersionStatus};

/// How far a rotation has come.
pub(crate) const fn progress(progress: Progress, done: bool) -> RotateKekResponse {
    RotateKekResponse {
        to_version: progress.to_version,
        total_count: progress.total,
        rewrapped_count: progress.rewrapped,
        elsewhere_count: progress.elsewhere,
        failed_count: progress.failed,
        remaining_count: if done { progress.remaining } else { 0 },
        done,
    }
}

/// The state of all keys.
pub(crate) fn status(status: Status) -> GetKeyStatusResponse {
    GetKeyStatusResponse {
        current_version: status.current_version,
        oldest_accepted_version: status.oldest_accepted_version,
        cached_for: prost_types::Duration::try_from(status.cached_for).ok(),
        cached_count: status.cached_keys,
        versions: status.versions.into_iter().map(version).collect(),
    }
}

fn version(status: VersionStatus) -> KekVersion {
    let (state, problem) = match (&status.kek_id, status.probe) {
        (None, _) => (KekState::NotConfigured, String::new()),
        (Some(_), Probe::NotAsked) => (KekState::Configured, String::new()),
        (Some(_), Probe::Usable) => (KekState::Usable, String::new()),
        (Some(_), Probe::Failed(error)) => (KekState::Failed, with_causes(&error)),
    };
    KekVersion {
        version: status.version,
        kek_id: status.kek_id.unwrap_or_default(),
        key_count: status.keys,
        state: state.into(),
        problem,
    }
}

/// The error and its causes in one sentence.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    told
}
