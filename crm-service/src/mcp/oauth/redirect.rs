//! Where a browser may be sent back to with a code. A client names its addresses when it registers; one that is asked for must be one
//! of those, letter by letter. Of an address on the person's own machine the port may differ: programs take whichever is free
//! (RFC 8252, section 7.3).

use url::Url;

/// The longest address.
const LONGEST: usize = 2_048;

/// The names of the person's own machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether a browser may be sent to such an address at all: https anywhere, http on the person's own machine; nobody's name in it, and
/// no fragment.
pub(super) fn is_sound(address: &str) -> bool {
    let strange = |letter: char| letter.is_control() || letter.is_whitespace() || letter == '\\';
    if address.len() > LONGEST || address.chars().any(strange) {
        return false;
    }
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let scheme = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(address),
        _ => false,
    };
    let authority = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    scheme && !authority.is_empty() && !authority.contains('@') && !address.contains('#')
}

/// Whether it is on the person's own machine, where any program can listen.
pub(super) fn is_loopback(address: &str) -> bool {
    parts(address).is_some_and(|(host, _)| LOOPBACK.contains(&host))
}

/// The host without a port, and what follows, of an address by http.
fn parts(address: &str) -> Option<(&str, &str)> {
    let rest = address.strip_prefix("http://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((host, path))
}

/// Whether the address that is asked for is one of those that were registered.
pub(super) fn is_registered(asked: &str, registered: &[String]) -> bool {
    let same = |known: &String| {
        let same_but_for_the_port = || {
            let both = parts(asked).zip(parts(known));
            both.is_some_and(|(asked, known)| LOOPBACK.contains(&asked.0) && asked == known)
        };
        asked == known || same_but_for_the_port()
    };
    is_sound(asked) && registered.iter().any(same)
}

/// The host, for people to read.
pub(super) fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    let host = url.and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_default()
}

/// The address with these parameters added to its query.
pub(super) fn with(address: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered() -> Vec<String> {
        [
            "https://client.example/callback",
            "http://localhost/callback",
            "http://127.0.0.1:33418/cb?x=1",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn only_a_registered_address_is_returned_to() {
        for good in [
            "https://client.example/callback",
            "http://localhost/callback",
            "http://localhost:49152/callback",
            "http://127.0.0.1:50000/cb?x=1",
            "http://127.0.0.1/cb?x=1",
        ] {
            assert!(is_registered(good, &registered()), "{good}");
        }
        for bad in [
            "https://client.example/callback/",
            "https://client.example/callback/../other",
            "https://client.example/Callback",
            "https://client.example/callback?next=https://evil.example",
            "https://client.example/callback#code",
            "https://client.example#@evil.example/callback",
            "https://client.example@evil.example/callback",
            "https://user@client.example/callback",
            "https://client.example:8443/callback",
            "https://client.example.evil.example/callback",
            "https://evil.example/callback",
            "https://client.example\\@evil.example/callback",
            "http://client.example/callback",
            "http://localhost:49152/other",
            "http://localhost:49152/callback#x",
            "http://localhost:49152@evil.example/callback",
            "http://localhost.evil.example/callback",
            "http://127.0.0.1/callback",
            "http://[::1]/callback",
            "https://localhost/callback",
            "javascript:alert(1)//http://localhost/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "",
        ] {
            assert!(!is_registered(bad, &registered()), "{bad}");
        }
    }

    #[test]
    fn an_address_is_sound_before_anybody_asks_for_it() {
        for good in [
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
            "http://[::1]:1/x",
            "https://client.example/a@b",
        ] {
            assert!(is_sound(good), "{good}");
        }
        for bad in [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "http://10.0.0.1/callback",
            "https://client.example/#",
            "https://a b.example/",
            "data:text/html,x",
            "https:///x",
            &format!("https://client.example/{}", "x".repeat(LONGEST)),
        ] {
            assert!(!is_sound(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_added_stands_in_the_query() {
        let with = with(
            "https://client.example/cb?x=1",
            &[("code", "a b"), ("iss", "https://h")],
        );
        assert_eq!(
            with.as_deref(),
            Some("https://client.example/cb?x=1&code=a+b&iss=https%3A%2F%2Fh")
        );
    }
}
