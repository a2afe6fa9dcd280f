//! What only an operator can state: who the processor is, whom it engages, and where data goes.

mod categories;
mod terms;

use std::collections::BTreeMap;

use hubkeep_audit_log::Keep;
use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

pub use categories::Categories;
pub(super) use categories::{LETTERS, letters};
pub use terms::Term;

/// The longest text, in characters.
const MAX_TEXT: usize = 512;
/// The most transfers, and the most further processors.
const MAX_LIST: usize = 64;

/// What reports say of the one who runs Hubkeep. Left out, each is a gap in the reports that need it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The processor in the sense of the GDPR, the service provider in that of the CCPA.
    pub processor: Party,
    /// Its representative in the Union. Where it needs none, say so as its name.
    pub representative: Party,
    /// Its data protection officer. Where there need be none, say so as its name.
    pub data_protection_officer: Party,
    /// Where this deployment runs, for example "eu-central".
    pub region: String,
    /// Transfers to third countries, besides HubSpot's own.
    pub transfers: Vec<Transfer>,
    /// That there is none, where `transfers` is empty.
    pub no_transfers: bool,
    /// On which ground HubSpot has the portals' data where HubSpot says that it lies.
    pub hubspot_transfer: Ground,
    /// Further processors.
    pub subprocessors: Vec<Subprocessor>,
    /// That there is none, where `subprocessors` is empty.
    pub no_subprocessors: bool,
    /// How long audit entries are kept, in words, for example "25 months". Left out it is what `audit.keep` says.
    pub retention: String,
    /// The day of the last audit of these measures, as 2026-11-29.
    pub last_audit_date: String,
    /// Where the terms of the contract between business and service provider are written that 11 CCR 7051 asks for.
    pub contract_terms: String,
    /// Where each of these terms is written.
    pub terms: BTreeMap<Term, String>,
    /// Which categories of personal information records of a type hold, and whether sensitive ones are among them.
    pub categories: Vec<Categories>,
}

impl Config {
    /// The same, where nothing else is stated with what the log is set to.
    #[must_use]
    pub fn or_kept_for(mut self, keep: &Keep) -> Self {
        if self.retention.is_empty() {
            self.retention = keep.to_string();
        }
        self
    }
}

/// What reports say of the one who runs Hubkeep, and of how it is run.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// What an operator has stated.
    pub config: Config,
    /// The measures that protect data, as the service is set.
    pub measures: Vec<String>,
}

/// Somebody, and how they are reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Party {
    /// The legal name.
    pub name: String,
    /// The postal address.
    pub address: String,
    /// The mail address.
    pub email: String,
    /// The telephone number.
    pub phone: String,
}

/// On which ground data goes to a third country, or that it does not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ground {
    /// "adequacy", "SCC", "DPF", "BCR", "Art. 49" or "none needed".
    pub mechanism: String,
    /// Where that is written.
    pub reference: String,
}

/// A transfer to a third country.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transfer {
    /// To whom.
    pub recipient: String,
    /// Where.
    pub country: String,
    /// On which ground: "adequacy", "SCC", "DPF", "BCR" or "Art. 49".
    pub mechanism: String,
    /// Where that is written.
    pub reference: String,
}

/// A further processor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subprocessor {
    /// Who.
    pub name: String,
    /// For what.
    pub purpose: String,
    /// Where.
    pub country: String,
    /// Since when the controller allows it, as 2026-11-29.
    pub authorized_date: String,
}

impl Party {
    fn texts(&self) -> [&String; 4] {
        [&self.name, &self.address, &self.email, &self.phone]
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        for (key, party) in [
            ("reports.processor", &self.processor),
            ("reports.representative", &self.representative),
            ("reports.data_protection_officer", &self.data_protection_officer),
        ] {
            check(key, party.texts(), faults);
        }
        check(
            "reports",
            [
                &self.region,
                &self.retention,
                &self.last_audit_date,
                &self.contract_terms,
            ],
            faults,
        );
        let Ground { mechanism, reference } = &self.hubspot_transfer;
        check("reports.hubspot_transfer", [mechanism, reference], faults);
        for reference in self.terms.values() {
            check("reports.terms", [reference], faults);
        }
        for categories in &self.categories {
            categories.check(faults);
        }
        for (key, says_none, length) in [
            ("reports.no_transfers", self.no_transfers, self.transfers.len()),
            (
                "reports.no_subprocessors",
                self.no_subprocessors,
                self.subprocessors.len(),
            ),
        ] {
            if says_none && length > 0 {
                faults.push(Fault::new(key, "says that there is none, and there are some"));
            }
        }
        for transfer in &self.transfers {
            let Transfer {
                recipient,
                country,
                mechanism,
                reference,
            } = transfer;
            check(
                "reports.transfers",
                [recipient, country, mechanism, reference],
                faults,
            );
        }
        for subprocessor in &self.subprocessors {
            let Subprocessor {
                name,
                purpose,
                country,
                authorized_date,
            } = subprocessor;
            check(
                "reports.subprocessors",
                [name, purpose, country, authorized_date],
                faults,
            );
        }
        for (key, length) in [
            ("reports.transfers", self.transfers.len()),
            ("reports.subprocessors", self.subprocessors.len()),
            ("reports.categories", self.categories.len()),
        ] {
            if length > MAX_LIST {
                faults.push(Fault::new(key, "are at most 64"));
            }
        }
    }
}

fn check<const N: usize>(key: &str, texts: [&String; N], faults: &mut Vec<Fault>) {
    let fits = |text: &&String| text.chars().count() <= MAX_TEXT && !text.contains(char::is_control);
    if !texts.iter().all(fits) {
        faults.push(Fault::new(
            key,
            "its texts are at most 512 characters, without line ends",
        ));
    }
}
