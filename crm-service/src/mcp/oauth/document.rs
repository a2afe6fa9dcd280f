//! A program that is known by the https address of a document about itself (client ID metadata documents). What its name is worth is
//! what its host is worth: that is shown with it.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::redirect;

/// The longest address.
const LONGEST: usize = 1_024;
/// The most addresses to be sent back to.
pub(super) const MOST_URIS: usize = 20;
/// The longest name.
pub(super) const LONGEST_NAME: usize = 100;

/// Whether a client's id is the address of a document.
pub(super) fn address(client_id: &str) -> Option<Url> {
    let visible = client_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !client_id.starts_with("https://") || client_id.len() > LONGEST || !visible {
        return None;
    }
    let url = Url::parse(client_id).ok()?;
    let nobody = url.username().is_empty() && url.password().is_none();
    // Written as it is parsed: no dots that lead elsewhere, no capital letters in the host, no other way to say the same.
    let plain = url.as_str() == client_id && url.fragment().is_none() && url.path() != "/";
    (nobody && plain).then_some(url)
}

#[derive(Deserialize)]
struct Document {
    client_id: String,
    #[serde(default)]
    client_name: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
}

/// What a program says of itself: its name, and where browsers may be sent back to.
pub(super) struct Said {
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
}

/// Reads the document at an address.
///
/// # Errors
/// With what is wrong with it, for whoever made it.
pub(super) fn read(address: &Url, bytes: &[u8]) -> Result<Said, &'static str> {
    let object: Result<Map<String, Value>, _> = serde_json::from_slice(bytes);
    let document = object.and_then(|object| serde_json::from_value::<Document>(object.into()));
    let document = document.map_err(|_| "its document is no JSON of a client")?;
    if document.client_id != address.as_str() {
        return Err("its document names another client_id than its own address");
    }
    if document
        .token_endpoint_auth_method
        .is_some_and(|method| method != "none")
    {
        return Err(
            "its document wants to prove itself in a way that is not offered: token_endpoint_auth_method must be \"none\"",
        );
    }
    let redirect_uris = sound(document.redirect_uris);
    if redirect_uris.is_empty() {
        return Err("its document names no redirect_uri that a browser may be sent to");
    }
    Ok(Said {
        name: name(&document.client_name),
        redirect_uris,
    })
}

/// Those that a browser may be sent to at all.
pub(super) fn sound(uris: Vec<String>) -> Vec<String> {
    let sound = uris
        .into_iter()
        .take(MOST_URIS)
        .filter(|uri| redirect::is_sound(uri));
    sound.collect()
}

/// A name as it is shown: without what would change the direction of the text around it, or hide something.
pub(super) fn name(given: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let shown: String = given
        .chars()
        .filter(|letter| !hidden(*letter))
        .take(LONGEST_NAME)
        .collect();
    match shown.trim() {
        "" => "A program without a name".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "https://client.example/oauth/client.json";

    fn read_text(text: &str) -> Result<Said, &'static str> {
        read(&address(ID).expect("one"), text.as_bytes())
    }

    #[test]
    fn a_client_id_is_an_address_as_it_is_written_only() {
        assert!(address(ID).is_some());
        for other in [
            "http://client.example/c",
            "https://client.example",
            "https://client.example/",
            "https://client.example/a/../c",
            "https://CLIENT.example/c",
            "https://client.example:443/c",
            "https://me@client.example/c",
            "https://client.example/c#x",
            "https://client.example/c d",
            "hkc_abc",
            "",
        ] {
            assert!(address(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_document_speaks_for_its_own_address_only() {
        let uris = r#""redirect_uris": ["http://localhost/callback", "cursor://x/y"]"#;
        let said = read_text(&format!(
            r#"{{"client_id": "{ID}", "client_name": "An\u202e editor", {uris}}}"#
        ));
        let said = said.expect("read");
        assert_eq!(said.name, "An editor");
        assert_eq!(said.redirect_uris, ["http://localhost/callback"]);
        for wrong in [
            "{}".to_owned(),
            "[]".to_owned(),
            "no".to_owned(),
            format!(r#"{{"client_id": "https://other.example/c", {uris}}}"#),
            format!(r#"{{"client_id": "{ID}"}}"#),
            format!(r#"{{"client_id": "{ID}", "redirect_uris": ["http://10.0.0.1/"]}}"#),
            format!(
                r#"{{"client_id": "{ID}", "token_endpoint_auth_method": "client_secret_basic", {uris}}}"#
            ),
        ] {
            assert!(read_text(&wrong).is_err(), "{wrong}");
        }
    }
}
