//! What a portal may still do, as a message.

use hubkeep_proto::crm::v1::{Quota, QuotaBucket, QuotaSource};

use crate::quota::{BucketState, Known, State};

/// The message.
pub(super) fn quota(state: &State) -> Quota {
    Quota {
        portal_id: state.portal.portal_id().get(),
        client_slug: state.portal.client_slug().to_string(),
        time_zone: state.time_zone.clone(),
        observe_time: Some(state.observed.into()),
        burst: Some(bucket(&state.burst)),
        search: Some(bucket(&state.search)),
        daily: Some(bucket(&state.daily)),
    }
}

fn bucket(state: &BucketState) -> QuotaBucket {
    QuotaBucket {
        limit: state.limit,
        share: state.share,
        used: state.used,
        left: state.left,
        interval: state.interval.and_then(|interval| interval.try_into().ok()),
        reset_time: state.reset.map(Into::into),
        source: source(state.known).into(),
        as_of_time: state.as_of.map(Into::into),
        paused_until_time: state.paused_until.map(Into::into),
        waiting_count: u32::try_from(state.waiting).unwrap_or(u32::MAX),
    }
}

const fn source(known: Known) -> QuotaSource {
    match known {
        Known::Assumed => QuotaSource::Assumed,
        Known::Header => QuotaSource::Header,
        Known::Usage => QuotaSource::Usage,
        Known::Refused => QuotaSource::Refusal,
    }
}
