//! The living accounts and tokens, as they are after everything that happened since the start.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, RwLock};

use crate::limits::Meter;
use crate::lock::{lock, read, write};
use crate::oauth::Apps;
use crate::objects::Crm;
use crate::objects::labels::{Category, TypeId};
use crate::world::{AccountDetails, Owner, PortalSpec, SeedAssociation, TokenKind, TokenSpec, User};

/// An account.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) details: Mutex<AccountDetails>,
    pub(crate) meter: Mutex<Meter>,
    pub(crate) crm: Mutex<Crm>,
    pub(crate) owners: Vec<Owner>,
    /// Those who log in, owners among them.
    pub(crate) users: Vec<User>,
}

impl Portal {
    /// The account's distance from UTC in milliseconds.
    pub(crate) fn utc_offset_ms(&self) -> i64 {
        lock(&self.details).utc_offset_milliseconds
    }

    /// The e-mail address of a user.
    pub(crate) fn email_of(&self, user_id: u64) -> String {
        let user = self.users.iter().find(|user| user.user_id == user_id);
        user.map_or_else(
            || format!("user-{user_id}@{}.example", self.slug),
            |user| user.email.clone(),
        )
    }
}

/// A token. Its rights can change while the string stays the same.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) portal: Arc<Portal>,
    pub(crate) kind: TokenKind,
    pub(crate) app_id: u64,
    pub(crate) user_id: u64,
    standing: Mutex<Standing>,
}

#[derive(Debug)]
struct Standing {
    scopes: Vec<String>,
    revoked: bool,
    /// When it expires, in microseconds since 1970.
    expires_at: Option<i64>,
    /// The token that takes its place, while that can still be cancelled.
    successor: Option<Arc<Token>>,
}

impl Token {
    /// Whether HubSpot accepts it at this time, in microseconds since 1970.
    pub(crate) fn is_live(&self, now: i64) -> bool {
        let standing = lock(&self.standing);
        !standing.revoked && standing.expires_at.is_none_or(|at| now < at)
    }

    /// When it expired, in microseconds since 1970, if it has done so by `now`.
    pub(crate) fn expired(&self, now: i64) -> Option<i64> {
        let standing = lock(&self.standing);
        standing.expires_at.filter(|at| *at <= now && !standing.revoked)
    }

    /// Lets it expire at this time, when `successor` takes its place; until then that can be cancelled.
    pub(crate) fn give_way(&self, successor: Arc<Self>, at: i64) {
        let mut standing = lock(&self.standing);
        (standing.expires_at, standing.successor) = (Some(at), Some(successor));
    }

    /// Lets it expire now, if another is to take its place. Says whether one is.
    pub(crate) fn expire(&self, now: i64) -> bool {
        let mut standing = lock(&self.standing);
        if standing.successor.is_some() {
            standing.expires_at = Some(now);
        }
        standing.successor.take().is_some()
    }

    /// Keeps it, and gives the token that was to take its place, if it has not done so yet.
    pub(crate) fn keep(&self, now: i64) -> Option<Arc<Self>> {
        let mut standing = lock(&self.standing);
        if standing.expires_at.is_some_and(|at| at <= now) {
            return None;
        }
        standing.expires_at = None;
        standing.successor.take()
    }

    /// Revokes it, or takes the revocation back.
    pub(crate) fn set_revoked(&self, revoked: bool) {
        lock(&self.standing).revoked = revoked;
    }

    /// What it may do.
    pub(crate) fn scopes(&self) -> Vec<String> {
        lock(&self.standing).scopes.clone()
    }

    /// Changes what it may do.
    pub(crate) fn set_scopes(&self, scopes: Vec<String>) {
        lock(&self.standing).scopes = scopes;
    }

    /// Whether it has one of these scopes; an empty list asks for none.
    pub(crate) fn may(&self, any_of: &[&str]) -> bool {
        any_of.is_empty()
            || lock(&self.standing)
                .scopes
                .iter()
                .any(|scope| any_of.contains(&scope.as_str()))
    }
}

/// Why an account or a token could not be added or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// Two accounts with one number or one name.
    #[error("portal {0} exists already")]
    PortalExists(String),
    /// One token for two accounts.
    #[error("a token of portal {0} is in use already")]
    TokenInUse(u64),
    /// There is no such account.
    #[error("there is no portal {0}")]
    NoSuchPortal(u64),
    /// There is no such token.
    #[error("there is no such token")]
    NoSuchToken,
    /// The token is not being rotated, or its rotation is over.
    #[error("the token is not being rotated")]
    NotRotating,
    /// A record that could not be seeded.
    #[error("record refused: {0}")]
    BadRecord(String),
}

/// All accounts and tokens.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    directory: RwLock<Directory>,
}

#[derive(Debug, Default)]
struct Directory {
    portals: BTreeMap<u64, Arc<Portal>>,
    tokens: HashMap<String, Arc<Token>>,
}

impl Accounts {
    /// Opens an account.
    pub(crate) fn open(&self, spec: PortalSpec, apps: &Apps, now: i64) -> Result<(), WorldError> {
        let (id, tokens) = (spec.portal_id, spec.tokens.clone());
        let installs = spec.installs.clone();
        let portal = Arc::new(settle(spec, now)?);
        let mut directory = write(&self.directory);
        if directory
            .portals
            .values()
            .any(|other| other.id == id || other.slug == portal.slug)
        {
            return Err(WorldError::PortalExists(format!("{id} ({})", portal.slug)));
        }
        if tokens
            .iter()
            .any(|token| directory.tokens.contains_key(&token.token))
        {
            return Err(WorldError::TokenInUse(id));
        }
        for install in installs {
            apps.install(Arc::clone(&portal), install)?;
        }
        for spec in tokens {
            directory
                .tokens
                .insert(spec.token.clone(), Arc::new(issue(spec, Arc::clone(&portal))));
        }
        directory.portals.insert(id, portal);
        Ok(())
    }

    /// Gives an account another token.
    pub(crate) fn add_token(&self, portal_id: u64, spec: TokenSpec) -> Result<(), WorldError> {
        let portal = self.portal(portal_id)?;
        let mut directory = write(&self.directory);
        if directory.tokens.contains_key(&spec.token) {
            return Err(WorldError::TokenInUse(portal_id));
        }
        directory
            .tokens
            .insert(spec.token.clone(), Arc::new(issue(spec, portal)));
        Ok(())
    }

    /// Makes a token another account's, with the same rights.
    pub(crate) fn move_token(&self, text: &str, portal_id: u64) -> Result<(), WorldError> {
        let portal = self.portal(portal_id)?;
        let mut directory = write(&self.directory);
        let token = directory.tokens.get(text).ok_or(WorldError::NoSuchToken)?;
        let spec = TokenSpec {
            token: text.to_owned(),
            kind: token.kind,
            scopes: token.scopes(),
            app_id: token.app_id,
            user_id: token.user_id,
            revoked: lock(&token.standing).revoked,
        };
        directory
            .tokens
            .insert(text.to_owned(), Arc::new(issue(spec, portal)));
        Ok(())
    }

    /// Gives an account a token that expires at `ends`, in microseconds since 1970.
    pub(crate) fn issue_until(&self, portal: &Arc<Portal>, spec: TokenSpec, ends: i64) -> Arc<Token> {
        let text = spec.token.clone();
        let token = Arc::new(issue(spec, Arc::clone(portal)));
        lock(&token.standing).expires_at = Some(ends);
        write(&self.directory).tokens.insert(text, Arc::clone(&token));
        token
    }

    /// The account of this number.
    pub(crate) fn portal(&self, id: u64) -> Result<Arc<Portal>, WorldError> {
        read(&self.directory)
            .portals
            .get(&id)
            .cloned()
            .ok_or(WorldError::NoSuchPortal(id))
    }

    /// All accounts, by number.
    pub(crate) fn portals(&self) -> Vec<Arc<Portal>> {
        read(&self.directory).portals.values().cloned().collect()
    }

    /// The token of this text, revoked or not.
    pub(crate) fn token(&self, text: &str) -> Option<Arc<Token>> {
        read(&self.directory).tokens.get(text).cloned()
    }

    /// Every token of an account, with its text.
    pub(crate) fn tokens_of(&self, portal_id: u64) -> Vec<(String, Arc<Token>)> {
        let directory = read(&self.directory);
        let own = directory
            .tokens
            .iter()
            .filter(|(_, token)| token.portal.id == portal_id);
        own.map(|(text, token)| (text.clone(), Arc::clone(token)))
            .collect()
    }
}

fn settle(spec: PortalSpec, now: i64) -> Result<Portal, WorldError> {
    let mut crm = Crm::empty(spec.portal_id);
    crm.search_lag_micros = i64::try_from(spec.search_lag_ms)
        .unwrap_or(i64::MAX / 1_000)
        .saturating_mul(1_000);
    for custom in spec.custom_objects {
        crm.define(custom, now);
    }
    for (kind, property) in spec.properties {
        crm.table(kind).schema.define(property, now);
    }
    for condition in spec.conditions {
        crm.table(condition.object_type).conditions.push(condition);
    }
    for (nth, record) in spec.records.into_iter().enumerate() {
        // Seeded records are a little older than the start, each by another millisecond, so that their times differ.
        let age = 3_600_000_i64.saturating_sub(i64::try_from(nth).unwrap_or_default());
        crm.table(record.object_type)
            .seed(record.properties, now.saturating_sub(age.saturating_mul(1_000)))
            .map_err(|problem| WorldError::BadRecord(format!("{:?}", problem.body)))?;
    }
    for SeedAssociation { from, to, types } in spec.associations {
        let types: Vec<TypeId> = types.iter().map(|number| (Category::HubSpot, *number)).collect();
        crm.associate(from, to, &types).map_err(WorldError::BadRecord)?;
    }
    let owners = spec.owners.iter().filter(|owner| !owner.archived);
    let mut users: Vec<User> = owners
        .map(|owner| User {
            user_id: owner.user_id,
            email: owner.email.clone(),
        })
        .collect();
    users.extend(spec.users);
    Ok(Portal {
        id: spec.portal_id,
        slug: spec.slug,
        details: Mutex::new(spec.details),
        meter: Mutex::new(Meter::new(spec.limits)),
        crm: Mutex::new(crm),
        owners: spec.owners,
        users,
    })
}

/// The id of an app that this token has for itself: always the same for the same token.
fn own_app(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    // As short as HubSpot's own ids.
    1_000_000 + hasher.finish() % 1_000_000_000
}

fn issue(spec: TokenSpec, portal: Arc<Portal>) -> Token {
    Token {
        portal,
        kind: spec.kind,
        app_id: match spec.app_id {
            0 => own_app(&spec.token),
            app_id => app_id,
        },
        user_id: spec.user_id,
        standing: Mutex::new(Standing {
            scopes: spec.scopes,
            revoked: spec.revoked,
            expires_at: None,
            successor: None,
        }),
    }
}
