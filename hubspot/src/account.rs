//! Whose a token is, and what it may do: asked of HubSpot, never read from the token.

use http::Method;
use hubkeep_audit_log::Draft;
use hubkeep_core::{clock::Tick, id::PortalId, secret::PortalToken};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::json;

use crate::{
    answer::{Answer, Decoded},
    client::Client,
    config::ApiVersion,
    error::Error,
    path::Path,
    request::{Ask, Lease, RecordRefs, Repeat, Request},
    wire,
};

/// What kind of account a portal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountType {
    /// A customer's account.
    Standard,
    /// A developer's test account.
    DeveloperTest,
    /// A sandbox of a standard account.
    Sandbox,
    /// An app developer's account.
    AppDeveloper,
    /// A kind that is not known here.
    Other,
}

/// The account that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDetails {
    /// HubSpot's id of it.
    pub portal_id: PortalId,
    /// What kind it is.
    pub account_type: AccountType,
    /// Where its data is kept: "na1", "eu1", …
    pub data_hosting_location: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// ISO 4217 code of its currency.
    pub company_currency: String,
}

/// What a token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// HubSpot's id of the account the token belongs to.
    pub portal_id: PortalId,
    /// Its scopes, sorted.
    pub scopes: Vec<String>,
    /// The app it belongs to.
    pub app_id: Option<u64>,
    /// The user who made it.
    pub user_id: Option<u64>,
}

/// Asks which account the token of the request belongs to.
pub fn of_token(version: ApiVersion) -> Ask<AccountDetails> {
    Ask::get(Path::account_details(version), details)
}

impl Client {
    /// Asks which account a token belongs to.
    ///
    /// # Errors
    /// As [`Client::call`]; [`RefusalKind::TokenRefused`](crate::RefusalKind::TokenRefused) if HubSpot does not know the token.
    pub async fn account_details(
        &self,
        draft: Draft,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<Answer<AccountDetails>, Error> {
        let ask = of_token(self.version());
        self.call(Request {
            ask,
            token,
            draft,
            deadline,
            lease: Lease::default(),
            refs: RecordRefs::default(),
        })
        .await
    }

    /// Asks what a token may do.
    ///
    /// # Errors
    /// As [`Client::account_details`].
    pub async fn token_info(
        &self,
        draft: Draft,
        token: &PortalToken,
        deadline: Tick,
    ) -> Result<TokenInfo, Error> {
        let body = json!({ "tokenKey": token.expose() });
        let ask = Ask::get(Path::token_info(), info).with_body(Repeat::Reads, Method::POST, &body);
        Ok(self
            .call(Request {
                ask,
                token,
                draft,
                deadline,
                lease: Lease::default(),
                refs: RecordRefs::default(),
            })
            .await?
            .value)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDetails {
    #[serde(deserialize_with = "portal_id")]
    portal_id: PortalId,
    #[serde(default)]
    account_type: String,
    #[serde(default)]
    data_hosting_location: String,
    #[serde(default)]
    time_zone: String,
    #[serde(default)]
    company_currency: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireInfo {
    #[serde(deserialize_with = "portal_id")]
    hub_id: PortalId,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    app_id: Option<u64>,
    #[serde(default)]
    user_id: Option<u64>,
}

fn portal_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PortalId, D::Error> {
    let number = u64::deserialize(deserializer)?;
    PortalId::new(number).ok_or_else(|| D::Error::custom("not a portal's id"))
}

pub(crate) fn details(body: &[u8]) -> Result<Decoded<AccountDetails>, serde_json::Error> {
    let wire: WireDetails = wire::object(body)?;
    Ok(Decoded::one(AccountDetails {
        portal_id: wire.portal_id,
        account_type: account_type(&wire.account_type),
        data_hosting_location: wire.data_hosting_location,
        time_zone: wire.time_zone,
        company_currency: wire.company_currency,
    }))
}

pub(crate) fn info(body: &[u8]) -> Result<Decoded<TokenInfo>, serde_json::Error> {
    let wire: WireInfo = wire::object(body)?;
    Ok(Decoded::one(TokenInfo {
        portal_id: wire.hub_id,
        scopes: sorted(wire.scopes),
        app_id: wire.app_id,
        user_id: wire.user_id,
    }))
}

/// Scopes, sorted, each once.
pub(crate) fn sorted(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}

fn account_type(word: &str) -> AccountType {
    match word {
        "STANDARD" => AccountType::Standard,
        "DEVELOPER_TEST" => AccountType::DeveloperTest,
        "SANDBOX" => AccountType::Sandbox,
        "APP_DEVELOPER" => AccountType::AppDeveloper,
        _ => AccountType::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_an_id_is_no_account() {
        assert!(details(br#"{"portalId":0}"#).is_err());
        assert!(details(b"{}").is_err());
        assert!(details(b"[42]").is_err(), "an array is no account");
        assert!(info(b"[42,[]]").is_err(), "an array is no token's account");
        let account = details(br#"{"portalId":42,"accountType":"SANDBOX"}"#)
            .expect("reads")
            .value;
        assert_eq!(
            (account.portal_id.get(), account.account_type),
            (42, AccountType::Sandbox)
        );
    }

    #[test]
    fn scopes_come_sorted_and_once() {
        let token = info(br#"{"hubId":1,"scopes":["b","a","b"]}"#)
            .expect("reads")
            .value;
        assert_eq!(token.scopes, ["a", "b"]);
    }
}
