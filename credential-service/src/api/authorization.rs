//! What clients ask for and present, from messages into the words of its room and back.

use hubkeep_proto::credential::v1::{self as wire, AuthorizeClientRequest, ExchangeCodeRequest};

use super::{
    Error,
    faults::Faults,
    fields,
    people::{resource, user_to_wire},
};
use crate::sessions::clients::{Asked, Authorization, ClientTokens, Given, Presented};

const LONGEST_CLIENT_ID: usize = 1_024;
const LONGEST_NAME: usize = 128;
const LONGEST_URI: usize = 2_048;
/// What a client may ask for.
const SCOPES: [&str; 1] = ["crm.read"];
/// A SHA-256 in base64url.
const CHALLENGE: usize = 43;
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;

/// A client's id: it is an address, or a word that crm-service made.
pub(super) fn client_id(text: &str) -> Result<&str, Error> {
    let sound = (1..=LONGEST_CLIENT_ID).contains(&text.len()) && is_visible(text);
    sound
        .then_some(text)
        .ok_or_else(|| Error::field("client_id", "must be 1 to 1,024 visible ASCII characters"))
}

/// What a user has consented to, with every fault told at once.
pub(super) fn asked(request: AuthorizeClientRequest) -> Result<Asked, Error> {
    let mut faults = Faults::of("");
    let client = faults.take(client_id(&request.client_id).map(str::to_owned));
    if request.client_name.chars().count() > LONGEST_NAME || request.client_name.contains(char::is_control) {
        faults.add(
            "client_name",
            "must be at most 128 characters, without control characters",
        );
    }
    if request.redirect_uri.is_empty()
        || request.redirect_uri.len() > LONGEST_URI
        || !is_visible(&request.redirect_uri)
    {
        faults.add("redirect_uri", "must be 1 to 2,048 visible ASCII characters");
    }
    if request.code_challenge.len() != CHALLENGE || !is_base64url(&request.code_challenge) {
        faults.add(
            "code_challenge",
            "must be 43 characters of base64url: PKCE with S256",
        );
    }
    let known = |scope: &String| SCOPES.contains(&scope.as_str());
    if request.scopes.is_empty() || !request.scopes.iter().all(known) {
        faults.add("scopes", "name at least one, of \"crm.read\"");
    }
    // Apart from the others: OAuth has a word of its own for it.
    let resource = resource(&request.resource)?;
    let given = client.map(|client_id| Given {
        client_id,
        redirect_uri: request.redirect_uri,
        code_challenge: request.code_challenge,
        resource,
        scopes: request.scopes,
    });
    Ok(Asked {
        given: faults.or(given)?,
        client_name: request.client_name,
    })
}

/// What is presented beside a code.
pub(super) fn code_presented(request: ExchangeCodeRequest) -> Result<Presented, Error> {
    let verifier = request.code_verifier;
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !VERIFIER.contains(&verifier.len()) || !verifier.bytes().all(inner) {
        return Err(Error::field(
            "code_verifier",
            "must be 43 to 128 of a-z, A-Z, 0-9, '-', '.', '_' and '~'",
        ));
    }
    Ok(Presented {
        proof: Some((request.redirect_uri, verifier)),
        ..presented(&request.client_id, &request.resource)?
    })
}

/// What is presented beside a refresh token.
pub(super) fn presented(client: &str, named: &str) -> Result<Presented, Error> {
    Ok(Presented {
        client_id: client_id(client)?.to_owned(),
        proof: None,
        resource: match named {
            "" => None,
            text => Some(resource(text)?),
        },
    })
}

pub(super) fn to_wire(tokens: &ClientTokens) -> wire::ClientTokens {
    wire::ClientTokens {
        access_token: tokens.access.expose().to_owned(),
        refresh_token: tokens.refresh.expose().to_owned(),
        time_left: fields::to_wire(tokens.lives_for),
        scopes: tokens.scopes.clone(),
        resource: tokens.resource.as_str().to_owned(),
    }
}

pub(super) fn authorization_to_wire(one: &Authorization) -> wire::Authorization {
    wire::Authorization {
        client_id: one.client_id.clone(),
        client_name: one.client_name.clone(),
        user: Some(user_to_wire(&one.user)),
        scopes: one.scopes.clone(),
        consent_time: Some(one.consent_time.into()),
        live_families: one.live_families,
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_base64url(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_client_is_told_at_once_and_the_resource_by_itself() {
        let bad = AuthorizeClientRequest {
            resource: "https://h.example/mcp".to_owned(),
            client_name: "a\nb".to_owned(),
            code_challenge: "plain".to_owned(),
            scopes: vec!["crm.write".to_owned()],
            ..AuthorizeClientRequest::default()
        };
        let Err(Error::Fields(found)) = asked(bad.clone()) else {
            panic!("not refused");
        };
        let fields: Vec<&str> = found.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "client_id",
                "client_name",
                "redirect_uri",
                "code_challenge",
                "scopes"
            ]
        );
        let elsewhere = AuthorizeClientRequest {
            resource: "https://h.example/other".to_owned(),
            ..bad
        };
        assert!(matches!(asked(elsewhere), Err(Error::Sessions(_))));
    }
}
