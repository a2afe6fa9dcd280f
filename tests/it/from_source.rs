//! What it takes to build Hubkeep.

use std::{collections::BTreeSet, process::Command};

/// Crates that bring C code, all of them built by a C compiler alone.
const NATIVE: [&str; 2] = ["aws-lc-sys", "libsqlite3-sys"];
/// Names that end like such crates' names, and bring none.
const BINDINGS: [&str; 1] = ["linux-raw-sys"];

#[test]
fn the_command_and_its_demo_need_rust_and_a_c_compiler_and_nothing_else() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "hubkeep"])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("names are text");
    let native: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.ends_with("-sys") && !BINDINGS.contains(name))
        .collect();
    assert_eq!(native, BTreeSet::from(NATIVE));
}
