//! The server comes with the process that asks for it, and goes with it.

use std::{
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use hubkeep_test_postgres::{Own, fresh, fresh_database};

fn psql(url: &str, statement: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--no-password"])
        .arg(format!("--command={statement}"))
        .arg(url)
        .env_remove("PGPASSWORD")
        .output()
        .expect("`psql` runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

#[test]
fn each_database_is_new_and_durable_and_asks_for_the_password() {
    let (one, other) = (fresh("One database!"), fresh("other"));
    assert_ne!(one.url, other.url);
    let made = psql(&one.url_with_password(), "CREATE TABLE a (b BIGINT)");
    assert_eq!(made, Ok("CREATE TABLE".to_owned()));
    assert!(psql(&other.url_with_password(), "SELECT * FROM a").is_err());
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let shown = psql(&one.url_with_password(), &format!("SHOW {setting}"));
        assert_eq!(shown, Ok("on".to_owned()), "{setting}");
    }
    let superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    assert_eq!(psql(&one.url_with_password(), superuser), Ok("f".to_owned()));

    assert!(
        psql(&one.url, "SELECT 1").is_err(),
        "there is no way in without it"
    );
    let mode = one.password_file.metadata().expect("there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "the password is for its owner only");
    let told = std::fs::read_to_string(&one.password_file).expect("readable");
    assert_eq!(told.trim_end(), one.password);
}

#[test]
fn an_own_server_has_its_settings_and_keeps_what_was_committed_over_a_restart() {
    let own = Own::start(&["fsync=off", "jit=on"]);
    let url = own.fresh("own").url_with_password();
    let shown = |name: &str| psql(&url, &format!("SHOW {name}"));
    assert_eq!(shown("fsync"), Ok("off".to_owned()));
    let began = || psql(&url, "SELECT pg_postmaster_start_time()").expect("it runs");
    let before = began();
    psql(&url, "CREATE TABLE a (b BIGINT)").expect("made");
    own.restart();
    let between = began();
    own.crash();
    assert!(before != between && between != began(), "it was restarted twice");
    assert_eq!(shown("jit"), Ok("on".to_owned()));
    assert_eq!(psql(&url, "SELECT count(*) FROM a"), Ok("0".to_owned()));
    let port = url.rsplit([':', '/']).nth(1).expect("a port").to_owned();
    drop(own);
    for _ in 0..2_000 {
        if TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("the server at port {port} outlived its owner by 10 s");
}

/// What the process of the next test does.
#[test]
fn shows_its_port() {
    let url = fresh_database("child");
    let port = url.rsplit([':', '/']).nth(1).expect("a port");
    println!("port {port} of {}", fresh("child").password_file.display());
    if std::env::var_os("HUBKEEP_TEST_IS_KILLED").is_some() {
        std::thread::park();
    }
}

#[test]
fn the_server_ends_when_its_process_is_killed() {
    use std::io::{BufRead as _, BufReader};

    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "shows_its_port", "--nocapture"])
        .env("HUBKEEP_TEST_IS_KILLED", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let said = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("port ").map(|(_, rest)| rest.to_owned()))
        .expect("it says its port");
    let (port, password_file) = said.split_once(" of ").expect("both");
    let address = format!("127.0.0.1:{port}");
    assert!(TcpStream::connect(&address).is_ok(), "it runs");

    child.kill().expect("killed");
    child.wait().expect("gone");
    let folder = std::path::Path::new(password_file).parent().expect("a folder");
    let gone = || TcpStream::connect(&address).is_err() && !folder.exists();
    for _ in 0..2_000 {
        if gone() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("the server at {address} outlived its process by 10 s");
}
