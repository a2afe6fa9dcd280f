#!/usr/bin/env python3
"""Verifies a bundle that `hubkeep audit export` made, or a folder with those of both services, with nothing of Hubkeep in it.

    python3 verify.py BUNDLE [--key FILE] [--held FILE]... [--receipt FILE]...

--key    the verifier keys that you trust, one a line; without it those in the bundle, which prove nothing but that
         the bundle fits itself
--held   a checkpoint that you kept from before: the log, or the log of heads and what that says of the log, must have grown
         out of it
--receipt  receipts that you kept of writes, one after the other: what each promises must stand in the bundle

Ends with 0 if the bundle is what was signed, with 9 if it is not, and with 2 if it cannot be read. Needs Python 3.10
and the package `cryptography`. RFC 6962 (trees and proofs), C2SP signed-note and tlog-checkpoint (what is signed).
"""

import argparse, base64, hashlib, json, pathlib, struct, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Wrong(Exception):
    """What the bundle says is not what was signed."""


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def read_keys(text):
    """Verifier keys "<name>+<id>+<base64>" by name and id."""
    keys = {}
    for line in filter(None, text.splitlines()):
        name, key_id, encoded = line.split("+", 2)
        typed = base64.b64decode(encoded, validate=True)
        if typed[0] != 1 or hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4].hex() != key_id:
            raise Wrong(f"{line} is no Ed25519 verifier key")
        keys[name, key_id] = Ed25519PublicKey.from_public_bytes(typed[1:])
    return keys


def open_note(note, keys, what):
    """The text of a signed note, if one of the keys has signed it, and none falsely."""
    text, empty, signatures = note.rpartition("\n\n")
    by = 0
    for line in signatures.splitlines() if empty else []:
        _, name, encoded = line.split(" ")
        signature = base64.b64decode(encoded, validate=True)
        key = keys.get((name, signature[:4].hex()))
        if key is None:
            continue
        try:
            key.verify(signature[4:], (text + "\n").encode())
        except InvalidSignature:
            raise Wrong(f"{what}: the signature of {name} is false") from None
        by += 1
    if not by:
        raise Wrong(f"{what}: none of the keys has signed it")
    return text + "\n"


def read_checkpoint(note, keys, what):
    """Origin, size and root of a signed checkpoint."""
    return read_body(open_note(note, keys, what), what)


def read_body(text, what):
    lines = text.split("\n")
    if len(lines) < 4 or lines[1] != str(int(lines[1])) or len(base64.b64decode(lines[2], validate=True)) != 32:
        raise Wrong(f"{what}: it is no checkpoint")
    return lines[0], int(lines[1]), base64.b64decode(lines[2])


RECEIPT = "hubkeep receipt/1"


def split_receipts(file):
    """The receipts in a file, unread: which each is, and its note without the first line."""
    first, *notes = ("\n" + pathlib.Path(file).read_text()).split(f"\n{RECEIPT}\n")
    if first.strip("\n") or not notes:
        raise Wrong(f"receipt 1 in {file}: it does not begin with {RECEIPT!r}")
    return [(f"receipt {number} in {file}", note) for number, note in enumerate(notes, 1)]


def read_receipts(receipts, keys):
    """What each receipt promises: which it is, of which log, at which index, the hash of which leaf."""
    for what, note in receipts:
        text = open_note(f"{RECEIPT}\n" + note.strip("\n") + "\n", keys, what)
        lines = [line.partition(" ") for line in text.split("\n")[1:]]
        if [name for name, _, _ in lines] != ["log", "index", "leaf", "time", ""]:
            raise Wrong(f"{what}: it is signed, and is no receipt")
        log, index, leaf = (value for _, _, value in lines[:3])
        leaf = base64.b64decode(leaf, validate=True)
        if index != str(int(index)) or int(index) < 0 or len(leaf) != 32:
            raise Wrong(f"{what}: it is signed, and is no receipt")
        yield what, log, int(index), leaf


def promised(receipts, log, size, first):
    """What the receipts promise, by index: each must be of an entry that the bundle has."""
    found = {}
    for what, named, index, leaf in receipts:
        if named != log:
            raise Wrong(f"{what}: it is of {named}, of which the bundle has nothing")
        if index < first:
            raise Wrong(f"{what}: its entry, with index {index}, was pruned: the bundle begins at {first}")
        if not index < size:
            raise Wrong(f"{what}: it promises an entry with index {index}, and the bundle has {size}: is it older, or was the log cut?")
        found.setdefault(index, []).append((what, leaf))
    return found


def watched(leaves, first, promises):
    """The leaves as they are, once what receipts promise of each is compared with it."""
    for index, leaf in enumerate(leaves, first):
        for what, hash in promises.get(index, ()):
            if leaf_hash(leaf) != hash:
                raise Wrong(f"{what}: another entry than the one that it promises stands at index {index}")
        yield leaf


def read_leaves(path):
    """Every leaf: two bytes of length before each, as in an entry bundle of C2SP tlog-tiles."""
    with open(path, "rb") as file:
        while length := file.read(2):
            leaf = file.read(struct.unpack(">H", length)[0]) if len(length) == 2 else b""
            if len(length) < 2 or len(leaf) < struct.unpack(">H", length)[0]:
                raise Wrong("leaves: the last leaf is cut")
            yield leaf


def roots(leaves, sizes, pruned=(), count=0):
    """The root at each of these sizes, and how many leaves there are: a stack of whole subtrees is all it takes. Of the first
    `count` leaves, which are gone, the stack is given."""
    found, stack = {0: hashlib.sha256().digest()}, list(pruned)
    if count in sizes and count:
        found[count] = over(stack)
    for leaf in leaves:
        stack.append(leaf_hash(leaf))
        count += 1
        for _ in range((count & -count).bit_length() - 1):
            right = stack.pop()
            stack.append(node_hash(stack.pop(), right))
        if count in sizes:
            found[count] = over(stack)
    return found, count


def over(stack):
    """The root over whole subtrees."""
    root = stack[-1]
    for left in reversed(stack[:-1]):
        root = node_hash(left, root)
    return root


def fields(message):
    """The fields of a protobuf message, by number: numbers and bytes."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return value

    while at < len(message):
        tag = number()
        kind = tag & 7
        if kind == 0:
            found[tag >> 3] = number()
            continue
        length = {1: 8, 5: 4}.get(kind) or number()
        if kind not in (1, 2, 5) or at + length > len(message):
            raise ValueError("no message")
        found[tag >> 3], at = message[at : at + length], at + length
    return found


def announcements(leaves, first):
    """What entries (phase ADMIN, operation AUDIT_PRUNE, result OK) say will go: below which index, and the size and root of a
    checkpoint from before that covers it."""
    for index, leaf in enumerate(leaves, first):
        entry = fields(leaf)
        if (entry.get(3), entry.get(4), entry.get(18)) == (4, 81, 1) and 50 in entry:
            pruning = fields(entry[50])
            if first <= pruning.get(5, 0) <= index:
                yield pruning.get(2, 0), pruning[5], pruning.get(6, b"")


def read_pruned(bundle, log_size, root, wanted):
    """Where the leaves begin, and the subtrees over those that are gone. Adds what the entries claim that announce it; what is
    claimed of leaves that are gone is proven by what is left of them."""
    path = bundle / "pruned.json"
    if not path.exists():
        return 0, []
    pruned = json.loads(path.read_text())
    first = pruned["first_index"]
    hashes = [base64.b64decode(text, validate=True) for text in pruned["hashes"]]
    if first <= 0 or first % 256 or len(hashes) != first.bit_count() or any(len(one) != 32 for one in hashes):
        raise Wrong("pruned: its hashes are not what whole bundles of 256 make up")
    announced = False
    for below, size, at_size in announcements(read_leaves(bundle / "leaves"), first):
        wanted.setdefault(size, []).append((at_size, "the entry that announces the pruning"))
        announced |= first <= below <= size
    if not announced:
        raise Wrong(f"pruned: no entry announces that those before {first} go: they were lost, or taken away")
    proofs = {tuple(proof["sizes"]): proof["hashes"] for proof in pruned.get("consistency", [])}
    for old in [size for size in wanted if 0 < size < first]:
        for told, who in wanted.pop(old):
            if (old, log_size) not in proofs:
                raise Wrong(f"pruned: the bundle has no proof from {who}: export it again with it as --held")
            proof = [base64.b64decode(text) for text in proofs[old, log_size]]
            check_consistency(proof, old, told, log_size, root, f"pruned: {who}")
    return first, hashes


def check_inclusion(proof, size, root, index, leaf, what):
    """RFC 9162, 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf_hash(leaf)
    for p in proof:
        if index >= size or sn == 0:
            raise Wrong(f"{what}: its proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if not 0 <= index < size or sn or r != root:
        raise Wrong(f"{what}: its proof does not lead to the root")


def check_consistency(proof, old, old_root, new, new_root, what):
    """RFC 9162, 2.1.4.2."""
    if old > new or (old == new and (proof or old_root != new_root)):
        raise Wrong(f"{what}: {new} entries do not grow out of the {old} that you hold")
    if old in (0, new):
        return
    path = ([] if old & (old - 1) else [old_root]) + proof
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0] if path else b""
    for c in path[1:]:
        if sn == 0:
            raise Wrong(f"{what}: its proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(c, first), node_hash(c, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or first != old_root or second != new_root:
        raise Wrong(f"{what}: it does not grow out of the one that you hold")


def check_head(head, keys, log, log_size):
    """Checks how the log stands in the heads. Gives their checkpoint, and the log's size and root there."""
    decode = lambda texts: [base64.b64decode(text, validate=True) for text in texts]
    name, size, root = read_checkpoint(head["checkpoint"], keys, "heads")
    if name != log.rpartition("/")[0] + "/heads":
        raise Wrong(f"heads: they are those of {name}")
    leaf, line = base64.b64decode(head["leaf"]), head["line"].encode()
    check_inclusion(decode(head["leaf_proof"]), size, root, head["leaf_index"], leaf, "heads: the leaf")
    kind, count, over_lines, _ = leaf.decode().split("\n")
    if kind != "hubkeep heads/1":
        raise Wrong("heads: the leaf is of another kind")
    check_inclusion(
        decode(head["line_proof"]), int(count), base64.b64decode(over_lines), head["line_index"], line, "heads: the line"
    )
    named, named_size, named_root = read_body(head["line"], "heads: the line")
    if named != log:
        raise Wrong(f"heads: the line is about {named}")
    if named_size > log_size:
        raise Wrong(f"heads: they name {named_size} entries of the log, and the bundle has a checkpoint of {log_size}")
    return name, size, root, named_size, named_root


def check_named(head, log, log_size, held_size, held_root, what):
    """Checks what heads that are held say of the log, in the last leaf that they cover. Gives its size and root there; None where
    it is proven that they do not name it, or where the head says it already."""
    decode = lambda texts: [base64.b64decode(text, validate=True) for text in texts]
    told = next((told for told in head.get("named", []) if told["size"] == held_size), None)
    if told is None:
        _, heads_size, _ = read_body(head["checkpoint"].rpartition("\n\n")[0] + "\n", what)
        if held_size == 0 or held_size == heads_size == head["leaf_index"] + 1:
            return None
        raise Wrong(f"{what}: the bundle does not say how the log stood in it: export it again with it as --held")
    leaf = base64.b64decode(told["leaf"], validate=True)
    check_inclusion(decode(told["leaf_proof"]), held_size, held_root, held_size - 1, leaf, f"{what}: its last leaf")
    kind, count, over_lines, _ = leaf.decode().split("\n")
    if kind != "hubkeep heads/1":
        raise Wrong(f"{what}: its last leaf is of another kind")
    names = []
    for line in told["lines"]:
        text, index = line["line"], line["index"]
        root = base64.b64decode(over_lines, validate=True)
        check_inclusion(decode(line["proof"]), int(count), root, index, text.encode(), f"{what}: a line")
        name, size, root = read_body(text, f"{what}: a line")
        if name == log:
            if size > log_size:
                raise Wrong(f"{what}: it names {size} entries of the log, and the bundle has {log_size}: it was cut")
            return size, root
        names.append((index, name.encode()))
    if not is_between(names, log.encode(), int(count)):
        raise Wrong(f"{what}: it is not proven how the log stood in it: an auditor can export that")
    return None


def is_between(names, log, count):
    """Whether a log of this name would stand right between these lines, which are sorted by name."""
    indexes = [index for index, _ in names]
    if len(names) == 1:
        return (indexes == [0] and log < names[0][1]) or (indexes == [count - 1] and names[0][1] < log)
    return len(names) == 2 and indexes[0] + 1 == indexes[1] and names[0][1] < log < names[1][1]


def verify(bundle, key_file, held_files, receipts):
    """Raises Wrong unless the bundle is what was signed. Gives the log's name and size, where its leaves begin, and how many
    receipts it fulfils."""
    keys = read_keys(pathlib.Path(key_file or bundle / "keys.txt").read_text())
    log, size, root = read_checkpoint((bundle / "checkpoint").read_text(), keys, "checkpoint")
    wanted = {size: [(root, "the checkpoint")]}
    heads = None
    if (bundle / "head.json").exists():
        head = json.loads((bundle / "head.json").read_text())
        *heads, named_size, named_root = check_head(head, keys, log, size)
        wanted.setdefault(named_size, []).append((named_root, "the heads"))
    for file in held_files:
        origin, held_size, held_root = read_checkpoint(pathlib.Path(file).read_text(), keys, f"held {file}")
        if origin == log:
            if held_size > size:
                raise Wrong(f"held {file}: you hold {held_size} entries, and the bundle has {size}: it was cut")
            wanted.setdefault(held_size, []).append((held_root, f"the checkpoint that you hold in {file}"))
        elif heads and origin == heads[0]:
            proofs = {tuple(proof["sizes"]): proof["hashes"] for proof in head.get("consistency", [])}
            proof = [base64.b64decode(text) for text in proofs.get((held_size, heads[1]), [])]
            check_consistency(proof, held_size, held_root, heads[1], heads[2], f"held {file}")
            if named := check_named(head, log, size, held_size, held_root, f"held {file}"):
                wanted.setdefault(named[0], []).append((named[1], f"the heads that you hold in {file}"))
        else:
            raise Wrong(f"held {file}: it is of {origin}, of which the bundle has nothing")
    first, pruned = read_pruned(bundle, size, root, wanted)
    receipts = list(read_receipts(receipts, keys))
    promises = promised(receipts, log, size, first)
    leaves = watched(read_leaves(bundle / "leaves"), first, promises)
    found, count = roots(leaves, wanted, pruned, first)
    if count != size:
        raise Wrong(f"leaves: they end before index {count}, and the checkpoint says {size}")
    for at in sorted(wanted):
        for told, who in wanted[at]:
            if found[at] != told:
                raise Wrong(f"leaves: the first {at} are not those of {who}: a leaf was changed, moved, put in or left out")
    return log, size, first, len(receipts)


def service_of(log):
    """Whose log it is: <deployment>/<service>."""
    return log.rpartition("/")[0]


def of_services(services, named, what):
    """What is held of each service: each must be of one of these."""
    found = {service: [] for service in services}
    for log, which, held in named:
        if service_of(log) not in found:
            raise Wrong(f"{what}{which}: it is of {log}, of which there is no bundle")
        found[service_of(log)].append(held)
    return found


def verify_all(folder, key_file, held_files, receipt_files):
    """Verifies the bundle in a folder, or all those in folders in it. What is held is held against the bundle of its service."""
    receipts = [receipt for file in receipt_files for receipt in split_receipts(file)]
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    if (folder / "checkpoint").exists() or not folders:
        return [verify(folder, key_file, held_files, receipts)]
    first_line = lambda text: text.split("\n", 1)[0]
    logs = {path: first_line((path / "checkpoint").read_text()) for path in folders}
    if any(service_of(log).rpartition("/")[2] != path.name for path, log in logs.items()):
        raise Wrong("a bundle is in the folder of another service")
    services = {service_of(log) for log in logs.values()}
    if len({(service_of(service_of(log)), log.rpartition("/")[2]) for log in logs.values()}) > 1:
        raise Wrong(f"the bundles are not of one portal: {', '.join(logs.values())}")
    held = [(first_line(pathlib.Path(file).read_text()), file, file) for file in held_files]
    held = of_services(services, held, "held ")
    kept = [(first_line(note).removeprefix("log "), what, (what, note)) for what, note in receipts]
    kept = of_services(services, kept, "")
    return [verify(path, key_file, held[service_of(log)], kept[service_of(log)]) for path, log in logs.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--key")
    parser.add_argument("--held", action="append", default=[])
    parser.add_argument("--receipt", action="append", default=[])
    asked = parser.parse_args()
    try:
        found = verify_all(asked.bundle, asked.key, asked.held, asked.receipt)
    except FileNotFoundError as error:
        return print(f"wrong: {error.filename} is missing", file=sys.stderr) or 9
    except OSError as error:
        return print(error, file=sys.stderr) or 2
    except Wrong as wrong:
        return print(f"wrong: {wrong}", file=sys.stderr) or 9
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return print(f"wrong: a file of the bundle cannot be read: {error!r}", file=sys.stderr) or 9
    for log, size, first, receipts in found:
        pruned = f", of which the first {first} were pruned" if first else ""
        print(f"good: {size} entries of {log}{pruned}" + (f"; receipts fulfilled: {receipts}" if receipts else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
