//! A person, from messages into the words of its room and back.

use hubkeep_core::id::CallerName;
use hubkeep_proto::credential::v1 as wire;

use super::{Error, faults::Faults, fields};
use crate::access::{Email, Known, OidcSubject, Person, SlackUser};

/// The most names of each kind that one person has.
const MAX_NAMES: usize = 16;

/// A person, with every fault told at once.
pub(super) fn person(wire: wire::Person) -> Result<Person, Error> {
    let mut faults = Faults::of("person.");
    for (field, count) in [
        ("certificate_names", wire.certificate_names.len()),
        ("oidc_subjects", wire.oidc_subjects.len()),
        ("slack_users", wire.slack_users.len()),
        ("hubspot_emails", wire.hubspot_emails.len()),
    ] {
        if count > MAX_NAMES {
            faults.add(field, "must be at most 16");
        }
    }
    let person_id = faults.take(fields::name("person_id", &wire.person_id));
    let certificate = |name: String| match fields::name::<CallerName>("certificate_names", &name)? {
        user if user.is_user() => Err(Error::field(
            "certificate_names",
            "a user is named by issuer and subject, under oidc_subjects",
        )),
        name => Ok(name),
    };
    let certificate_names = faults.take_each(wire.certificate_names, certificate);
    let oidc_subjects = faults.take_each(wire.oidc_subjects, account);
    let slack_users = faults.take_each(wire.slack_users, slack_user);
    let email = |text: String| {
        let read = text.parse::<Email>();
        read.map_err(|fault| Error::field("hubspot_emails", fault.description))
    };
    let hubspot_emails = faults.take_each(wire.hubspot_emails, email);
    let read = person_id.map(|person_id| Person {
        person_id,
        certificate_names,
        oidc_subjects,
        slack_users,
        hubspot_emails,
    });
    faults.or(read)
}

fn account(wire: wire::OidcSubject) -> Result<OidcSubject, Error> {
    let account = OidcSubject {
        issuer: wire.issuer,
        subject: wire.subject,
    };
    if account.is_one() {
        return Ok(account);
    }
    Err(Error::field(
        "oidc_subjects",
        "an account is an https issuer without query and fragment, as in `iss`, and a subject of 1 to 255 characters, as in \
         `sub`",
    ))
}

fn slack_user(wire: wire::SlackUser) -> Result<SlackUser, Error> {
    let user = SlackUser {
        team_id: wire.team_id,
        user_id: wire.user_id,
    };
    if user.is_one() {
        return Ok(user);
    }
    Err(Error::field(
        "slack_users",
        "a Slack user is the id of a workspace, \"T…\" or \"E…\", and the id of a user, \"U…\" or \"W…\"",
    ))
}

pub(super) fn to_wire(known: &Known) -> wire::Person {
    let person = &known.person;
    let account = |account: &OidcSubject| wire::OidcSubject {
        issuer: account.issuer.clone(),
        subject: account.subject.clone(),
    };
    let user = |user: &SlackUser| wire::SlackUser {
        team_id: user.team_id.clone(),
        user_id: user.user_id.clone(),
    };
    wire::Person {
        person_id: person.person_id.to_string(),
        certificate_names: person.certificate_names.iter().map(ToString::to_string).collect(),
        oidc_subjects: person.oidc_subjects.iter().map(account).collect(),
        slack_users: person.slack_users.iter().map(user).collect(),
        hubspot_emails: person
            .hubspot_emails
            .iter()
            .map(|email| email.expose().to_owned())
            .collect(),
        update_time: Some(known.update_time.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_person_is_told_at_once() {
        let bad = wire::Person {
            person_id: String::new(),
            certificate_names: vec!["operator/*".to_owned(); 17],
            oidc_subjects: vec![wire::OidcSubject::default()],
            slack_users: vec![wire::SlackUser::default()],
            hubspot_emails: vec!["ann".to_owned()],
            update_time: None,
        };
        let Err(Error::Fields(found)) = person(bad) else {
            panic!("not refused");
        };
        let mut fields: Vec<&str> = found.iter().map(|fault| fault.field.as_str()).collect();
        fields.dedup();
        assert_eq!(
            fields,
            [
                "person.certificate_names",
                "person.person_id",
                "person.certificate_names",
                "person.oidc_subjects",
                "person.slack_users",
                "person.hubspot_emails"
            ]
        );
    }
}
