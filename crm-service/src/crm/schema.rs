//! How records are made: properties, pipelines, types.

use hubkeep_hubspot::{
    pipelines::{Change, NewPipeline, NewStage},
    properties::{NewProperty, PropertyChange},
};

use super::{
    ask::Operation,
    names::{ObjectType, PropertyName},
};

/// HubSpot's id of a pipeline, or of a stage of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PipelineId(String);

impl PipelineId {
    /// Reads an id of a pipeline or a stage.
    ///
    /// # Errors
    /// With the rule.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=128).contains(&text.len()) && text.bytes().all(letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be HubSpot's id of it: 1 to 128 of letters, digits, '_' and '-'")
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is done with a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PipelineWork {
    /// It is made, with its stages.
    Create(NewPipeline),
    /// It is changed, but for its stages.
    Update(PipelineId, Change),
    /// It is archived.
    Archive(PipelineId),
    /// It gets a stage.
    CreateStage(PipelineId, NewStage),
    /// A stage of it, the second of these, is changed.
    UpdateStage(PipelineId, PipelineId, Change),
    /// A stage of it, the second of these, is archived.
    ArchiveStage(PipelineId, PipelineId),
}

/// What is asked of a portal's schema, or changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// Makes a property.
    CreateProperty {
        /// The type that gets it.
        object_type: ObjectType,
        /// Its name.
        name: PropertyName,
        /// The rest, and its name once more.
        new: NewProperty,
    },
    /// Changes a property.
    UpdateProperty {
        /// The type that has it.
        object_type: ObjectType,
        /// Which.
        name: PropertyName,
        /// What of it.
        change: PropertyChange,
    },
    /// Archives a property.
    ArchiveProperty {
        /// The type that has it.
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
    /// Makes or changes a pipeline.
    Work {
        /// The type whose records go through it.
        object_type: ObjectType,
        /// What is done.
        work: PipelineWork,
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
            Self::CreateProperty { .. }
            | Self::UpdateProperty { .. }
            | Self::ArchiveProperty { .. }
            | Self::Work { .. } => &[Operation::WriteSchema],
        }
    }

    /// The property that it is about, where it is about one.
    pub(super) const fn property(&self) -> Option<&PropertyName> {
        match self {
            Self::Property { name, .. }
            | Self::CreateProperty { name, .. }
            | Self::UpdateProperty { name, .. }
            | Self::ArchiveProperty { name, .. } => Some(name),
            Self::Properties { .. }
            | Self::Pipelines(_)
            | Self::Pipeline { .. }
            | Self::Work { .. }
            | Self::Types
            | Self::Type(_) => None,
        }
    }

    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.operations().contains(&Operation::WriteSchema)
    }

    /// Of which type; what is said of types themselves is not of one.
    pub(super) fn object_type(&self) -> ObjectType {
        match self {
            Self::Properties { object_type, .. }
            | Self::Property { object_type, .. }
            | Self::CreateProperty { object_type, .. }
            | Self::UpdateProperty { object_type, .. }
            | Self::ArchiveProperty { object_type, .. }
            | Self::Pipelines(object_type)
            | Self::Work { object_type, .. }
            | Self::Pipeline { object_type, .. } => object_type.clone(),
            Self::Types | Self::Type(_) => ObjectType::schemas(),
        }
    }
}
