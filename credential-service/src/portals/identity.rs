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

use super::{Error, Facts, Portals, budget::Budget, patience::Question};
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
    /// The app that it belongs to, if HubSpot says it.
    pub(super) app_id: Option<u64>,
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
    portal: Option<PortalId>,
) -> Result<Identity, Error> {
    let payer = &token.fingerprint();
    let deadline = act.context().deadline;
    let account = account(hubspot, budget, act, token, (payer, portal)).await?;
    let question = Question {
        payer,
        portal: Some(account.portal_id),
        deadline,
    };
    let draft = || act.draft(Operation::TokenRead).token(payer);
    let info = budget.ask(question, || hubspot.token_info(draft(), token, deadline));
    // The second question names the token in its body, and HubSpot answers "not found" for one it does not know.
    let info = info.await.map_err(|error| match error.reason() {
        ErrorReason::ObjectNotFound => Error::TokenUnknown,
        _ => error,
    })?;
    budget.learn(payer, info.portal_id, info.app_id);
    agree(account, info)
}

/// Whose account a token opens. `payer` tells the token whose budget it is, and whose portal's that should be.
async fn account(
    hubspot: &Client,
    budget: &Budget,
    act: &Act,
    token: &PortalToken,
    (payer, portal): (&TokenFingerprint, Option<PortalId>),
) -> Result<AccountDetails, Error> {
    let deadline = act.context().deadline;
    let question = Question {
        payer,
        portal,
        deadline,
    };
    let draft = || act.draft(Operation::AccountRead).token(&token.fingerprint());
    let ask = || hubspot.account_details(draft(), token, deadline);
    let answer = budget.ask(question, ask).await?;
    budget.learn(payer, answer.value.portal_id, None);
    budget.left(payer, &answer.limits);
    Ok(answer.value)
}

impl Portals {
    /// Whose account an access token opens, within the budget of its refresh token.
    pub(super) async fn account(
        &self,
        act: &Act,
        access: &PortalToken,
        payer: &TokenFingerprint,
        portal: Option<PortalId>,
    ) -> Result<AccountDetails, Error> {
        account(&self.hubspot, &self.budget, act, access, (payer, portal)).await
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
        app_id: token.app_id,
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
