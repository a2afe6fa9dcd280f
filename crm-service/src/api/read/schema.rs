//! Messages about how records are made.

use std::sync::Arc;

use hubkeep_proto::crm::v1::{
    GetObjectTypeRequest, GetPipelineRequest, GetPropertyRequest, ListObjectTypesRequest,
    ListPipelinesRequest, ListPropertiesRequest,
};

use crate::{
    api::entrance::{Read, meant},
    crm::{Ask, Faults, ObjectType, PipelineId, PropertyName, SchemaAsk},
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
