//! Bundles of evidence, verified by three programs that share no code: `hubkeep audit verify`, `docs/verify/verify.py`, and
//! `clients/go/verify`. Each takes good ones and finds everything that is done to one. Run by `make test-evidence`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use hubkeep_tests::support::{
    evidence::{Evidence, Held, SPOILINGS, Spoiling, assert_ran},
    evidence_heads::HEADS_SPOILINGS,
    evidence_joined::{JOINED_SPOILINGS, Joined},
    evidence_pruned::PRUNED_SPOILINGS,
    evidence_receipts::{RECEIPT_SPOILINGS, Receipts},
    processes::hubkeep_binary,
};
use tempfile::TempDir;

/// A program that verifies.
struct Verifier {
    name: &'static str,
    /// How it is called, before its arguments.
    call: Vec<PathBuf>,
    /// How its options begin.
    dashes: &'static str,
}

impl Verifier {
    /// The code with which it ends, and what it says.
    fn verify(&self, evidence: &Evidence, bundle: &Path, held: Held) -> (Option<i32>, String) {
        self.against(evidence, bundle, "held", &evidence.held(held))
    }

    /// The same of a bundle that is held against what is in a file.
    fn against(
        &self,
        evidence: &Evidence,
        bundle: &Path,
        option: &str,
        file: &Path,
    ) -> (Option<i32>, String) {
        let mut command = Command::new(&self.call[0]);
        command.args(&self.call[1..]);
        command.arg(format!("{}key", self.dashes)).arg(evidence.keys());
        command.arg(format!("{}{option}", self.dashes)).arg(file);
        let output = command.arg(bundle).output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
}

fn verifiers(built: &TempDir) -> [Verifier; 3] {
    let go = built.path().join("verify");
    let build = Command::new("go")
        .args(["build", "-o"])
        .arg(&go)
        .arg(".")
        .current_dir(root().join("clients/go/verify"))
        .output();
    assert_ran(&build.expect("go runs"));
    [
        Verifier {
            name: "hubkeep",
            call: [hubkeep_binary(), Path::new("audit"), Path::new("verify")]
                .map(Path::to_owned)
                .to_vec(),
            dashes: "--",
        },
        Verifier {
            name: "verify.py",
            call: vec![PathBuf::from("python3"), root().join("docs/verify/verify.py")],
            dashes: "--",
        },
        Verifier {
            name: "Go",
            call: vec![go],
            dashes: "-",
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verifier_takes_good_bundles_and_finds_every_way_to_spoil_one() {
    let evidence = Evidence::gather().await;
    judged(
        &evidence,
        &[Held::Log, Held::EarlyHeads, Held::Heads],
        "good: 36 entries",
        &SPOILINGS,
    );
    judged(&evidence, &[], "good: 36 entries", &HEADS_SPOILINGS);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verifier_takes_a_pruned_log_and_finds_every_way_to_spoil_one() {
    let evidence = Evidence::gather_pruned().await;
    let held = [Held::Early, Held::Log, Held::EarlyHeads, Held::Heads];
    judged(
        &evidence,
        &held,
        ", of which the first 512 were pruned",
        &PRUNED_SPOILINGS,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verifier_finds_a_receipt_fulfilled_and_every_way_in_which_one_is_not() {
    let receipts = Receipts::gather().await;
    let (evidence, built) = (&receipts.evidence, tempfile::tempdir().expect("a folder"));
    let kept = receipts.file(&receipts.of_log.join("\n"));
    for verifier in &verifiers(&built) {
        let (code, said) = verifier.against(evidence, &evidence.second(), "receipt", &kept);
        assert_eq!(code, Some(0), "{}: {said}", verifier.name);
        assert!(
            said.contains("; receipts fulfilled: 3"),
            "{}: {said}",
            verifier.name
        );
    }
    for verifier in &verifiers(&built) {
        for spoiling in &RECEIPT_SPOILINGS {
            let (bundle, file) = receipts.spoilt(spoiling);
            let (code, said) = verifier.against(evidence, bundle.path(), "receipt", &file);
            assert_eq!(code, Some(9), "{}: {}: {said}", verifier.name, spoiling.what);
            let told = said.contains("wrong: ") && said.contains(spoiling.says);
            assert!(told, "{}: {}: {said}", verifier.name, spoiling.what);
            println!("{:<10} {}: {}", verifier.name, spoiling.what, said.trim());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verifier_says_that_the_entry_of_a_receipt_was_pruned() {
    let receipts = Receipts::gather_pruned().await;
    let (evidence, built) = (&receipts.evidence, tempfile::tempdir().expect("a folder"));
    for verifier in &verifiers(&built) {
        let judge = |receipt: &str| {
            let file = receipts.file(receipt);
            verifier.against(evidence, &evidence.second(), "receipt", &file)
        };
        let (code, said) = judge(&receipts.of_log[0]);
        assert_eq!(code, Some(0), "{}: {said}", verifier.name);
        let (code, said) = judge(&receipts.of_another);
        assert_eq!(code, Some(9), "{}: {said}", verifier.name);
        assert!(
            said.contains("was pruned: the bundle begins at 512"),
            "{}: {said}",
            verifier.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verifier_takes_the_logs_of_both_services_and_finds_where_one_is_not_what_it_was() {
    let joined = Joined::gather().await;
    let built = tempfile::tempdir().expect("a folder");
    for verifier in &verifiers(&built) {
        let judge = |folder: &Path| {
            let mut command = Command::new(&verifier.call[0]);
            command.args(&verifier.call[1..]);
            for (option, file) in [
                ("key", joined.keys()),
                ("held", joined.held()),
                ("receipt", joined.receipts.clone()),
            ] {
                command.arg(format!("{}{option}", verifier.dashes)).arg(file);
            }
            let output = command.arg(folder).output().expect("it runs");
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8_lossy(&said).into_owned())
        };
        let (code, said) = judge(joined.folder());
        assert_eq!(code, Some(0), "{}: {said}", verifier.name);
        assert_eq!(said.matches("good: ").count(), 2, "{}: {said}", verifier.name);
        assert!(
            said.contains("; receipts fulfilled: 1"),
            "{}: {said}",
            verifier.name
        );
        for spoiling in &JOINED_SPOILINGS {
            let folder = joined.spoilt(spoiling);
            let (code, said) = judge(folder.path());
            assert_eq!(code, Some(9), "{}: {}: {said}", verifier.name, spoiling.what);
            assert!(said.contains("wrong: "), "{}: {said}", verifier.name);
            println!("{:<10} {}: {}", verifier.name, spoiling.what, said.trim());
        }
    }
}

/// Each verifier takes the later bundle, and none that is spoilt.
fn judged(evidence: &Evidence, all_held: &[Held], good: &str, spoilings: &[Spoiling]) {
    let built = tempfile::tempdir().expect("a folder");
    let verifiers = verifiers(&built);
    for verifier in &verifiers {
        for held in all_held {
            let (code, said) = verifier.verify(evidence, &evidence.second(), *held);
            assert_eq!(code, Some(0), "{}: {said}", verifier.name);
            assert!(said.contains(good), "{}: {said}", verifier.name);
        }
        for spoiling in spoilings {
            let bundle = evidence.spoilt(spoiling);
            let (code, said) = verifier.verify(evidence, bundle.path(), spoiling.held);
            assert_eq!(code, Some(9), "{}: {}: {said}", verifier.name, spoiling.what);
            assert!(said.contains("wrong: "), "{}: {said}", verifier.name);
            println!("{:<10} {}: {}", verifier.name, spoiling.what, said.trim());
        }
    }
}
