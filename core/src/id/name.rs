//! Names that people choose, held to rules where they enter.

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error;

/// A name that breaks its rule. The message says what the rule is and never repeats the name: it may be anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidName(&'static str);

impl InvalidName {
    /// The rule, as a sentence for the caller.
    pub fn rule(&self) -> &'static str {
        self.0
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err(InvalidName($rule)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The agency's name for a client's portal.
    ClientSlug,
    "a client slug is 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit",
    is_label
}

name! {
    /// An operator's name for one of a portal's credentials.
    CredentialName,
    "a credential's name is 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit",
    is_label
}

name! {
    /// The name of a calling service or operator, as its certificate states it.
    CallerName,
    "a caller's name is 1 to 128 of a-z, A-Z, 0-9 and '.', '_', '-', '/', '@', beginning with a letter or digit",
    |text| {
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/@".contains(byte);
        (1..=128).contains(&text.len())
            && text.as_bytes().iter().all(inner)
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
    }
}

name! {
    /// Why a handle was issued.
    PurposeCode,
    "a purpose code is 1 to 64 of a-z, 0-9, '-' and '.'",
    is_code
}

name! {
    /// An operator's name for a grant of handles.
    GrantId,
    "a grant's id is 1 to 64 of a-z, 0-9, '-' and '.'",
    is_code
}

name! {
    /// An operator's name for a person.
    PersonId,
    "a person's id is 1 to 64 of a-z, 0-9, '-' and '.'",
    is_code
}

impl Default for CredentialName {
    /// The name of a credential for which none is stated.
    fn default() -> Self {
        Self("default".into())
    }
}

fn is_code(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte);
    (1..=64).contains(&text.len()) && text.as_bytes().iter().all(inner)
}

fn is_label(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    (1..=63).contains(&text.len())
        && text.as_bytes().iter().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl CallerName {
    /// Whether this is a person with an operator's certificate: "operator/<name>".
    pub fn is_operator(&self) -> bool {
        self.0
            .strip_prefix("operator/")
            .is_some_and(|person| !person.is_empty())
    }

    /// The name of somebody who signs in, by a hash of the account.
    pub fn of_user(hash: &[u8; 16]) -> Self {
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("user/{digits}").into())
    }

    /// Whether this is somebody who signs in in a browser: "user/<digits>". No certificate is issued to such a name, and what a
    /// service calls itself like this gets nothing by it.
    pub fn is_user(&self) -> bool {
        self.0.starts_with("user/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_holds_to_its_rule() {
        for good in ["a", "acme", "acme-2", "0", &"x".repeat(63)] {
            assert!(good.parse::<ClientSlug>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-acme",
            "acme-",
            "Acme",
            "ac me",
            "äcme",
            "a/b",
            &"x".repeat(64),
        ] {
            assert!(bad.parse::<ClientSlug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_operator_is_told_by_its_name() {
        assert!("operator/ann".parse::<CallerName>().expect("valid").is_operator());
        assert!(!"operator/".parse::<CallerName>().expect("valid").is_operator());
        assert!(!"nightly-sync".parse::<CallerName>().expect("valid").is_operator());
    }
}
