//! Properties of records: what there are, made, changed and archived.

use clap::{Args, Subcommand};
use hubkeep_proto::crm::v1::{
    ArchivePropertyRequest, CreatePropertyRequest, GetPropertyRequest, ListPropertiesRequest, Property,
    PropertyOption, PropertyOptions, UpdatePropertyRequest, schema_service_client::SchemaServiceClient,
};

use super::{Again, Of, show};
use crate::{
    channel::Service,
    commands::{confirm, shown_handle::ShownHandle},
    errors::Error,
    output::{GOOD, Output, printable},
    wire_json,
};

#[derive(Args, Debug)]
pub(super) struct PropertiesArgs {
    #[command(flatten)]
    pub(super) of: Of,
    /// Only this one, by its internal name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only archived properties.
    #[arg(long, conflicts_with = "name")]
    archived: bool,
}

#[derive(Subcommand, Debug)]
pub(super) enum PropertyCommand {
    /// Make a property.
    Create(CreateArgs),
    /// Change a property; what is left out stays as it is.
    Update(UpdateArgs),
    /// Archive a property: no record shows what it holds there any more.
    Archive(ArchiveArgs),
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    of: Of,
    /// Its internal name, which stays for good.
    name: String,
    /// What people see.
    #[arg(long, value_name = "TEXT")]
    label: String,
    /// How its value is kept: string, number, date, datetime, enumeration or bool.
    #[arg(long = "type", value_name = "WORD")]
    kind: String,
    /// How it is edited: text, textarea, number, date, select, radio, checkbox, booleancheckbox, …
    #[arg(long, value_name = "WORD")]
    field_type: String,
    /// The group that it stands in, by its internal name.
    #[arg(long, value_name = "NAME")]
    group: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// A value of an enumeration; repeat it for more.
    #[arg(long, value_name = "VALUE=LABEL", value_parser = option)]
    option: Vec<PropertyOption>,
    /// No two records may have the same value. That stays for good.
    #[arg(long)]
    unique: bool,
    /// Do not show it to people.
    #[arg(long)]
    hidden: bool,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    of: Of,
    /// Its internal name.
    name: String,
    /// What people see.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// How it is edited.
    #[arg(long, value_name = "WORD")]
    field_type: Option<String>,
    /// The group that it stands in, by its internal name.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A value of an enumeration; repeat it for all. Values that are not named are taken from it.
    #[arg(long, value_name = "VALUE=LABEL", value_parser = option)]
    option: Vec<PropertyOption>,
    /// Do not show it to people any more.
    #[arg(long, conflicts_with = "visible")]
    hidden: bool,
    /// Show it to people again.
    #[arg(long)]
    visible: bool,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct ArchiveArgs {
    #[command(flatten)]
    of: Of,
    /// Its internal name.
    name: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    again: Again,
}

impl PropertyCommand {
    pub(super) const fn shown(&self) -> &ShownHandle {
        match self {
            Self::Create(args) => &args.of.shown,
            Self::Update(args) => &args.of.shown,
            Self::Archive(args) => &args.of.shown,
        }
    }
}

/// Lists properties, or shows one.
pub(super) async fn list(args: PropertiesArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = SchemaServiceClient::new(service.connection());
    let expected_portal_id = args.of.expected.stated();
    let (client_slug, object_type) = (args.of.slug, args.of.object_type);
    if let Some(name) = args.name {
        let request = GetPropertyRequest {
            client_slug,
            object_type,
            name,
            expected_portal_id,
        };
        let answer = client.get_property(request).await;
        let answer = answer.map_err(|status| service.ended(status))?.into_inner();
        if output.is_json() {
            return output.document(&wire_json::of("hubkeep.crm.v1.GetPropertyResponse", &answer)?);
        }
        one(&answer.property.unwrap_or_default(), output)?;
        return show::reply(answer.reply.as_ref(), output);
    }
    let request = ListPropertiesRequest {
        client_slug,
        object_type,
        archived: args.archived,
        expected_portal_id,
    };
    let answer = client.list_properties(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ListPropertiesResponse", &answer)?);
    }
    let row = |property: &Property| {
        vec![
            property.name.clone(),
            property.label.clone(),
            property.r#type.clone(),
            property.field_type.clone(),
            property.group_name.clone(),
            marks(property),
        ]
    };
    let header = ["name", "label", "type", "edited as", "group", ""];
    let rows = answer.properties.iter().map(row).collect();
    output.table_without(&["group", "edited as"], &header, rows, "no such properties")?;
    show::reply(answer.reply.as_ref(), output)
}

/// Runs `crm property`.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn run(command: PropertyCommand, service: &Service, output: &Output) -> Result<(), Error> {
    match command {
        PropertyCommand::Create(args) => create(args, service, output).await,
        PropertyCommand::Update(args) => update(args, service, output).await,
        PropertyCommand::Archive(args) => archive(args, service, output).await,
    }
}

async fn create(args: CreateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = CreatePropertyRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        name: args.name,
        label: args.label,
        r#type: args.kind,
        field_type: args.field_type,
        group_name: args.group,
        description: args.description,
        options: args.option,
        has_unique_value: args.unique,
        hidden: args.hidden,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.create_property(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.CreatePropertyResponse", &answer)?);
    }
    one(&answer.property.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

async fn update(args: UpdateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = UpdatePropertyRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        name: args.name,
        label: args.label,
        field_type: args.field_type,
        group_name: args.group,
        description: args.description,
        options: (!args.option.is_empty()).then_some(PropertyOptions { options: args.option }),
        hidden: (args.hidden || args.visible).then_some(args.hidden),
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.update_property(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.UpdatePropertyResponse", &answer)?);
    }
    one(&answer.property.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

async fn archive(args: ArchiveArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let (name, slug) = (printable(&args.name), printable(&args.of.slug));
    let question = format!("Archiving the property {name} of {slug} cannot be undone here.");
    confirm::sure(&question, args.yes, output)?;
    let request = ArchivePropertyRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        name: args.name,
        request_id: args.again.stated(),
    };
    let mut client = SchemaServiceClient::new(service.connection());
    let answer = client.archive_property(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ArchivePropertyResponse", &answer)?);
    }
    output.line(&format!("{GOOD}archived{GOOD:#} {name}"))?;
    show::reply(answer.reply.as_ref(), output)
}

fn one(property: &Property, output: &Output) -> Result<(), Error> {
    let marks = marks(property);
    output.line(&format!(
        "{}  {}  {} edited as {}, in {}  {marks}",
        printable(&property.name),
        printable(&property.label),
        printable(&property.r#type),
        printable(&property.field_type),
        printable(&property.group_name),
    ))?;
    if !property.description.is_empty() {
        output.line(&format!("  {}", printable(&property.description)))?;
    }
    for option in &property.options {
        let hidden = if option.hidden { "  hidden" } else { "" };
        let (value, label) = (printable(&option.value), printable(&option.label));
        output.line(&format!("  {value} = {label}{hidden}"))?;
    }
    Ok(())
}

fn marks(property: &Property) -> String {
    let marks = [
        (property.has_unique_value, "unique"),
        (property.read_only, "read-only"),
        (property.calculated, "calculated"),
        (property.hidden, "hidden"),
        (property.archived, "archived"),
    ];
    let set: Vec<&str> = marks
        .into_iter()
        .filter_map(|(is_set, word)| is_set.then_some(word))
        .collect();
    set.join(", ")
}

/// "gold=Gold".
fn option(text: &str) -> Result<PropertyOption, String> {
    match text.split_once('=') {
        Some((value, label)) if !value.trim().is_empty() && !label.trim().is_empty() => Ok(PropertyOption {
            value: value.trim().to_owned(),
            label: label.trim().to_owned(),
            ..PropertyOption::default()
        }),
        _ => Err("expected VALUE=LABEL, for example gold=Gold".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_a_value_and_what_people_see() {
        let read = option("gold = Gold member").expect("reads");
        assert_eq!(
            (read.value.as_str(), read.label.as_str()),
            ("gold", "Gold member")
        );
        assert!(option("gold").is_err() && option("=Gold").is_err() && option("gold=").is_err());
    }

    #[test]
    fn a_property_is_told_with_what_is_special_about_it() {
        let (output, answers, _) = Output::on_paper(false);
        let property = Property {
            name: "tier".to_owned(),
            has_unique_value: true,
            hidden: true,
            options: vec![option("gold=Gold").expect("reads")],
            ..Property::default()
        };
        one(&property, &output).expect("written");
        let text = answers.text();
        for part in ["tier", "unique, hidden", "gold = Gold"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
