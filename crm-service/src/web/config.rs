//! Where the pages are.

use std::net::SocketAddr;

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

use super::people::{self, ProviderConfig};

/// Where the pages are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The address of the audit viewer, over HTTP/1.1: with certificates any, without them loopback only. Left out: there is none.
    pub listen: Option<SocketAddr>,
    /// The hosts under which browsers reach it, without scheme and port, beside `localhost`, `127.0.0.1`, `[::1]` and the first name of the
    /// service's certificate. Under others nothing is shown.
    pub names: Vec<String>,
    /// Whom people sign in with, on the pages beside the MCP endpoint. None where nobody does.
    pub providers: Vec<ProviderConfig>,
}

/// The longest name of a host.
const MAX_NAME: usize = 253;

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        people::check(&self.providers, faults);
        for name in self.names.iter().filter(|name| !is_host(name)) {
            let problem = format!("{name:?} is no host: write it in small letters, without scheme and port");
            faults.push(Fault::new("web.names", problem));
        }
    }
}

fn is_host(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_neither_scheme_nor_port() {
        for (name, sound) in [
            ("hubkeep.internal", true),
            ("10.0.0.7", true),
            ("[::1]", true),
            ("", false),
            ("https://hubkeep.internal", false),
            ("hubkeep.internal:7404", false),
            ("Hubkeep", false),
            ("[no]", false),
            ("a b", false),
        ] {
            assert_eq!(is_host(name), sound, "{name}");
        }
    }
}
