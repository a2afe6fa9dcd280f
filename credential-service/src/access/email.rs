//! An e-mail address, which is compared without regard to case, and shown by nothing.

use std::{fmt, str::FromStr};

use hubkeep_core::error::FieldViolation;
use serde::{Deserialize, Serialize};

/// The longest address.
const LONGEST: usize = 320;

/// An e-mail address in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The address. It is personal data.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = FieldViolation;

    fn from_str(text: &str) -> Result<Self, FieldViolation> {
        let halves = text.rsplit_once('@');
        let sound = text.len() <= LONGEST
            && halves.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && !text.contains(|letter: char| letter.is_control() || letter.is_whitespace());
        if sound {
            return Ok(Self(text.to_lowercase()));
        }
        Err(FieldViolation {
            field: "email".to_owned(),
            description: "an e-mail address has an '@', no blanks, and at most 320 bytes".to_owned(),
        })
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_regard_to_case_and_not_shown() {
        let read = |text: &str| text.parse::<Email>();
        assert_eq!(
            read("Ann@A.example").expect("one"),
            read("ann@a.EXAMPLE").expect("one")
        );
        assert!(!format!("{:?}", read("ann@a.example").expect("one")).contains("ann"));
        for none in ["", "ann", "@a.example", "ann@", "a b@c.example", "a\n@c.example"] {
            assert!(read(none).is_err(), "{none}");
        }
    }
}
