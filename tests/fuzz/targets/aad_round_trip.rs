//! Where a sealed value lies. Promise: two places give the same associated data only if they are the same place, under
//! the same key and at the same level; and what was sealed opens at its own place and at no other.

#![no_main]

use hubkeep_core::id::PortalId;
use hubkeep_fuzz::Given;
use hubkeep_seal::{
    Owner, Place, Purpose,
    fuzzing::{OpenKey, aad},
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

/// Names that begin or end like each other, and like the layout itself.
const NAMES: [&str; 8] = [
    "",
    "a",
    "ab",
    "b",
    "token",
    "seal_key",
    "hubkeep/1",
    "\0\0\0\0\0\0\0\x01a",
];
const LEVELS: [&str; 2] = ["data-key", "message"];
const KEY_IDS: [&str; 2] = [
    "0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdee",
];

/// Two places out of one text, which they cut at places of their own: together they say the same, and each field says
/// something else.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    text: &'a str,
    places: [Cuts; 2],
    message: &'a [u8],
}

#[derive(Arbitrary, Clone, Debug)]
struct Cuts {
    portal: u64,
    purpose: u8,
    table: u8,
    column: u8,
    row: u8,
    slug: u8,
    generation: u64,
    level: bool,
    key: bool,
}

type Named<'a> = (Owner, Purpose, &'a str, &'a str, &'a str, &'a str, &'a str, u64);

impl Cuts {
    fn place<'a>(&self, text: &'a str) -> Place<'a> {
        let (row, rest) = cut(text, self.row);
        let (client_slug, kind) = cut(rest, self.slug);
        Place {
            owner: PortalId::new(self.portal).map_or(Owner::Service, Owner::Portal),
            purpose: Purpose::ALL[usize::from(self.purpose) % Purpose::ALL.len()],
            table: NAMES[usize::from(self.table) % NAMES.len()],
            column: NAMES[usize::from(self.column) % NAMES.len()],
            row,
            client_slug,
            kind,
            generation: self.generation,
        }
    }

    fn level(&self) -> &'static str {
        LEVELS[usize::from(self.level)]
    }

    fn key_id(&self) -> &'static str {
        KEY_IDS[usize::from(self.key)]
    }
}

fn cut(text: &str, at: u8) -> (&str, &str) {
    let mut at = usize::from(at) % (text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.split_at(at)
}

fn named<'a>(place: &Place<'a>) -> Named<'a> {
    (
        place.owner,
        place.purpose,
        place.table,
        place.column,
        place.row,
        place.client_slug,
        place.kind,
        place.generation,
    )
}

fuzz_target!(|input: Input<'_>| {
    let [one, two] = &input.places;
    let (here, there) = (one.place(input.text), two.place(input.text));
    let same = named(&here) == named(&there);
    let told = |place: &Place<'_>, cuts: &Cuts| aad(place, cuts.level(), cuts.key_id());
    let alike = same && one.level() == two.level() && one.key_id() == two.key_id();
    assert_eq!(told(&here, one) == told(&there, two), alike, "{here:?} {there:?}");

    let key = |id| OpenKey::new(&[7; 32], id).expect("as long as ids are");
    let (key, other) = (key(one.key_id()), key(two.key_id()));
    let sealed = key
        .seal(&here, input.message, &Given(vec![1, 2, 3, 5, 7, 11, 13]))
        .expect("seals");
    assert_eq!(key.open(&here, &sealed).as_deref(), Some(input.message));
    assert_eq!(key.open(&there, &sealed).is_some(), same, "{here:?} {there:?}");
    assert_eq!(
        other.open(&here, &sealed).is_some(),
        one.key_id() == two.key_id(),
        "the id of the key is part of what is sealed"
    );
});
