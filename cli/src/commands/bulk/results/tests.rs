//! What stands in result files, and what they never destroy.

use tempfile::TempDir;

use super::*;
use crate::commands::bulk::report::Rotated;

const IMPORT: Job = Job {
    doing: "importing",
    ends: &[],
    rotates: false,
};
const ROTATION: Job = Job {
    rotates: true,
    ..IMPORT
};

fn row(number: u32, client_slug: &str, message: &str) -> RowResult {
    RowResult {
        row: number,
        line: u64::from(number) + 1,
        client_slug: client_slug.to_owned(),
        portal_id: 0,
        outcome: "REFUSED",
        reason: "TOKEN_REFUSED",
        message: message.to_owned(),
        rotated: None,
    }
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("lists");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string();
    let mut names: Vec<String> = entries.map(name).map(|name| name.expect("text")).collect();
    names.sort();
    names
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_made_harmless_and_others_stay_as_they_are() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("results.csv");
    let rows = [
        row(1, "acme", "a, \"b\"\nc"),
        row(2, "=cmd()", "@SUM(1)"),
        row(3, "-2", "+3"),
        row(4, "\tx", "\rx"),
    ];
    let results = Results::create(&path, &IMPORT).expect("makes");
    results.finish(rows.iter()).expect("writes");
    let mut reader = csv::Reader::from_path(&path).expect("reads");
    let read: Vec<(String, String)> = reader
        .records()
        .map(|record| {
            let record = record.expect("a record");
            (record[2].to_owned(), record[6].to_owned())
        })
        .collect();
    let expected = [
        ("acme", "a, \"b\"\nc"),
        ("'=cmd()", "'@SUM(1)"),
        ("'-2", "'+3"),
        ("'\tx", "'\rx"),
    ];
    assert_eq!(
        read,
        expected.map(|(slug, message)| (slug.to_owned(), message.to_owned()))
    );
}

#[test]
fn a_rotation_has_the_same_columns_and_two_more_and_a_portal_that_is_not_known_is_empty() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("results.csv");
    let rotated = RowResult {
        portal_id: 7,
        rotated: Some(Rotated {
            rotation_id: "r".to_owned(),
            token_fingerprint: "f".to_owned(),
        }),
        ..row(2, "globex", "")
    };
    let refused = RowResult {
        rotated: Some(Rotated::default()),
        ..row(1, "acme", "no")
    };
    let results = Results::create(&path, &ROTATION).expect("makes");
    results.finish([refused, rotated].iter()).expect("writes");
    assert_eq!(
        fs::read_to_string(&path).expect("reads"),
        "row,line,clientSlug,portalId,outcome,reason,message,rotationId,tokenFingerprint\n\
         1,2,acme,,REFUSED,TOKEN_REFUSED,no,,\n\
         2,3,globex,7,REFUSED,TOKEN_REFUSED,,r,f\n"
    );
}

#[test]
fn a_row_is_in_the_partial_file_at_once_and_earlier_results_stay_until_the_end() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("results.csv");
    let old = "row,clientSlug\n1,old\n";
    fs::write(&path, old).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
    let mut results = Results::create(&path, &IMPORT).expect("makes");
    results.add(&row(2, "globex", "b")).expect("adds");
    let partial = fs::read_to_string(folder.path().join("results.csv.partial")).expect("reads");
    assert!(
        partial.ends_with("2,3,globex,,REFUSED,TOKEN_REFUSED,b\n"),
        "{partial}"
    );
    assert_eq!(fs::read_to_string(&path).expect("reads"), old);
    results
        .finish([row(1, "acme", "a"), row(2, "globex", "b")].iter())
        .expect("ends");
    let new = fs::read_to_string(&path).expect("reads");
    assert!(
        new.contains("acme") && new.contains("globex") && !new.contains("old"),
        "{new}"
    );
    assert_eq!(names(&folder), ["results.csv"]);
    let mode = fs::metadata(&path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
}

#[test]
fn what_a_killed_run_left_stays_and_what_was_given_up_leaves_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("results.csv");
    drop(Results::create(&path, &IMPORT).expect("makes"));
    let second = Results::create(&path, &IMPORT).expect("makes");
    assert_eq!(names(&folder), ["results.csv.partial", "results.csv.partial.2"]);
    second.abandon().expect("ends");
    assert_eq!(names(&folder), ["results.csv.partial"]);
}

#[test]
fn a_file_that_holds_no_results_is_never_taken_for_them_and_a_link_stays_a_link() {
    let folder = TempDir::new().expect("a folder");
    let tokens = folder.path().join("tokens.csv");
    fs::write(&tokens, "clientSlug,portalToken\nacme,t\n").expect("written");
    let refused = Results::create(&tokens, &IMPORT)
        .err()
        .expect("refused")
        .to_string();
    assert!(refused.contains("something else than results"), "{refused}");
    let other = Results::create(folder.path(), &IMPORT).err().expect("refused");
    assert!(other.to_string().contains("not a regular file"), "{other}");
    assert_eq!(names(&folder), ["tokens.csv"]);

    let (target, link) = (folder.path().join("target.csv"), folder.path().join("link.csv"));
    fs::write(&target, "").expect("written");
    std::os::unix::fs::symlink(&target, &link).expect("linked");
    let results = Results::create(&link, &IMPORT).expect("makes");
    results.finish([row(1, "acme", "")].iter()).expect("ends");
    assert!(fs::symlink_metadata(&link).expect("is there").is_symlink());
    assert!(fs::read_to_string(&target).expect("reads").contains("acme"));
}
