//! The apps there are, and who has installed them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use sha2::{Digest, Sha256};

use super::codes::{Code, Refused};
use crate::accounts::{Portal, Token, WorldError};
use crate::lock::{lock, read, write};
use crate::world::{AppSpec, InstallSpec};

/// An app in an account.
#[derive(Debug)]
pub(crate) struct Install {
    pub(crate) portal: Arc<Portal>,
    pub(crate) client_id: String,
    pub(crate) user_id: u64,
    standing: Mutex<Standing>,
}

#[derive(Debug)]
struct Standing {
    scopes: Vec<String>,
    revoked: bool,
    issued: Vec<Arc<Token>>,
}

impl Install {
    /// What the account has consented to.
    pub(crate) fn scopes(&self) -> Vec<String> {
        lock(&self.standing).scopes.clone()
    }

    /// Changes what the account has consented to; access tokens that are out keep what they have.
    pub(crate) fn set_scopes(&self, scopes: Vec<String>) {
        lock(&self.standing).scopes = scopes;
    }

    /// Whether its refresh token is refused.
    pub(crate) fn is_revoked(&self) -> bool {
        lock(&self.standing).revoked
    }

    /// Refuses the refresh token from now on. What it has given stays valid: HubSpot does not cascade.
    pub(crate) fn revoke(&self) {
        lock(&self.standing).revoked = true;
    }

    /// Takes the app out of the account, and every access token with it.
    pub(crate) fn uninstall(&self) {
        let mut standing = lock(&self.standing);
        standing.revoked = true;
        standing.issued.iter().for_each(|token| token.set_revoked(true));
    }

    /// Remembers an access token that it has given.
    pub(crate) fn issued(&self, token: Arc<Token>) {
        lock(&self.standing).issued.push(token);
    }
}

/// All apps and installs.
#[derive(Debug, Default)]
pub(crate) struct Apps {
    directory: RwLock<Directory>,
    rotating: AtomicBool,
    minted: AtomicU64,
}

#[derive(Debug, Default)]
struct Directory {
    apps: HashMap<String, AppSpec>,
    installs: HashMap<String, Arc<Install>>,
    codes: HashMap<String, Code>,
}

impl Apps {
    /// Adds an app.
    pub(crate) fn add(&self, app: AppSpec) {
        write(&self.directory).apps.insert(app.client_id.clone(), app);
    }

    /// The app with this client id.
    pub(crate) fn app(&self, client_id: &str) -> Option<AppSpec> {
        read(&self.directory).apps.get(client_id).cloned()
    }

    /// Installs an app in an account.
    pub(crate) fn install(&self, portal: Arc<Portal>, spec: InstallSpec) -> Result<(), WorldError> {
        let mut directory = write(&self.directory);
        if directory.installs.contains_key(&spec.refresh_token) {
            return Err(WorldError::TokenInUse(portal.id));
        }
        let install = Install {
            portal,
            client_id: spec.client_id,
            user_id: spec.user_id,
            standing: Mutex::new(Standing {
                scopes: spec.scopes,
                revoked: spec.revoked,
                issued: Vec::new(),
            }),
        };
        directory.installs.insert(spec.refresh_token, Arc::new(install));
        Ok(())
    }

    /// Gives a code for a consent.
    pub(crate) fn give_code(&self, code: Code) -> String {
        let text = format!("na1-{}", self.opaque(&code.client_id));
        write(&self.directory).codes.insert(text.clone(), code);
        text
    }

    /// Installs the app for the consent behind a code, which is used up by that, and gives the refresh token.
    pub(crate) fn redeem(
        &self,
        text: &str,
        redirect_uri: &str,
        verifier: &str,
        (client_id, now): (&str, i64),
    ) -> Result<String, Refused> {
        let mut directory = write(&self.directory);
        let code = directory.codes.get(text).ok_or(Refused::Code)?;
        code.fits(client_id, redirect_uri, verifier, now)?;
        let code = directory.codes.remove(text).ok_or(Refused::Code)?;
        drop(directory);
        let refresh_token = format!("na1-{}", self.opaque(text));
        let spec = InstallSpec {
            refresh_token: refresh_token.clone(),
            client_id: code.client_id,
            scopes: code.scopes,
            user_id: code.user_id,
            revoked: false,
        };
        self.install(code.portal, spec).map_err(|_| Refused::Code)?;
        Ok(refresh_token)
    }

    /// The refresh tokens of an account's installs, revoked or not.
    pub(crate) fn refresh_tokens_of(&self, portal_id: u64) -> Vec<String> {
        let directory = read(&self.directory);
        let own = directory.installs.iter();
        let own = own.filter(|(_, install)| install.portal.id == portal_id);
        own.map(|(token, _)| token.clone()).collect()
    }

    /// The install with this refresh token, revoked or not.
    pub(crate) fn by_refresh_token(&self, refresh_token: &str) -> Option<Arc<Install>> {
        read(&self.directory).installs.get(refresh_token).cloned()
    }

    /// Whether each refresh gives another refresh token, and the one that was used dies.
    pub(crate) fn set_rotating(&self, rotating: bool) {
        self.rotating.store(rotating, Ordering::SeqCst);
    }

    /// The refresh token to answer with: the same, or a new one in its place.
    pub(crate) fn next_refresh_token(&self, used: &str) -> String {
        if !self.rotating.load(Ordering::SeqCst) {
            return used.to_owned();
        }
        let new = format!("na1-{}", self.opaque(used));
        let mut directory = write(&self.directory);
        if let Some(install) = directory.installs.remove(used) {
            directory.installs.insert(new.clone(), install);
        }
        new
    }

    /// A new access token: opaque, and longer than others, as HubSpot's are.
    pub(crate) fn access_token(&self, refresh_token: &str) -> String {
        format!("Csim{}{}", self.opaque(refresh_token), self.opaque(refresh_token))
    }

    fn opaque(&self, seed: &str) -> String {
        let number = self.minted.fetch_add(1, Ordering::SeqCst);
        hex::encode(Sha256::digest(format!("{seed}/{number}").as_bytes()))
    }
}
