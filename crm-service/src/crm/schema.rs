//! How records are made: properties, pipelines, types.

use super::{
    ask::Operation,
    names::{ObjectType, PropertyName},
};

/// HubSpot's id of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineId(String);

impl PipelineId {
    /// Reads an id of a pipeline.
    ///
    /// # Errors
    /// With the rule.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=128).contains(&text.len()) && text.bytes().all(letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be HubSpot's id of the pipeline: 1 to 128 of letters, digits, '_' and '-'")
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is asked of a portal's schema.
#[derive(Clone, Debug)]
pub enum SchemaAsk {
    /// All properties of a type.
    Properties {
        /// The type.
        object_type: ObjectType,
        /// Only the archived.
        archived: bool,
    },
    /// One property.
    Property {
        /// The type.
        object_type: ObjectType,
        /// Which.
        name: PropertyName,
    },
    /// All pipelines of a type.
    Pipelines(ObjectType),
    /// One pipeline.
    Pipeline {
        /// The type.
        object_type: ObjectType,
        /// Which.
        id: PipelineId,
    },
    /// The types that the portal has made for itself.
    Types,
    /// One of them.
    Type(ObjectType),
}

impl SchemaAsk {
    /// What is done.
    pub(super) const fn operations(&self) -> &'static [Operation] {
        match self {
            Self::Properties { .. } | Self::Pipelines(_) | Self::Types => &[Operation::List],
            Self::Property { .. } | Self::Pipeline { .. } | Self::Type(_) => &[Operation::Get],
        }
    }

    /// Of which type; what is said of types themselves is not of one.
    pub(super) fn object_type(&self) -> ObjectType {
        match self {
            Self::Properties { object_type, .. }
            | Self::Property { object_type, .. }
            | Self::Pipelines(object_type)
            | Self::Pipeline { object_type, .. } => object_type.clone(),
            Self::Types | Self::Type(_) => ObjectType::schemas(),
        }
    }
}
