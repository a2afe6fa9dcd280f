//! What was anchored finds out who sets the log back, or writes another, with the log key in hand.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use hubkeep_test_doubles::keeper::Keeper;
use hubkeep_tests::{
    World, eventually,
    support::{
        alerts::secret_file, crm_process::CrmProcess, evidence::assert_ran, handles::Handle,
        portals::OPERATOR, processes::hubkeep_binary,
    },
};
use tempfile::TempDir;

const A: &str = "client-0001";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const BOUND: Duration = Duration::from_secs(30);

/// A crm-service whose heads somebody else keeps.
struct Stage {
    crm: CrmProcess,
    keeper: Keeper,
    variables: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Stage {
    async fn start() -> Self {
        let (keeper, folder) = (
            Keeper::start(SECRET).await,
            tempfile::tempdir().expect("a folder"),
        );
        let file = secret_file(folder.path(), "webhook", SECRET);
        let variables = vec![
            ("HUBKEEP__AUDIT__PROOFS__EVERY", "0s".to_owned()),
            ("HUBKEEP__AUDIT__PROOFS__HEADS_EVERY", "0s".to_owned()),
            ("HUBKEEP__AUDIT__PROOFS__PAUSE", "10ms".to_owned()),
            ("HUBKEEP__AUDIT__ANCHORS__EVERY", "1s".to_owned()),
            ("HUBKEEP__AUDIT__ANCHORS__WEBHOOK__URL", keeper.url()),
            (
                "HUBKEEP__AUDIT__ANCHORS__WEBHOOK__SECRET_FILE",
                file.display().to_string(),
            ),
        ];
        let crm = CrmProcess::with(World::of_portals(1), &given(&variables)).await;
        Self {
            crm,
            keeper,
            variables,
            folder,
        }
    }

    fn again(&mut self) {
        self.crm.again_with(&given(&self.variables));
    }

    async fn stop(&mut self) {
        self.crm.process.ask_to_stop();
        self.crm.process.ends_within(BOUND).await;
    }

    async fn calls(&self, handle: &Handle, calls: usize) {
        let crm = self.crm.crm(handle);
        for _ in 0..calls {
            crm.get("contacts", "101").await.expect("allowed");
        }
    }

    /// How many heads the service has.
    fn heads(&self) -> u64 {
        let file = rusqlite::Connection::open(self.crm.log()).expect("a file");
        let count = file.query_row("SELECT COUNT(*) FROM audit_heads", [], |row| row.get::<_, i64>(0));
        u64::try_from(count.expect("a number")).expect("a count")
    }

    /// The newest note that somebody else keeps, when it is of more heads than that, in a file as it was sent.
    async fn held(&self, more_than: u64) -> PathBuf {
        let newest = || {
            let taken = self.keeper.taken().pop()?;
            let (size, note) = (
                taken.body["data"]["size"].as_u64()?,
                taken.body["data"]["note"].as_str()?,
            );
            (size > more_than).then(|| note.to_owned())
        };
        eventually!(BOUND, newest().is_some());
        let file = self.folder.path().join(format!("held-{more_than}"));
        fs::write(&file, newest().expect("there")).expect("written");
        file
    }

    async fn export(&self, name: &str, held: Option<&Path>) -> (PathBuf, Output) {
        let to = self.folder.path().join(name);
        let mut command = Command::new(hubkeep_binary());
        command
            .env_clear()
            .args(["audit", "export", "--as", OPERATOR, "--portal", A, "--to"])
            .arg(&to)
            .args(["--from", "crm-service"])
            .args(["--credential-service", &self.crm.hubkeep.credential_address()])
            .args(["--crm-service", &format!("http://{}", self.crm.address())]);
        if let Some(held) = held {
            command.arg("--held").arg(held);
        }
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        (to, ran.expect("no panic").expect("it runs"))
    }
}

fn given<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

fn verify(bundle: &Path, held: &Path) -> Output {
    let mut command = Command::new(hubkeep_binary());
    command.env_clear().args(["audit", "verify"]).arg(bundle);
    command.arg("--held").arg(held).output().expect("it runs")
}

/// Every file of a log, put elsewhere.
fn put(log: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let of = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        let _ = fs::remove_file(of(to));
        if of(log).exists() {
            fs::copy(of(log), of(to)).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_set_back_is_found_by_the_head_that_somebody_else_keeps() {
    let mut stage = Stage::start().await;
    let handle = stage.crm.hubkeep.handle(A).issue().await;
    stage.calls(&handle, 2).await;
    stage.held(0).await;
    stage.stop().await;
    let (log, aside) = (stage.crm.log(), stage.folder.path().join("aside.db"));
    let before = stage.heads();
    put(&log, &aside);

    stage.again();
    stage.calls(&handle, 3).await;
    let held = stage.held(before).await;
    let (bundle, ran) = stage.export("honest", Some(&held)).await;
    assert_ran(&ran);
    assert_ran(&verify(&bundle, &held));

    // Whoever has the machine has the log key, too: the log is set back, and goes on in another way.
    stage.stop().await;
    put(&aside, &log);
    stage.again();
    let size: u64 = fs::read_to_string(&held)
        .expect("read")
        .lines()
        .nth(1)
        .expect("a size")
        .parse()
        .expect("a number");
    eventually!(BOUND, {
        stage.calls(&handle, 1).await;
        stage.heads() > size
    });
    let (_, ran) = stage.export("with-held", Some(&held)).await;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(!ran.status.success(), "{said}");
    assert!(said.contains("there are two histories"), "{said}");
    let (bundle, ran) = stage.export("set-back", None).await;
    assert_ran(&ran);
    assert_ran(&verify(&bundle, &bundle.join("checkpoint")));
    assert_eq!(
        verify(&bundle, &held).status.code(),
        Some(9),
        "it fits itself, and not what is held"
    );
}
