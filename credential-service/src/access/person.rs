//! A person, and everything by which that person is known.

use std::collections::BTreeSet;

use hubkeep_core::{
    clock::Timestamp,
    id::{CallerName, PersonId},
};
use serde::{Deserialize, Serialize};

use super::Email;

/// An account with a sign-in provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSubject {
    /// The provider, as in the ID token's `iss`.
    pub issuer: String,
    /// The account, as in the ID token's `sub`.
    pub subject: String,
}

/// A Slack user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackUser {
    /// The workspace, by its id.
    pub team_id: String,
    /// The user, by its id.
    pub user_id: String,
}

/// A person. No two have a name in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person's id.
    pub person_id: PersonId,
    /// The names of certificates that are this person's.
    pub certificate_names: BTreeSet<CallerName>,
    /// The person's accounts with sign-in providers.
    pub oidc_subjects: BTreeSet<OidcSubject>,
    /// The person's Slack users.
    pub slack_users: BTreeSet<SlackUser>,
    /// The person's addresses at HubSpot, beside those that sign-in providers have verified.
    pub hubspot_emails: BTreeSet<Email>,
}

impl Person {
    /// Every name under which this person has handles: those of certificates, and those of accounts.
    pub fn caller_names(&self) -> BTreeSet<CallerName> {
        let users = self.oidc_subjects.iter().map(OidcSubject::user_name);
        self.certificate_names.iter().cloned().chain(users).collect()
    }
}

/// A person as it is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The person.
    pub person: Person,
    /// When it was put.
    pub update_time: Timestamp,
}

impl OidcSubject {
    /// Whether it can be one: an https address without query and fragment, and 1 to 255 characters, none a control.
    pub fn is_one(&self) -> bool {
        let issuer = self
            .issuer
            .strip_prefix("https://")
            .filter(|_| is_text(&self.issuer, 512));
        let host = issuer.and_then(|rest| rest.split('/').next());
        host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
            && !self.issuer.contains(['?', '#', ' '])
            && is_text(&self.subject, 255)
    }
}

impl SlackUser {
    /// Whether it can be one: Slack's own ids, which begin with the letter of their kind.
    pub fn is_one(&self) -> bool {
        is_slack_id(&self.team_id, ['T', 'E']) && is_slack_id(&self.user_id, ['U', 'W'])
    }
}

fn is_slack_id(text: &str, kinds: [char; 2]) -> bool {
    let inner = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (2..=32).contains(&text.len()) && text.starts_with(kinds) && text.bytes().all(inner)
}

fn is_text(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count()) && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_an_https_issuer_and_a_subject() {
        let is_one = |issuer: &str, subject: &str| {
            OidcSubject {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            }
            .is_one()
        };
        assert!(is_one("https://accounts.google.com", "11769150"));
        assert!(is_one("https://login.example/tenant/v2.0", &"s".repeat(255)));
        for (issuer, subject) in [
            ("http://accounts.google.com", "1"),
            ("accounts.google.com", "1"),
            ("https://", "1"),
            ("https://a@b.example", "1"),
            ("https://a.example?x=1", "1"),
            ("https://a.example", ""),
            ("https://a.example", "a\nb"),
            ("https://a.example", &"s".repeat(256)),
        ] {
            assert!(!is_one(issuer, subject), "{issuer} {subject}");
        }
    }

    #[test]
    fn a_slack_user_is_a_team_and_a_user_by_their_ids() {
        let is_one = |team: &str, user: &str| {
            SlackUser {
                team_id: team.to_owned(),
                user_id: user.to_owned(),
            }
            .is_one()
        };
        assert!(is_one("T024BE7LD", "U024BE7LH") && is_one("E1", "W1"));
        for (team, user) in [("", "U1"), ("U1", "T1"), ("T1", "u1"), ("T1", "ann"), ("T", "U1")] {
            assert!(!is_one(team, user), "{team} {user}");
        }
    }
}
