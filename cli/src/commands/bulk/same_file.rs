//! Whether two paths name one file, by whatever spelling or link.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use crate::errors::Error;

/// Refuses files that are one and the same, before anything is touched.
///
/// # Errors
/// If two are, named as on the command line.
pub(super) fn refuse(files: &[(&str, &Path)]) -> Result<(), Error> {
    for (number, (name, path)) in files.iter().enumerate() {
        let earlier = files.iter().take(number).find(|(_, earlier)| same(earlier, path));
        if let Some((other, _)) = earlier {
            return Err(Error::Usage(format!(
                "{name} and {other} are the same file, {}: what it holds would be lost; name another",
                path.display()
            )));
        }
    }
    Ok(())
}

/// A file that is not there is no other.
fn same(one: &Path, other: &Path) -> bool {
    let of = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    of(one).is_some_and(|place| of(other) == Some(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_known_under_other_spellings_and_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").expect("written");
        fs::write(at("b"), "").expect("written");
        fs::hard_link(at("a"), at("hard")).expect("linked");
        std::os::unix::fs::symlink(at("a"), at("soft")).expect("linked");
        for name in ["a", "hard", "soft", "./a"] {
            let refused = refuse(&[
                ("FILE", &at("a")),
                ("--details", &at("b")),
                ("--results", &at(name)),
            ]);
            let told = refused.expect_err("refused").to_string();
            assert!(told.contains("--results and FILE"), "{told}");
        }
        refuse(&[
            ("FILE", &at("a")),
            ("--details", &at("b")),
            ("--results", &at("new")),
        ])
        .expect("others");
    }
}
