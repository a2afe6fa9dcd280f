//! Page tokens: HubSpot's cursor, bound to what was asked, so that a token of one list is not taken for another's.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::crm::Faults;

/// Bytes of the hash of the question that a token carries.
const BOUND_BYTES: usize = 8;

/// What a page token is bound to.
pub(super) struct Question([u8; BOUND_BYTES]);

impl Question {
    /// A question made of these parts.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let hash = context.finish();
        let mut bound = [0; BOUND_BYTES];
        for (byte, hashed) in bound.iter_mut().zip(hash.as_ref()) {
            *byte = *hashed;
        }
        Self(bound)
    }

    /// The token of the page that begins at HubSpot's cursor; empty where there is none.
    pub(super) fn token(&self, after: Option<&str>) -> String {
        let Some(after) = after else { return String::new() };
        URL_SAFE_NO_PAD.encode([&self.0, after.as_bytes()].concat())
    }

    /// HubSpot's cursor in a token; `None` for the first page, with a fault for a token that is not of this question.
    pub(super) fn cursor(&self, token: &str, faults: &mut Faults) -> Option<String> {
        if token.is_empty() {
            return None;
        }
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let after = bytes.strip_prefix(self.0.as_slice())?;
            let after = String::from_utf8(after.to_vec()).ok()?;
            (1..=128).contains(&after.len()).then_some(after)
        };
        let cursor = read();
        if cursor.is_none() {
            faults.add(
                "page_token",
                "is not one that was given for this question: begin again without it",
            );
        }
        cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_for_its_own_question_only() {
        let (contacts, deals) = (
            Question::of(&["acme", "contacts"]),
            Question::of(&["acme", "deals"]),
        );
        let token = contacts.token(Some("20"));
        let mut faults = Faults::default();
        assert_eq!(contacts.cursor(&token, &mut faults), Some("20".to_owned()));
        faults.resolve(Some(())).expect("no fault");
        for foreign in [token.as_str(), "20", "!!"] {
            let mut faults = Faults::default();
            assert_eq!(deals.cursor(foreign, &mut faults), None);
            faults.resolve(Some(())).expect_err("a fault");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Question::of(&["ab", "c"]).0, Question::of(&["a", "bc"]).0);
    }
}
