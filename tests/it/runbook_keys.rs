//! The runbook `docs/operations/keys.md` does what it says: its commands run, in their order, over services that are
//! configured as it says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use hubkeep_core::config::{Environment, load};
use hubkeep_credential_service::config::Config;
use hubkeep_tests::{
    Hubkeep, World,
    support::{
        processes::{
            Process, credential_service_binary, crm_service_binary, crm_service_config, hubkeep_binary, serve,
        },
        sources::source,
    },
};

const RUNBOOK: &str = "docs/operations/keys.md";
const SERVICES: [&str; 2] = ["credential-service", "crm-service"];

/// The lines of all blocks of this sort, block by block.
fn blocks(sort: &str) -> Vec<Vec<String>> {
    let (mut found, mut inside) = (Vec::new(), false);
    for line in source(RUNBOOK).text.lines() {
        match line.trim() {
            mark if mark == format!("```{sort}") => {
                inside = true;
                found.push(Vec::new());
            }
            "```" => inside = false,
            line if inside => found.last_mut().expect("begun").push(line.to_owned()),
            _ => {}
        }
    }
    found
}

/// Both services as processes, over the data of a Hubkeep that has ended.
struct Deployment {
    folder: tempfile::TempDir,
    running: Vec<Process>,
    addresses: Vec<String>,
}

impl Deployment {
    async fn new() -> Self {
        let hubkeep = Hubkeep::start(World::of_portals(20)).await;
        hubkeep.onboard_all().await;
        let handle = hubkeep.handle("client-0001").issue().await;
        let crm = hubkeep.crm_as("sync").with(&handle);
        crm.get("contacts", "101").await.expect("read");
        let hubspot = hubkeep.hubspot.base_url();
        let folder = hubkeep.stop().await;
        // The runbook's [keys] takes the place of the configuration's own.
        let keys = blocks("toml").remove(0).join("\n");
        let path = folder.path().display().to_string();
        for service in SERVICES {
            let without_keys = if service == "crm-service" {
                let file = crm_service_config(folder.path(), "http://127.0.0.1:1", &hubspot);
                let text = fs::read_to_string(file).expect("read");
                let kept = text
                    .lines()
                    .filter(|line| *line != "[keys]" && !line.starts_with("kek_file"));
                kept.map(|line| format!("{line}\n")).collect::<String>()
            } else {
                format!(
                    "deployment = \"test\"\n[grpc]\nlisten = \"127.0.0.1:0\"\n\
                     [database]\nurl = \"sqlite://{path}/credential-service.db\"\n\
                     [audit]\nurl = \"sqlite://{path}/credential-service-audit.db\"\n"
                )
            };
            let keys = keys.replace("credential-service", service);
            let file = folder.path().join(format!("{service}.toml"));
            fs::write(file, format!("{without_keys}\n{keys}\n")).expect("written");
        }
        Self {
            folder,
            running: Vec::new(),
            addresses: vec![String::new(); 2],
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn restart(&mut self) {
        self.running.clear();
        let binaries: [&Path; 2] = [credential_service_binary(), crm_service_binary()];
        for (number, (service, binary)) in SERVICES.into_iter().zip(binaries).enumerate() {
            let mut command = serve(binary, &self.path().join(format!("{service}.toml")));
            if service == "crm-service" {
                command.env("HUBKEEP__CREDENTIALS__URL", &self.addresses[0]);
            }
            let (process, address) = Process::listening(service, command.current_dir(self.path()));
            self.running.push(process);
            self.addresses[number] = address;
        }
    }

    fn run(&mut self, line: &str) -> String {
        if line.starts_with("systemctl restart ") {
            assert!(SERVICES.iter().all(|service| line.contains(service)), "{line}");
            self.restart();
            return String::new();
        }
        let folders = [
            credential_service_binary(),
            crm_service_binary(),
            hubkeep_binary(),
        ];
        let folders = folders.map(|file| PathBuf::from(file.parent().expect("in a folder")));
        let path = std::env::join_paths(folders.iter().cloned().chain(["/usr/bin".into(), "/bin".into()]));
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(self.path())
            .env("PATH", path.expect("a path"))
            .env("HUBKEEP_CREDENTIAL_SERVICE", &self.addresses[0])
            .env("HUBKEEP_CRM_SERVICE", &self.addresses[1])
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        let (told, heard) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{line}\n{told}\n{heard}");
        told.into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_runbook_rotate_the_keys_of_both_services() {
    let mut deployment = Deployment::new().await;
    let mut blocks = blocks("sh");
    let status = blocks.remove(0);
    // As it was before anybody thought of a rotation: one file, version 1.
    let before: Vec<String> = SERVICES
        .map(|service| fs::read_to_string(deployment.path().join(format!("{service}.toml"))).expect("read"))
        .to_vec();
    for (service, text) in SERVICES.into_iter().zip(&before) {
        let first = text.split("[[keys.kek]]").next().expect("a part");
        fs::write(deployment.path().join(format!("{service}.toml")), first).expect("written");
    }
    deployment.restart();
    let told = deployment.run(&status[0]);
    assert_eq!(told.matches("usable").count(), 2, "{told}");
    for (service, text) in SERVICES.into_iter().zip(&before) {
        fs::write(deployment.path().join(format!("{service}.toml")), text).expect("written");
    }

    let mut told = Vec::new();
    for line in blocks.concat() {
        told.push((line.clone(), deployment.run(&line)));
    }
    let after = |words: &str| {
        let found = told.iter().rfind(|(line, _)| line.starts_with(words));
        found
            .unwrap_or_else(|| panic!("the runbook does not show {words}"))
            .1
            .clone()
    };
    assert_eq!(
        after("hubkeep keys rotate")
            .matches("no key names an older one")
            .count(),
        2,
        "{told:?}"
    );
    let last = after("hubkeep keys status");
    assert_eq!(last.matches("version 2 wraps, 2 and later").count(), 2, "{last}");
    assert!(
        last.contains("usable") && !last.contains("not configured"),
        "{last}"
    );
    for service in SERVICES {
        fs::remove_file(deployment.path().join(format!("{service}.kek"))).expect("removed");
    }
    deployment.restart();
    deployment.run("hubkeep keys status --probe");
}

#[test]
fn every_configuration_of_the_runbook_is_valid() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 6, "the runbook shows too little");
    for block in blocks {
        let text = block.join("\n");
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), &text).expect("written");
        if let Err(error) = load::<Config>(Some(file.path()), &Environment::new()) {
            panic!("{error}\n{text}");
        }
    }
}
