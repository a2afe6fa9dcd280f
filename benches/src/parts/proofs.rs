//! What proofs cost those who append, and how long it takes to verify a large bundle.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use hubkeep::bundle::{CHECKPOINT, KEYS, LEAVES, LeafWriter, Roots, verify};
use hubkeep_audit_log::Config;
use signed_note::{Note, StandardSigner, new_ed25519_verifier_key};
use tlog_tiles::Checkpoint;

use super::{
    Measured, Place,
    entries::{entries_per_second, on_postgres},
};
use crate::{
    Failure,
    figures::{PROOFS_COST, PROOFS_COST_POSTGRES, VERIFY_1M},
};

/// How often each way has its turn.
const TURNS: usize = 3;
const ENTRIES: u64 = 1_000_000;
/// Bytes of an entry of a real call.
const LEAF: usize = 330;
/// Who signs.
const NAME: &str = "bench/crm-service";

pub(super) async fn measure(place: &Place) -> Measured {
    let on_sqlite = |_: &Place, folder: &Path| Ok(Config::sqlite(&folder.join("audit.db")));
    let mut measured = vec![(PROOFS_COST, cost(place, on_sqlite).await?)];
    if hubkeep_test_postgres::is_installed() {
        measured.push((PROOFS_COST_POSTGRES, cost(place, on_postgres).await?));
    }
    measured.push((VERIFY_1M, verifying(place)?));
    Ok(measured)
}

/// What is durable with proofs, over what is without: in logs of these configurations, in turn.
async fn cost(
    place: &Place,
    config: impl Fn(&Place, &Path) -> Result<Config, Failure>,
) -> Result<f64, Failure> {
    let (mut with, mut without) = (0.0, 0.0);
    for _ in 0..TURNS {
        for (enabled, sum) in [(true, &mut with), (false, &mut without)] {
            let folder = place.temporary()?;
            let mut config = config(place, folder.path())?;
            config.proofs.enabled = enabled;
            *sum += entries_per_second(place, &config).await?;
        }
    }
    Ok(with / without)
}

fn verifying(place: &Place) -> Result<f64, Failure> {
    let folder = place.temporary()?;
    make_bundle(folder.path())?;
    let begun = place.clock.tick();
    let found = verify(folder.path(), None, &[], &[])?;
    let took = place.clock.tick().since(begun);
    if found.size != ENTRIES {
        return Err("another bundle was verified than was made".into());
    }
    Ok(took.as_secs_f64())
}

/// A bundle of so many entries, none like another.
fn make_bundle(folder: &Path) -> Result<(), Failure> {
    let mut leaves = LeafWriter::create(&folder.join(LEAVES))?;
    let mut roots = Roots::default();
    for number in 0..ENTRIES {
        let leaf = number.to_be_bytes().repeat(LEAF.div_ceil(8));
        leaves.write(&leaf)?;
        roots.append(&leaf)?;
    }
    leaves.finish()?;
    let told = Checkpoint::new("bench/crm-service/1", roots.size(), roots.root()?, "");
    let told = told.map_err(|error| error.to_string())?;
    let (signer, verifier_key) = key()?;
    let mut note = Note::new(&told.to_bytes(), &[])?;
    note.add_sigs(&[&signer])?;
    fs::write(folder.join(CHECKPOINT), note.to_bytes())?;
    fs::write(folder.join(KEYS), verifier_key + "\n")?;
    Ok(())
}

fn key() -> Result<(StandardSigner, String), Failure> {
    let seed = [7; 32];
    let verifier_key = new_ed25519_verifier_key(NAME, &SigningKey::from_bytes(&seed).verifying_key());
    let after_name = verifier_key.get(NAME.len()..).unwrap_or_default();
    let id = after_name.get(1..9).unwrap_or_default();
    let private = STANDARD.encode([[1].as_slice(), &seed].concat());
    let signer = StandardSigner::new(&format!("PRIVATE+KEY+{NAME}+{id}+{private}"))?;
    Ok((signer, verifier_key))
}
