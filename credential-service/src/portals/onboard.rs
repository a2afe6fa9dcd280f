//! Onboarding: verified with HubSpot before anything is stored, and then stored whole or not at all.

use hubkeep_core::{
    clock::Timestamp,
    id::{ClientSlug, CredentialId, CredentialName, PortalId},
    secret::{PortalToken, TokenFingerprint},
};

use super::{
    CredentialKind, Details, Error, Portal, PortalCredential, Portals, State, consent::Presented,
    identity::Identity, store,
};
use crate::{access_tokens::Fresh, record::Act};

/// The longest token accepted, in characters.
const MAX_TOKEN: usize = 1_024;
/// The version of a portal's first credential, and its first generation.
const FIRST: u64 = 1;

/// A portal that shall be onboarded.
#[derive(Debug)]
pub struct NewPortal {
    /// The agency's name for it.
    pub client_slug: ClientSlug,
    /// HubSpot's token.
    pub token: PortalToken,
    /// The portal that the token must belong to; `None` where HubSpot's answer stands.
    pub expected: Option<PortalId>,
    /// What sort of credential the token is.
    pub kind: CredentialKind,
    /// The operator's name for the credential. A portal that is there already gets a further one under a new name.
    pub credential_name: CredentialName,
    /// What is known of its client; kept where the portal is new.
    pub details: Option<Details>,
    /// Whether it is only to be seen what would become of it: HubSpot is asked, and nothing is stored.
    pub validate_only: bool,
}

/// What is stored already of what shall be onboarded.
enum Known {
    /// Nothing.
    Nothing,
    /// This very credential.
    Before(Portal),
    /// The portal, without this credential.
    Further(Portal),
    /// It was there, and its rows are gone or were altered.
    Lost,
    /// This very credential, of a portal that is older than the log knows it.
    Old(Portal),
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Onboarded {
    /// It is new.
    Now(Portal),
    /// It was there before, with this very token. Nothing changed.
    Before(Portal),
    /// It would be new. Nothing is stored.
    Would(Portal),
}

impl Onboarded {
    /// The portal, new or not.
    pub const fn portal(&self) -> &Portal {
        match self {
            Self::Now(portal) | Self::Before(portal) | Self::Would(portal) => portal,
        }
    }
}

impl Portals {
    /// Verifies a token with HubSpot and, if it belongs to the portal expected, stores it sealed: under a new slug, or
    /// as a further credential of the portal that has the slug already.
    ///
    /// # Errors
    /// If the slug, the portal or the token do not fit what is stored already, HubSpot refuses the token or names
    /// another portal, or something needed does not answer. Nothing is stored then.
    pub async fn onboard(&self, act: &Act, new: NewPortal) -> Result<Onboarded, Error> {
        act.claims(&new.client_slug);
        let onboarded = self.verify_and_store(act, &new).await?;
        let portal = onboarded.portal();
        if matches!(onboarded, Onboarded::Would(_)) {
            return Ok(onboarded);
        }
        act.concerns(portal.proven());
        if let Some(credential) = portal.with_token(&new.token.fingerprint()) {
            act.credential(credential.version, &credential.token_fingerprint);
        }
        Ok(onboarded)
    }

    async fn verify_and_store(&self, act: &Act, new: &NewPortal) -> Result<Onboarded, Error> {
        check_form(&new.token)?;
        let fingerprint = new.token.fingerprint();

        // What can be known without HubSpot comes first.
        if let Known::Before(before) = self.known(new, new.expected, &fingerprint).await? {
            return Ok(Onboarded::Before(before));
        }
        let Presented { identity, fresh } = self.ask_of_onboarded(act, new).await?;
        if let Some(expected) = new.expected.filter(|expected| *expected != identity.portal_id) {
            return Err(Error::TokenOfAnotherPortal {
                expected,
                actual: identity.portal_id,
            });
        }
        let portal_id = identity.portal_id;
        match self.known(new, Some(portal_id), &fingerprint).await? {
            Known::Before(before) => Ok(Onboarded::Before(before)),
            Known::Further(portal) if new.validate_only => Ok(Onboarded::Would(portal)),
            Known::Nothing if new.validate_only => {
                Ok(Onboarded::Would(self.as_new(new, identity, &fingerprint)?))
            }
            Known::Lost if new.validate_only => {
                Ok(Onboarded::Would(self.as_new(new, identity, &fingerprint)?))
            }
            Known::Old(portal) if new.validate_only => Ok(Onboarded::Would(portal)),
            Known::Further(portal) => self.add(act, new, portal, identity, fresh.as_ref()).await,
            Known::Lost => self.again(act, new, identity, fresh.as_ref()).await,
            Known::Old(portal) => self.renew(act, new, portal, identity, fresh).await,
            Known::Nothing => self.first(act, new, identity, fresh.as_ref()).await,
        }
    }

    /// Stores a verified portal with its first credential.
    async fn first(
        &self,
        act: &Act,
        new: &NewPortal,
        identity: Identity,
        fresh: Option<&Fresh>,
    ) -> Result<Onboarded, Error> {
        let (again, fingerprint) = (identity.clone(), &new.token.fingerprint());
        let mut portal = self.as_new(new, identity, fingerprint)?;
        if let Some(details) = &new.details {
            let sealed = self
                .seal_details(portal.portal_id, &portal.client_slug, details)
                .await?;
            portal.sealed_details = Some(sealed);
        }
        if self.store(act, &mut portal, &new.token, fresh).await? {
            return Ok(Onboarded::Now(portal));
        }
        // Somebody was quicker: what is stored now decides.
        match self.known(new, Some(portal.portal_id), fingerprint).await? {
            Known::Before(before) => Ok(Onboarded::Before(before)),
            Known::Further(portal) => self.add(act, new, portal, again, fresh).await,
            Known::Nothing | Known::Lost | Known::Old(_) => Err(Error::Contended(portal.client_slug)),
        }
    }

    /// What is stored already of a portal that shall be onboarded, where nothing speaks against it.
    async fn known(
        &self,
        new: &NewPortal,
        portal_id: Option<PortalId>,
        token: &TokenFingerprint,
    ) -> Result<Known, Error> {
        match self.named(&new.client_slug).await {
            Ok(Some(portal)) => return new.beside(portal, portal_id, token),
            Ok(None) => {}
            // Whose the slug was nobody knows any more: the operator must say.
            Err(Error::Altered(_)) if new.expected.is_some() => {}
            Err(error) => return Err(error),
        }
        let Some(portal_id) = portal_id else {
            return Ok(Known::Nothing);
        };
        let found = match self.find(portal_id).await {
            Err(Error::Altered(_)) if new.expected.is_some() => None,
            found => found?,
        };
        match found {
            // Somebody was quicker since the slug was looked for.
            Some(portal) if portal.client_slug == new.client_slug => {
                new.beside(portal, Some(portal_id), token)
            }
            Some(portal) if portal.state == State::Erased => Err(not_again(portal)),
            Some(Portal {
                client_slug,
                portal_id,
                ..
            }) => Err(Error::AlreadyOnboarded {
                client_slug,
                portal_id,
            }),
            None if self.was_erased(portal_id) => Err(Error::NotAgain {
                client_slug: new.client_slug.clone(),
                portal_id,
            }),
            // Somebody has restored a backup, deleted its row, or altered it.
            None if self.is_missing(portal_id) => Ok(Known::Lost),
            None => Ok(Known::Nothing),
        }
    }

    pub(super) fn as_new(
        &self,
        new: &NewPortal,
        identity: Identity,
        fingerprint: &TokenFingerprint,
    ) -> Result<Portal, Error> {
        let credential = self.as_credential(new, &identity, fingerprint)?;
        Ok(Portal {
            client_slug: new.client_slug.clone(),
            portal_id: identity.portal_id,
            facts: identity.facts,
            onboard_time: credential.onboard_time,
            verify_time: credential.verify_time,
            credentials: vec![credential],
            credential_version: FIRST,
            portal_generation: FIRST,
            state: State::Active,
            state_time: Timestamp::from_micros(0),
            store_version: 0,
            sealed_details: None,
        })
    }

    /// The credential that was asked for, as the first of its portal.
    pub(super) fn as_credential(
        &self,
        new: &NewPortal,
        identity: &Identity,
        fingerprint: &TokenFingerprint,
    ) -> Result<PortalCredential, Error> {
        let now = self.clock.now();
        Ok(PortalCredential {
            credential_id: CredentialId::make(&*self.clock, &*self.random)?,
            name: new.credential_name.clone(),
            kind: new.kind,
            scopes: identity.scopes.clone(),
            version: FIRST,
            app_id: identity.app_id,
            token_fingerprint: fingerprint.clone(),
            onboard_time: now,
            token_time: now,
            verify_time: now,
        })
    }

    /// Stores portal and token together; `false`, and nothing stored, if slug or portal are there already.
    async fn store(
        &self,
        act: &Act,
        portal: &mut Portal,
        token: &PortalToken,
        fresh: Option<&Fresh>,
    ) -> Result<bool, Error> {
        // Sealed before the transaction begins: the portal's key is made in one of its own.
        let credential = portal.first_credential()?;
        let sealed = self.seal(&portal.in_vault(credential), token, fresh).await?;
        let mut transaction = self.revocations.begin(act).await?;
        if !store::insert(&mut transaction, portal).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.put(&mut transaction, &sealed).await?;
        self.write(&mut transaction, portal).await?;
        transaction.commit().await?;
        self.committed(portal).await?;
        Ok(true)
    }
}

impl NewPortal {
    /// What becomes of it beside the portal that has its slug already.
    fn beside(
        &self,
        portal: Portal,
        portal_id: Option<PortalId>,
        token: &TokenFingerprint,
    ) -> Result<Known, Error> {
        if portal.state == State::Erased {
            return Err(not_again(portal));
        }
        if portal.state == State::RollbackSuspected && self.before(&portal, token)?.is_some() {
            return Ok(Known::Old(portal));
        }
        portal.kept()?;
        if portal_id.is_some_and(|other| other != portal.portal_id) {
            return Err(Error::SlugTaken {
                client_slug: portal.client_slug,
                portal_id: portal.portal_id,
            });
        }
        if portal_id.is_none() && portal.with_token(token).is_none() {
            // Another token, and nobody has said whose: HubSpot must.
            return Ok(Known::Nothing);
        }
        Ok(match self.before(&portal, token)? {
            Some(before) => Known::Before(before),
            None => Known::Further(portal),
        })
    }

    /// The portal, if it has this very credential already; `None` if it may be added.
    pub(super) fn before(&self, portal: &Portal, token: &TokenFingerprint) -> Result<Option<Portal>, Error> {
        let (client_slug, portal_id) = (portal.client_slug.clone(), portal.portal_id);
        let named = portal
            .credentials
            .iter()
            .find(|one| one.name == self.credential_name);
        match (named, portal.with_token(token)) {
            (Some(named), Some(same)) if named.credential_id == same.credential_id => {
                Ok(Some(portal.clone()))
            }
            (_, Some(other)) => Err(Error::TokenHeld {
                client_slug,
                portal_id,
                credential: other.name.clone(),
            }),
            (Some(_), None) => Err(Error::TokenDiffers {
                client_slug,
                portal_id,
            }),
            (None, None) => Ok(None),
        }
    }
}

pub(super) fn check_form(token: &PortalToken) -> Result<(), Error> {
    let text = token.expose();
    let fits = (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Error::TokenForm) }
}

/// Why an erased portal, and its slug, are not taken again.
fn not_again(portal: Portal) -> Error {
    Error::NotAgain {
        client_slug: portal.client_slug,
        portal_id: portal.portal_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_ascii_of_a_bounded_length() {
        let check = |text: &str| check_form(&PortalToken::new(text.to_owned()));
        assert!(check("pat-na1-1").is_ok() && check(&"x".repeat(1_024)).is_ok());
        for bad in ["", " ", "a b", "a\n", "tökén", &"x".repeat(1_025)] {
            let error = check(bad).expect_err("refused");
            assert!(bad.trim().is_empty() || !error.to_string().contains(bad));
        }
    }
}
