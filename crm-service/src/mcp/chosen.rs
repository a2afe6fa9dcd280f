//! The portal that a call is about: the one that the address names, or the only one that the user has connected. With several and
//! none named there is none: nobody chooses for the user.

use super::{Resource, endpoint::Visit};
use crate::credentials::{Connected, Standing};

/// What a call is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chosen<'a> {
    /// This portal.
    Portal(&'a Connected),
    /// This one, which must be connected again.
    Lapsed(&'a Connected),
    /// None: nothing is connected.
    Nothing,
    /// Several, of which the address names none.
    Several(&'a [Connected]),
}

/// The portal that a visit is about.
pub(super) fn chosen(visit: &Visit) -> Chosen<'_> {
    of(&visit.resource, &visit.visitor.connections)
}

fn of<'a>(resource: &Resource, connections: &'a [Connected]) -> Chosen<'a> {
    let one = match (resource, connections) {
        (Resource::Portal(slug), all) => all.iter().find(|connected| connected.client_slug == *slug),
        (Resource::Single, [one]) => Some(one),
        (Resource::Single, []) => None,
        (Resource::Single, several) => return Chosen::Several(several),
    };
    match one {
        None => Chosen::Nothing,
        Some(one) if one.standing == Standing::Active => Chosen::Portal(one),
        Some(one) => Chosen::Lapsed(one),
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::id::PortalId;

    use super::*;

    fn connected(slug: &str, standing: Standing) -> Connected {
        Connected {
            client_slug: slug.parse().expect("valid"),
            portal_id: PortalId::new(42).expect("not zero"),
            standing,
            level: "user",
        }
    }

    #[test]
    fn no_portal_is_chosen_for_anybody() {
        let acme = || connected("acme", Standing::Active);
        let globex = || connected("globex", Standing::ConsentRequired);
        let named = |slug: &str| Resource::Portal(slug.parse().expect("valid"));
        assert_eq!(of(&Resource::Single, &[]), Chosen::Nothing);
        assert_eq!(of(&Resource::Single, &[acme()]), Chosen::Portal(&acme()));
        assert_eq!(of(&Resource::Single, &[globex()]), Chosen::Lapsed(&globex()));
        let both = [acme(), globex()];
        assert_eq!(
            of(&Resource::Single, &both),
            Chosen::Several(&both),
            "also where only one serves"
        );
        assert_eq!(of(&named("acme"), &both), Chosen::Portal(&acme()));
        assert_eq!(of(&named("globex"), &both), Chosen::Lapsed(&globex()));
        assert_eq!(of(&named("initech"), &both), Chosen::Nothing);
    }
}
