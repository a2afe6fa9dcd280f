//! `hubkeep people`: who is who.

use clap::{Args, Subcommand};
use hubkeep_proto::credential::v1::{
    DeletePersonRequest, ListPeopleRequest, OidcSubject, Person, PutPersonRequest, SlackUser,
    access_service_client::AccessServiceClient,
};
use serde_json::{Value, json};

use super::{handle::joined, time::day_and_time};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{GOOD, Output},
    wire_json,
};

/// People asked for at once.
const PAGE: i32 = 1_000;
/// What stands between issuer and subject, and between workspace and user.
const BETWEEN: char = '#';

/// Say which certificates, sign-ins and Slack users are one person.
#[derive(Args, Debug)]
pub struct PeopleArgs {
    #[command(subcommand)]
    command: Option<PeopleCommand>,
}

#[derive(Subcommand, Debug)]
enum PeopleCommand {
    /// List all people; this is also what `people` alone does.
    List,
    /// Say by which names a person is known, in the place of what was said before.
    ///
    /// The handles of each caller that comes to the person, or ceases to be that person's, end at once.
    Put(PutArgs),
    /// Forget a person. The handles of that person's callers end at once.
    Delete {
        /// The person's id.
        id: String,
    },
}

#[derive(Args, Debug)]
struct PutArgs {
    /// The person's id: 1 to 64 of a-z, 0-9, '-' and '.'.
    id: String,
    /// Names of certificates that are the person's: operator/ann.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    certs: Vec<String>,
    /// Accounts with sign-in providers: https://accounts.google.com#117691504820139842104.
    #[arg(long, value_delimiter = ',', value_name = "ISSUER#SUBJECT,…", value_parser = account)]
    oidc: Vec<OidcSubject>,
    /// Slack users, by the ids of workspace and user: T024BE7LD#U024BE7LH.
    #[arg(long, value_delimiter = ',', value_name = "TEAM#USER,…", value_parser = slack_user)]
    slack: Vec<SlackUser>,
}

/// Runs `people`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: PeopleArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        None | Some(PeopleCommand::List) => list(service, output).await?,
        Some(PeopleCommand::Put(args)) => put(args, service, output).await?,
        Some(PeopleCommand::Delete { id }) => delete(id, service, output).await?,
    }
    Ok(Exit::Done)
}

async fn put(args: PutArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let person = Person {
        person_id: args.id,
        certificate_names: args.certs,
        oidc_subjects: args.oidc,
        slack_users: args.slack,
        update_time: None,
        hubspot_emails: Vec::new(),
    };
    let request = PutPersonRequest { person: Some(person) };
    let mut client = AccessServiceClient::new(service.connection());
    let answer = client.put_person(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.PutPersonResponse",
            &answer,
        )?);
    }
    let person = answer.person.unwrap_or_default();
    output.line(&format!(
        "{GOOD}{} is put{GOOD:#}{}",
        person.person_id,
        ended(answer.revocation_seq)
    ))
}

async fn delete(person_id: String, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = AccessServiceClient::new(service.connection());
    let answer = client.delete_person(DeletePersonRequest { person_id }).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.credential.v1.DeletePersonResponse",
            &answer,
        )?);
    }
    output.line(&format!("{GOOD}deleted{GOOD:#}{}", ended(answer.revocation_seq)))
}

/// What is said of handles that ended.
fn ended(revocation_seq: u64) -> String {
    match revocation_seq {
        0 => String::new(),
        seq => format!("; handles of callers that came or went ended (revocation {seq})"),
    }
}

async fn list(service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = AccessServiceClient::new(service.connection());
    let mut request = ListPeopleRequest {
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut people: Vec<Person> = Vec::new();
    loop {
        let page = client.list_people(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        people.extend(page.people);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        let name = "hubkeep.credential.v1.Person";
        let people: Result<Vec<Value>, Error> =
            people.iter().map(|person| wire_json::of(name, person)).collect();
        return output.document(&json!({ "people": people? }));
    }
    let header = ["person", "certificates", "put", "Slack", "sign-ins"];
    output.table_without(
        &["put", "Slack", "sign-ins"],
        &header,
        people.iter().map(row).collect(),
        "no people yet",
    )
}

fn row(person: &Person) -> Vec<String> {
    let accounts: Vec<String> = person
        .oidc_subjects
        .iter()
        .map(|account| format!("{}{BETWEEN}{}", account.issuer, account.subject))
        .collect();
    let users: Vec<String> = person
        .slack_users
        .iter()
        .map(|user| format!("{}{BETWEEN}{}", user.team_id, user.user_id))
        .collect();
    vec![
        person.person_id.clone(),
        joined(&person.certificate_names, "–"),
        day_and_time(person.update_time.as_ref()),
        joined(&users, "–"),
        joined(&accounts, "–"),
    ]
}

fn account(text: &str) -> Result<OidcSubject, String> {
    let (issuer, subject) = text
        .split_once(BETWEEN)
        .ok_or("expected the issuer's address, '#', and the subject")?;
    Ok(OidcSubject {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    })
}

fn slack_user(text: &str) -> Result<SlackUser, String> {
    let (team, user) = text
        .split_once(BETWEEN)
        .ok_or("expected the workspace's id, '#', and the user's id")?;
    Ok(SlackUser {
        team_id: team.to_owned(),
        user_id: user.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_read_in_two_parts() {
        let account = account("https://accounts.google.com#1176").expect("reads");
        assert_eq!(
            (account.issuer.as_str(), account.subject.as_str()),
            ("https://accounts.google.com", "1176")
        );
        let user = slack_user("T024BE7LD#U024BE7LH").expect("reads");
        assert_eq!(
            (user.team_id.as_str(), user.user_id.as_str()),
            ("T024BE7LD", "U024BE7LH")
        );
        for (fault, told) in [
            (super::account("https://accounts.google.com").map(drop), "issuer"),
            (slack_user("T024BE7LD/U024BE7LH").map(drop), "workspace"),
        ] {
            assert!(fault.expect_err("refused").contains(told));
        }
    }
}
