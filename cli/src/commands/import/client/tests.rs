//! What each bad file and each bad row is answered.

use hubkeep_proto::error::v1::ErrorReason;

use super::*;
use crate::commands::{
    bulk::{self, FileFault},
    import::columns::COLUMNS,
};

type Row = bulk::Row<Client>;
type Rows<R> = bulk::Rows<R, Client>;

fn open(bytes: &[u8]) -> Result<Rows<&[u8]>, FileFault> {
    Rows::open(bytes, COLUMNS, Client::read)
}

const HEADER: &str = "clientSlug,portalToken,portalId\n";
const TOKEN: &str = "pat-na1-secret-in-the-file";

fn file_fault(bytes: &[u8]) -> String {
    let fault = match open(bytes) {
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
    let mut rows = open(text).expect("a good header");
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
            "clientSlug,portalToken,portalId,nickname\n",
            "\"nickname\" is not one of them",
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
    // UTF-16 without a mark is text with zero bytes, and no header of ours.
    let utf16: Vec<u8> = HEADER.bytes().flat_map(|byte| [byte, 0]).collect();
    assert!(file_fault(&utf16).contains("seems to begin with a row"));
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
        ("acme,pat-1,9223372036854775808", "not the number of a portal"),
        ("../x,pat-1,42", "a client slug is"),
        ("=cmd(),pat-1,42", "a client slug is"),
        ("acme\0,pat-1,42", "a client slug is"),
        ("acme,pat\0-1,42", "no token has"),
        ("acme,pat-1,+1", "not the number of a portal"),
        ("acme,pat-1,99999999999999999999", "not the number of a portal"),
        ("acme,pat-1", "has 2 cells and must have 3"),
        ("acme,pat-1,42,x", "has 4 cells and must have 3"),
        ("acme", "has 1 cell and must have 3"),
        ("acme,\"pat-1,42", "a quote is not closed"),
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
    let numbers: Vec<u32> = rows.iter().map(|row| row.at.row).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn further_columns_name_the_credential_and_what_reports_need() {
    let header =
        "tags,clientSlug,portalToken,portalId,credentialName,credentialKind,controllerName,purposes\n";
    let rows = read(
        format!("{header} gold ; ,acme,{TOKEN},42,writer,service_key,\"ACME, Inc\",sync;report\n").as_bytes(),
    );
    let client = rows.into_iter().next().expect("a row").content.expect("is good");
    assert_eq!(
        (client.credential_name.as_str(), client.kind),
        ("writer", Some(CredentialKind::ServiceKey))
    );
    let details = client.details.expect("something is known");
    assert_eq!(details.controller_name, "ACME, Inc");
    assert_eq!(
        (details.purposes, details.tags),
        (
            vec!["sync".to_owned(), "report".to_owned()],
            vec!["gold".to_owned()]
        )
    );
    for (row, told) in [
        ("acme,t,42,../x,", "credentialName"),
        ("acme,t,42,pat-na1-1234,", "columns swapped"),
        ("acme,t,42,,pat", "credentialKind is"),
    ] {
        let text = format!("clientSlug,portalToken,portalId,credentialName,credentialKind\n{row}\n");
        let rows = read(text.as_bytes());
        let fault = rows
            .into_iter()
            .next()
            .expect("a row")
            .content
            .err()
            .expect("is bad");
        assert!(
            fault.message.contains(told) && fault.client_slug == "acme",
            "{}",
            fault.message
        );
    }
}

#[test]
fn a_quote_that_is_not_closed_refuses_its_own_row_and_the_rows_after_it_keep_number_and_line() {
    let rows = read(format!("{HEADER}\"unc,{TOKEN},1\n\nacme,{TOKEN},2\nglobex,\"{TOKEN}\",3\n").as_bytes());
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.at.row, row.at.line, row.content.is_ok()))
        .collect();
    assert_eq!(told, [(1, 2, false), (2, 4, true), (3, 5, true)]);
}

#[test]
fn a_row_that_is_refused_for_its_shape_is_told_with_its_slug_unless_that_may_be_a_token() {
    for (row, slug) in [
        ("acme,t", "acme"),
        ("acme", "acme"),
        ("pat-na1-1234,42", ""),
        ("0190a8b0-0000-7000-8000-000000000000,42", ""),
        ("\"acme,t,1", ""),
    ] {
        assert_eq!(fault(row).client_slug, slug, "{row}");
    }
}
