//! Onboarding of many: rows in any number, a few at once, an outcome for each.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use hubkeep_core::{
    id::{ClientSlug, CredentialName, PortalId},
    secret::TokenFingerprint,
};
use tokio::sync::watch;

use super::{Error, NewPortal};

/// Rows that are verified at the same time.
pub const ROWS_AT_ONCE: usize = 8;

/// The rows of one import so far. A token that an accepted row has may stand in no other; a slug or portal may, under
/// another credential's name. Which of such rows is the first is decided by their order, not by which of them HubSpot
/// answers sooner.
#[derive(Debug, Default)]
pub struct ImportedRows(Mutex<HashMap<Claim, Vec<Earlier>>>);

/// What rows can have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Claim {
    Slug(ClientSlug),
    Portal(PortalId),
    Token(TokenFingerprint),
}

/// What a row has in common with an earlier one that excludes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// The slug, under the same credential's name.
    Slug,
    /// The portal, under the same credential's name.
    Portal,
    /// The token.
    Token,
}

impl Repeated {
    /// What it is called in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Portal => "portal",
            Self::Token => "token",
        }
    }
}

/// A row that came before, and whether it was accepted, once that is known.
#[derive(Clone, Debug)]
struct Earlier {
    number: u32,
    credential: CredentialName,
    accepted: watch::Receiver<Option<bool>>,
}

/// A row's place among the others.
#[derive(Debug)]
pub struct Turn {
    number: u32,
    /// Each with what makes it and this row exclude each other, if anything does.
    earlier: Vec<(Earlier, Option<Repeated>)>,
    accepted: watch::Sender<Option<bool>>,
}

impl ImportedRows {
    /// Notes a row. Rows must be noted in the order in which they come.
    pub fn note(&self, number: u32, new: &NewPortal) -> Turn {
        let accepted = watch::Sender::new(None);
        let this = Earlier {
            number,
            credential: new.credential_name.clone(),
            accepted: accepted.subscribe(),
        };
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut earlier = Vec::new();
        for claim in claims(new) {
            let what = match claim {
                Claim::Slug(_) => Repeated::Slug,
                Claim::Portal(_) => Repeated::Portal,
                Claim::Token(_) => Repeated::Token,
            };
            let claimants = rows.entry(claim).or_default();
            let excludes = |one: &Earlier| what == Repeated::Token || one.credential == new.credential_name;
            earlier.extend(
                claimants
                    .iter()
                    .map(|one| (one.clone(), excludes(one).then_some(what))),
            );
            claimants.push(this.clone());
        }
        Turn {
            number,
            earlier,
            accepted,
        }
    }
}

fn claims(new: &NewPortal) -> impl Iterator<Item = Claim> {
    let slug = Claim::Slug(new.client_slug.clone());
    let token = Claim::Token(new.token.fingerprint());
    [slug, token].into_iter().chain(new.expected.map(Claim::Portal))
}

impl Turn {
    /// Waits until it is known what became of every earlier row that claims the same.
    ///
    /// # Errors
    /// If one of them was accepted that excludes this one. A row that was refused stands in nobody's way.
    pub async fn come(&mut self) -> Result<(), Error> {
        for (row, excludes) in &mut self.earlier {
            // A row whose work was lost is not accepted.
            let accepted = row
                .accepted
                .wait_for(Option::is_some)
                .await
                .is_ok_and(|known| *known == Some(true));
            if let Some(what) = excludes.filter(|_| accepted) {
                return Err(Error::RowDuplicate {
                    row: self.number,
                    first_row: row.number,
                    what,
                });
            }
        }
        Ok(())
    }

    /// Tells the rows that wait for this one what became of it.
    pub fn done(self, accepted: bool) {
        self.accepted.send_replace(Some(accepted));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use hubkeep_core::secret::PortalToken;

    use super::*;
    use crate::portals::CredentialKind;

    fn new(slug: &str, portal: u64, token: &str) -> NewPortal {
        NewPortal {
            client_slug: slug.parse().expect("valid"),
            token: PortalToken::new(token.to_owned()),
            expected: PortalId::new(portal),
            kind: CredentialKind::Unspecified,
            credential_name: CredentialName::default(),
            details: None,
            validate_only: false,
        }
    }

    #[tokio::test]
    async fn a_repeated_slug_portal_or_token_of_an_accepted_row_names_that_row() {
        let rows = ImportedRows::default();
        rows.note(1, &new("acme", 1, "a")).done(true);
        let repeated = [new("acme", 4, "d"), new("umbra", 1, "e"), new("wayne", 5, "a")];
        let expected = [Repeated::Slug, Repeated::Portal, Repeated::Token];
        for ((number, new), expected) in (2..).zip(&repeated).zip(expected) {
            let refused = rows.note(number, new).come().await;
            assert!(
                matches!(refused, Err(Error::RowDuplicate { first_row: 1, what, .. }) if what == expected),
                "row {number}"
            );
        }
    }

    #[tokio::test]
    async fn a_refused_row_stands_in_nobodys_way() {
        let rows = ImportedRows::default();
        rows.note(1, &new("acme", 9, "a")).done(false);
        drop(rows.note(2, &new("acme", 9, "a")));
        rows.note(3, &new("acme", 1, "a"))
            .come()
            .await
            .expect("the first good row");
    }

    #[tokio::test]
    async fn a_row_waits_until_it_is_known_what_became_of_the_earlier_one() {
        let rows = ImportedRows::default();
        let first = rows.note(1, &new("acme", 0, "a"));
        let mut second = rows.note(2, &new("acme", 0, "b"));
        assert!(second.come().now_or_never().is_none());
        first.done(true);
        second.come().await.expect_err("the first row has the slug");
    }

    #[tokio::test]
    async fn a_further_credential_waits_for_its_portal_and_is_no_repetition() {
        let rows = ImportedRows::default();
        let first = rows.note(1, &new("acme", 1, "a"));
        let further = NewPortal {
            credential_name: "writer".parse().expect("a name"),
            ..new("acme", 1, "b")
        };
        let mut second = rows.note(2, &further);
        assert!(second.come().now_or_never().is_none());
        first.done(true);
        second.come().await.expect("another credential");
        second.done(true);
        let mut repeated = rows.note(3, &further);
        assert!(matches!(
            repeated.come().await,
            Err(Error::RowDuplicate { first_row: 2, .. })
        ));
    }

    #[tokio::test]
    async fn rows_that_share_nothing_do_not_wait() {
        let rows = ImportedRows::default();
        let _working = rows.note(1, &new("acme", 0, "a"));
        rows.note(2, &new("globex", 0, "b"))
            .come()
            .now_or_never()
            .expect("at once")
            .expect("no duplicate");
    }
}
