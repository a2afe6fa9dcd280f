//! Holds an ID token against everything that must be true of it.

use hubkeep_core::clock::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind, jwk::Jwk};

use super::{Error, Provider, Verified, Verifier, claims::Claims, keys::Keys};
use crate::access::{Email, OidcSubject};

/// What providers sign with. What both sides would have the secret of is not among it, nor is no signature at all.
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 30;
/// An ID token is presented so long after it was made, in seconds: it is from this very sign-in.
const OLDEST: i64 = 600;
/// The longest ID token, in bytes.
const LONGEST: usize = 16 * 1024;
/// The most ways of signing in that are kept, and the longest word for one.
const MOST_WAYS: usize = 16;
const LONGEST_WORD: usize = 128;
const LONGEST_SUBJECT: usize = 255;

impl Verifier {
    /// Whom an ID token is about, if everything about it holds.
    ///
    /// # Errors
    /// With the first check that it does not pass; or if the provider's keys cannot be read.
    pub(in crate::sessions) async fn verify(&self, token: &str, nonce: &str) -> Result<Verified, Error> {
        if self.providers.is_empty() {
            return Err(Error::NotConfigured);
        }
        if token.len() > LONGEST {
            return Err(Error::Refused("form"));
        }
        let header = decode_header(token).map_err(|_| Error::Refused("form"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Error::Refused("algorithm"));
        }
        let (provider, keys) = self.provider_of(token)?;
        let key = keys.key(header.kid.as_deref()).await?;
        let claims = signed(token, header.alg, &key)?;
        self.judge(claims, provider, nonce)
    }

    /// The provider that a token says it is of. Nothing else of it is believed before its signature is verified.
    fn provider_of(&self, token: &str) -> Result<&(Provider, Keys), Error> {
        #[derive(serde::Deserialize)]
        struct Issuer {
            iss: String,
        }
        let said: Issuer =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| Error::Refused("form"))?;
        let named = |(provider, _): &&(Provider, Keys)| provider.issuer == said.iss;
        self.providers.iter().find(named).ok_or(Error::Refused("issuer"))
    }

    fn judge(&self, claims: Claims, provider: &Provider, nonce: &str) -> Result<Verified, Error> {
        let now = self.clock.now().as_micros() / 1_000_000;
        let in_time = claims.exp > now.saturating_sub(LEEWAY)
            && claims.iat <= now.saturating_add(LEEWAY)
            && claims.iat >= now.saturating_sub(OLDEST)
            && claims.nbf.is_none_or(|from| from <= now.saturating_add(LEEWAY));
        let ours = &provider.client_id;
        let for_us = claims.aud.contains(ours)
            && claims.azp.as_ref().is_none_or(|azp| azp == ours)
            && (claims.azp.is_some() || !claims.aud.is_several());
        let verified = claims.email_verified.as_ref().is_some_and(|flag| flag.is_set());
        let subject = (1..=LONGEST_SUBJECT).contains(&claims.sub.chars().count())
            && !claims.sub.contains(char::is_control);
        let checks = [
            ("issuer", claims.iss == provider.issuer),
            ("form", subject),
            ("audience", for_us),
            ("time", in_time),
            ("nonce", claims.nonce.as_deref() == Some(nonce)),
            ("email", verified),
        ];
        if let Some((check, _)) = checks.into_iter().find(|(_, holds)| !holds) {
            return Err(Error::Refused(check));
        }
        if !claims.names_one_of(&provider.claim, provider.allowed.iter()) {
            return Err(Error::Organisation(provider.claim.clone()));
        }
        let email = claims.email.as_deref().unwrap_or_default();
        let email: Email = email.parse().map_err(|_| Error::Refused("email"))?;
        Ok(verified_of(claims, email))
    }
}

/// What a token says, if this key has signed it with this algorithm.
fn signed(token: &str, algorithm: Algorithm, key: &Jwk) -> Result<Claims, Error> {
    // A key that says what it is for serves nothing else.
    let said = key.common.key_algorithm.map(|named| format!("{named:?}"));
    if said.is_some_and(|said| said != format!("{algorithm:?}")) {
        return Err(Error::Refused("algorithm"));
    }
    let decoding = DecodingKey::from_jwk(key).map_err(|_| Error::Refused("key"))?;
    let mut validation = Validation::new(algorithm);
    // Times are held against the service's own clock, and audience and issuer with everything else.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    match decode::<Claims>(token, &decoding, &validation) {
        Ok(read) => Ok(read.claims),
        Err(error) => Err(Error::Refused(match error.kind() {
            ErrorKind::InvalidSignature => "signature",
            ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => "algorithm",
            _ => "form",
        })),
    }
}

fn verified_of(claims: Claims, email: Email) -> Verified {
    let time = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    let word = |text: String| text.chars().take(LONGEST_WORD).collect::<String>();
    let ways = claims.amr.unwrap_or_default().into_iter();
    Verified {
        account: OidcSubject {
            issuer: claims.iss,
            subject: claims.sub,
        },
        email,
        auth_time: claims.auth_time.map(time),
        acr: claims.acr.map(word).unwrap_or_default(),
        amr: ways.take(MOST_WAYS).map(word).collect(),
        issue_time: time(claims.iat),
    }
}
