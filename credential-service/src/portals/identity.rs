//! Whose a token is: asked of HubSpot twice, in two ways, and believed only if both answers agree.

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    id::PortalId,
    secret::{PortalToken, TokenFingerprint},
};
use hubkeep_hubspot::{
    Client,
    account::{AccountDetails, TokenInfo},
};

use super::{Error, Facts, Portals, budget::Budget};
use crate::record::Act;

/// The longest text kept of HubSpot's answers, in characters: they come from outside.
const MAX_TEXT: usize = 64;
/// The most scopes kept.
const MAX_SCOPES: usize = 512;

/// What HubSpot says of a token.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) portal_id: PortalId,
    pub(super) facts: Facts,
    /// What the token may do, sorted.
    pub(super) scopes: Vec<String>,
}

/// Asks HubSpot whose a token is and what it may do. Both calls are recorded with the act they are part of.
///
/// # Errors
/// If HubSpot refuses the token, names two portals for it, or gives no answer.
pub(super) async fn ask(
    hubspot: &Client,
    budget: &Budget,
    act: &Act,
    token: &PortalToken,
) -> Result<Identity, Error> {
    let fingerprint = token.fingerprint();
    let deadline = act.context().deadline;
    let draft = |operation| act.draft(operation).token(&fingerprint);

    let account = account(hubspot, budget, act, token, &fingerprint).await?;
    budget.take(&fingerprint, deadline).await?;
    let info = hubspot
        .token_info(draft(Operation::TokenRead), token, deadline)
        .await;
    // The second question names the token in its body, and HubSpot answers "not found" for one it does not know.
    let info = info.map_err(|error| match error.reason() {
        ErrorReason::ObjectNotFound => Error::TokenUnknown,
        _ => Error::HubSpot(error),
    })?;
    agree(account, info)
}

/// Whose account a token opens. `payer` tells the token whose budget it is.
async fn account(
    hubspot: &Client,
    budget: &Budget,
    act: &Act,
    token: &PortalToken,
    payer: &TokenFingerprint,
) -> Result<AccountDetails, Error> {
    let deadline = act.context().deadline;
    budget.take(payer, deadline).await?;
    let draft = act.draft(Operation::AccountRead).token(&token.fingerprint());
    Ok(hubspot.account_details(draft, token, deadline).await?)
}

impl Portals {
    /// Whose account an access token opens, within the budget of its refresh token.
    pub(super) async fn account(
        &self,
        act: &Act,
        access: &PortalToken,
        payer: &TokenFingerprint,
    ) -> Result<AccountDetails, Error> {
        account(&self.hubspot, &self.budget, act, access, payer).await
    }
}

/// What is known of a token, if the two answers name one account.
pub(super) fn agree(account: AccountDetails, token: TokenInfo) -> Result<Identity, Error> {
    if account.portal_id != token.portal_id {
        return Err(Error::IdentityUnclear {
            account: account.portal_id,
            token: token.portal_id,
        });
    }
    let facts = Facts {
        account_type: account.account_type,
        data_hosting_location: bounded(&account.data_hosting_location),
        time_zone: bounded(&account.time_zone),
        company_currency: bounded(&account.company_currency),
    };
    Ok(of_token(facts, token))
}

/// What is known of a token by its own answer, and of its account.
pub(super) fn of_token(facts: Facts, token: TokenInfo) -> Identity {
    let scopes = token.scopes.iter().take(MAX_SCOPES);
    Identity {
        portal_id: token.portal_id,
        facts,
        scopes: scopes.map(|scope| plain(scope)).collect(),
    }
}

/// A scope as one word: they are kept with spaces between them.
fn plain(scope: &str) -> String {
    let letters = scope.chars();
    letters
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect()
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}
