//! Messages about how records are made.

use std::sync::Arc;

use hubkeep_hubspot::properties::{self, NewProperty, PropertyChange};
use hubkeep_proto::crm::v1::{
    ArchivePropertyRequest, CreatePropertyRequest, GetObjectTypeRequest, GetPipelineRequest,
    GetPropertyRequest, ListObjectTypesRequest, ListPipelinesRequest, ListPropertiesRequest, PropertyOption,
    UpdatePropertyRequest,
};

use crate::{
    api::entrance::{Read, meant},
    crm::{
        Ask, Faults, ObjectType, PipelineId, PropertyName, SchemaAsk, check_each_option, check_options,
        read_description, read_field, read_group, read_kind_and_field, read_label, read_new_name,
    },
};

fn schema(ask: SchemaAsk) -> Ask {
    Ask::Schema(Arc::new(ask))
}

pub(in crate::api) fn list_properties(message: &ListPropertiesRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let archived = message.archived;
    faults.resolve(meant.zip(object_type.map(|object_type| {
        schema(SchemaAsk::Properties {
            object_type,
            archived,
        })
    })))
}

pub(in crate::api) fn get_property(message: &GetPropertyRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let name = faults.keep("name", PropertyName::read(&message.name));
    let ask = object_type
        .zip(name)
        .map(|(object_type, name)| schema(SchemaAsk::Property { object_type, name }));
    faults.resolve(meant.zip(ask))
}

pub(in crate::api) fn create_property(message: &CreatePropertyRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let name = faults.keep("name", read_new_name(&message.name));
    let label = faults.keep("label", read_label(&message.label));
    let group = faults.keep("group_name", read_group(&message.group_name));
    let description = faults.keep("description", read_description(&message.description));
    read_kind_and_field(&message.r#type, &message.field_type, &mut faults);
    let options = options(&message.options);
    check_options(&message.r#type, &options, &mut faults);
    check_each_option("options", &options, &mut faults);
    let texts = label.zip(group).zip(description);
    let ask = object_type.zip(name).zip(texts);
    let ask = ask.map(|((object_type, name), ((label, group), description))| {
        let new = NewProperty {
            name: name.as_str().to_owned(),
            label,
            group,
            kind: message.r#type.clone(),
            field: message.field_type.clone(),
            description,
            options,
            unique: message.has_unique_value,
            hidden: message.hidden,
        };
        schema(SchemaAsk::CreateProperty {
            object_type,
            name,
            new,
        })
    });
    faults.resolve(meant.zip(ask))
}

pub(in crate::api) fn update_property(message: &UpdatePropertyRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let name = faults.keep("name", PropertyName::read(&message.name));
    let options = message.options.as_ref().map(|given| options(&given.options));
    if let Some(options) = &options {
        if options.is_empty() {
            faults.add("options.options", "must hold at least one value");
        }
        check_each_option("options.options", options, &mut faults);
    }
    let change = PropertyChange {
        label: kept("label", &message.label, read_label, &mut faults),
        group: kept("group_name", &message.group_name, read_group, &mut faults),
        kind: None,
        field: kept("field_type", &message.field_type, read_field, &mut faults),
        description: kept("description", &message.description, read_description, &mut faults),
        options,
        hidden: message.hidden,
    };
    let names_nothing = message.label.is_none()
        && message.group_name.is_none()
        && message.field_type.is_none()
        && message.description.is_none()
        && message.options.is_none()
        && message.hidden.is_none();
    if names_nothing {
        faults.add("label", "must be there, or another of what can change");
    }
    let ask = object_type.zip(name).map(|(object_type, name)| {
        schema(SchemaAsk::UpdateProperty {
            object_type,
            name,
            change,
        })
    });
    faults.resolve(meant.zip(ask))
}

pub(in crate::api) fn archive_property(message: &ArchivePropertyRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let name = faults.keep("name", PropertyName::read(&message.name));
    let ask = object_type
        .zip(name)
        .map(|(object_type, name)| schema(SchemaAsk::ArchiveProperty { object_type, name }));
    faults.resolve(meant.zip(ask))
}

/// What is named of a change; what is not named stays.
fn kept<R: Into<String>>(
    field: &str,
    named: &Option<String>,
    read: impl Fn(&str) -> Result<String, R>,
    faults: &mut Faults,
) -> Option<String> {
    let text = named.as_ref()?;
    faults.keep(field, read(text))
}

/// Options in the order in which people see them.
fn options(options: &[PropertyOption]) -> Vec<properties::PropertyOption> {
    let option = |(display_order, option): (i64, &PropertyOption)| properties::PropertyOption {
        value: option.value.clone(),
        label: option.label.clone(),
        description: option.description.clone(),
        display_order,
        hidden: option.hidden,
    };
    (0..).zip(options).map(option).collect()
}

pub(in crate::api) fn list_pipelines(message: &ListPipelinesRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    faults.resolve(meant.zip(object_type.map(|object_type| schema(SchemaAsk::Pipelines(object_type)))))
}

pub(in crate::api) fn get_pipeline(message: &GetPipelineRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let id = faults.keep("pipeline_id", PipelineId::read(&message.pipeline_id));
    let ask = object_type
        .zip(id)
        .map(|(object_type, id)| schema(SchemaAsk::Pipeline { object_type, id }));
    faults.resolve(meant.zip(ask))
}

pub(in crate::api) fn list_object_types(message: &ListObjectTypesRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    faults.resolve(meant.map(|meant| (meant, schema(SchemaAsk::Types))))
}

pub(in crate::api) fn get_object_type(message: &GetObjectTypeRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    faults.resolve(meant.zip(object_type.map(|object_type| schema(SchemaAsk::Type(object_type)))))
}
