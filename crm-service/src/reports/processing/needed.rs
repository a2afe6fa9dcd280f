//! What a record of processing must say: GDPR Art. 30(2), Art. 28(2) and (3). Each field is filled, or a gap.

use super::Body;
use crate::reports::fields::Field;

type One = fn(&Body) -> bool;

const fn field(path: &'static str, is_filled: One, gap: &'static str) -> Field<Body> {
    Field { path, is_filled, gap }
}

const PROCESSOR: &str = "state it in [reports.processor] of crm-service";
const TRANSFER: &str =
    "state it in [[reports.transfers]] of crm-service, of HubSpot in [reports.hubspot_transfer]";
const SUBPROCESSOR: &str = "state it in [[reports.subprocessors]] of crm-service";

pub(super) const FIELDS: [Field<Body>; 34] = [
    field(
        "processor.name",
        |body| !body.processor.name.is_empty(),
        PROCESSOR,
    ),
    field(
        "processor.address",
        |body| !body.processor.address.is_empty(),
        PROCESSOR,
    ),
    field(
        "processor.email",
        |body| !body.processor.email.is_empty(),
        PROCESSOR,
    ),
    field(
        "processor.phone",
        |body| !body.processor.phone.is_empty(),
        PROCESSOR,
    ),
    field(
        "representative.name",
        |body| !body.representative.name.is_empty(),
        "state the processor's representative, or that none is needed, in [reports.representative] of crm-service",
    ),
    field(
        "data_protection_officer.name",
        |body| !body.data_protection_officer.name.is_empty(),
        "state the data protection officer, or that there need be none, in [reports.data_protection_officer] of crm-service",
    ),
    field(
        "controller.name",
        |body| !body.controller.name.is_empty(),
        "state controller_name by `hubkeep portals update --details`",
    ),
    field(
        "controller.contact",
        |body| !body.controller.contact.is_empty(),
        "state controller_contact by `hubkeep portals update --details`",
    ),
    field(
        "controller.representative",
        |body| !body.controller.representative.is_empty(),
        "state controller_representative, or that none is needed, by `hubkeep portals update --details`",
    ),
    field(
        "controller.data_protection_officer",
        |body| !body.controller.data_protection_officer.is_empty(),
        "state controller_data_protection_officer, or that there need be none, by `hubkeep portals update --details`",
    ),
    field(
        "controller.region",
        |body| !body.controller.region.is_empty(),
        "state region by `hubkeep portals update --details`",
    ),
    field(
        "processing_region",
        |body| !body.processing_region.is_empty(),
        "where this deployment runs says whether there is a transfer: state it in [reports] of crm-service, region",
    ),
    field(
        "processing[].purpose_code",
        |body| body.processing.iter().all(|one| !one.purpose_code.is_empty()),
        "handles were issued without one: state --purpose where they are",
    ),
    field(
        "transfers[].recipient",
        |body| body.transfers.iter().all(|to| !to.recipient.is_empty()),
        TRANSFER,
    ),
    field(
        "transfers[].country",
        |body| body.transfers.iter().all(|to| !to.country.is_empty()),
        "HubSpot has not said where the portal's data lies: `hubkeep portals verify`; of others state it in [[reports.transfers]]",
    ),
    field(
        "transfers[].mechanism",
        |body| body.transfers.iter().all(|to| !to.mechanism.is_empty()),
        TRANSFER,
    ),
    field(
        "transfers[].reference",
        |body| body.transfers.iter().all(|to| !to.reference.is_empty()),
        TRANSFER,
    ),
    field(
        "transfers",
        |body| body.no_other_transfers || body.transfers.len() > 1,
        "state those besides HubSpot's in [[reports.transfers]] of crm-service, or no_transfers = true in [reports]",
    ),
    field(
        "security_measures",
        |body| !body.security_measures.is_empty(),
        "crm-service tells none",
    ),
    field(
        "security_measures of credential-service",
        |_| false,
        "they are not known here: its operator shows them by `credential-service config print`",
    ),
    field(
        "annex.dpa_reference",
        |body| !body.annex.dpa_reference.is_empty(),
        "state dpa_reference by `hubkeep portals update --details`",
    ),
    field(
        "annex.dpa_date",
        |body| !body.annex.dpa_date.is_empty(),
        "state dpa_date by `hubkeep portals update --details`",
    ),
    field(
        "annex.instructions_reference",
        |body| !body.annex.instructions_reference.is_empty(),
        "state instructions_reference by `hubkeep portals update --details`",
    ),
    field(
        "annex.stated_purposes",
        |body| !body.annex.stated_purposes.is_empty(),
        "state purposes by `hubkeep portals update --details`",
    ),
    field(
        "annex.data_subjects",
        |body| !body.annex.data_subjects.is_empty(),
        "state data_subjects by `hubkeep portals update --details`",
    ),
    field(
        "annex.properties",
        |body| !body.annex.properties.is_empty(),
        "entries name no properties, and a grant allows all: name properties in every grant, and they stand here",
    ),
    field(
        "annex.subprocessors",
        |body| body.annex.no_subprocessors || !body.annex.subprocessors.is_empty(),
        "state them in [[reports.subprocessors]] of crm-service, or no_subprocessors = true in [reports]",
    ),
    field(
        "annex.subprocessors[].name",
        |body| body.annex.subprocessors.iter().all(|one| !one.name.is_empty()),
        SUBPROCESSOR,
    ),
    field(
        "annex.subprocessors[].purpose",
        |body| body.annex.subprocessors.iter().all(|one| !one.purpose.is_empty()),
        SUBPROCESSOR,
    ),
    field(
        "annex.subprocessors[].country",
        |body| body.annex.subprocessors.iter().all(|one| !one.country.is_empty()),
        SUBPROCESSOR,
    ),
    field(
        "annex.subprocessors[].authorized_date",
        |body| {
            let subprocessors = &body.annex.subprocessors;
            subprocessors.iter().all(|one| !one.authorized_date.is_empty())
        },
        SUBPROCESSOR,
    ),
    field(
        "annex.retention",
        |body| !body.annex.retention.is_empty(),
        "state how long entries are kept in [reports] of crm-service, retention",
    ),
    field(
        "evidence.approvals",
        |_| false,
        "Hubkeep decides no approvals yet, and has none to tell: a write that needs one is refused (APPROVAL_REQUIRED)",
    ),
    field(
        "evidence.heads[].start",
        |body| {
            let heads = &body.evidence.heads;
            heads
                .iter()
                .all(|log| log.start.is_some() || log.begins_in_period)
        },
        "no checkpoint of the log was signed before the period began",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::{
        fields::gaps,
        processing::{Activity, Annex, Evidence, Heads, SubprocessorText, TransferText},
    };

    #[test]
    fn a_field_that_says_nothing_is_a_gap_whichever_it_is() {
        let nothing = Body {
            processing: vec![Activity::default()],
            transfers: vec![TransferText::default()],
            evidence: Evidence {
                heads: vec![Heads::default()],
                ..Evidence::default()
            },
            ..Body::default()
        };
        let nobody = Body {
            annex: Annex {
                subprocessors: vec![SubprocessorText::default()],
                ..Annex::default()
            },
            ..Body::default()
        };
        let told = [gaps(&FIELDS, &nothing), gaps(&FIELDS, &nobody)].concat();
        for field in &FIELDS {
            let begins = format!("{}: ", field.path);
            assert!(
                told.iter().any(|gap| gap.starts_with(&begins)),
                "{} is not told",
                field.path
            );
        }
    }

    #[test]
    fn an_operator_who_states_that_there_is_none_leaves_no_gap() {
        let none = Body {
            no_other_transfers: true,
            annex: Annex {
                no_subprocessors: true,
                ..Annex::default()
            },
            ..Body::default()
        };
        let told = gaps(&FIELDS, &none);
        let is_of = |gap: &String| gap.starts_with("transfers: ") || gap.starts_with("annex.subprocessors");
        assert!(!told.iter().any(is_of), "{told:?}");
    }
}
