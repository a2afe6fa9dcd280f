//! Records and what is said about a call, for people.

use std::collections::BTreeSet;

use hubkeep_proto::crm::v1::{Object, Owner, Reply};

use crate::{
    commands::time::day_and_time,
    errors::Error,
    output::{FAINT, Output, STRONG, printable},
};

/// One record: its properties below each other.
pub(super) fn object(object: &Object, output: &Output) -> Result<(), Error> {
    let archived = if object.archived { "  archived" } else { "" };
    output.line(&format!(
        "{STRONG}{}{STRONG:#}{archived}",
        printable(&object.object_id)
    ))?;
    let width = object.properties.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in &object.properties {
        output.line(&format!("  {:<width$}  {}", printable(name), printable(value)))?;
    }
    for (name, past) in &object.history {
        for value in &past.values {
            let (time, source) = (day_and_time(value.time.as_ref()), printable(&value.source_type));
            let (name, value) = (printable(name), printable(&value.value));
            output.line(&format!("  {name} was {value} from {time} by {source}"))?;
        }
    }
    for (name, records) in &object.associations {
        let ids = records.object_ids.join(", ");
        let more = if records.has_more { " and more" } else { "" };
        output.line(&format!("  {} {}{more}", printable(name), printable(&ids)))?;
    }
    Ok(())
}

/// What HubSpot adds to every record, wanted or not; the id and the time of change have columns anyway.
const ALWAYS_THERE: [&str; 3] = ["createdate", "hs_object_id", "lastmodifieddate"];

/// Many records: a column for each property that one of them has.
pub(super) fn objects(objects: &[Object], asked: &[String], output: &Output) -> Result<(), Error> {
    let names: BTreeSet<&str> = objects
        .iter()
        .flat_map(|object| object.properties.keys())
        .map(String::as_str)
        .filter(|name| !ALWAYS_THERE.contains(name) || asked.iter().any(|asked| asked == name))
        .collect();
    let mut header = vec!["id"];
    header.extend(&names);
    header.push("changed");
    let row = |object: &Object| {
        let value = |name: &&str| object.properties.get(*name).cloned().unwrap_or_default();
        let mut row = vec![object.object_id.clone()];
        row.extend(names.iter().map(value));
        row.push(day_and_time(object.update_time.as_ref()));
        row
    };
    output.table(&header, objects.iter().map(row).collect(), "no records")
}

/// Owners.
pub(super) fn owners(owners: &[Owner], output: &Output) -> Result<(), Error> {
    let row = |owner: &Owner| {
        vec![
            owner.owner_id.clone(),
            format!("{} {}", owner.first_name, owner.last_name),
            owner.email.clone(),
            owner.user_id.clone().unwrap_or_default(),
            if owner.archived {
                "archived".to_owned()
            } else {
                String::new()
            },
        ]
    };
    let header = ["id", "name", "e-mail", "user", ""];
    output.table(&header, owners.iter().map(row).collect(), "no owners")
}

/// The line about the call, on standard error.
pub(super) fn reply(reply: Option<&Reply>, output: &Output) -> Result<(), Error> {
    match reply {
        None => Ok(()),
        Some(reply) => output.note(&format!("{FAINT}{}{FAINT:#}", about(reply))),
    }
}

/// How to go on, where there are more.
pub(super) fn more(next_page_token: &str, output: &Output) -> Result<(), Error> {
    match next_page_token {
        "" => Ok(()),
        token => output.note(&format!("more: --page-token {token}")),
    }
}

fn about(reply: &Reply) -> String {
    let mut parts = vec![
        format!("{} (portal {})", printable(&reply.client_slug), reply.portal_id),
        format!("call {}", reply.call_id),
        format!("audit position {}", reply.audit_position),
    ];
    if reply.kept {
        parts.push("made before: nothing was sent now".to_owned());
    }
    if reply.attempt_count > 1 {
        parts.push(format!("{} attempts", reply.attempt_count));
    }
    let left = reply.quota_left.unwrap_or_default();
    if let Some(interval) = left.interval {
        parts.push(format!("{interval} calls left now"));
    }
    if let Some(daily) = left.daily {
        parts.push(format!("{daily} today"));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::crm::v1::QuotaLeft;

    use super::*;

    #[test]
    fn the_line_about_a_call_names_the_portal_and_only_numbers_that_were_told() {
        let mut reply = Reply {
            client_slug: "acme".to_owned(),
            portal_id: 42,
            audit_position: 7,
            attempt_count: 1,
            ..Reply::default()
        };
        let line = about(&reply);
        assert!(
            line.contains("acme (portal 42)") && line.contains("audit position 7"),
            "{line}"
        );
        assert!(!line.contains("attempt") && !line.contains("left"), "{line}");
        reply.quota_left = Some(QuotaLeft {
            daily: Some(249_990),
            interval: None,
        });
        assert!(about(&reply).contains("249990 today"));
    }

    #[test]
    fn a_property_that_only_some_records_have_is_a_column_for_all() {
        let record = |name: &str| Object {
            object_id: "1".to_owned(),
            properties: [(name.to_owned(), "x".to_owned())].into(),
            ..Object::default()
        };
        let (output, answers, _) = Output::on_paper(false);
        objects(
            &[record("email"), record("phone"), record("createdate")],
            &[],
            &output,
        )
        .expect("written");
        let header = answers.text().lines().take(3).collect::<String>();
        assert!(header.contains("email") && header.contains("phone"), "{header}");
        assert!(!header.contains("createdate"), "{header}");
    }
}
