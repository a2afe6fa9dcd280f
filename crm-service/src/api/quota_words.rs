//! What a portal may still do, as a message.

use hubkeep_proto::crm::v1::{AppBurst, Quota, QuotaBucket, QuotaSource, RefusedToken, UnaccountedUse};

use crate::{
    credentials,
    quota::{App, BucketState, Known, State},
};

/// The message, with the tokens of the portal that HubSpot refuses.
pub(super) fn quota(state: &State, refused: &[credentials::RefusedToken]) -> Quota {
    Quota {
        portal_id: state.portal.portal_id().get(),
        client_slug: state.portal.client_slug().to_string(),
        time_zone: state.time_zone.clone(),
        observe_time: Some(state.observed.into()),
        burst: Some(bucket(&state.burst)),
        search: Some(bucket(&state.search)),
        daily: Some(bucket(&state.daily)),
        associations: Some(bucket(&state.associations)),
        unaccounted_use: state.unaccounted.map(|seen| UnaccountedUse {
            call_count: seen.calls,
            since_time: Some(seen.since.into()),
            last_seen_time: Some(seen.last_seen.into()),
        }),
        app_bursts: state.bursts.iter().map(app_burst).collect(),
        not_answering_until_time: state.broken_until.map(Into::into),
        moving_until_time: state.moving_until.map(Into::into),
        refused_tokens: refused.iter().map(refused_token).collect(),
    }
}

fn refused_token(refused: &credentials::RefusedToken) -> RefusedToken {
    RefusedToken {
        credential_version: refused.credential_version,
        token_fingerprint: refused.fingerprint.to_string(),
        since_time: Some(refused.since.into()),
        next_trial_time: Some(refused.next_trial.into()),
    }
}

fn app_burst((app, burst): &(App, BucketState)) -> AppBurst {
    AppBurst {
        app: app.name().to_owned(),
        burst: Some(bucket(burst)),
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
        exhaustion_time: state.exhausted.map(Into::into),
        others_count: state.others,
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
