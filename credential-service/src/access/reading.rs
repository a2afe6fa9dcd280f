//! What grants let somebody read of a portal: the widest of those that select it, narrowed to what reads.

use hubkeep_core::id::{CallerName, ClientSlug};

use super::{Access, Error, Grant, Lacking, Permitted, Scope};

impl Access {
    /// What a user may read of a portal: the grant that lets most be read, and that much of it. Of two alike the first by id.
    ///
    /// # Errors
    /// [`Error::Missing`] if none lets anything be read; [`Error::Contained`] if the user, or its person, may have no handle.
    pub async fn permit_reading(
        &self,
        user: &CallerName,
        client_slug: &ClientSlug,
        tags: &[String],
    ) -> Result<(Permitted, Scope), Error> {
        let (snapshot, holder) = self.grantable(user).await?;
        let person = holder.person.as_ref().map(|(person, _)| person);
        let mut widest: Option<(&Grant, Scope)> = None;
        for granted in snapshot.grants() {
            let grant = &granted.grant;
            if !grant.grantee.is(user, person) || !grant.portals.selects(client_slug, tags) {
                continue;
            }
            let Some(scope) = grant.scope.reading() else {
                continue;
            };
            if widest
                .as_ref()
                .is_none_or(|(_, best)| scope.width() > best.width())
            {
                widest = Some((grant, scope));
            }
        }
        let (grant, scope) = widest.ok_or_else(|| Error::Missing {
            client_slug: client_slug.clone(),
            lacking: Lacking::Portal,
            grant_id: None,
        })?;
        Ok((holder.under(&snapshot, grant, grant.budget), scope))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Named, Operation, Scope, grant::tests::scope};

    #[test]
    fn what_reads_is_left_of_a_scope_and_the_wider_is_told() {
        let some = scope(&[Operation::Get, Operation::Update], &[]);
        let read = some.reading().expect("it reads");
        assert_eq!(read.operations().collect::<Vec<_>>(), [Operation::Get]);
        assert!(scope(&[Operation::Update], &[]).reading().is_none());
        let every = Scope::new(Named {
            operations: [Operation::Get].into(),
            object_types: ["*".to_owned()].into(),
            ..Named::default()
        });
        let limited = scope(&[Operation::Get, Operation::List], &["email"]);
        assert!(every.expect("valid").width() > read.width());
        assert!(read.width() > limited.width(), "no limit goes before operations");
    }
}
