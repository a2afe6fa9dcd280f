//! Which tokens have been in the vault for longer than they should: for the other service's alerts.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use hubkeep_proto::credential::v1::{ListOldTokensRequest, ListOldTokensResponse, OldToken};

use super::{Error, fields};
use crate::{
    portals::{CredentialKind, Listed, Portal, Portals, State},
    record::Act,
};

/// Portals that are looked at for a page.
const PAGE: usize = 500;

/// Answers a page of them.
pub(super) async fn list(
    act: &Act,
    portals: &Portals,
    request: ListOldTokensRequest,
    now: Timestamp,
) -> Result<ListOldTokensResponse, Error> {
    act.for_call(fields::id("call_id", &request.call_id)?);
    let max_age = request.max_age.unwrap_or_default();
    let max_age = fields::duration("max_age", max_age)?;
    if max_age.is_zero() {
        return Err(Error::field("max_age", "say how old a token may be: more than 0"));
    }
    let page = portals.list(&request.page_token, PAGE).await?;
    let last = page.last().map(Listed::client_slug).unwrap_or_default();
    // Slugs that are none may stand anywhere in the order: what does not go forward is the end.
    let goes_on = page.len() >= PAGE && last > request.page_token.as_str();
    let next_page_token = if goes_on { last.to_owned() } else { String::new() };
    let old = page.iter().filter_map(|listed| match listed {
        Listed::Intact(portal) if portal.state == State::Active => Some(of_portal(portal, max_age, now)),
        Listed::Intact(_) | Listed::Altered(_) => None,
    });
    Ok(ListOldTokensResponse {
        tokens: old.flatten().collect(),
        next_page_token,
    })
}

fn of_portal(portal: &Portal, max_age: Duration, now: Timestamp) -> Vec<OldToken> {
    let ageing = portal
        .credentials
        .iter()
        .filter(|credential| credential.kind != CredentialKind::OAuth);
    let aged = ageing.map(|credential| (credential, now.since(credential.token_time)));
    aged.filter(|(_, age)| *age > max_age)
        .map(|(credential, age)| OldToken {
            client_slug: portal.client_slug.to_string(),
            portal_id: portal.portal_id.get(),
            credential_name: credential.name.to_string(),
            age: prost_types::Duration::try_from(age).ok(),
        })
        .collect()
}
