//! Somebody who has signed in: an account with a provider, and the person that it is.

use aws_lc_rs::digest;
use hubkeep_core::id::{CallerName, PersonId};

use super::{Access, Email, Error, OidcSubject};

/// Somebody who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The account. It is this that makes the user.
    pub account: OidcSubject,
    /// The name under which the user has handles, which follows from the account.
    pub name: CallerName,
    /// The address that the provider has verified.
    pub email: Email,
    /// The person, if one is known.
    pub person: Option<PersonId>,
}

impl OidcSubject {
    /// The name under which this account has handles. It says nothing of who it is, and no two accounts have the same.
    pub fn user_name(&self) -> CallerName {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [&self.issuer, &self.subject] {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let hash = hash.finish();
        CallerName::of_user(hash.as_ref().first_chunk().unwrap_or(&[0; 16]))
    }
}

impl Access {
    /// The user with this account.
    ///
    /// # Errors
    /// If people cannot be read.
    pub async fn user(&self, account: OidcSubject, email: Email) -> Result<User, Error> {
        Ok(User {
            person: self.person_of_oidc(&account).await?,
            name: account.user_name(),
            account,
            email,
        })
    }

    /// Whether this is a user's address: the one that the provider has verified, or one that an operator has put to the person.
    ///
    /// # Errors
    /// If people cannot be read.
    pub async fn has_email(&self, user: &User, email: &Email) -> Result<bool, Error> {
        if user.email == *email {
            return Ok(true);
        }
        let snapshot = self.now().await?;
        let person = snapshot.person_of_oidc(&user.account);
        let known = person.and_then(|person| snapshot.person(person));
        Ok(known.is_some_and(|known| known.person.hubspot_emails.contains(email)))
    }

    /// Whether a user, or the person that it is, is contained, and the generations of their handles.
    ///
    /// # Errors
    /// [`Error::Contained`] if it is; or if that cannot be read.
    pub async fn may_act(&self, user: &CallerName) -> Result<(), Error> {
        self.grantable(user).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_issuer_and_subject_and_from_nothing_else() {
        let name = |issuer: &str, subject: &str| {
            OidcSubject {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            }
            .user_name()
        };
        let ann = name("https://a.example", "1");
        assert_eq!(ann, name("https://a.example", "1"));
        assert!(ann.is_user() && ann.as_str().len() == "user/".len() + 32);
        for other in [
            name("https://a.example", "2"),
            name("https://b.example", "1"),
            name("https://a.example1", ""),
        ] {
            assert_ne!(ann, other);
        }
    }
}
