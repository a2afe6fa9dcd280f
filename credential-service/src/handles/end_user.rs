//! On whose behalf a caller asks: an id of the caller's own, which may well be personal data.

use std::{fmt, str::FromStr};

use hubkeep_core::error::FieldViolation;

const LONGEST: usize = 128;

/// An opaque id of a person, as the caller knows it. It lies sealed with the handle only, and shows itself in no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct EndUser(String);

impl EndUser {
    /// The id itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndUser {
    type Err = FieldViolation;

    fn from_str(text: &str) -> Result<Self, FieldViolation> {
        let sound = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if sound {
            return Ok(Self(text.to_owned()));
        }
        Err(FieldViolation {
            field: "end_user".to_owned(),
            description: "an end user is 1 to 128 printable ASCII characters without blanks".to_owned(),
        })
    }
}

impl fmt::Debug for EndUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndUser(…)")
    }
}
