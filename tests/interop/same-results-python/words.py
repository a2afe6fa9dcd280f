"""HubSpot's words and Hubkeep's for the same things. What differs by design stands here, and nowhere else: whatever a field of
either is not named for here, `test_words.py` names it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from google.protobuf.message import Message
from hubspot.crm import companies, contacts, deals, objects, owners, pipelines, properties, schemas, tickets
from hubspot.crm.associations import v4
from hubspot.crm.associations.v4 import schema as definitions

from hubkeep.crm.v1 import association_pb2, object_pb2, owner_service_pb2, pipeline_pb2, property_pb2, schema_service_pb2

RECORDS = (contacts, companies, deals, tickets, objects)


@dataclass(frozen=True)
class Form:
    """What one thing is called by both."""

    # Of HubSpot's client.
    models: tuple[type, ...]
    # Of Hubkeep.
    message: type[Message]
    # Hubkeep's field: where HubSpot's client has it.
    same: Mapping[str, str]
    # HubSpot's, of which Hubkeep says nothing.
    left_out: frozenset[str] = frozenset()
    # Hubkeep's fields whose value HubSpot puts otherwise: how it is put as Hubkeep puts it.
    otherwise: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


def alike(*names: str) -> dict[str, str]:
    """Fields that have one name."""
    return {name: name for name in names}


def there(properties: dict[str, str | None]) -> dict[str, str]:
    """HubSpot's client shows as None what a record has not; with Hubkeep it is absent."""
    return {name: value for name, value in properties.items() if value is not None}


def once_each(associations: dict[str, Any]) -> dict[str, Any]:
    """HubSpot tells a record once for each way to belong together; Hubkeep tells it once."""
    return {
        name: {"object_ids": sorted({one.id for one in some.results}), "has_more": some.paging is not None}
        for name, some in associations.items()
    }


FORMS = [
    Form(
        models=tuple(
            model
            for package in RECORDS
            for model in (
                package.SimplePublicObject,
                package.SimplePublicObjectWithAssociations,
                package.SimplePublicUpsertObject,
            )
        ),
        message=object_pb2.Object,
        same=alike("properties", "archived", "associations")
        | {
            "object_id": "id",
            "create_time": "created_at",
            "update_time": "updated_at",
            "history": "properties_with_history",
        },
        # `new` stands in the result of an upsert with Hubkeep, beside the object.
        left_out=frozenset({"archived_at", "object_write_trace_id", "new"}),
        otherwise={
            "properties": there,
            "associations": once_each,
            "history": lambda of: {name: {"values": [plain(value) for value in past]} for name, past in of.items()},
        },
    ),
    Form(
        models=tuple(package.ValueWithTimestamp for package in RECORDS),
        message=object_pb2.PastValue,
        same=alike("value", "source_type", "source_id", "updated_by_user_id") | {"time": "timestamp"},
        left_out=frozenset({"source_label"}),
    ),
    Form(
        models=(owners.PublicOwner,),
        message=owner_service_pb2.Owner,
        same=alike("user_id", "email", "first_name", "last_name", "archived")
        | {"owner_id": "id", "create_time": "created_at", "update_time": "updated_at"},
        left_out=frozenset({"type", "teams", "user_id_including_inactive"}),
    ),
    Form(
        models=(v4.AssociationSpecWithLabel, definitions.AssociationSpecWithLabel),
        message=association_pb2.AssociationLabel,
        same=alike("type_id", "label", "category"),
    ),
    Form(
        models=(v4.MultiAssociatedObjectWithLabel,),
        message=association_pb2.AssociatedRecord,
        same={"object_id": "to_object_id", "labels": "association_types"},
    ),
    Form(
        models=(properties.ModelProperty,),
        message=property_pb2.Property,
        same=alike("name", "label", "type", "field_type", "description", "group_name", "options")
        | alike("has_unique_value", "calculated", "archived", "hidden")
        | {"read_only": "modification_metadata.read_only_value"},
        left_out=frozenset({
            "archived_at",
            "calculation_formula",
            "created_at",
            "created_user_id",
            "display_order",
            "external_options",
            "form_field",
            "hubspot_defined",
            "referenced_object_type",
            "show_currency_symbol",
            "updated_at",
            "updated_user_id",
        }),
    ),
    Form(
        models=(properties.Option,),
        message=property_pb2.PropertyOption,
        same=alike("value", "label", "hidden", "description"),
        # The order of the list, with Hubkeep.
        left_out=frozenset({"display_order"}),
    ),
    Form(
        models=(pipelines.Pipeline,),
        message=pipeline_pb2.Pipeline,
        same=alike("label", "stages", "archived", "display_order") | {"pipeline_id": "id"},
        left_out=frozenset({"created_at", "updated_at", "archived_at"}),
    ),
    Form(
        models=(pipelines.PipelineStage,),
        message=pipeline_pb2.PipelineStage,
        same=alike("label", "metadata", "archived", "display_order") | {"stage_id": "id"},
        left_out=frozenset({"created_at", "updated_at", "archived_at", "write_permissions"}),
    ),
    Form(
        models=(schemas.ObjectSchema,),
        message=schema_service_pb2.ObjectTypeSchema,
        same=alike("object_type_id", "fully_qualified_name", "name", "primary_display_property", "required_properties", "archived")
        | {"singular_label": "labels.singular", "plural_label": "labels.plural"},
        # The properties of a type are what ListProperties tells.
        left_out=frozenset({
            "associations",
            "created_at",
            "created_by_user_id",
            "description",
            "id",
            "properties",
            "searchable_properties",
            "secondary_display_properties",
            "updated_at",
            "updated_by_user_id",
        }),
    ),
]
OF_MODEL = {model: form for form in FORMS for model in form.models}
OF_MESSAGE = {form.message.DESCRIPTOR.full_name: form for form in FORMS}

# HubSpot's status and category of a refusal; Hubkeep's code and reason.
REFUSALS = {
    (400, "VALIDATION_ERROR"): ("INVALID_ARGUMENT", "HUBSPOT_VALIDATION"),
    (404, "OBJECT_NOT_FOUND"): ("NOT_FOUND", "OBJECT_NOT_FOUND"),
    (409, "CONFLICT"): ("ALREADY_EXISTS", "OBJECT_CONFLICT"),
    (409, "OBJECT_ALREADY_EXISTS"): ("ALREADY_EXISTS", "OBJECT_CONFLICT"),
}
# HubSpot's category of a row that was refused in a batch; Hubkeep's reason.
REFUSED_ROWS = {"OBJECT_NOT_FOUND": "ERROR_REASON_OBJECT_NOT_FOUND"}


def plain(value: Any) -> Any:
    """What either side told, in one form: the names are Hubkeep's."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    if isinstance(value, Message):
        return of_hubkeep(value)
    if type(value) in OF_MODEL:
        return of_hubspot(value)
    return value


def of_hubspot(model: Any) -> dict[str, Any]:
    form = OF_MODEL[type(model)]
    told = {}
    for known in form.message.DESCRIPTOR.fields:
        value = model
        for name in form.same[known.name].split("."):
            value = getattr(value, name, None)
        if value is None:
            value = absent(known)
        elif known.name in form.otherwise:
            value = form.otherwise[known.name](value)
        # HubSpot's client has some ids as numbers.
        is_text = known.type == known.TYPE_STRING and isinstance(value, int)
        told[known.name] = str(value) if is_text else plain(value)
    return in_order(told)


def of_hubkeep(message: Message) -> Any:
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        return plain(message.ToDatetime(timezone.utc))
    told = {}
    for known in message.DESCRIPTOR.fields:
        if known.has_presence and not message.HasField(known.name):
            told[known.name] = None
            continue
        value = getattr(message, known.name)
        if not known.is_repeated:
            told[known.name] = plain(value)
        elif known.message_type and known.message_type.GetOptions().map_entry:
            told[known.name] = {key: plain(value[key]) for key in value}
        else:
            told[known.name] = [plain(one) for one in value]
    return in_order(told)


def absent(known: Any) -> Any:
    """What stands with Hubkeep for HubSpot's null."""
    if known.is_repeated:
        return {} if known.message_type and known.message_type.GetOptions().map_entry else []
    return None if known.has_presence else known.default_value


def in_order(told: dict[str, Any]) -> dict[str, Any]:
    """Neither promises an order of labels and of associated records."""
    if labels := told.get("labels"):
        told["labels"] = sorted(labels, key=lambda label: label["type_id"])
    if ids := told.get("object_ids"):
        told["object_ids"] = sorted(ids)
    return told


TIME = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)$")


def of_any_account(told: Any) -> Any:
    """What was told, without what two accounts cannot have in common: when it was, whose it is, and by which app."""
    if isinstance(told, list):
        return [of_any_account(one) for one in told]
    if isinstance(told, dict):
        return {key: "an app" if key == "source_id" and one else of_any_account(one) for key, one in told.items()}
    if isinstance(told, str):
        return "a time" if TIME.match(told) else re.sub(r"^p\d+_", "p_", told)
    return told
