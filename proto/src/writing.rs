//! Which operations change something at HubSpot: one list, for whoever keeps writes and whoever counts them.

use crate::audit::v1::Operation;

/// No operation has a higher number.
const HIGHEST: i32 = 999;

impl Operation {
    /// All that change something at HubSpot.
    pub fn writes() -> impl Iterator<Item = Self> {
        (0..=HIGHEST)
            .filter_map(|number| Self::try_from(number).ok())
            .filter(|operation| operation.is_write())
    }

    /// Whether it changes something at HubSpot.
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::ObjectCreate
                | Self::ObjectUpdate
                | Self::ObjectArchive
                | Self::ObjectMerge
                | Self::ContactErase
                | Self::ObjectBatchCreate
                | Self::ObjectBatchUpdate
                | Self::ObjectUpsert
                | Self::ObjectBatchArchive
                | Self::AssociationCreate
                | Self::AssociationRemove
                | Self::AssociationBatchCreate
                | Self::AssociationBatchRemove
                | Self::AssociationLabelBatchRemove
                | Self::PropertyCreate
                | Self::PropertyUpdate
                | Self::PropertyArchive
                | Self::PipelineCreate
                | Self::PipelineUpdate
                | Self::PipelineArchive
                | Self::PipelineStageCreate
                | Self::PipelineStageUpdate
                | Self::PipelineStageArchive
        )
    }
}
