//! What is in a file after whatever can happen to it.

use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};

use hubkeep_proto::audit::v1::Entry;

use super::*;
use crate::{
    Phase, Position,
    pending::{Keys, Pending, Row, Waiter},
};

const SIZE: u64 = 64 * 1024;
const OWNER: &str = "test/crm-service";

/// An outcome of the intent at this position.
fn record(position: u64) -> Record {
    let entry = Entry {
        phase: Phase::Outcome.into(),
        call_id: format!("call-{position}"),
        ..Entry::default()
    };
    let row = Row::new(Keys::of("test/crm-service/7".to_owned(), &entry), &entry);
    let pending = Pending::outcome(row, Position(position), Waiter::Nobody);
    Record::all(&[pending]).remove(0)
}

fn records(positions: impl Iterator<Item = u64>) -> Vec<Record> {
    positions.map(record).collect()
}

/// A folder, and a path for a file in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("outcomes/crm-service-spill-1");
    (folder, path)
}

fn made(path: &Path) -> SpillFile {
    let made = SpillFile::make(path, OWNER, SIZE).expect("it can be made");
    made.expect("nobody else has it")
}

fn found(path: &Path) -> SpillFile {
    let found = SpillFile::find(path, OWNER).expect("it can be read");
    found.expect("it is there")
}

fn positions(file: &SpillFile) -> Vec<u64> {
    let content = file.read().expect("it can be read");
    assert_eq!(content.damaged, 0);
    content
        .records
        .iter()
        .map(|record| record.intent().get())
        .collect()
}

/// Writes over what is in a file, as a disk that fails does.
fn spoil(path: &Path, at: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).expect("opens");
    file.write_all_at(bytes, at).expect("written");
}

#[test]
fn all_of_its_room_is_taken_from_the_disk_when_it_is_made_and_nobody_else_may_read_it() {
    let (_folder, path) = place();
    let file = made(&path);
    let there = fs::metadata(&path).expect("there");
    assert_eq!(there.len(), BEGIN + SIZE);
    assert!(there.blocks() * 512 >= BEGIN + SIZE, "{} blocks", there.blocks());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    assert!(file.is_empty());
}

#[test]
fn what_was_put_is_read_in_order_by_the_next_process_until_it_is_cleared() {
    let (_folder, path) = place();
    let mut file = made(&path);
    assert_eq!(file.put(&records(1..=3)).expect("put"), 3);
    assert_eq!(file.put(&records(4..=4)).expect("put"), 1);
    drop(file);
    let mut file = found(&path);
    assert_eq!(positions(&file), [1, 2, 3, 4]);
    file.clear().expect("cleared");
    assert_eq!(file.put(&records(9..=9)).expect("put"), 1);
    drop(file);
    assert_eq!(positions(&found(&path)), [9], "nothing of before comes back");
}

#[test]
fn a_full_file_takes_what_has_room_and_says_how_many_that_are() {
    let (_folder, path) = place();
    let mut file = made(&path);
    let put = file.put(&records(1..=5_000)).expect("put");
    assert!(put > 500 && put < 5_000, "{put}");
    assert_eq!(file.put(&records(1..=1)).expect("nothing failed"), 0);
    assert_eq!(positions(&file), (1..=put as u64).collect::<Vec<_>>());
    assert_eq!(
        fs::metadata(&path).expect("there").len(),
        BEGIN + SIZE,
        "it does not grow"
    );
}

#[test]
fn what_a_process_was_putting_when_it_was_killed_is_no_part_of_it_and_no_damage() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.put(&records(1..=2)).expect("put");
    let end = BEGIN + file.head.used;
    drop(file);
    let mut torn = Vec::new();
    frame::put(&record(3), &mut torn);
    spoil(&path, end, &torn[..torn.len() / 2]);
    let mut file = found(&path);
    assert_eq!(positions(&file), [1, 2]);
    file.put(&records(4..=4)).expect("put");
    assert_eq!(positions(&file), [1, 2, 4]);
}

#[test]
fn a_head_that_was_half_written_leaves_the_one_before_in_force() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.put(&records(1..=1)).expect("put");
    file.put(&records(2..=2)).expect("put");
    let newest = HEADS[usize::from(!file.head.number.is_multiple_of(2))];
    drop(file);
    spoil(&path, newest + 10, &[0xff; 20]);
    assert_eq!(positions(&found(&path)), [1]);
}

#[test]
fn of_a_damaged_file_everything_whole_is_read_and_the_damage_is_told() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.put(&records(1..=5)).expect("put");
    drop(file);
    let mut one = Vec::new();
    frame::put(&record(1), &mut one);
    spoil(&path, BEGIN + one.len() as u64 + 20, &[0xff; 4]);
    let content = found(&path).read().expect("readable");
    let read: Vec<u64> = content
        .records
        .iter()
        .map(|record| record.intent().get())
        .collect();
    assert_eq!(read, [1, 3, 4, 5]);
    assert_eq!(content.damaged, one.len());
}

#[test]
fn a_file_that_was_cut_short_is_damaged() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.put(&records(1..=3)).expect("put");
    let used = file.head.used;
    drop(file);
    let cut = OpenOptions::new().write(true).open(&path).expect("opens");
    cut.set_len(BEGIN + used - 1).expect("cut");
    let content = found(&path).read().expect("readable");
    assert_eq!(content.records.len(), 2);
    assert!(content.damaged > 0);
}

#[test]
fn what_is_no_such_file_or_another_logs_is_refused_by_name_and_left_as_it_is() {
    let (_folder, path) = place();
    drop(made(&path));
    let refused = SpillFile::find(&path, "test/other").expect_err("refused");
    assert!(
        matches!(&refused, Error::OfAnother { found, .. } if found == OWNER),
        "{refused}"
    );
    fs::write(&path, "a shopping list").expect("written");
    let refused = SpillFile::find(&path, OWNER).expect_err("refused");
    assert!(matches!(refused, Error::Damaged(_)), "{refused}");
    assert!(refused.to_string().contains("move it away"), "{refused}");
    assert_eq!(fs::read(&path).expect("there"), b"a shopping list");
}

#[test]
fn one_process_has_it_and_others_pass_it_by() {
    let (_folder, path) = place();
    let file = made(&path);
    assert!(SpillFile::find(&path, OWNER).expect("no error").is_none());
    assert!(SpillFile::make(&path, OWNER, SIZE).expect("no error").is_none());
    drop(file);
    found(&path);
}

#[test]
fn an_empty_file_is_given_the_size_that_is_wanted_and_one_with_outcomes_keeps_its_own() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.fit(2 * SIZE).expect("grown");
    assert_eq!(fs::metadata(&path).expect("there").len(), BEGIN + 2 * SIZE);
    file.put(&records(1..=1)).expect("put");
    file.fit(SIZE).expect("left");
    assert_eq!(fs::metadata(&path).expect("there").len(), BEGIN + 2 * SIZE);
    assert_eq!(positions(&file), [1]);
}

/// The file on a disk that has no room for anything any more, until what it gives is put back.
fn fill_the_disk(file: &mut SpillFile) -> File {
    let full = OpenOptions::new().read(true).write(true).open("/dev/full");
    std::mem::replace(&mut file.file, full.expect("every Linux has it"))
}

#[test]
fn what_a_full_disk_has_refused_is_put_when_it_takes_it_and_what_was_there_stays() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.put(&records(1..=2)).expect("put");
    let disk = fill_the_disk(&mut file);
    for _ in 0..3 {
        let refused = file.put(&records(3..=4)).expect_err("no room");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
    file.file = disk;
    assert_eq!(positions(&file), [1, 2]);
    assert_eq!(file.put(&records(3..=5)).expect("put"), 3);
    drop(file);
    assert_eq!(positions(&found(&path)), [1, 2, 3, 4, 5]);
}

#[test]
fn what_could_not_be_cleared_stays_and_what_is_put_afterwards_is_behind_it() {
    let (_folder, path) = place();
    let mut file = made(&path);
    file.put(&records(1..=2)).expect("put");
    let disk = fill_the_disk(&mut file);
    file.clear().expect_err("the disk takes nothing");
    file.file = disk;
    assert_eq!(file.put(&records(3..=3)).expect("put"), 1);
    assert_eq!(positions(&file), [1, 2, 3]);
    file.clear().expect("cleared");
    assert!(positions(&file).is_empty());
}
