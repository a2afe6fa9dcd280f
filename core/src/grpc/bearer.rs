//! The handle that a request carries.

use tonic::metadata::MetadataMap;

use crate::handle_token::{HandleToken, MalformedHandle};

/// The handle in `authorization: Bearer hk1_…`.
///
/// # Errors
/// If there is none, or it is not a whole one.
pub fn bearer_handle(metadata: &MetadataMap) -> Result<HandleToken, MalformedHandle> {
    let value = metadata
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .ok_or(MalformedHandle)?;
    let (scheme, handle) = value.split_once(' ').ok_or(MalformedHandle)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(MalformedHandle);
    }
    HandleToken::parse(handle.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn only_a_whole_handle_under_bearer_is_one() {
        let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
        let whole = handle.expose();
        let read = |value: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("authorization", value.parse().expect("ascii"));
            bearer_handle(&metadata).is_ok()
        };
        assert!(read(&format!("Bearer {whole}")) && read(&format!("bearer {whole}")));
        assert!(
            !read(whole) && !read(&format!("Basic {whole}")) && !read(&format!("Bearer {}", &whole[1..]))
        );
        assert!(bearer_handle(&MetadataMap::new()).is_err());
    }
}
