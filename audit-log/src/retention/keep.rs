//! For how long entries are kept, as a configuration says it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Nothing is ever pruned.
const FOR_EVER: &str = "for ever";
/// What holds where nothing is said.
const DEFAULT: &str = "25 months";
/// The shortest life of an entry: 30.44 days.
const LEAST: Duration = Duration::from_secs(2_630_016);

/// For how long entries are kept: a time, or for ever. A month is 30.44 days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    text: String,
    life: Option<Duration>,
}

impl Keep {
    /// From words such as "25 months", "400 days" or "for ever".
    ///
    /// # Errors
    /// With the rule that the text breaks.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let life = match text.as_str() {
            FOR_EVER => None,
            time => {
                let life = humantime::parse_duration(time);
                Some(life.map_err(|error| {
                    format!("must be a time such as \"25 months\", or \"{FOR_EVER}\": {error}")
                })?)
            }
        };
        Ok(Self { text, life })
    }

    /// For ever.
    pub fn for_ever() -> Self {
        Self {
            text: FOR_EVER.to_owned(),
            life: None,
        }
    }

    /// How old an entry must be to go; `None` where none ever does.
    pub const fn life(&self) -> Option<Duration> {
        self.life
    }

    /// Whether evidence would go so early that it must be a slip of the pen.
    pub(crate) fn is_too_short(&self) -> bool {
        self.life.is_some_and(|life| life < LEAST)
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            text: DEFAULT.to_owned(),
            life: Some(LEAST.saturating_mul(25)),
        }
    }
}

/// In the words of the configuration.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_what_its_words_say_and_they_are_kept() {
        let read = |text: &str| Keep::read(text).expect("a time");
        assert_eq!(read("25  months"), Keep::default());
        assert_eq!(read("25months").life(), Keep::default().life());
        assert_eq!(
            read("400 days").life(),
            Some(Duration::from_secs(400 * 24 * 60 * 60))
        );
        assert_eq!(read("for ever"), Keep::for_ever());
        assert_eq!(read("400 days").to_string(), "400 days");
        Keep::read("a while").expect_err("no time");
        Keep::read("").expect_err("nothing");
    }

    #[test]
    fn nobody_loses_evidence_by_a_slip_of_the_pen() {
        for short in ["25 minutes", "25m", "0s", "30 days"] {
            assert!(Keep::read(short).expect("a time").is_too_short(), "{short}");
        }
        for long in ["1 month", "31 days", "for ever"] {
            assert!(!Keep::read(long).expect("a time").is_too_short(), "{long}");
        }
    }
}
