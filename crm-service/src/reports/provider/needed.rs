//! What a service provider must show: Civil Code 1798.100(d) and 1798.140(ag), 11 CCR 7050 and 7051. Each field is filled, or a gap.

use super::{Body, Contract};
use crate::reports::fields::Field;

type One = fn(&Body) -> bool;

const fn field(path: &'static str, is_filled: One, gap: &'static str) -> Field<Body> {
    Field { path, is_filled, gap }
}

const PROVIDER: &str = "state it in [reports.processor] of crm-service";
const SUBCONTRACTOR: &str = "state it in [[reports.subprocessors]] of crm-service";

pub(super) const FIELDS: [Field<Body>; 24] = [
    field(
        "business.name",
        |body| !body.business.name.is_empty(),
        "state controller_name by `hubkeep portals update --details`",
    ),
    field(
        "business.contact",
        |body| !body.business.contact.is_empty(),
        "state controller_contact by `hubkeep portals update --details`",
    ),
    field(
        "business.region",
        |body| !body.business.region.is_empty(),
        "state region by `hubkeep portals update --details`",
    ),
    field(
        "service_provider.name",
        |body| !body.service_provider.name.is_empty(),
        PROVIDER,
    ),
    field(
        "service_provider.address",
        |body| !body.service_provider.address.is_empty(),
        PROVIDER,
    ),
    field(
        "service_provider.email",
        |body| !body.service_provider.email.is_empty(),
        PROVIDER,
    ),
    field(
        "service_provider.phone",
        |body| !body.service_provider.phone.is_empty(),
        PROVIDER,
    ),
    field(
        "contract.reference",
        |body| !body.contract.reference.is_empty(),
        "state dpa_reference by `hubkeep portals update --details`",
    ),
    field(
        "contract.date",
        |body| !body.contract.date.is_empty(),
        "state dpa_date by `hubkeep portals update --details`",
    ),
    field(
        "contract.terms_reference",
        |body| !body.contract.terms_reference.is_empty(),
        "state where the terms of 11 CCR 7051 are written in [reports] of crm-service, contract_terms",
    ),
    field(
        "business_purposes",
        |body| !body.business_purposes.is_empty(),
        "state the specific purposes by `hubkeep portals update --details`, purposes",
    ),
    field(
        "uses[].purpose_code",
        |body| body.uses.iter().all(|one| !one.purpose_code.is_empty()),
        "handles were issued without one: state --purpose where they are",
    ),
    field(
        "categories[].letters",
        |body| body.categories.iter().all(|one| one.letters.is_some()),
        "it is not known what records of a type hold: state it in [[reports.categories]] of crm-service",
    ),
    field(
        "categories[].is_sensitive",
        |body| body.categories.iter().all(|one| one.is_sensitive.is_some()),
        "it was not stated of every type whether it holds sensitive personal information: [[reports.categories]] of crm-service",
    ),
    field(
        "subcontractors",
        |body| body.no_subcontractors || !body.subcontractors.is_empty(),
        "state them in [[reports.subprocessors]] of crm-service, or no_subprocessors = true in [reports]",
    ),
    field(
        "subcontractors[].name",
        |body| body.subcontractors.iter().all(|one| !one.name.is_empty()),
        SUBCONTRACTOR,
    ),
    field(
        "subcontractors[].purpose",
        |body| body.subcontractors.iter().all(|one| !one.purpose.is_empty()),
        SUBCONTRACTOR,
    ),
    field(
        "subcontractors[].country",
        |body| body.subcontractors.iter().all(|one| !one.country.is_empty()),
        SUBCONTRACTOR,
    ),
    field(
        "subcontractors[].authorized_date",
        |body| {
            let subcontractors = &body.subcontractors;
            subcontractors.iter().all(|one| !one.authorized_date.is_empty())
        },
        SUBCONTRACTOR,
    ),
    field(
        "consumer_requests outside Hubkeep",
        |_| false,
        "when a consumer asked the business, and what was not done by Hubkeep, is not known here: the business keeps it",
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
        "retention",
        |body| !body.retention.is_empty(),
        "state how long entries are kept in [reports] of crm-service, retention",
    ),
    field(
        "last_audit_date",
        |body| !body.last_audit_date.is_empty(),
        "state it in [reports] of crm-service, last_audit_date",
    ),
];

/// The terms of which nobody has stated where they are written.
pub(super) fn terms(contract: &Contract) -> impl Iterator<Item = String> {
    let open = contract.terms.iter().filter(|term| term.reference.is_empty());
    open.map(|term| {
        let name = term.term;
        format!("contract.terms.{name}: state where it is written in [reports.terms] of crm-service, {name}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::{
        fields::gaps,
        processing::SubprocessorText,
        provider::{Category, Use},
    };

    #[test]
    fn a_field_that_says_nothing_is_a_gap_whichever_it_is() {
        let nothing = Body {
            uses: vec![Use::default()],
            categories: vec![Category::default()],
            ..Body::default()
        };
        let nobody = Body {
            subcontractors: vec![SubprocessorText::default()],
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
}
