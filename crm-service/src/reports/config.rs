//! What only an operator can state: who the processor is, whom it engages, and where data goes.

use hubkeep_audit_log::Keep;
use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

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
    /// Its representative in the Union, where it needs one.
    pub representative: Party,
    /// Its data protection officer, where it has one.
    pub data_protection_officer: Party,
    /// Where this deployment runs, for example "eu-central".
    pub region: String,
    /// Transfers to third countries, besides HubSpot's own.
    pub transfers: Vec<Transfer>,
    /// Further processors.
    pub subprocessors: Vec<Subprocessor>,
    /// How long audit entries are kept, in words, for example "25 months". Left out it is what `audit.keep` says.
    pub retention: String,
    /// The day of the last audit of these measures, as 2026-11-29.
    pub last_audit_date: String,
    /// The terms of the contract between business and service provider that 11 CCR 7051 asks for, by their reference.
    pub contract_terms: String,
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
    /// On one line; empty where nobody is stated.
    pub(super) fn line(&self) -> String {
        let parts = [&self.name, &self.address, &self.email, &self.phone];
        let stated = parts.into_iter().filter(|part| !part.is_empty());
        stated.map(String::as_str).collect::<Vec<_>>().join(", ")
    }

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
