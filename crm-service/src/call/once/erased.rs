//! What was kept of a contact's write is given to nobody any more when the contact was erased since.

use hubkeep_core::id::PortalId;
use hubkeep_hubspot::objects::Object;

use super::Once;
use crate::{
    call::{Error, suppress::addresses_in},
    crm::{Answer, ObjectType, RowError},
    suppression::Known,
};

impl Once {
    /// A kept answer, without those who were erased since; refuses one that is about nobody else.
    pub(super) async fn without_erased(
        &self,
        portal: PortalId,
        object_type: &ObjectType,
        mut answer: Answer,
    ) -> Result<Answer, Error> {
        if *object_type != ObjectType::contacts() {
            return Ok(answer);
        }
        match &mut answer {
            Answer::Object(contact) if !self.erased(portal, [(0, &*contact)]).await?.is_empty() => {
                return Err(Error::ContactErased { input: 0 });
            }
            Answer::Rows(rows) => {
                let each = rows.iter().enumerate();
                let contacts = each.filter_map(|(place, row)| Some((place, &row.as_ref().ok()?.object)));
                for place in self.erased(portal, contacts).await? {
                    if let Some(row) = rows.get_mut(place) {
                        *row = Err(RowError::Erased);
                    }
                }
            }
            _ => {}
        }
        Ok(answer)
    }

    /// The places of those of these contacts that were erased. One of whom no more than the id is said is none.
    async fn erased<'a>(
        &self,
        portal: PortalId,
        contacts: impl IntoIterator<Item = (usize, &'a Object)>,
    ) -> Result<Vec<usize>, Error> {
        let (mut asked, mut of) = (Vec::new(), Vec::new());
        for (place, contact) in contacts {
            if contact.properties.is_empty() {
                continue;
            }
            asked.push(Known::Id(&contact.id));
            asked.extend(addresses_in(&contact.properties).map(Known::Address));
            of.resize(asked.len(), place);
        }
        let listed = self.suppression.places_of(portal, &asked).await?;
        let mut places: Vec<usize> = listed
            .into_iter()
            .filter_map(|place| of.get(place).copied())
            .collect();
        places.dedup();
        Ok(places)
    }
}
