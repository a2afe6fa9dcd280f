//! Onboarding: verified with HubSpot before anything is stored, and then stored whole or not at all.

use hubkeep_core::{
    id::{ClientSlug, CredentialId, CredentialName, PortalId},
    secret::{PortalToken, TokenFingerprint},
};

use super::{
    CredentialKind, Error, Portal, PortalCredential, Portals,
    identity::{self, Identity},
    store,
};
use crate::record::Act;

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
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Onboarded {
    /// It is new.
    Now(Portal),
    /// It was there before, with this very token. Nothing changed.
    Before(Portal),
}

impl Onboarded {
    /// The portal, new or not.
    pub const fn portal(&self) -> &Portal {
        match self {
            Self::Now(portal) | Self::Before(portal) => portal,
        }
    }
}

impl Portals {
    /// Verifies a token with HubSpot and, if it belongs to the portal expected, stores it sealed under a new slug.
    ///
    /// # Errors
    /// If the slug, the portal or the token do not fit what is stored already, HubSpot refuses the token or names
    /// another portal, or something needed does not answer. Nothing is stored then.
    pub async fn onboard(&self, act: &Act, new: NewPortal) -> Result<Onboarded, Error> {
        act.claims(&new.client_slug);
        let onboarded = self.verify_and_store(act, &new).await?;
        let portal = onboarded.portal();
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
        if let Some(before) = self.known(new, new.expected, &fingerprint).await? {
            return Ok(Onboarded::Before(before));
        }
        let identity = identity::ask(&self.hubspot, &self.budget, act, &new.token).await?;
        if let Some(expected) = new.expected.filter(|expected| *expected != identity.portal_id) {
            return Err(Error::TokenOfAnotherPortal {
                expected,
                actual: identity.portal_id,
            });
        }
        let portal_id = Some(identity.portal_id);
        if let Some(before) = self.known(new, portal_id, &fingerprint).await? {
            return Ok(Onboarded::Before(before));
        }
        let portal = self.as_new(new, identity, &fingerprint)?;
        if self.store(&portal, &new.token).await? {
            return Ok(Onboarded::Now(portal));
        }
        // Somebody was quicker: what is stored now decides.
        let before = self.known(new, portal_id, &fingerprint).await?;
        before
            .map(Onboarded::Before)
            .ok_or(Error::BrokenRow(portal.portal_id.as_i64()))
    }

    /// The portal if it is there with this very token; `None` if nothing stored speaks against it.
    async fn known(
        &self,
        new: &NewPortal,
        portal_id: Option<PortalId>,
        token: &TokenFingerprint,
    ) -> Result<Option<Portal>, Error> {
        if let Some(portal) = store::by_slug(&self.database, &new.client_slug).await? {
            return same_or_refused(portal, portal_id, token);
        }
        let Some(portal_id) = portal_id else {
            return Ok(None);
        };
        match store::by_id(&self.database, portal_id).await? {
            // Somebody was quicker since the slug was looked for.
            Some(portal) if portal.client_slug == new.client_slug => {
                same_or_refused(portal, Some(portal_id), token)
            }
            Some(Portal {
                client_slug,
                portal_id,
                ..
            }) => Err(Error::AlreadyOnboarded {
                client_slug,
                portal_id,
            }),
            None => Ok(None),
        }
    }

    fn as_new(
        &self,
        new: &NewPortal,
        identity: Identity,
        fingerprint: &TokenFingerprint,
    ) -> Result<Portal, Error> {
        let now = self.clock.now();
        let credential = PortalCredential {
            credential_id: CredentialId::make(&*self.clock, &*self.random)?,
            name: CredentialName::default(),
            kind: new.kind,
            scopes: identity.scopes,
            version: FIRST,
            token_fingerprint: fingerprint.clone(),
            onboard_time: now,
            verify_time: now,
        };
        Ok(Portal {
            client_slug: new.client_slug.clone(),
            portal_id: identity.portal_id,
            facts: identity.facts,
            credentials: vec![credential],
            credential_version: FIRST,
            portal_generation: FIRST,
            onboard_time: now,
            verify_time: now,
        })
    }

    /// Stores portal and token together; `false`, and nothing stored, if slug or portal are there already.
    async fn store(&self, portal: &Portal, token: &PortalToken) -> Result<bool, Error> {
        // Sealed before the transaction begins: the portal's key is made in one of its own.
        let credential = portal.first_credential()?;
        let sealed = self.vault.seal(&portal.in_vault(credential), token).await?;
        let mut transaction = self.database.begin().await?;
        if !store::insert(&mut transaction, portal).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        store::credentials::insert(&mut transaction, portal.portal_id, credential).await?;
        self.vault.put(&mut transaction, &sealed).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// The portal that has the slug already, if it is the one meant and has this token.
fn same_or_refused(
    portal: Portal,
    portal_id: Option<PortalId>,
    token: &TokenFingerprint,
) -> Result<Option<Portal>, Error> {
    let Portal {
        client_slug,
        portal_id: actual,
        ..
    } = &portal;
    let (client_slug, actual) = (client_slug.clone(), *actual);
    match portal_id {
        Some(other) if other != actual => Err(Error::SlugTaken {
            client_slug,
            portal_id: actual,
        }),
        _ if portal.with_token(token).is_some() => Ok(Some(portal)),
        Some(_) => Err(Error::TokenDiffers {
            client_slug,
            portal_id: actual,
        }),
        // Another token, and nobody has said whose: HubSpot must.
        None => Ok(None),
    }
}

fn check_form(token: &PortalToken) -> Result<(), Error> {
    let text = token.expose();
    let fits = (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Error::TokenForm) }
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
