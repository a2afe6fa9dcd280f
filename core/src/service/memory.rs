//! Keeps what the process holds out of files: a crash leaves no image of its memory, and no other process of the same
//! user may read it.

/// Turns off core dumps of this process and those that it starts, and, on Linux, keeps debuggers of the same user away.
/// Root can still do both.
///
/// A machine that does not let it is told of, and the service goes on: what it protects from is a second fault.
pub(super) fn keep_out_of_files() {
    #[cfg(unix)]
    if let Err(error) = unix::keep_out_of_files() {
        tracing::warn!(%error, "a crash may leave the memory of this process in a file: its core dumps could not be turned off");
    }
}

#[cfg(unix)]
mod unix {
    use rustix::{
        io,
        process::{Resource, Rlimit, setrlimit},
    };

    pub(super) fn keep_out_of_files() -> io::Result<()> {
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none)?;
        #[cfg(target_os = "linux")]
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
        Ok(())
    }
}
