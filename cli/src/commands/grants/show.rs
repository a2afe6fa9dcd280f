//! Grants as people read them.

use hubkeep_proto::credential::v1::{Grant, HandleBudget, grant::Holder};

use super::GRANT;
use crate::{
    commands::{
        handle::{joined, operations},
        time::day_and_time,
    },
    errors::Error,
    output::{Output, printable},
    wire_json,
};

/// Slugs and tags that a row of a list names; the others are counted.
const NAMED: usize = 3;

/// A table, a row for each.
pub(super) fn table(grants: &[Grant], output: &Output) -> Result<(), Error> {
    let header = ["grant", "who", "portals", "allows", "types", "limits"];
    let row = |grant: &Grant| {
        let scope = grant.scope.clone().unwrap_or_default();
        vec![
            grant.grant_id.clone(),
            who(grant),
            portals(grant, NAMED),
            operations(&scope),
            joined(&scope.object_types, "none"),
            limits(grant),
        ]
    };
    let rows = grants.iter().map(row).collect();
    output.table_without(
        &["types", "allows", "portals"],
        &header,
        rows,
        "no grants yet: nobody may have a handle",
    )
}

/// One grant, a line for each of its parts.
pub(super) fn whole(grant: &Grant, output: &Output) -> Result<(), Error> {
    if output.is_json() {
        return output.document(&wire_json::of(GRANT, grant)?);
    }
    let scope = grant.scope.clone().unwrap_or_default();
    let budget = grant.budget.unwrap_or_default();
    let writes = if grant.writes_need_approval {
        "need approval"
    } else {
        "are made"
    };
    let facts = [
        ("grant", grant.grant_id.clone()),
        ("who", who(grant)),
        ("portals", portals(grant, usize::MAX)),
        ("allows", operations(&scope)),
        ("object types", joined(&scope.object_types, "none")),
        ("properties", joined(&scope.properties, "all")),
        ("pipelines", joined(&scope.pipelines, "all")),
        ("owners", joined(&scope.owner_ids, "all")),
        (
            "max lifetime",
            lifetime(grant).unwrap_or_else(|| "as the deployment allows".to_owned()),
        ),
        ("max calls", amount(budget.max_calls)),
        ("max records", amount(budget.max_records)),
        ("writes", writes.to_owned()),
        ("revision", grant.revision.to_string()),
        ("put", day_and_time(grant.update_time.as_ref())),
        ("put by", grant.updated_by.clone()),
    ];
    for (name, value) in facts {
        output.line(&format!("{name:<13} {}", printable(&value)))?;
    }
    Ok(())
}

fn who(grant: &Grant) -> String {
    match &grant.holder {
        Some(Holder::Caller(caller)) => caller.clone(),
        Some(Holder::PersonId(person)) => format!("person {person}"),
        None => "?".to_owned(),
    }
}

/// Slugs, tags, or all; `at_most` of each are named.
fn portals(grant: &Grant, at_most: usize) -> String {
    let portals = grant.portals.clone().unwrap_or_default();
    if portals.all {
        return "all".to_owned();
    }
    let slugs = portals.client_slugs.iter().cloned();
    let tags = portals.tags.iter().map(|tag| format!("#{tag}"));
    let all: Vec<String> = slugs.chain(tags).collect();
    let more = all.len().saturating_sub(at_most);
    let named = all.iter().take(at_most).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 {
        named
    } else {
        format!("{named} and {more} more")
    }
}

fn lifetime(grant: &Grant) -> Option<String> {
    let time = std::time::Duration::try_from(grant.max_lifetime?).ok()?;
    Some(humantime::format_duration(time).to_string())
}

fn amount(amount: u64) -> String {
    if amount == 0 {
        "any number".to_owned()
    } else {
        amount.to_string()
    }
}

/// What narrows it beside operations and types.
fn limits(grant: &Grant) -> String {
    let scope = grant.scope.clone().unwrap_or_default();
    let HandleBudget {
        max_calls,
        max_records,
    } = grant.budget.unwrap_or_default();
    let lists = [
        (scope.properties.len(), "properties"),
        (scope.pipelines.len(), "pipelines"),
        (scope.owner_ids.len(), "owners"),
    ];
    let lists = lists.into_iter().filter(|(count, _)| *count > 0);
    let amounts = [(max_calls, "calls"), (max_records, "records")];
    let amounts = amounts.into_iter().filter(|(amount, _)| *amount > 0);
    let words: Vec<String> = lists
        .map(|(count, what)| format!("{count} {what}"))
        .chain(lifetime(grant))
        .chain(amounts.map(|(amount, what)| format!("{amount} {what}")))
        .chain(
            grant
                .writes_need_approval
                .then(|| "writes need approval".to_owned()),
        )
        .collect();
    joined(&words, "–")
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::credential::v1::{HandleOperation, HandleScope, PortalSelection};

    use super::*;

    fn grant() -> Grant {
        Grant {
            grant_id: "nightly-sync".to_owned(),
            holder: Some(Holder::Caller("nightly-sync".to_owned())),
            portals: Some(PortalSelection {
                client_slugs: (0..4).map(|number| format!("client-{number:04}")).collect(),
                tags: vec!["eu".to_owned()],
                all: false,
            }),
            scope: Some(HandleScope {
                operations: vec![HandleOperation::Get.into(), HandleOperation::List.into()],
                object_types: vec!["contacts".to_owned(), "companies".to_owned()],
                properties: vec!["email".to_owned()],
                ..HandleScope::default()
            }),
            max_lifetime: Some(prost_types::Duration {
                seconds: 300,
                nanos: 0,
            }),
            budget: Some(HandleBudget {
                max_calls: 100,
                max_records: 0,
            }),
            writes_need_approval: true,
            ..Grant::default()
        }
    }

    #[test]
    fn a_row_names_some_portals_and_counts_the_others() {
        assert_eq!(
            portals(&grant(), NAMED),
            "client-0000, client-0001, client-0002 and 2 more"
        );
        assert!(portals(&grant(), usize::MAX).ends_with("client-0003, #eu"));
        assert_eq!(
            limits(&grant()),
            "1 properties, 5m, 100 calls, writes need approval"
        );
        assert_eq!(limits(&Grant::default()), "–");
    }

    #[test]
    fn a_list_fits_80_columns() {
        let (output, answers, _) = Output::on_paper(false);
        table(&[grant()], &output.on_terminal(80)).expect("written");
        for line in answers.text().lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(answers.text().contains("nightly-sync"));
    }
}
