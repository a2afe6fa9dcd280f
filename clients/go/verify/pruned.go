package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// Entries go in whole bundles of so many.
const bundleSize = 256

// What was pruned of the log, as pruned.json says it: the leaves before FirstIndex, of which the whole subtrees are left.
type pruned struct {
	FirstIndex  int64         `json:"first_index"`
	Hashes      [][]byte      `json:"hashes"`
	Consistency []consistency `json:"consistency"`
}

// readPruned gives where the leaves begin and the tree over those that are gone. It adds what the entries claim that announce
// the pruning, and takes away what is claimed of leaves that are gone: that is proven by what is left of them.
func readPruned(bundle string, log checkpoint, claims *[]claim) (int64, *stack, error) {
	text, err := os.ReadFile(filepath.Join(bundle, "pruned.json"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, &stack{}, nil
	}
	if err != nil {
		return 0, nil, err
	}
	var told pruned
	if err := json.Unmarshal(text, &told); err != nil {
		return 0, nil, err
	}
	first := told.FirstIndex
	subtrees, err := hashes(told.Hashes)
	if err != nil {
		return 0, nil, err
	}
	if first <= 0 || first%bundleSize != 0 || len(subtrees) != bits.OnesCount64(uint64(first)) {
		return 0, nil, fmt.Errorf("its hashes are not what whole bundles of %d make up", bundleSize)
	}
	if err := announced(filepath.Join(bundle, "leaves"), first, claims); err != nil {
		return 0, nil, err
	}
	var left []claim
	for _, claimed := range *claims {
		if claimed.N == 0 || claimed.N >= first {
			left = append(left, claimed)
		} else if err := told.grown(log, claimed); err != nil {
			return 0, nil, err
		}
	}
	*claims = left
	return first, stackOver(first, subtrees), nil
}

// grown checks that the log only adds to what is claimed of leaves that are gone.
func (p *pruned) grown(log checkpoint, claimed claim) error {
	for _, given := range p.Consistency {
		if given.Sizes != [2]int64{claimed.N, log.N} {
			continue
		}
		proof, err := hashes(given.Hashes)
		if err != nil {
			return err
		}
		return tlog.CheckTree(tlog.TreeProof(proof), log.N, log.Hash, claimed.N, claimed.Hash)
	}
	return fmt.Errorf("the bundle has no proof from %s: export it again with it as --held", claimed.who)
}

// announced looks for entries that announce what is gone: one of them must announce all of it, and what any of them says of the
// log before it must be so.
func announced(file string, first int64, claims *[]claim) error {
	opened, err := os.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	reader := bufio.NewReader(opened)
	found := false
	for index := first; ; index++ {
		leaf, err := readLeaf(reader)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("leaves: the last is cut: %w", err)
		}
		below, tree, is := announcement(leaf)
		if !is || tree.N < first || tree.N > index {
			continue
		}
		*claims = append(*claims, claim{tree, "the entry that announces the pruning"})
		found = found || first <= below && below <= tree.N
	}
	if !found {
		return fmt.Errorf("no entry announces that those before %d go: they were lost, or taken away", first)
	}
	return nil
}

// announcement gives what an entry (phase ADMIN, operation AUDIT_PRUNE, result OK) says will go: below which index, and a
// checkpoint that covers it.
func announcement(leaf []byte) (int64, tlog.Tree, bool) {
	entry, ok := fields(leaf)
	if !ok || entry[3].number != 4 || entry[4].number != 81 || entry[18].number != 1 {
		return 0, tlog.Tree{}, false
	}
	pruning, ok := fields(entry[50].bytes)
	if !ok || len(pruning[6].bytes) != tlog.HashSize {
		return 0, tlog.Tree{}, false
	}
	return int64(pruning[2].number), tlog.Tree{N: int64(pruning[5].number), Hash: tlog.Hash(pruning[6].bytes)}, true
}

// A field of a protobuf message: a number, or bytes.
type field struct {
	number uint64
	bytes  []byte
}

// fields reads the fields of a protobuf message.
func fields(message []byte) (map[uint64]field, bool) {
	found := map[uint64]field{}
	for len(message) > 0 {
		tag, read := binary.Uvarint(message)
		if read <= 0 {
			return nil, false
		}
		message = message[read:]
		length := uint64(0)
		switch tag & 7 {
		case 0, 2:
			if length, read = binary.Uvarint(message); read <= 0 {
				return nil, false
			}
			message = message[read:]
			if tag&7 == 0 {
				found[tag>>3] = field{number: length}
				continue
			}
		case 1:
			length = 8
		case 5:
			length = 4
		default:
			return nil, false
		}
		if length > uint64(len(message)) {
			return nil, false
		}
		found[tag>>3] = field{bytes: message[:length]}
		message = message[length:]
	}
	return found, true
}

// stackOver is the stack over leaves that are gone, of which the whole subtrees are left, the largest first.
func stackOver(size int64, subtrees []tlog.Hash) *stack {
	levels := bits.Len64(uint64(size))
	s := &stack{numbers: make([]int64, levels), hashes: make([]tlog.Hash, levels)}
	for level := levels - 1; level >= 0; level-- {
		s.numbers[level] = -1
		if size>>level&1 == 1 {
			s.numbers[level], s.hashes[level] = size>>level-1, subtrees[0]
			subtrees = subtrees[1:]
		}
	}
	return s
}
