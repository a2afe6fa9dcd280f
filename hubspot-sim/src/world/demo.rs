//! The demo world: five clients of an agency, believable and plainly invented.

use super::demo_names::{COMPANIES, PEOPLE, REMARKS, SUBJECTS};
use super::{AccountDetails, Owner, PortalSpec, TokenKind, TokenSpec, World};
use crate::objects::kind::ObjectType;

struct Client {
    slug: &'static str,
    name: &'static str,
    portal_id: u64,
    token: &'static str,
    kind: TokenKind,
    revoked: bool,
    european: bool,
}

const CLIENTS: [Client; 5] = [
    Client {
        slug: "acme",
        name: "Acme Corporation",
        portal_id: 4_100_001,
        token: "pat-na1-00000000-demo-0000-0000-acme00000001",
        kind: TokenKind::PrivateApp,
        revoked: false,
        european: false,
    },
    Client {
        slug: "globex",
        name: "Globex GmbH",
        portal_id: 4_100_002,
        token: "pat-eu1-00000000-demo-0000-0000-globex000001",
        kind: TokenKind::ServiceKey,
        revoked: false,
        european: true,
    },
    Client {
        slug: "initech",
        name: "Initech",
        portal_id: 4_100_003,
        token: "pat-na1-00000000-demo-0000-0000-initech00001",
        kind: TokenKind::PrivateApp,
        revoked: false,
        european: false,
    },
    Client {
        slug: "umbra",
        name: "Umbra Health",
        portal_id: 4_100_004,
        token: "pat-eu1-00000000-demo-0000-0000-umbra0000001",
        kind: TokenKind::PrivateApp,
        revoked: true,
        european: true,
    },
    Client {
        slug: "wayne",
        name: "Wayne Enterprises",
        portal_id: 4_100_005,
        token: "pat-na1-00000000-demo-0000-0000-wayne0000001",
        kind: TokenKind::ServiceKey,
        revoked: false,
        european: false,
    },
];

const STAGES: [&str; 4] = [
    "appointmentscheduled",
    "qualifiedtobuy",
    "contractsent",
    "closedwon",
];
const LIFECYCLE: [&str; 4] = ["lead", "marketingqualifiedlead", "opportunity", "customer"];

pub(super) fn world() -> World {
    World {
        portals: CLIENTS
            .iter()
            .enumerate()
            .map(|(nth, client)| portal(nth, client))
            .collect(),
        apps: Vec::new(),
    }
}

fn portal(nth: usize, client: &Client) -> PortalSpec {
    let app_id = 41_000_001 + u64::try_from(nth).unwrap_or_default();
    let mut token = TokenSpec {
        kind: client.kind,
        ..TokenSpec::private_app(client.token).app(app_id)
    };
    token.revoked = client.revoked;
    let mut portal = PortalSpec::new(client.slug, client.portal_id)
        .details(details(client))
        .token(token);
    portal.owners = owners(client.slug);
    // Each client starts at another place in the lists, so that the same id is another person in each account.
    let people = PEOPLE.iter().cycle().skip(nth * 3).take(PEOPLE.len());
    let companies = COMPANIES.iter().cycle().skip(nth * 3).take(COMPANIES.len());
    for (i, (person, company)) in people.zip(companies).enumerate() {
        portal = add_records(portal, i, *person, *company);
        portal = associate(portal, u64::try_from(i).unwrap_or_default());
    }
    portal
}

fn details(client: &Client) -> AccountDetails {
    let base = AccountDetails {
        portal_name: client.name.to_owned(),
        ..AccountDetails::default()
    };
    if !client.european {
        return base;
    }
    AccountDetails {
        time_zone: "Europe/Berlin".to_owned(),
        utc_offset_milliseconds: 3_600_000,
        company_currency: "EUR".to_owned(),
        additional_currencies: vec!["USD".to_owned()],
        ui_domain: "app-eu1.hubspot.com".to_owned(),
        data_hosting_location: "eu1".to_owned(),
        ..base
    }
}

fn owners(slug: &str) -> Vec<Owner> {
    let person = |(i, (first, last)): (u64, &(&str, &str))| Owner {
        id: 501 + i,
        user_id: 90_001 + i,
        email: format!("{}@{slug}.example", first.to_lowercase()),
        first_name: (*first).to_owned(),
        last_name: (*last).to_owned(),
        // The last one has left the company.
        archived: i == 19,
    };
    (0..).zip(PEOPLE.iter().rev()).map(person).collect()
}

fn add_records(portal: PortalSpec, i: usize, person: (&str, &str), company: (&str, &str)) -> PortalSpec {
    let (first, last) = person;
    let (company_name, domain) = company;
    let email = format!("{}.{}@{domain}", first, last.replace('\'', "")).to_lowercase();
    let owner = (501 + i % 19).to_string();
    let phone = format!("+1 555 01{:02}", i % 100);
    let amount = ((i + 1) * 1_250).to_string();
    let deal = format!("{company_name}: renewal");
    let note_body = format!("<p>{}</p>", pick(REMARKS, i));
    portal
        .record(
            ObjectType::Contacts,
            &[
                ("email", &email),
                ("firstname", first),
                ("lastname", last),
                ("phone", &phone),
                ("company", company_name),
                ("lifecyclestage", pick(&LIFECYCLE, i)),
                ("hubspot_owner_id", &owner),
            ],
        )
        .record(
            ObjectType::Companies,
            &[
                ("name", company_name),
                ("domain", domain),
                ("hubspot_owner_id", &owner),
            ],
        )
        .record(
            ObjectType::Deals,
            &[
                ("dealname", &deal),
                ("dealstage", pick(&STAGES, i)),
                ("pipeline", "default"),
                ("amount", &amount),
                ("closedate", "2026-12-31T00:00:00Z"),
                ("hubspot_owner_id", &owner),
            ],
        )
        .record(
            ObjectType::Tickets,
            &[
                ("subject", pick(SUBJECTS, i)),
                ("hs_pipeline", "0"),
                ("hs_pipeline_stage", "1"),
                ("hs_ticket_priority", pick(&["LOW", "MEDIUM", "HIGH"], i)),
            ],
        )
        .record(
            ObjectType::Notes,
            &[
                ("hs_timestamp", "2026-11-02T09:30:00Z"),
                ("hs_note_body", &note_body),
            ],
        )
}

/// A person works for a company, whose deal, ticket and note are about both.
fn associate(portal: PortalSpec, i: u64) -> PortalSpec {
    use ObjectType::{Companies, Contacts, Deals, Notes, Tickets};
    let nth = |kind: ObjectType| (kind, kind.first_id() + i);
    let (primary_of_contact, primary_of_deal, primary_of_ticket) = (1, 5, 26);
    portal
        .association(nth(Contacts), nth(Companies), &[primary_of_contact])
        .association(nth(Deals), nth(Companies), &[primary_of_deal])
        .association(nth(Deals), nth(Contacts), &[])
        .association(nth(Tickets), nth(Companies), &[primary_of_ticket])
        .association(nth(Tickets), nth(Contacts), &[])
        .association(nth(Notes), nth(Contacts), &[])
        .association(nth(Notes), nth(Deals), &[])
}

fn pick<'a>(list: &[&'a str], i: usize) -> &'a str {
    list.iter()
        .cycle()
        .nth(i % list.len().max(1))
        .copied()
        .unwrap_or_default()
}
