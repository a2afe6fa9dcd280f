//! Which of a service's processes this is, for those who read what it has written.

use crate::config::Fault;

/// The longest name.
const MOST_CHARS: usize = 64;

/// The name that is configured; else that of this machine or container, without what no name may have in it.
pub fn instance_of(configured: &str) -> String {
    match configured {
        "" => kept_of(&rustix::system::uname().nodename().to_string_lossy()),
        name => name.to_owned(),
    }
}

/// Notes a name that could not stand in an entry.
pub fn check_instance(name: &str, faults: &mut Vec<Fault>) {
    if kept_of(name) != name {
        let problem = "must be at most 64 of a-z, A-Z, 0-9, '.', '_' and '-'; empty for the name of the machine or container";
        faults.push(Fault::new("instance", problem));
    }
}

fn kept_of(name: &str) -> String {
    let allowed = |letter: &char| letter.is_ascii_alphanumeric() || "._-".contains(*letter);
    name.chars().filter(allowed).take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_as_configured_or_else_after_its_machine() {
        assert_eq!(instance_of("eu-1"), "eu-1");
        assert!(!instance_of("").is_empty(), "every machine has a name");
        assert!(kept_of(&instance_of("")) == instance_of(""));
    }

    #[test]
    fn a_name_that_could_not_stand_in_an_entry_is_refused() {
        let faults = |name: &str| {
            let mut faults = Vec::new();
            check_instance(name, &mut faults);
            faults.len()
        };
        assert_eq!(
            [faults(""), faults("crm-7d9f.eu_1"), faults(&"a".repeat(64))],
            [0, 0, 0]
        );
        assert_eq!(
            [faults("two words"), faults("a\nb"), faults(&"a".repeat(65))],
            [1, 1, 1]
        );
    }
}
