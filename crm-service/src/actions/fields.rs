//! Which fields of a record an action may show, compare and sort by. What is not here is not told, whatever the handle allows:
//! accounts keep things in properties that are nobody's business in a chat.

use std::collections::BTreeSet;

use super::{catalogue::Kind, config::Config};
use crate::crm::{Faults, PropertyName, PropertyNames};

/// Those that are shown unless others are asked for.
const fn defaults(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Contacts => &["email", "firstname", "lastname", "company", "phone"],
        Kind::Companies => &["name", "domain", "industry", "city", "country"],
        Kind::Deals => &["dealname", "amount", "dealstage", "pipeline", "closedate"],
        Kind::Tickets => &[
            "subject",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_priority",
        ],
    }
}

/// Of every kind.
const OF_ALL: [&str; 5] = [
    "hs_object_id",
    "hubspot_owner_id",
    "createdate",
    "hs_lastmodifieddate",
    "notes_last_contacted",
];

/// The others that HubSpot has in every account.
const fn further(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Contacts => &[
            "address",
            "city",
            "country",
            "hs_lead_status",
            "hs_persona",
            "industry",
            "jobtitle",
            "lastmodifieddate",
            "lifecyclestage",
            "mobilephone",
            "num_associated_deals",
            "state",
            "website",
            "zip",
        ],
        Kind::Companies => &[
            "address",
            "annualrevenue",
            "description",
            "founded_year",
            "hs_lead_status",
            "lifecyclestage",
            "num_associated_contacts",
            "num_associated_deals",
            "numberofemployees",
            "phone",
            "state",
            "type",
            "website",
            "zip",
        ],
        Kind::Deals => &[
            "amount_in_home_currency",
            "deal_currency_code",
            "dealtype",
            "description",
            "hs_closed_amount",
            "hs_deal_stage_probability",
            "hs_is_closed",
            "hs_is_closed_won",
            "hs_next_step",
            "hs_priority",
            "num_associated_contacts",
        ],
        Kind::Tickets => &[
            "closed_date",
            "content",
            "hs_ticket_category",
            "hs_ticket_id",
            "hs_resolution",
            "source_type",
            "time_to_close",
        ],
    }
}

/// The fields that actions may show.
#[derive(Clone, Debug)]
pub struct Fields([BTreeSet<String>; 4]);

impl Fields {
    /// Those that actions know, and those of the configuration.
    pub(super) fn with(config: &Config) -> Self {
        Self(Kind::ALL.map(|kind| {
            let known = defaults(kind).iter().chain(further(kind)).chain(&OF_ALL);
            let added = config.fields.get(kind.plural()).into_iter().flatten();
            known
                .map(|name| (*name).to_owned())
                .chain(added.cloned())
                .collect()
        }))
    }

    /// All of one kind, in order.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let all = Kind::ALL.iter().position(|known| *known == kind);
        let all = all.and_then(|place| self.0.get(place));
        all.into_iter().flatten().map(String::as_str)
    }

    /// Those that are shown unless others are asked for.
    pub const fn defaults(&self, kind: Kind) -> &'static [&'static str] {
        defaults(kind)
    }

    /// One field that was named.
    pub(super) fn one(
        &self,
        kind: Kind,
        place: &str,
        name: &str,
        faults: &mut Faults,
    ) -> Option<PropertyName> {
        if !self.of(kind).any(|known| known == name) {
            faults.add(
                place,
                format!(
                    "is not a field of {} that is told here: hubspot_status lists them, and an operator adds others under [actions] \
                     fields of crm-service",
                    kind.plural()
                ),
            );
            return None;
        }
        faults.keep(place, PropertyName::read(name))
    }

    /// Those that were asked for, or else the usual ones.
    pub(super) fn wanted(&self, kind: Kind, asked: &[String], faults: &mut Faults) -> PropertyNames {
        let usual: Vec<String> = match asked.is_empty() {
            true => defaults(kind).iter().map(|name| (*name).to_owned()).collect(),
            false => asked.to_vec(),
        };
        let named = usual.iter().enumerate();
        named
            .filter_map(|(place, name)| self.one(kind, &format!("fields[{place}]"), name, faults))
            .collect()
    }
}
