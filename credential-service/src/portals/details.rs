//! What reports need to know of a portal's client: who is responsible for the data, under which contract, and for what.
//! It names people, so it lies sealed, and is gone when the portal is erased.

use hubkeep_core::{
    error::FieldViolation,
    id::{ClientSlug, PortalId},
};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{Error, Portal, Portals};
use crate::record::Act;

/// The longest text, in characters.
const MAX_TEXT: usize = 256;
/// The most purposes, and the most tags.
const MAX_LIST: usize = 32;
/// The longest purpose or tag, in characters.
const MAX_ITEM: usize = 64;

/// What reports need to know of a portal's client. Empty where it was not stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The controller of the data, in the sense of the GDPR: usually the client.
    pub controller_name: String,
    /// Where the controller is reached.
    pub controller_contact: String,
    /// The data processing agreement.
    pub dpa_reference: String,
    /// What the data is processed for.
    pub purposes: Vec<String>,
    /// Where the controller is.
    pub region: String,
    /// The operator's own words, to tell portals apart.
    pub tags: Vec<String>,
    /// The day of the data processing agreement, as 2026-01-15.
    pub dpa_date: String,
    /// Where the controller's instructions are written.
    pub instructions_reference: String,
    /// Whom the data is about.
    pub data_subjects: Vec<String>,
    /// The controller's representative in the Union, or that none is needed.
    pub controller_representative: String,
    /// The controller's data protection officer, or that none is needed.
    pub controller_data_protection_officer: String,
}

impl Details {
    /// Details that are held to their rules.
    ///
    /// # Errors
    /// With every field that breaks one, named as in a request.
    pub fn checked(self) -> Result<Self, Vec<FieldViolation>> {
        let texts = [
            ("details.controller_name", &self.controller_name),
            ("details.controller_contact", &self.controller_contact),
            ("details.dpa_reference", &self.dpa_reference),
            ("details.region", &self.region),
            ("details.instructions_reference", &self.instructions_reference),
            (
                "details.controller_representative",
                &self.controller_representative,
            ),
            (
                "details.controller_data_protection_officer",
                &self.controller_data_protection_officer,
            ),
        ];
        let texts = texts.into_iter().filter(|(_, text)| !is_text(text, MAX_TEXT));
        let texts = texts.map(|(field, _)| (field, "is at most 256 characters, without line ends"));
        let days = [("details.dpa_date", &self.dpa_date)];
        let days = days.into_iter().filter(|(_, day)| !is_day(day));
        let days = days.map(|(field, _)| (field, "is a day, as 2026-01-15"));
        let lists = [
            ("details.purposes", &self.purposes),
            ("details.tags", &self.tags),
            ("details.data_subjects", &self.data_subjects),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !are_words(list));
        let lists = lists.map(|(field, _)| (field, WORDS));
        let faults: Vec<FieldViolation> = texts
            .chain(days)
            .chain(lists)
            .map(|(field, rule)| FieldViolation {
                field: field.to_owned(),
                description: rule.to_owned(),
            })
            .collect();
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }
}

/// The rule of purposes and tags.
pub(crate) const WORDS: &str = "are at most 32, each of 1 to 64 characters without line ends";

/// Whether these keep the rule of purposes and tags.
pub(crate) fn are_words(list: &[String]) -> bool {
    let fits = |item: &String| !item.is_empty() && is_text(item, MAX_ITEM);
    list.len() <= MAX_LIST && list.iter().all(fits)
}

/// Whether it is a day of the calendar, or nothing.
fn is_day(text: &str) -> bool {
    text.is_empty() || (text.len() == "2026-01-15".len() && text.parse::<jiff::civil::Date>().is_ok())
}

fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.contains(char::is_control)
}

impl Portals {
    /// Replaces what is known of a portal's client.
    ///
    /// # Errors
    /// If there is no such portal, it was erased, or somebody else writes it at the same moment.
    pub async fn describe(
        &self,
        act: &Act,
        client_slug: &ClientSlug,
        details: &Details,
    ) -> Result<Portal, Error> {
        let portal = self.get(act, client_slug).await?;
        portal.kept()?;
        let sealed = self.seal_details(portal.portal_id, client_slug, details).await?;
        let mut transaction = self.revocations.begin(act).await?;
        let held = self.held(&mut transaction, &portal).await?;
        let same = held.filter(|now| now.store_version == portal.store_version);
        let Some(mut portal) = same else {
            transaction.rollback().await?;
            return Err(Error::Contended(portal.client_slug));
        };
        portal.sealed_details = Some(sealed);
        self.write(&mut transaction, &mut portal).await?;
        transaction.commit().await?;
        self.committed(&portal).await?;
        self.get(act, client_slug).await
    }

    /// What is known of a portal's client, if anything was stated.
    ///
    /// # Errors
    /// If it cannot be opened: it was altered, or is another portal's.
    pub async fn details(&self, portal: &Portal) -> Result<Option<Details>, Error> {
        let Some(sealed) = &portal.sealed_details else {
            return Ok(None);
        };
        let row = portal.portal_id.to_string();
        let place = place(portal.portal_id, &portal.client_slug, &row);
        let opened = self.keyring.open(&place, sealed).await?;
        let details = serde_json::from_slice(&opened);
        details
            .map(Some)
            .map_err(|_| Error::BrokenRow(portal.portal_id.as_i64()))
    }

    /// The tags of the portal with this slug; none if there is no such portal, or it cannot be read.
    ///
    /// # Errors
    /// If the database or the key fails.
    pub async fn tags(&self, client_slug: &ClientSlug) -> Result<Vec<String>, Error> {
        let portal = match self.named(client_slug).await {
            Ok(Some(portal)) => portal,
            Ok(None) | Err(Error::Altered(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        self.tags_of(&portal).await
    }

    /// The tags of a portal, as of when it was read. What lies there and cannot be opened for good names no tags: then
    /// nothing is allowed by them.
    ///
    /// # Errors
    /// If nobody can say so now.
    pub async fn tags_of(&self, portal: &Portal) -> Result<Vec<String>, Error> {
        match self.details(portal).await {
            Ok(details) => Ok(details.map(|details| details.tags).unwrap_or_default()),
            Err(Error::Seal(error)) if error.is_unreadable() => {
                tracing::warn!(%error, portal = %portal.client_slug, "the tags of a portal cannot be read");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// What is known of a portal's client, sealed for its row. No transaction may be open: it may make a key.
    pub(super) async fn seal_details(
        &self,
        portal_id: PortalId,
        client_slug: &ClientSlug,
        details: &Details,
    ) -> Result<Vec<u8>, Error> {
        let row = portal_id.to_string();
        let bytes = serde_json::to_vec(details).map_err(|_| Error::BrokenRow(portal_id.as_i64()))?;
        Ok(self
            .keyring
            .seal(&place(portal_id, client_slug, &row), &bytes)
            .await?)
    }
}

fn place<'a>(portal_id: PortalId, client_slug: &'a ClientSlug, row: &'a str) -> Place<'a> {
    Place {
        owner: Owner::Portal(portal_id),
        purpose: Purpose::PortalDetails,
        table: "portal",
        column: "details",
        row,
        client_slug: client_slug.as_str(),
        kind: "details",
        generation: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let good = Details {
            controller_name: "ACME Söhne GmbH".to_owned(),
            purposes: vec!["nightly sync".to_owned(); 32],
            ..Details::default()
        };
        assert!(good.clone().checked().is_ok());
        let bad = Details {
            controller_name: "x".repeat(257),
            controller_contact: "a\nb".to_owned(),
            purposes: vec![String::new()],
            tags: vec!["t".to_owned(); 33],
            dpa_date: "2026-02-30".to_owned(),
            instructions_reference: "x".repeat(257),
            data_subjects: vec!["s".repeat(65)],
            controller_representative: "a\nb".to_owned(),
            controller_data_protection_officer: "a\tb".to_owned(),
            ..good
        };
        let faults = bad.checked().expect_err("nine faults");
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "details.controller_name",
                "details.controller_contact",
                "details.instructions_reference",
                "details.controller_representative",
                "details.controller_data_protection_officer",
                "details.dpa_date",
                "details.purposes",
                "details.tags",
                "details.data_subjects"
            ]
        );
    }
}
