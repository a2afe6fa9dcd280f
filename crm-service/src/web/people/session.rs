//! Whose browser it is. A session that is over is renewed by the way, once however many requests a browser makes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use hubkeep_core::{clock::Tick, error::ErrorReason};
use tokio::sync::OnceCell;

use super::{Desk, cookies};
use crate::credentials::{ClientError, SignedIn, Tokens, link_mark};

/// A browser keeps its session for so long, in seconds: no session lives longer.
const KEPT: u32 = 30 * 24 * 60 * 60;
/// What a renewal gave is asked for by requests of the same moment only.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Renewals that are remembered at most.
const MOST: usize = 1_024;

/// What a renewal gives.
type Pair = (SignedIn, Tokens);
type Renewal = Arc<OnceCell<Pair>>;

/// Sessions that are being renewed, by the hash of what renews them: of two requests of one browser one renews, and both have what
/// comes of it.
#[derive(Default)]
pub(super) struct Renewals(Mutex<HashMap<[u8; 32], (Tick, Renewal)>>);

impl Renewals {
    /// The renewal by this token, which is made by whoever comes first.
    fn of(&self, refresh: &str, now: Tick) -> Renewal {
        let mut key = [0; 32];
        key.copy_from_slice(digest::digest(&digest::SHA256, refresh.as_bytes()).as_ref());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (since, _)| now.since(*since) < REMEMBERED);
        if let Some((_, renewal)) = all.get(&key) {
            return Arc::clone(renewal);
        }
        let renewal = Renewal::default();
        if all.len() < MOST {
            all.insert(key, (now, Arc::clone(&renewal)));
        }
        renewal
    }
}

/// Somebody who has signed in, in this browser.
pub(super) struct Browser {
    pub(super) user: SignedIn,
    tokens: Option<Tokens>,
    token: zeroize::Zeroizing<String>,
}

impl Browser {
    /// The token of the session.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether the session was renewed by this very request.
    pub(super) const fn is_renewed(&self) -> bool {
        self.tokens.is_some()
    }

    /// The word that forms of this session carry.
    pub(super) fn word(&self) -> String {
        let text = zeroize::Zeroizing::new(format!("form/{}", self.token.as_str()));
        hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
    }

    /// What stands in a link by which this user connects HubSpot.
    pub(super) fn mark(&self) -> String {
        link_mark(&self.user.user)
    }

    /// The answer, with what the browser is to keep.
    pub(super) fn with(&self, answer: impl IntoResponse) -> Response {
        let mut answer = answer.into_response();
        if let Some(tokens) = &self.tokens {
            keep(&mut answer, tokens);
        }
        answer
    }
}

/// Has the browser keep these tokens.
pub(super) fn keep(answer: &mut Response, tokens: &Tokens) {
    for (name, token) in [
        (cookies::SESSION, &tokens.session),
        (cookies::REFRESH, &tokens.refresh),
    ] {
        answer
            .headers_mut()
            .append(header::SET_COOKIE, cookies::set(name, token, KEPT));
    }
}

/// The cookies with which a browser forgets its session.
pub(super) fn forgotten() -> [HeaderValue; 2] {
    [cookies::SESSION, cookies::REFRESH].map(cookies::removed)
}

impl Desk {
    /// Whose browser it is.
    ///
    /// # Errors
    /// If nobody has signed in in it, or no longer.
    pub(super) async fn who(&self, headers: &HeaderMap) -> Result<Browser, ClientError> {
        if let Some(token) = cookies::value(headers, cookies::SESSION) {
            match self.0.people.who(&token).await {
                Ok(user) => {
                    let (tokens, token) = (None, token.into());
                    return Ok(Browser { user, tokens, token });
                }
                Err(error) if is_over(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let refresh = cookies::value(headers, cookies::REFRESH).ok_or(ClientError::SessionInvalid)?;
        let renewal = self.0.renewals.of(&refresh, self.0.clock.tick());
        let renewed = renewal.get_or_try_init(|| self.0.people.refresh(&refresh)).await;
        match renewed {
            Ok((user, tokens)) => Ok(Browser {
                user: user.clone(),
                token: tokens.session.clone(),
                tokens: Some(tokens.clone()),
            }),
            Err(error) if is_over(&error) => Err(ClientError::SessionInvalid),
            Err(error) => Err(error),
        }
    }
}

/// Whether a token opens nothing any more, or never did.
fn is_over(error: &ClientError) -> bool {
    use ClientError::{GrantInvalid, Refused, SessionInvalid, TokenInvalid};
    let malformed = ErrorReason::InvalidField;
    match error {
        SessionInvalid | TokenInvalid | GrantInvalid => true,
        Refused { reason, .. } => *reason == malformed,
        _ => false,
    }
}
