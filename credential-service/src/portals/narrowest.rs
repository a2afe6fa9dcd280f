//! Which of a portal's credentials serves a handle.

use super::{
    Error, Portal, PortalCredential,
    scopes::{self, Need},
};

impl Portal {
    /// The narrowest credential that covers a need: of those that give all that is needed, the one with the fewest
    /// scopes; of two alike, the first onboarded.
    ///
    /// Who may not write is given none that can, unless the portal has no other. Where none covers the need, the one
    /// that lacks least: scopes change behind our back, and HubSpot itself says then what is missing.
    ///
    /// # Errors
    /// If the portal has none at all.
    pub fn narrowest(&self, need: &Need) -> Result<&PortalCredential, Error> {
        self.eligible(need)
            .min_by_key(|one| (need.missing_from(&one.scopes), one.scopes.len()))
            .ok_or(Error::BrokenRow(self.portal_id.as_i64()))
    }

    /// The portal, if by what is recorded a handle of this need would be served by a credential that covers it. One whose
    /// scopes are not known may: HubSpot says. To be asked before a handle is issued, and not of one that was: scopes that
    /// were lost since are HubSpot's to name.
    ///
    /// # Errors
    /// [`Error::ScopesNotCovered`], with what the credential lacks that lacks least.
    pub fn covers(&self, need: &Need) -> Result<(), Error> {
        let narrowest = self.narrowest(need)?;
        let missing = need.plainly_missing(&narrowest.scopes);
        if missing.is_empty() || self.eligible(need).any(|one| one.scopes.is_empty()) {
            return Ok(());
        }
        Err(Error::ScopesNotCovered {
            client_slug: self.client_slug.clone(),
            name: narrowest.name.clone(),
            missing,
        })
    }

    fn eligible<'a>(&'a self, need: &Need) -> impl Iterator<Item = &'a PortalCredential> + use<'a> {
        let writes = need.writes();
        let has_readers = self.credentials.iter().any(|one| !one.may_write());
        let all = self.credentials.iter();
        all.filter(move |one| writes || !has_readers || !one.may_write())
    }
}

impl PortalCredential {
    /// Whether it may change something in HubSpot.
    pub fn may_write(&self) -> bool {
        scopes::may_write(&self.scopes)
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::{
        clock::{SystemClock, Timestamp},
        id::PortalId,
        random::SystemRandom,
        secret::PortalToken,
    };
    use hubkeep_hubspot::account::AccountType;

    use super::*;
    use crate::portals::{CredentialKind, Facts};

    fn portal(credentials: &[(&str, &[&str])]) -> Portal {
        let credential = |(name, scopes): &(&str, &[&str])| PortalCredential {
            credential_id: hubkeep_core::id::CredentialId::make(
                &*SystemClock::shared(),
                &*SystemRandom::shared(),
            )
            .expect("random"),
            name: name.parse().expect("a name"),
            kind: CredentialKind::Unspecified,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            version: 1,
            app_id: None,
            token_fingerprint: PortalToken::new((*name).to_owned()).fingerprint(),
            onboard_time: Timestamp::from_micros(0),
            token_time: Timestamp::from_micros(0),
            verify_time: Timestamp::from_micros(0),
        };
        Portal {
            client_slug: "acme".parse().expect("a slug"),
            portal_id: PortalId::new(1).expect("an id"),
            facts: Facts {
                account_type: AccountType::Standard,
                data_hosting_location: String::new(),
                time_zone: String::new(),
                company_currency: String::new(),
            },
            credentials: credentials.iter().map(credential).collect(),
            credential_version: 1,
            portal_generation: 1,
            state: crate::portals::State::Active,
            state_time: Timestamp::from_micros(0),
            store_version: 1,
            sealed_details: None,
            onboard_time: Timestamp::from_micros(0),
            verify_time: Timestamp::from_micros(0),
        }
    }

    const READ: &[&str] = &["crm.objects.contacts.read", "crm.objects.deals.read"];
    const READ_CONTACTS: &[&str] = &["crm.objects.contacts.read"];
    const WRITE: &[&str] = &[
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.deals.read",
        "crm.objects.tickets.read",
    ];

    fn chosen(portal: &Portal, need: &Need) -> String {
        portal.narrowest(need).expect("has some").name.to_string()
    }

    #[test]
    fn the_narrowest_credential_that_covers_a_handle_serves_it() {
        let portal = portal(&[("write", WRITE), ("read", READ), ("contacts", READ_CONTACTS)]);
        let read = |types: &[&str]| Need::new(types.iter().copied(), true, false);
        assert_eq!(chosen(&portal, &read(&["contacts"])), "contacts");
        assert_eq!(chosen(&portal, &read(&["contacts", "deals"])), "read");
        assert_eq!(chosen(&portal, &Need::new(["contacts"], true, true)), "write");
    }

    #[test]
    fn who_may_not_write_is_given_no_credential_that_can_while_there_is_another() {
        let tickets = Need::new(["tickets"], true, false);
        let several = portal(&[("write", WRITE), ("read", READ)]);
        assert_eq!(chosen(&several, &tickets), "read");
        let one = portal(&[("write", WRITE)]);
        assert_eq!(chosen(&one, &tickets), "write");
    }

    #[test]
    fn where_none_covers_a_handle_the_one_that_lacks_least_serves_it() {
        let portal = portal(&[("contacts", READ_CONTACTS), ("read", READ)]);
        assert_eq!(chosen(&portal, &Need::new(["*"], true, true)), "read");
    }
}
