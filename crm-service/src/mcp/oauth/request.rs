//! An authorization request, read: who asks, where the browser goes back to, and for what. Until both are known to belong together the
//! browser is sent nowhere.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{
    clients::{Client, ClientsError},
    form::Form,
    redirect,
};
use crate::mcp::{Mcp, Resource, SCOPE};

/// The longest state that a program gets back.
const LONGEST_STATE: usize = 2_048;

/// What is asked for, by a program that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) client_name: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
    pub(super) state: Option<String>,
}

/// Why nobody is asked.
#[derive(Debug)]
pub(super) enum Unasked {
    /// Who asks, or where the browser would go back to, is not known: the person is told.
    Told(String),
    /// The same, and it may be otherwise soon.
    NotNow,
    /// The program is told.
    SentBack(Back, &'static str, &'static str),
}

/// Where the browser goes back to.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

impl Back {
    /// The address with an answer in it, and with who answers.
    pub(super) fn with(&self, mcp: &Mcp, answer: &[(&str, &str)]) -> Option<String> {
        let mut parameters = answer.to_vec();
        if let Some(state) = &self.state {
            parameters.push(("state", state));
        }
        parameters.push(("iss", mcp.0.place.issuer()));
        redirect::with(&self.redirect_uri, &parameters)
    }
}

impl Asked {
    /// Where the browser goes back to.
    pub(super) fn back(&self) -> Back {
        Back {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
        }
    }
}

/// Reads a request.
pub(super) async fn read(
    mcp: &Mcp,
    form: &Form,
    address: Option<IpAddr>,
) -> Result<(Asked, Client), Unasked> {
    let client = client(mcp, form, address).await?;
    let redirect_uri = form.get("redirect_uri").unwrap_or_default();
    if !redirect::is_registered(redirect_uri, &client.redirect_uris) {
        let told = format!(
            "{} wants you to be sent back to an address that it has not registered. Nothing is sent there.",
            client.name
        );
        return Err(Unasked::Told(told));
    }
    let state = form.get("state").map(str::to_owned);
    let back = Back {
        redirect_uri: redirect_uri.to_owned(),
        state: state.clone().filter(|state| state.len() <= LONGEST_STATE),
    };
    let wrong = |error, told| Unasked::SentBack(back.clone(), error, told);
    if state.is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(wrong("invalid_request", "state is longer than 2,048 bytes"));
    }
    if form.get("response_type") != Some("code") {
        return Err(wrong("unsupported_response_type", "response_type must be code"));
    }
    if form.get("code_challenge_method") != Some("S256") {
        return Err(wrong("invalid_request", "code_challenge_method must be S256"));
    }
    let challenge = form
        .get("code_challenge")
        .filter(|challenge| is_challenge(challenge));
    let challenge =
        challenge.ok_or_else(|| wrong("invalid_request", "code_challenge must be that of S256"))?;
    let resource = match form.get("resource") {
        None => Some(Resource::Single),
        Some(address) => mcp.0.place.resource_named(address),
    };
    let resource = resource.ok_or_else(|| {
        wrong(
            "invalid_target",
            "resource is none that tokens are given for here",
        )
    })?;
    let scopes = scopes(form.get("scope").unwrap_or_default());
    let scopes = scopes.ok_or_else(|| wrong("invalid_scope", "scope must be crm.read"))?;
    let asked = Asked {
        client_id: client.id.clone(),
        client_name: client.name.clone(),
        redirect_uri: back.redirect_uri,
        challenge: challenge.to_owned(),
        resource: mcp.0.place.resource(&resource),
        scopes,
        state: back.state,
    };
    Ok((asked, client))
}

async fn client(mcp: &Mcp, form: &Form, address: Option<IpAddr>) -> Result<Client, Unasked> {
    let told = |told: &str| Unasked::Told(told.to_owned());
    let client_id = form
        .get("client_id")
        .ok_or_else(|| told("The program does not say who it is."))?;
    match mcp.0.clients.find(client_id, address).await {
        Ok(client) => Ok(client),
        Err(ClientsError::Unknown) => Err(told(
            "The program is not known here any more: have it connect anew, so that it registers again.",
        )),
        Err(ClientsError::Document(wrong)) => Err(Unasked::Told(format!(
            "The program cannot be asked for: {wrong}."
        ))),
        Err(ClientsError::NotRead(not_read)) => Err(Unasked::Told(format!(
            "The document that speaks for the program cannot be read: {not_read}."
        ))),
        Err(ClientsError::TooMany) => Err(Unasked::NotNow),
        Err(error @ (ClientsError::Storage(_) | ClientsError::Random(_))) => {
            tracing::error!(%error, "whether a client is known cannot be looked up");
            Err(Unasked::NotNow)
        }
    }
}

/// SHA-256 as base64url.
fn is_challenge(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == 43 && text.bytes().all(letter)
}

/// What is asked for: all that there is where nothing is named. That a token may be renewed is no scope here, and may be asked for.
fn scopes(text: &str) -> Option<Vec<String>> {
    let known = |scope: &str| [SCOPE, "offline_access"].contains(&scope);
    let all_known = text.split_ascii_whitespace().all(known);
    all_known.then(|| vec![SCOPE.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_s256() {
        assert!(is_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        for other in [
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=",
        ] {
            assert!(!is_challenge(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_scope_here_is_not_given() {
        for good in ["", "crm.read", "crm.read offline_access", "offline_access"] {
            assert_eq!(scopes(good), Some(vec![SCOPE.to_owned()]), "{good}");
        }
        for bad in ["crm.write", "crm.read crm.write", "openid"] {
            assert_eq!(scopes(bad), None, "{bad}");
        }
    }
}
