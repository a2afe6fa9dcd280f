//! Page tokens: HubSpot's cursor, bound to what was asked, so that a token of one list is not taken for another's.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Faults;

/// Bytes of the hash of question and cursor that a token begins with.
const MARK_BYTES: usize = 8;

/// What a page token is bound to: everything that was asked, but for the page.
#[derive(Clone)]
pub struct Question(digest::Context);

impl Question {
    /// A question made of these parts.
    pub fn of(parts: &[&str]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        Self(context)
    }

    /// What tells a token of this question and this cursor from any other text.
    fn mark(&self, cursor: &[u8]) -> [u8; MARK_BYTES] {
        let mut context = self.0.clone();
        context.update(cursor);
        let mut mark = [0; MARK_BYTES];
        for (byte, hashed) in mark.iter_mut().zip(context.finish().as_ref()) {
            *byte = *hashed;
        }
        mark
    }

    /// The token of the page that begins at HubSpot's cursor; empty where there is none.
    pub fn token(&self, after: Option<&str>) -> String {
        let Some(after) = after else {
            return String::new();
        };
        let cursor = after.as_bytes();
        URL_SAFE_NO_PAD.encode([&self.mark(cursor), cursor].concat())
    }

    /// HubSpot's cursor in a token; `None` for the first page, with a fault for a token that is not of this question.
    pub fn cursor(&self, token: &str, faults: &mut Faults) -> Option<String> {
        self.cursor_in("page_token", token, faults)
    }

    /// The same for a token in another field.
    pub fn cursor_in(&self, field: &str, token: &str, faults: &mut Faults) -> Option<String> {
        if token.is_empty() {
            return None;
        }
        let cursor = self.read(token);
        if cursor.is_none() {
            faults.add(
                field,
                "is not one that was given for this question: begin again without it",
            );
        }
        cursor
    }

    fn read(&self, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mark, cursor) = bytes.split_at_checked(MARK_BYTES)?;
        (mark == self.mark(cursor)).then(|| String::from_utf8(cursor.to_vec()).ok())?
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
    fn a_cut_token_is_not_one() {
        let contacts = Question::of(&["acme", "contacts"]);
        let token = contacts.token(Some("2044"));
        for length in 1..token.len() {
            assert_eq!(contacts.read(&token[..length]), None, "cut to {length}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let token = |parts: &[&str]| Question::of(parts).token(Some("1"));
        assert_ne!(token(&["ab", "c"]), token(&["a", "bc"]));
    }
}
