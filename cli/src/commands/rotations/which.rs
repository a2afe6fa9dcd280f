//! Which rotation is meant: one may be named by its id, or by the portal whose open rotation it is.

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{
    ListRotationsRequest, Rotation, RotationNotice, rotation_service_client::RotationServiceClient,
};

use crate::{channel::Service, errors::Error};

/// Rotations asked for at once.
const PAGE: i32 = 1_000;

/// A rotation as it is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By its id.
    Id(String),
    /// The open rotation of this portal.
    Portal(ClientSlug),
}

/// Reads a name: what is written as ids are is one.
///
/// # Errors
/// If it can be neither.
pub(super) fn named(text: &str) -> Result<Named, String> {
    if is_id(text) {
        return Ok(Named::Id(text.to_owned()));
    }
    text.parse()
        .map(Named::Portal)
        .map_err(|_| "expected a portal's slug or a rotation's id".to_owned())
}

/// 32 hexadecimal digits, with '-' where ids have it.
fn is_id(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

impl Named {
    /// Its id; asks the service where a portal is named.
    ///
    /// # Errors
    /// If the portal has no open rotation, or several.
    pub(super) async fn id(self, service: &Service) -> Result<String, Error> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Portal(slug) => only(&slug, &all(slug.to_string(), false, service).await?),
        }
    }

    /// Whether a notice is of this rotation.
    pub(super) fn is_of(&self, notice: &RotationNotice) -> bool {
        match self {
            Self::Id(id) => *id == notice.rotation_id,
            Self::Portal(slug) => slug.as_str() == notice.client_slug,
        }
    }
}

fn only(slug: &ClientSlug, open: &[Rotation]) -> Result<String, Error> {
    match open {
        [] => Err(Error::Usage(format!(
            "{slug} has no open rotation: hubkeep rotations list --all --portal {slug} gives those that are over"
        ))),
        [only] => Ok(only.rotation_id.clone()),
        several => {
            let which =
                |one: &Rotation| format!("\n  {} of credential {}", one.rotation_id, one.credential_name);
            let which: String = several.iter().map(which).collect();
            Err(Error::Usage(format!(
                "{slug} has several open rotations, name one by its id:{which}"
            )))
        }
    }
}

/// Rotations of one portal, or of all where none is named.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn all(portal: String, ended: bool, service: &Service) -> Result<Vec<Rotation>, Error> {
    let mut client = RotationServiceClient::new(service.connection());
    let mut request = ListRotationsRequest {
        page_size: PAGE,
        page_token: String::new(),
        client_slug: portal,
        include_ended: ended,
    };
    let mut rotations = Vec::new();
    loop {
        let page = client.list_rotations(request.clone()).await;
        let page = page.map_err(|status| service.ended(status))?.into_inner();
        rotations.extend(page.rotations);
        if page.next_page_token.is_empty() {
            return Ok(rotations);
        }
        request.page_token = page.next_page_token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190a8b0-0000-7000-8000-000000000000";

    fn rotation(id: &str, credential: &str) -> Rotation {
        Rotation {
            rotation_id: id.to_owned(),
            credential_name: credential.to_owned(),
            ..Rotation::default()
        }
    }

    #[test]
    fn a_name_is_an_id_or_a_slug() {
        assert_eq!(named(ID), Ok(Named::Id(ID.to_owned())));
        let slug = "acme".parse().expect("a slug");
        assert_eq!(named("acme"), Ok(Named::Portal(slug)));
        named("A b").expect_err("neither");
    }

    #[test]
    fn a_slug_means_its_only_open_rotation_and_of_several_each_is_named() {
        let slug: ClientSlug = "acme".parse().expect("a slug");
        let one = rotation(ID, "default");
        assert_eq!(only(&slug, std::slice::from_ref(&one)).expect("the only one"), ID);
        let told = only(&slug, &[one, rotation("other", "writer")])
            .expect_err("several")
            .to_string();
        assert!(
            told.contains(ID) && told.contains("other of credential writer"),
            "{told}"
        );
        let told = only(&slug, &[]).expect_err("none").to_string();
        assert!(told.contains("no open rotation"), "{told}");
    }
}
