//! Many small accounts, for load tests.

use super::{PortalSpec, TokenSpec, World};
use crate::objects::kind::ObjectType;

const FIRST_PORTAL: u64 = 7_000_000;
const FIRST_APP: u64 = 70_000_000;
const CONTACTS: u32 = 5;

/// `n` accounts: `client-0001` is portal 7000001 with the token `pat-na1-00000000-load-0000-0000-client000001`.
pub(super) fn world(n: u32) -> World {
    World {
        portals: (1..=n).map(portal).collect(),
        apps: Vec::new(),
    }
}

fn portal(number: u32) -> PortalSpec {
    let slug = format!("client-{number:04}");
    let token = format!("pat-na1-00000000-load-0000-0000-client{number:06}");
    let number = u64::from(number);
    let token = TokenSpec::private_app(token).app(FIRST_APP + number);
    let portal = PortalSpec::new(&slug, FIRST_PORTAL + number).token(token);
    (1..=CONTACTS).fold(portal, |portal, contact| {
        let email = format!("contact{contact}@{slug}.example");
        let name = format!("Contact {contact}");
        portal.record(
            ObjectType::Contacts,
            &[
                ("email", &email),
                ("firstname", &name),
                ("lastname", &slug),
                ("lifecyclestage", "lead"),
            ],
        )
    })
}
