//! A PostgreSQL for tests. The first test of a process that asks for a database starts a server from Debian's package,
//! on a free loopback port and with a folder of its own; it ends when the process ends, however that ends.
//!
//! ```no_run
//! let database = hubkeep_test_postgres::fresh("handles");
//! // A configuration names the two apart; `fresh_database` gives one URL with the password in it.
//! println!("{} {}", database.url, database.password_file.display());
//! ```
//!
//! Commits are on disk when they return (`fsync` is on), and every connection needs the password (SCRAM).
//!
//! A test that changes the server itself, or restarts it, has an [`Own`] one.

mod binaries;
mod server;

use std::{
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use server::Server;

/// The role that owns every database given here. It is no superuser.
pub const ROLE: &str = "hubkeep";

/// A new, empty database.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// `postgres://hubkeep@127.0.0.1:<port>/<name>`, without a password.
    pub url: String,
    /// The file that holds the password and a line feed, readable by its owner only.
    pub password_file: PathBuf,
    /// The password.
    pub password: String,
}

impl Fresh {
    /// The URL with the password in it, for tools that know no other way.
    pub fn url_with_password(&self) -> String {
        self.url.replacen(ROLE, &format!("{ROLE}:{}", self.password), 1)
    }
}

/// Whether this machine has PostgreSQL. Tests do not ask, they fail without; a measurement may leave something out.
pub fn is_installed() -> bool {
    binaries::find().is_some()
}

/// A server for one test. It ends when this is dropped, or the process ends.
#[derive(Debug)]
pub struct Own {
    server: Server,
}

impl Own {
    /// Starts one with these settings beside those of every test, each as `name=value` without spaces. Takes a few
    /// seconds.
    ///
    /// # Panics
    /// If PostgreSQL is not installed, or does not start.
    pub fn start(settings: &[&str]) -> Self {
        Self {
            server: Server::start(settings),
        }
    }

    /// A new, empty database on it.
    pub fn fresh(&self, name_hint: &str) -> Fresh {
        self.server.fresh(name_hint)
    }

    /// The folder with all that it writes: tables, write-ahead log, its own log.
    pub fn folder(&self) -> &Path {
        self.server.folder()
    }

    /// Stops it as an operator does, and starts it again at the same port: every connection is closed, what is under
    /// way is undone. Returns when it answers.
    ///
    /// # Panics
    /// If it does not start again.
    pub fn restart(&self) {
        self.server.restart("INT");
    }

    /// The same as if it had crashed: it finds out by its log what was committed.
    ///
    /// # Panics
    /// If it does not start again.
    pub fn crash(&self) {
        self.server.restart("QUIT");
    }
}

/// A new, empty database on this process's server, which is started if it does not run yet.
///
/// `name_hint` becomes part of the database's name, for who looks at the server while a test runs. Blocks for a few
/// milliseconds, the first time for a few seconds.
///
/// # Panics
/// If PostgreSQL is not installed, or does not start.
pub fn fresh(name_hint: &str) -> Fresh {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&[])).fresh(name_hint)
}

impl Server {
    fn fresh(&self, name_hint: &str) -> Fresh {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}_{number}", plain(name_hint));
        self.create_database(&name);
        Fresh {
            url: format!("postgres://{ROLE}@127.0.0.1:{}/{name}", self.port()),
            password_file: self.password_file(),
            password: self.password().to_owned(),
        }
    }
}

/// The URL of a new, empty database, with the password in it. Otherwise as [`fresh`].
///
/// # Panics
/// As [`fresh`].
pub fn fresh_database(name_hint: &str) -> String {
    fresh(name_hint).url_with_password()
}

/// A hint as a name that needs no quotes.
fn plain(hint: &str) -> String {
    let letters = hint.chars().take(40).map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '_',
    });
    format!("t_{}", letters.collect::<String>())
}
