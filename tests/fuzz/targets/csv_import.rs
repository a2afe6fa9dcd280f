//! A file of clients, as an operator's spreadsheet writes it. Promise: each row is read or refused by itself, in order,
//! with its line; it does not matter in what pieces the file comes; what is told of a row holds no token; and a row that
//! was taken reads back from a file that another program writes.

#![no_main]

use std::io::{self, Read};

use hubkeep::commands::import::fuzzing::{ReadClient, ReadRow, rows};
use libfuzzer_sys::fuzz_target;

/// The part of the dictionary's token that no name can be taken for.
const SECRET: &str = "c4nary00-1111-2222-3333-444455556666";

fuzz_target!(|data: &[u8]| {
    let (read, fault) = rows(data);
    let (piecemeal, late_fault) = rows(Piecemeal(data));
    assert_eq!(read, piecemeal, "the pieces matter");
    assert_eq!(fault, late_fault);

    let bytes: u64 = read.iter().map(|row| row.bytes).sum();
    assert!(bytes <= data.len() as u64);
    for (row, number) in read.iter().zip(1..) {
        assert_eq!(row.row, number, "rows are numbered without a gap");
    }
    let mut lines = read.iter().map(|row| row.line);
    let mut last = lines.next().unwrap_or(2);
    assert!(last >= 2, "the first line is the header");
    for line in lines {
        assert!(line > last, "a line after the one before");
        last = line;
    }
    if let Some(fault) = fault {
        assert!(!fault.contains(SECRET), "a token was told: {fault}");
    }
    read.iter().for_each(sound);
    read_again(read.into_iter().filter_map(|row| row.content.ok()).collect());
});

fn sound(row: &ReadRow) {
    match &row.content {
        Ok(client) => {
            let slug = client.client_slug.as_bytes();
            assert!((1..=63).contains(&slug.len()) && !client.client_slug.starts_with("pat-"));
            assert!(
                slug.iter()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
            );
            let token = client.portal_token.as_bytes();
            assert!(!token.is_empty() && token.iter().all(u8::is_ascii_graphic));
            assert_ne!(client.portal_id, Some(0));
        }
        Err(refused) => {
            assert!(!refused.message.is_empty(), "a refusal says why");
            assert!(
                !refused.message.contains(SECRET),
                "a token was told: {}",
                refused.message
            );
            assert!(
                !refused.client_slug.starts_with("pat-"),
                "a token passed for a slug"
            );
            assert!(!refused.message.contains('\n') && refused.message.len() < 400);
        }
    }
}

fn read_again(clients: Vec<ReadClient>) {
    if clients.is_empty() {
        return;
    }
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(["portalId", "clientSlug", "portalToken"])
        .expect("in memory");
    for client in &clients {
        let portal_id = client.portal_id.map(|id| id.to_string()).unwrap_or_default();
        file.write_record([&portal_id, &client.client_slug, &client.portal_token])
            .expect("in memory");
    }
    let (read, fault) = rows(&*file.into_inner().expect("in memory"));
    assert_eq!(fault, None);
    let again: Vec<ReadClient> = read
        .into_iter()
        .map(|row| row.content.expect("it was read before"))
        .collect();
    assert_eq!(again, clients);
}

/// A file that comes byte by byte.
struct Piecemeal<'a>(&'a [u8]);

impl Read for Piecemeal<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let room = room.get_mut(..1).unwrap_or_default();
        self.0.read(room)
    }
}
