//! Names of sealed bytes in a store: never used twice, and telling how old they are.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    random::{Random, RandomError},
};

/// A name for new sealed bytes: letters, digits and '-' only, so that every store takes it.
pub(super) fn new(now: Timestamp, random: &dyn Random) -> Result<String, RandomError> {
    let chance = hex::encode(random.bytes::<12>()?);
    Ok(format!("{:016x}-{chance}", now.as_micros()))
}

/// How old the bytes of this name are; `None` if the name is none of ours.
pub(super) fn age(name: &str, now: Timestamp) -> Option<Duration> {
    let (made, chance) = name.split_once('-')?;
    let ours = made.len() == 16 && chance.len() == 24 && chance.bytes().all(|byte| byte.is_ascii_hexdigit());
    let made = i64::from_str_radix(made, 16).ok().filter(|_| ours)?;
    Some(now.since(Timestamp::from_micros(made)))
}

#[cfg(test)]
mod tests {
    use hubkeep_core::random::SystemRandom;

    use super::*;

    #[test]
    fn a_name_tells_its_age_and_no_other_text_is_one() {
        let random = SystemRandom::shared();
        let made = Timestamp::from_micros(1_795_000_000_000_000);
        let name = new(made, &*random).expect("random");
        assert_ne!(name, new(made, &*random).expect("random"));
        let hour = Duration::from_secs(3_600);
        assert_eq!(age(&name, made.plus(hour)), Some(hour));
        for other in ["", "database-password", "0-0", &name[1..], &format!("{name}0")] {
            assert_eq!(age(other, made), None, "{other}");
        }
    }
}
