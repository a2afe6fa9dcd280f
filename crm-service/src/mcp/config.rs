//! Where people's programs come in.

use std::net::SocketAddr;

use hubkeep_core::{
    address::is_protected,
    config::{Fault, Validate},
    grpc::Reach,
};
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

/// Where people's programs come in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The address of the MCP endpoint and of its authorization server, over plain HTTP/1.1. Left out: there is none.
    pub listen: Option<SocketAddr>,
    /// The address by which the world knows it: `https://` and a host, without a path; every address that is given out begins with it.
    /// Unless set, and on loopback only, `http://` and the address at which it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// Whether a proxy that ends TLS is in front of it. It may listen elsewhere than on loopback then, and the last address in
    /// X-Forwarded-For is taken for the client's.
    pub behind_proxy: bool,
    /// Origins beside its own whose pages may call it from a browser: `https://` and a host, or `http://localhost:` and a port.
    pub origins: Vec<String>,
    /// Whether clients may register themselves (RFC 7591). Without it only those do that have a document at an https address.
    pub registration: bool,
    /// How many registrations, and how many documents that are fetched, one address has in a minute.
    pub registrations_per_minute: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: None,
            public_url: None,
            behind_proxy: false,
            origins: Vec::new(),
            registration: true,
            registrations_per_minute: 10,
        }
    }
}

impl Config {
    /// From where it is reached.
    pub(super) const fn reach(&self) -> Reach {
        match self.behind_proxy {
            true => Reach::Proxy,
            false => Reach::Loopback,
        }
    }
}

/// An origin, as browsers write it.
fn origin_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let origin = url.origin();
    let sound = matches!(origin, Origin::Tuple(..)) && is_protected(&url);
    let written = origin.ascii_serialization();
    (sound && written == text).then_some(written)
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        let Some(listen) = self.listen else {
            return;
        };
        if !self.behind_proxy && !listen.ip().is_loopback() {
            let problem = "is not loopback, and what comes there is not encrypted: set behind_proxy if a proxy ends TLS before it";
            faults.push(Fault::new("mcp.listen", problem));
        }
        match &self.public_url {
            None if self.behind_proxy => {
                faults.push(Fault::new("mcp.public_url", "is needed behind a proxy"));
            }
            Some(url) if !is_bare(url) => {
                let problem = "must be https:// (http:// on loopback) and a host, with nothing behind it";
                faults.push(Fault::new("mcp.public_url", problem));
            }
            _ => {}
        }
        for origin in &self.origins {
            if origin_of(origin).is_none() {
                let problem = format!(
                    "{origin:?} is no origin: write https:// (http:// on loopback), a host, and no \"/\" behind it"
                );
                faults.push(Fault::new("mcp.origins", problem));
            }
        }
        if self.registrations_per_minute == 0 {
            faults.push(Fault::new(
                "mcp.registrations_per_minute",
                "must be more than 0; registration = false allows none",
            ));
        }
    }
}

/// Whether it is a scheme and a host alone.
fn is_bare(url: &Url) -> bool {
    let nothing_else = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    is_protected(url) && nothing_else && nobody
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = Config {
            listen: Some(([127, 0, 0, 1], 7405).into()),
            ..Config::default()
        };
        change(&mut config);
        let mut faults = Vec::new();
        config.validate(&mut faults);
        faults.into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn what_the_world_reaches_is_encrypted_or_on_this_machine() {
        let url = |text: &str| Some(Url::parse(text).expect("valid"));
        assert_eq!(faults(|_| ()), [] as [&str; 0]);
        assert_eq!(
            faults(|config| config.listen = Some(([0, 0, 0, 0], 1).into())),
            ["mcp.listen"]
        );
        assert_eq!(faults(|config| config.behind_proxy = true), ["mcp.public_url"]);
        for (text, sound) in [
            ("https://hubkeep.example.com", true),
            ("https://hubkeep.example.com:8443", true),
            ("http://localhost:7405", true),
            ("http://hubkeep.example.com", false),
            ("https://hubkeep.example.com/mcp", false),
            ("https://me@hubkeep.example.com", false),
            ("https://hubkeep.example.com/?a=b", false),
        ] {
            assert_eq!(
                faults(|config| config.public_url = url(text)).is_empty(),
                sound,
                "{text}"
            );
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, sound) in [
            ("https://inspector.example.com", true),
            ("http://localhost:6274", true),
            ("https://inspector.example.com/", false),
            ("http://inspector.example.com", false),
            ("inspector.example.com", false),
            ("*", false),
            ("null", false),
        ] {
            let found = faults(|config| config.origins = vec![text.to_owned()]);
            assert_eq!(found.is_empty(), sound, "{text}");
        }
    }
}
