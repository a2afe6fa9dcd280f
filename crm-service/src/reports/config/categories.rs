//! Which categories of personal information records of a type hold: the letters of California Civil Code 1798.140(v)(1).

use hubkeep_core::config::Fault;
use serde::{Deserialize, Serialize};

/// The letters, and what they stand for.
pub(crate) const LETTERS: [(&str, &str); 12] = [
    ("A", "identifiers"),
    ("B", "customer records (1798.80(e))"),
    ("C", "characteristics of protected classifications"),
    ("D", "commercial information"),
    ("E", "biometric information"),
    ("F", "internet or other network activity"),
    ("G", "geolocation"),
    ("H", "audio, electronic, visual or similar information"),
    ("I", "professional or employment-related information"),
    ("J", "education information"),
    ("K", "inferences"),
    ("L", "sensitive personal information"),
];

/// What HubSpot's own types hold by what they are for. What a portal puts into properties of its own is for its operator to say.
const USUAL: [(&str, &[&str]); 23] = [
    ("contacts", &["A", "B"]),
    ("companies", &["I"]),
    ("deals", &["D"]),
    ("tickets", &["A", "D"]),
    ("products", &[]),
    ("line_items", &["D"]),
    ("quotes", &["D"]),
    ("orders", &["D"]),
    ("carts", &["D"]),
    ("invoices", &["D"]),
    ("commerce_payments", &["B", "D"]),
    ("subscriptions", &["D"]),
    ("leads", &["A", "B", "D"]),
    ("notes", &["A"]),
    ("tasks", &["A"]),
    ("calls", &["A", "H"]),
    ("emails", &["A", "F"]),
    ("meetings", &["A"]),
    ("communications", &["A", "F"]),
    ("postal_mail", &["A"]),
    ("feedback_submissions", &["A", "D"]),
    ("owners", &["A", "I"]),
    ("schemas", &[]),
];

/// What an operator states of records of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Categories {
    /// The type, as "contacts" or "2-123".
    pub object_type: String,
    /// The letters of 1798.140(v)(1), as ["A", "B"]; empty if it holds no personal information.
    pub letters: Vec<String>,
    /// Whether there is sensitive personal information in it (1798.140(ae)).
    pub is_sensitive: bool,
}

impl Categories {
    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        let known = |letter: &String| LETTERS.iter().any(|(known, _)| known == letter);
        if self.object_type.is_empty() || !self.letters.iter().all(known) {
            faults.push(Fault::new(
                "reports.categories",
                "name an object_type, and letters from A to L",
            ));
        }
    }
}

/// The letters of a type, if it is known what it holds: as stated, else as is usual.
pub(crate) fn letters(stated: &[Categories], object_type: &str) -> Option<Vec<String>> {
    let own = stated.iter().find(|one| one.object_type == object_type);
    own.map(|own| own.letters.clone()).or_else(|| {
        let usual = USUAL.iter().find(|(name, _)| *name == object_type);
        usual.map(|(_, letters)| letters.iter().map(|letter| (*letter).to_owned()).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_states_of_a_type_comes_before_what_is_usual_and_an_own_type_is_not_known() {
        let stated = [Categories {
            object_type: "contacts".to_owned(),
            letters: vec!["A".to_owned(), "G".to_owned()],
            is_sensitive: true,
        }];
        assert_eq!(letters(&stated, "contacts").expect("stated"), ["A", "G"]);
        assert_eq!(letters(&stated, "deals").expect("usual"), ["D"]);
        assert_eq!(letters(&stated, "2-7"), None);
    }

    #[test]
    fn every_usual_letter_is_one_of_the_twelve_and_a_letter_that_is_none_is_a_fault() {
        for (_, letters) in USUAL {
            assert!(
                letters
                    .iter()
                    .all(|letter| LETTERS.iter().any(|(known, _)| known == letter))
            );
        }
        let mut faults = Vec::new();
        let wrong = Categories {
            object_type: "contacts".to_owned(),
            letters: vec!["Z".to_owned()],
            is_sensitive: false,
        };
        wrong.check(&mut faults);
        assert_eq!(faults.len(), 1);
    }
}
