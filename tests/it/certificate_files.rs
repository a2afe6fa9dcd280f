//! The files of certificates: what is wrong with them is told before anything listens or is sent, and how to mend it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use hubkeep_core::{
    clock::{MockClock, SharedClock, SystemClock},
    tls::{Config, Identity},
};
use hubkeep_tests::{
    Hubkeep, World,
    support::{
        certificates::Certificates,
        processes::{Process, crm_service_binary, crm_service_config, hubkeep_binary},
    },
};

/// Every fault of these files, a line each.
fn faults(config: &Config, clock: &SharedClock) -> Vec<String> {
    let error = Identity::load(config, clock).expect_err("not in order");
    error
        .0
        .iter()
        .map(|fault| format!("{}: {}", fault.key, fault.problem))
        .collect()
}

fn one(config: &Config, expected: &[&str]) {
    let told = faults(config, &SystemClock::shared());
    assert_eq!(told.len(), 1, "{told:?}");
    for part in expected {
        assert!(told[0].contains(part), "{part} in {told:?}");
    }
}

#[test]
fn a_service_does_not_start_with_files_that_are_not_in_order() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SystemClock::shared());
    let certs = Certificates::new(folder.path(), clock.now());
    let others = Certificates::new(&folder.path().join("others"), clock.now());
    let good = certs.service("crm-service");
    let identity = Identity::load(&good, &clock).expect("in order");
    assert_eq!(identity.name().as_str(), "crm-service");
    assert!(!format!("{identity:?}").contains("PRIVATE"));

    let other = certs.service("credential-service");
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        config
    };
    let key_of_another = with(&|config| config.key_file.clone_from(&other.key_file));
    one(
        &key_of_another,
        &["tls.key_file", "is not the private key of the certificate"],
    );
    let other_ca = with(&|config| config.ca_file = others.service("x").ca_file);
    one(&other_ca, &["tls.certificate_file", "not signed by the CA"]);
    let other_domain = with(&|config| config.trust_domain = "elsewhere".to_owned());
    one(&other_domain, &["tls.certificate_file", "spiffe://elsewhere/"]);
    let no_pem = with(&|config| config.certificate_file.clone_from(&config.key_file));
    one(&no_pem, &["tls.certificate_file", "holds no certificate"]);
    let no_ca = with(&|config| config.ca_file.clone_from(&config.key_file));
    one(&no_ca, &["tls.ca_file", "holds no certificate"]);

    let the_cas_own = with(&|config| {
        config.certificate_file.clone_from(&config.ca_file);
        config.key_file = config.ca_file.with_extension("key");
    });
    let told = faults(&the_cas_own, &clock).join("\n");
    assert!(told.contains("a CA signs certificates and shows none"), "{told}");
    assert!(!told.contains("OtherError"), "{told}");

    let missing = with(&|config| {
        config.certificate_file = folder.path().join("a.crt");
        config.key_file = folder.path().join("a.key");
        config.ca_file = folder.path().join("ca.crt");
    });
    let told = faults(&missing, &clock);
    assert_eq!(told.len(), 3, "all at once: {told:?}");
    assert!(
        told.iter().all(|fault| fault.contains("hubkeep certs")),
        "{told:?}"
    );

    fs::set_permissions(&good.key_file, Permissions::from_mode(0o640)).expect("set");
    one(&good, &["tls.key_file", "chmod 600"]);
    fs::set_permissions(&good.key_file, Permissions::from_mode(0o400)).expect("set");
    Identity::load(&good, &clock).expect("its owner alone can read it");

    let later = MockClock::at(clock.now());
    later.advance(Duration::from_secs(40 * 86_400));
    let told = faults(&good, &(later as SharedClock));
    assert!(told.iter().any(|fault| fault.contains("has expired")), "{told:?}");
}

#[test]
fn a_certificate_for_calling_only_does_not_serve() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SystemClock::shared());
    let certs = Certificates::new(folder.path(), clock.now());
    let good = certs.service("crm-service");
    let options = certs.of("crm-service").options(folder.path());
    let config = Config {
        certificate_file: options[1].clone().into(),
        key_file: options[3].clone().into(),
        ..good
    };
    one(&config, &["tls.certificate_file", "is for no host", "--host"]);
}

fn run(binary: &Path, folder: &Path, line: &[&str]) -> Output {
    Command::new(binary)
        .args(line)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("runs")
}

/// Runs it, and gives its exit code and what it said on both ways out.
fn said(binary: &Path, folder: &Path, line: &[&str]) -> (Option<i32>, String) {
    let output = run(binary, folder, line);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("there").permissions().mode() & 0o777
}

#[test]
fn what_hubkeep_certs_makes_is_enough_for_a_first_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let hubkeep = |line: &[&str]| said(hubkeep_binary(), folder, line);
    let (code, text) = hubkeep(&["certs", "issue", "sync"]);
    assert!(code == Some(2) && text.contains("hubkeep certs init"), "{text}");
    for line in [
        &["certs", "init"][..],
        &["certs", "issue", "crm-service", "--host", "127.0.0.1"],
        &["certs", "issue", "operator/ann", "--days", "1"],
    ] {
        let (code, text) = hubkeep(line);
        assert!(code == Some(0) && text.contains("until"), "{text}");
        let (code, text) = hubkeep(line);
        assert!(
            code == Some(2) && text.contains("no file is overwritten"),
            "{text}"
        );
    }
    let certs = folder.join("hubkeep-certs");
    let modes = ["ca.key", "crm-service.key", "operator-ann.key"].map(|file| mode(&certs.join(file)));
    assert_eq!((mode(&certs), modes), (0o700, [0o400, 0o600, 0o600]));

    let config = crm_service_config(folder, "https://127.0.0.1:1", "http://127.0.0.1:1");
    fs::remove_file(folder.join("crm-service.kek")).expect("there");
    let service = |line: &[&str]| {
        let line = [line, &["--config", config.to_str().expect("text")]].concat();
        said(crm_service_binary(), folder, &line)
    };
    let (code, text) = service(&["serve"]);
    assert!(
        code == Some(1) && text.contains("must be http://"),
        "https needs [tls]: {text}"
    );
    let mut text = fs::read_to_string(&config).expect("read");
    text.push_str(
        "[tls]\ncertificate_file = \"hubkeep-certs/crm-service.crt\"\nkey_file = \"hubkeep-certs/crm-service.key\"\n\
         ca_file = \"hubkeep-certs/ca.crt\"\n",
    );
    fs::write(&config, text).expect("written");
    let (code, text) = service(&["serve", "--dev"]);
    assert!(
        code == Some(1) && text.contains("--dev is for callers without certificates"),
        "{text}"
    );
    let (code, text) = service(&["serve"]);
    assert!(code == Some(1) && text.contains("keys create"), "{text}");
    assert_eq!(service(&["keys", "create"]).0, Some(0));
    assert_eq!(mode(&folder.join("crm-service.kek")), 0o400);
    assert_eq!(service(&["keys", "create"]).0, Some(1), "never overwritten");
    assert_eq!(service(&["keys", "create", "--if-missing"]).0, Some(0));

    let mut serve = Command::new(crm_service_binary());
    serve.args(["serve", "--config"]).arg(&config).current_dir(folder);
    let (_process, address) = Process::listening("crm-service", &mut serve);
    let https = address.replace("http://", "https://");
    let ann = "--cert hubkeep-certs/operator-ann.crt --key hubkeep-certs/operator-ann.key";
    let list = |address: &str, login: &str| {
        let line = format!("audit list --from crm-service --crm-service {address} {login}");
        hubkeep(&line.split_whitespace().collect::<Vec<_>>())
    };
    let ours = format!("{ann} --ca hubkeep-certs/ca.crt");
    // It knows who asks; without credential-service it does nothing for operators.
    let (code, text) = list(&https, &ours);
    assert!(
        code != Some(0) && text.contains("CREDENTIAL_SERVICE_UNAVAILABLE"),
        "{text}"
    );
    let (code, text) = list(&address, &ours);
    assert!(code == Some(5) && text.contains("takes TLS only"), "{text}");
    let (code, text) = list(&https, "");
    assert!(code == Some(2) && text.contains("--cert, --key, --ca"), "{text}");
    let (code, text) = list(&https, &format!("{ours} --as operator/bob"));
    assert!(code == Some(2) && text.contains("leave out --as"), "{text}");
    assert_eq!(hubkeep(&["certs", "init", "--dir", "others"]).0, Some(0));
    let (code, text) = list(&https, &format!("{ann} --ca others/ca.crt"));
    assert!(
        code == Some(5) && text.contains("is not signed by the CA"),
        "{text}"
    );
    let (code, text) = list(&https, &format!("{ann} --ca others/none.crt"));
    assert!(code == Some(2) && text.contains("cannot be read"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_is_wrong_with_a_certificate_or_an_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = Hubkeep::over(World::of_portals(1)).without_crm().start().await;
    let certs = Certificates::new(folder.path(), SystemClock::shared().now());
    let portals = |address: String, options: Vec<String>| {
        let mut line = vec!["portals".to_owned(), "--credential-service".to_owned(), address];
        line.extend(options);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        said(hubkeep_binary(), folder.path(), &line)
    };
    let https = plain.credential_address().replace("http://", "https://");
    let (code, text) = portals(https.clone(), certs.of("operator/ann").options(folder.path()));
    assert!(code == Some(5) && text.contains("does not speak TLS"), "{text}");
    let (code, text) = portals(https, certs.expired("operator/ann").options(folder.path()));
    assert!(code == Some(2) && text.contains("has expired"), "{text}");
}
