package main

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// What heads of some size say of the log, as head.json says it: the last leaf that they cover.
type named struct {
	Size      int64       `json:"size"`
	Leaf      []byte      `json:"leaf"`
	LeafProof [][]byte    `json:"leaf_proof"`
	Lines     []namedLine `json:"lines"`
}

// A line of a leaf of heads: of the log, or else one beside which it would stand.
type namedLine struct {
	Line  string   `json:"line"`
	Index int64    `json:"index"`
	Proof [][]byte `json:"proof"`
}

// named claims what heads that are held say of the log. Where they do not name it, that must be proven.
func (h *head) named(log, heads, held checkpoint, claims *[]claim) error {
	var told *named
	for at := range h.Named {
		if h.Named[at].Size == held.N {
			told = &h.Named[at]
		}
	}
	if told == nil {
		if held.N == 0 || held.N == heads.N && h.LeafIndex+1 == held.N {
			return nil
		}
		return errors.New("the bundle does not say how the log stood in them: export it again with them as --held")
	}
	lines, err := told.check(held)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if line.origin != log.origin {
			continue
		}
		if line.N > log.N {
			return fmt.Errorf("they name %d entries, and the bundle has %d: it was cut", line.N, log.N)
		}
		*claims = append(*claims, claim{line.Tree, "the heads that you hold"})
		return nil
	}
	if !told.between(lines, log.origin) {
		return errors.New("it is not proven how the log stood in them: an auditor can export that")
	}
	return nil
}

// check gives what the lines say, once it is proven that they are among those that the held heads name.
func (n *named) check(held checkpoint) ([]checkpoint, error) {
	proof, err := hashes(n.LeafProof)
	if err != nil {
		return nil, err
	}
	if err := tlog.CheckRecord(proof, held.N, held.Hash, held.N-1, tlog.RecordHash(n.Leaf)); err != nil {
		return nil, fmt.Errorf("their last leaf: %w", err)
	}
	leaf, err := readBody(string(n.Leaf))
	if err != nil || leaf.origin != "hubkeep heads/1" {
		return nil, errors.New("their last leaf is of another kind")
	}
	var lines []checkpoint
	for _, line := range n.Lines {
		if proof, err = hashes(line.Proof); err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(proof, leaf.N, leaf.Hash, line.Index, tlog.RecordHash([]byte(line.Line))); err != nil {
			return nil, fmt.Errorf("a line: %w", err)
		}
		read, err := readBody(line.Line)
		if err != nil {
			return nil, fmt.Errorf("a line: %w", err)
		}
		lines = append(lines, read)
	}
	return lines, nil
}

// between says whether a log of this name would stand right between the lines, which are sorted by name.
func (n *named) between(lines []checkpoint, log string) bool {
	leaf, err := readBody(string(n.Leaf))
	if err != nil {
		return false
	}
	switch len(lines) {
	case 1:
		index, name := n.Lines[0].Index, lines[0].origin
		return index == 0 && log < name || index == leaf.N-1 && name < log
	case 2:
		return n.Lines[0].Index+1 == n.Lines[1].Index && lines[0].origin < log && log < lines[1].origin
	}
	return false
}
