//! A proof of RFC 6962, checked: that a leaf is in a tree.
//!
//! The log has checked what it gives out. Here that is checked once more, over the very bytes that are shown, by code that knows
//! nothing of the log's.

use aws_lc_rs::digest::{SHA256, digest};

/// A hash in a tree.
pub(super) type Hash = [u8; 32];

/// The hash of a leaf: SHA-256 over a zero byte and its bytes.
pub(super) fn of_leaf(leaf: &[u8]) -> Hash {
    sha256(&[&[0], leaf])
}

fn of_node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let hash = digest(&SHA256, &parts.concat());
    hash.as_ref().try_into().unwrap_or_default()
}

/// Whether hashes lead from a leaf to the root of a tree of this size (RFC 9162, 2.1.3.2).
pub(super) fn leads(leaf: Hash, index: u64, size: u64, hashes: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut reached) = (index, size.saturating_sub(1), leaf);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            reached = of_node(hash, &reached);
            while at % 2 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            reached = of_node(&reached, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && reached == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root of a tree, as RFC 6962 says it.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(half(many.len()));
                of_node(&root(left), &root(right))
            }
        }
    }

    /// The greatest power of two that is smaller.
    fn half(number: usize) -> usize {
        number.next_power_of_two() / 2
    }

    fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
        if leaves.len() < 2 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(half(leaves.len()));
        let (mut below, beside) = match index.checked_sub(left.len()) {
            None => (path(left, index), root(right)),
            Some(index) => (path(right, index), root(left)),
        };
        below.push(beside);
        below
    }

    #[test]
    fn every_leaf_of_every_tree_is_led_to_its_root_and_nothing_else_is() {
        for size in 1..=33_usize {
            let leaves: Vec<Hash> = (0..size)
                .map(|one| of_leaf(&[one.try_into().expect("small")]))
                .collect();
            let root = root(&leaves);
            let wide = u64::try_from(size).expect("small");
            for (index, leaf) in leaves.iter().enumerate() {
                let (path, at) = (path(&leaves, index), u64::try_from(index).expect("small"));
                assert!(leads(*leaf, at, wide, &path, &root), "{index} of {size}");
                assert!(!leads(of_leaf(b"other"), at, wide, &path, &root));
                assert!(!leads(*leaf, at, wide, &path, &of_leaf(b"other")));
                assert!(!leads(*leaf, wide, wide, &path, &root));
                assert!(!leads(*leaf, at.wrapping_add(1), wide, &path, &root));
                let longer: Vec<Hash> = path.iter().copied().chain([root]).collect();
                assert!(!leads(*leaf, at, wide, &longer, &root));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!leads(*leaf, at, wide, shorter, &root));
                }
            }
        }
    }
}
