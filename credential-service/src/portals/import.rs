//! Onboarding of many: rows in any number, a few at once, an outcome for each.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use hubkeep_core::{
    id::{ClientSlug, PortalId},
    secret::TokenFingerprint,
};

use super::{Error, NewPortal};

/// Rows that are verified at the same time.
pub const ROWS_AT_ONCE: usize = 8;

/// The rows of one import so far: a slug, portal or token may stand in one row only.
#[derive(Debug, Default)]
pub struct ImportedRows(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    slugs: HashMap<ClientSlug, u32>,
    portals: HashMap<PortalId, u32>,
    tokens: HashMap<TokenFingerprint, u32>,
}

impl ImportedRows {
    /// Notes a row. Rows must be noted in the order in which they come.
    ///
    /// # Errors
    /// If its slug, its expected portal or its token stand in an earlier row.
    pub fn note(&self, row: u32, new: &NewPortal) -> Result<(), Error> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = [
            first(&mut seen.slugs, new.client_slug.clone(), row),
            new.expected
                .and_then(|portal| first(&mut seen.portals, portal, row)),
            first(&mut seen.tokens, new.token.fingerprint(), row),
        ];
        match earlier.into_iter().flatten().min() {
            Some(first_row) => Err(Error::RowDuplicate { row, first_row }),
            None => Ok(()),
        }
    }
}

/// The row in which `key` stood before; from now on it stands in `row` if in none.
fn first<K: Eq + Hash>(rows: &mut HashMap<K, u32>, key: K, row: u32) -> Option<u32> {
    let mut before = None;
    rows.entry(key)
        .and_modify(|first| before = Some(*first))
        .or_insert(row);
    before
}

#[cfg(test)]
mod tests {
    use hubkeep_core::secret::PortalToken;

    use super::*;
    use crate::portals::CredentialKind;

    fn new(slug: &str, portal: u64, token: &str) -> NewPortal {
        NewPortal {
            client_slug: slug.parse().expect("valid"),
            token: PortalToken::new(token.to_owned()),
            expected: PortalId::new(portal),
            kind: CredentialKind::Unspecified,
        }
    }

    #[test]
    fn a_repeated_slug_portal_or_token_names_the_first_row() {
        let rows = ImportedRows::default();
        rows.note(1, &new("acme", 1, "a")).expect("first");
        rows.note(2, &new("globex", 0, "b"))
            .expect("its portal is not stated");
        rows.note(3, &new("initech", 0, "c"))
            .expect("neither is this one's");
        let repeated = [new("acme", 4, "d"), new("umbra", 1, "e"), new("wayne", 5, "a")];
        for (row, new) in (4..).zip(&repeated) {
            let refused = rows.note(row, new);
            assert!(
                matches!(refused, Err(Error::RowDuplicate { first_row: 1, .. })),
                "row {row}"
            );
        }
    }
}
