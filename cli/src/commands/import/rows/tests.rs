//! What each bad file and each bad row is answered.

use super::*;

const HEADER: &str = "clientSlug,portalToken,portalId\n";
const TOKEN: &str = "pat-na1-secret-in-the-file";

fn file_fault(bytes: &[u8]) -> String {
    let fault = match Rows::open(bytes) {
        Err(fault) => fault,
        Ok(mut rows) => loop {
            match rows.next_row() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the file is good"),
                Err(fault) => break fault,
            }
        },
    };
    fault.to_string()
}

fn read(text: &[u8]) -> Vec<Row> {
    let mut rows = Rows::open(text).expect("a good header");
    std::iter::from_fn(|| rows.next_row().expect("reads")).collect()
}

fn fault(row: &str) -> RowFault {
    let rows = read(format!("{HEADER}{row}\n").as_bytes());
    assert_eq!(rows.len(), 1, "{row}");
    let content = rows.into_iter().next().map(|row| row.content);
    match content.expect("one row") {
        Err(fault) => fault,
        Ok(_) => panic!("{row} is good"),
    }
}

#[test]
fn a_good_row_is_read_with_and_without_a_portal_id_and_in_any_order_of_columns() {
    let rows =
        read(format!("portalId,clientSlug,portalToken\n42,acme,{TOKEN}\n,globex, {TOKEN} \n").as_bytes());
    let clients: Vec<Client> = rows.into_iter().filter_map(|row| row.content.ok()).collect();
    assert_eq!(clients[0].client_slug.as_str(), "acme");
    assert_eq!(clients[0].portal_id, PortalId::new(42));
    assert_eq!(clients[1].portal_id, None);
    assert_eq!(clients[1].portal_token.as_str(), TOKEN);
}

#[test]
fn an_empty_file_and_one_without_rows_are_told_apart() {
    assert!(file_fault(b"").contains("empty"));
    assert!(file_fault(b"\n\n").contains("empty"));
    assert!(file_fault(HEADER.as_bytes()).contains("no rows"));
}

#[test]
fn a_wrong_header_says_what_is_wrong_with_it() {
    for (header, told) in [
        ("clientSlug,portalToken\n", "\"portalId\" is missing"),
        (
            "clientSlug,portalToken,portalId,region\n",
            "\"region\" is not one of them",
        ),
        (
            "clientSlug,portalToken,portalId,portalId\n",
            "\"portalId\" stands there twice",
        ),
        (
            "clientslug,portalToken,portalId\n",
            "\"clientslug\" is not one of them",
        ),
        ("clientSlug;portalToken;portalId\n", "separated by commas"),
    ] {
        let fault = file_fault(header.as_bytes());
        assert!(fault.contains(told), "{header}: {fault}");
    }
    assert!(file_fault(b"\xff\xfec\0l\0").contains("not UTF-8"));
}

#[test]
fn a_file_without_a_header_does_not_get_its_first_token_printed() {
    let fault = file_fault(format!("acme,{TOKEN},42\n").as_bytes());
    assert!(!fault.contains("pat-"), "{fault}");
    let fault = file_fault(format!("{TOKEN},acme,42\n").as_bytes());
    assert!(!fault.contains("pat-"), "{fault}");
}

#[test]
fn each_bad_row_says_what_is_wrong_and_never_what_stood_there() {
    let long = format!("acme,{},42", "x".repeat(10_000_000));
    for (row, told) in [
        ("Acme Inc,pat-1,42", "a client slug is"),
        ("-acme,pat-1,42", "a client slug is"),
        (",pat-1,42", "a client slug is"),
        ("pat-na1-1234,acme,42", "columns swapped"),
        ("acme,,42", "portalToken is empty"),
        ("acme,pat 1,42", "no token has"),
        ("acme,pät,42", "no token has"),
        ("acme,pat-1,0", "not the number of a portal"),
        ("acme,pat-1,-1", "not the number of a portal"),
        ("acme,pat-1,+1", "not the number of a portal"),
        ("acme,pat-1,99999999999999999999", "not the number of a portal"),
        ("acme,pat-1", "has 2 cells and must have 3"),
        ("acme,pat-1,42,x", "has 4 cells and must have 3"),
        (&long, "more than 1024 bytes"),
    ] {
        let fault = fault(row);
        assert_eq!(fault.reason, ErrorReason::ImportRowInvalid);
        assert!(fault.message.contains(told), "{}", fault.message);
        assert!(!fault.message.contains("pat-"), "{}", fault.message);
    }
}

#[test]
fn a_row_that_is_not_utf_8_refuses_itself_only() {
    let mut text = format!("{HEADER}acme,{TOKEN},1\n").into_bytes();
    text.extend(b"gl\xf6bex,pat,2\nwayne,pat,3\n");
    let rows = read(&text);
    let good: Vec<bool> = rows.iter().map(|row| row.content.is_ok()).collect();
    assert_eq!(good, [true, false, true]);
}

#[test]
fn rows_are_numbered_from_one_without_the_header() {
    let rows = read(format!("{HEADER}a,t,1\nb,t,2\n").as_bytes());
    let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [1, 2]);
}
