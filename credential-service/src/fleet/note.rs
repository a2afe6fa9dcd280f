//! Signed notes, as C2SP defines them (`signed-note.md`, Ed25519): a text, an empty line, and lines of signatures. Go's
//! `golang.org/x/mod/sumdb/note` and many other tools verify them.

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The number of the algorithm Ed25519 in a verifier key and in a key id.
const ED25519: u8 = 1;
/// Bytes of a key id.
const KEY_ID: usize = 4;

/// A text, which ends with a line end, with its signature under this name.
pub(super) fn sign(name: &str, key: &Ed25519KeyPair, text: &str) -> String {
    let mut signature = key_id(name, key).to_vec();
    signature.extend_from_slice(key.sign(text.as_bytes()).as_ref());
    format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature))
}

/// What a signature under this name is verified with: the name, the key's id, and the public key.
pub(super) fn verifier_key(name: &str, key: &Ed25519KeyPair) -> String {
    let id = hex::encode(key_id(name, key));
    format!("{name}+{id}+{}", STANDARD.encode(typed(key)))
}

fn key_id(name: &str, key: &Ed25519KeyPair) -> [u8; KEY_ID] {
    let named = [name.as_bytes(), b"\n", &typed(key)].concat();
    let hash = digest::digest(&digest::SHA256, &named);
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

/// The public key after the number of its algorithm.
fn typed(key: &Ed25519KeyPair) -> Vec<u8> {
    let mut typed = vec![ED25519];
    typed.extend_from_slice(key.public_key().as_ref());
    typed
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519 as VERIFIED_AS, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_note_is_verified_with_what_its_verifier_key_says_and_not_when_it_was_altered() {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
        let note = sign("prod/credential-service", &key, "line\n");
        let (text, line) = note.split_once("\n\n").expect("an empty line");
        let line = line.strip_suffix('\n').expect("a line end");
        let signature = line
            .strip_prefix("\u{2014} prod/credential-service ")
            .expect("a name");
        let signature = STANDARD.decode(signature).expect("base64");
        let verifier = verifier_key("prod/credential-service", &key);
        let parts: Vec<&str> = verifier.splitn(3, '+').collect();
        assert_eq!(parts[0], "prod/credential-service");
        assert_eq!(parts[1], hex::encode(&signature[..4]));
        let public = STANDARD.decode(parts[2]).expect("base64");
        assert_eq!(public[0], 1);
        let public = UnparsedPublicKey::new(&VERIFIED_AS, &public[1..]);
        let signed = |text: &str| public.verify(text.as_bytes(), &signature[4..]);
        assert!(signed(&format!("{text}\n")).is_ok());
        assert!(signed("lime\n").is_err());
    }
}
