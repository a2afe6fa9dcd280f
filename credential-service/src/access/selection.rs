//! Which portals a grant is for.

use std::collections::BTreeSet;

use hubkeep_core::id::ClientSlug;

/// Some portals: those that any of these names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// By slug.
    pub client_slugs: BTreeSet<ClientSlug>,
    /// Every portal that has one of these tags now.
    pub tags: BTreeSet<String>,
    /// Every portal.
    pub all: bool,
}

impl Selection {
    /// Whether it selects a portal that has these tags.
    pub fn selects(&self, client_slug: &ClientSlug, tags: &[String]) -> bool {
        self.all || self.client_slugs.contains(client_slug) || tags.iter().any(|tag| self.tags.contains(tag))
    }

    /// Whether it selects whatever the other does, whichever tags portals may have.
    pub(super) fn includes(&self, other: &Self) -> bool {
        let named = self.client_slugs.is_superset(&other.client_slugs) && self.tags.is_superset(&other.tags);
        self.all || (!other.all && named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(slugs: &[&str], tags: &[&str], all: bool) -> Selection {
        Selection {
            client_slugs: slugs.iter().map(|slug| slug.parse().expect("valid")).collect(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            all,
        }
    }

    #[test]
    fn a_portal_is_selected_by_its_slug_by_a_tag_or_with_all() {
        let acme = "acme".parse().expect("valid");
        let selects = |slugs: &[&str], tags: &[&str], all| {
            selection(slugs, tags, all).selects(&acme, &["eu".to_owned(), "gold".to_owned()])
        };
        assert!(selects(&["acme"], &[], false));
        assert!(selects(&["globex"], &["gold"], false));
        assert!(selects(&[], &[], true));
        assert!(!selects(&["globex"], &["us"], false));
        assert!(!selects(&[], &[], false), "what is not named is not granted");
    }

    #[test]
    fn one_that_names_more_includes_one_that_names_less() {
        let old = selection(&["acme"], &["eu"], false);
        for (new, includes) in [
            (selection(&["acme", "globex"], &["eu"], false), true),
            (selection(&[], &[], true), true),
            (selection(&["acme"], &[], false), false),
            (selection(&["globex"], &["eu"], false), false),
        ] {
            assert_eq!(new.includes(&old), includes, "{new:?}");
        }
        let all = selection(&[], &[], true);
        assert!(all.includes(&all) && !old.includes(&all));
    }
}
