//! PostgreSQL: one database for many replicas. How it is addressed, and what every session is set to.

use std::path::Path;

use secrecy::{SecretString, zeroize::Zeroizing};
use url::{Host, Url};

use super::Error;
use crate::secret_file;

/// What every session is set to. A statement that waits longer is given up by the server, and a transaction whose
/// client was lost without a word lets go of its locks. A commit is on disk when it returns, whatever the server's
/// default: a revocation that was confirmed is never forgotten. A stronger word stays.
pub(super) const SESSION: &str = "SET statement_timeout = '4s'; \
     SET idle_in_transaction_session_timeout = '6s'; SET default_transaction_isolation = 'read committed'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/// Parameters of an address that are handed to the driver. Others it would pass over with a warning.
const PARAMETERS: [&str; 6] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "application_name",
];
const SSL_MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// What is wrong with an address.
pub(super) fn problems(url: &str) -> Vec<String> {
    let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let Some(url) = Url::parse(url).ok().filter(|_| known) else {
        return vec!["must be sqlite:// and a path, or postgres://user@host:port/name".to_owned()];
    };
    let parameter = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let mut problems = Vec::new();
    if url.password().is_some() || parameter("password").is_some() {
        problems.push("must not hold a password: name a password_file".to_owned());
    }
    if url.path().trim_start_matches('/').is_empty() {
        problems.push("must name the database: postgres://user@host:port/name".to_owned());
    }
    let unknown = |name: &str| name != "password" && !PARAMETERS.contains(&name);
    for (name, _) in url.query_pairs().filter(|(name, _)| unknown(name)) {
        problems.push(format!("has a parameter {name}, which is not known"));
    }
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let is_repeated = |name: &str| names.iter().filter(|other| *other == name).count() > 1;
    for name in PARAMETERS.iter().filter(|name| is_repeated(name)) {
        problems.push(format!("has {name} more than once"));
    }
    let near = match parameter("host") {
        // A folder with a socket in it, or what stands in place of the address's own host.
        Some(host) => host.starts_with('/') || host == "localhost" || is_loopback(&host),
        None => is_on_this_machine(&url),
    };
    match parameter("sslmode") {
        Some(mode) if !SSL_MODES.contains(&mode.as_str()) => {
            problems.push(format!("sslmode must be one of {}", SSL_MODES.join(", ")));
        }
        None if !near => {
            problems.push(
                "must say how TLS is used with another machine: ?sslmode=verify-full, or ?sslmode=disable on a \
                 network that is nobody else's"
                    .to_owned(),
            );
        }
        _ => {}
    }
    problems
}

fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        None => true,
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // A folder with a socket in it is written %2Frun%2Fpostgresql.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.to_ascii_lowercase().starts_with("%2f") || is_loopback(name)
        }
    }
}

/// URLs of schemes that are not of the web keep an IPv4 address as a name.
fn is_loopback(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>()
        .is_ok_and(|address| address.is_loopback())
}

/// The address with the password in it, as drivers want it.
///
/// # Errors
/// If the address is none, or the password cannot be read from its file or may be read by everybody.
pub fn driver_url(url: &str, password_file: Option<&Path>) -> Result<SecretString, Error> {
    let faults = problems(url);
    let mut parsed = Url::parse(url)
        .ok()
        .filter(|_| faults.is_empty())
        .ok_or_else(|| Error::Address(faults.join("; ")))?;
    if let Some(file) = password_file {
        let password = secret_file::read(file).map_err(|problem| Error::PasswordFile {
            file: file.to_owned(),
            problem,
        })?;
        // What is there already would pass for an escape: "%41" is a password's three letters, not an "A".
        let password = Zeroizing::new(password.replace('%', "%25"));
        parsed
            .set_password(Some(&password))
            .map_err(|()| Error::Address("has no host".to_owned()))?;
    }
    Ok(SecretString::from(String::from(parsed)))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };

    use secrecy::ExposeSecret as _;

    use super::*;

    const URL: &str = "postgres://hubkeep@localhost:5432/vault";

    #[test]
    fn a_password_of_any_letters_is_read_from_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        fs::write(&file, "p@ss:w/rd %41%\r\n").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o440)).expect("set");
        let url = driver_url(URL, Some(&file)).expect("readable");
        assert_eq!(
            url.expose_secret(),
            "postgres://hubkeep:p%40ss%3Aw%2Frd%20%2541%25@localhost:5432/vault"
        );
        assert!(!format!("{url:?}").contains("p%40ss"));
        assert_eq!(driver_url(URL, None).expect("no file").expose_secret(), URL);
    }

    #[test]
    fn a_password_that_everybody_may_read_is_refused_and_so_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        let refused = |mode| {
            fs::set_permissions(&file, Permissions::from_mode(mode)).expect("set");
            driver_url(URL, Some(&file)).expect_err("refused").to_string()
        };
        fs::write(&file, "secret\n").expect("written");
        for mode in [0o644, 0o604, 0o602] {
            assert!(refused(mode).contains("everybody"), "{mode:o}");
        }
        fs::write(&file, "\n").expect("written");
        assert!(refused(0o600).contains("empty"));
        assert!(driver_url(URL, Some(&folder.path().join("absent"))).is_err());
    }
}
