//! The handle that a request carries.

use tonic::metadata::MetadataMap;

use crate::handle_token::{HandleToken, MalformedHandle};

/// The handle in `authorization: Bearer hk1_…`.
///
/// # Errors
/// If there is none, or it is not a whole one. If there are several: which one counts must not be a matter of who reads.
pub fn bearer_handle(metadata: &MetadataMap) -> Result<HandleToken, MalformedHandle> {
    let mut values = metadata.get_all("authorization").iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(MalformedHandle);
    };
    let value = value.to_str().map_err(|_| MalformedHandle)?;
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
        let mut twice = MetadataMap::new();
        for _ in 0..2 {
            twice.append("authorization", format!("Bearer {whole}").parse().expect("ascii"));
        }
        assert!(bearer_handle(&twice).is_err(), "of two none");
    }
}
