//! Which key of Google Cloud KMS.

use hubkeep_core::config::Fault;
use serde::{Deserialize, Serialize};

use crate::remote::GoogleConfig;

/// A symmetric key of Google Cloud KMS. Needs a build with the feature `gcp`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GcpKekConfig {
    /// The key: `projects/<project>/locations/<place>/keyRings/<ring>/cryptoKeys/<key>`.
    pub key: String,
    /// How Google Cloud is reached.
    pub server: GoogleConfig,
}

impl GcpKekConfig {
    pub(crate) fn validate(&self, faults: &mut Vec<Fault>) {
        self.server.validate("keys.kek.gcp.server", faults);
        if !self.is_key() {
            faults.push(Fault::new(
                "keys.kek.gcp.key",
                "must be projects/<project>/locations/<place>/keyRings/<ring>/cryptoKeys/<key>",
            ));
        }
    }

    fn is_key(&self) -> bool {
        let words = ["projects", "locations", "keyRings", "cryptoKeys"];
        let parts: Vec<&str> = self.key.split('/').collect();
        let fit = |part: &str| {
            let letter = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
            !part.is_empty() && part != ".." && part.chars().all(letter)
        };
        let pairs = parts.chunks(2).zip(words);
        parts.len() == 8
            && pairs
                .into_iter()
                .all(|(pair, word)| matches!(pair, [name, value] if *name == word && fit(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_full_name_of_a_key_is_one() {
        let is_key = |key: &str| {
            let config = GcpKekConfig {
                key: key.to_owned(),
                ..GcpKekConfig::default()
            };
            config.is_key()
        };
        assert!(is_key(
            "projects/a/locations/europe-west3/keyRings/b/cryptoKeys/c"
        ));
        for bad in [
            "",
            "c",
            "projects/a/locations/b/keyRings/c",
            "projects/a/locations/b/keyRings/c/cryptoKeys/",
            "projects/a/locations/b/keyRings/c/cryptoKeys/../x",
            "projects/a/locations/b/keyRings/c/cryptoKeys/d/cryptoKeyVersions/1",
        ] {
            assert!(!is_key(bad), "{bad}");
        }
    }
}
