//! Sealed bytes as they come back from a database or a secret store that somebody else may write to. Promise: they open
//! only if they are, bit for bit, what was sealed; everything else is refused.

#![no_main]

use hubkeep_fuzz::Given;
use hubkeep_seal::{
    Owner, Place, Purpose,
    fuzzing::{KEY_ID, OpenKey},
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

const PLACE: Place<'static> = Place {
    owner: Owner::Service,
    purpose: Purpose::Credential,
    table: "secret",
    column: "sealed",
    row: "portal/1/token/1",
    client_slug: "acme",
    kind: "portal-token",
    generation: 1,
};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    message: &'a [u8],
    chance: [u8; 16],
    changes: Vec<Change<'a>>,
    hostile: &'a [u8],
}

/// What somebody does to sealed bytes.
#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Flip { at: u16, bits: u8 },
    Cut { to: u16 },
    Drop { at: u16 },
    Add { bytes: &'a [u8] },
    Insert { at: u16, byte: u8 },
    Copy { from: u16, to: u16, length: u8 },
}

fuzz_target!(|input: Input<'_>| {
    let key_id = "k".repeat(KEY_ID);
    let key = OpenKey::new(&[9; 32], &key_id).expect("as long as ids are");
    let chance = |last| Given([input.chance.as_slice(), &[last]].concat());
    let seal = |last| key.seal(&PLACE, input.message, &chance(last)).expect("seals");
    let (sealed, another) = (seal(1), seal(2));

    let mut changed = sealed.clone();
    for change in input.changes.iter().take(8) {
        apply(change, &mut changed, &another);
    }
    match key.open(&PLACE, &changed) {
        Some(message) => {
            assert!(changed == sealed || changed == another, "altered bytes opened");
            assert_eq!(message, input.message);
        }
        None => assert!(
            changed != sealed && changed != another,
            "whole bytes did not open"
        ),
    }
    let forged = [b"HKS\x01".as_slice(), key_id.as_bytes(), input.hostile].concat();
    for hostile in [input.hostile, &forged] {
        assert_eq!(key.open(&PLACE, hostile), None, "bytes that nobody sealed opened");
    }
});

fn apply(change: &Change<'_>, bytes: &mut Vec<u8>, another: &[u8]) {
    let within = |at: u16, bytes: &[u8]| usize::from(at) % bytes.len().max(1);
    match *change {
        Change::Flip { at, bits } => {
            let at = within(at, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bits;
            }
        }
        Change::Cut { to } => bytes.truncate(within(to, bytes)),
        Change::Drop { at } => {
            let at = within(at, bytes);
            if at < bytes.len() {
                bytes.remove(at);
            }
        }
        Change::Add { bytes: more } => bytes.extend_from_slice(more),
        Change::Insert { at, byte } => bytes.insert(within(at, bytes), byte),
        // Parts of one sealed value in the place of another's.
        Change::Copy { from, to, length } => {
            let (from, to) = (within(from, another), within(to, bytes));
            let part = another.iter().skip(from).take(usize::from(length));
            for (byte, copied) in bytes.iter_mut().skip(to).zip(part) {
                *byte = *copied;
            }
        }
    }
}
