// Verifies a bundle that `hubkeep audit export` made, or a folder with those of both services, with the note and tlog packages of
// the Go project.
//
//	go run . [-key FILE] [-held FILE] [-receipt FILE] BUNDLE
//
// Ends with 0 if the bundle is what was signed, with 9 if it is not, and with 2 if it cannot be used.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What a checkpoint says.
type checkpoint struct {
	origin string
	tlog.Tree
}

// How the log stands in the heads, as head.json says it. encoding/json decodes []byte from base64.
type head struct {
	Checkpoint  string        `json:"checkpoint"`
	Leaf        []byte        `json:"leaf"`
	LeafIndex   int64         `json:"leaf_index"`
	LeafProof   [][]byte      `json:"leaf_proof"`
	Line        string        `json:"line"`
	LineIndex   int64         `json:"line_index"`
	LineProof   [][]byte      `json:"line_proof"`
	Consistency []consistency `json:"consistency"`
	Named       []named       `json:"named"`
}

type consistency struct {
	Sizes  [2]int64 `json:"sizes"`
	Hashes [][]byte `json:"hashes"`
}

// A root that the first so many leaves must have, and who says so.
type claim struct {
	tlog.Tree
	who string
}

func main() {
	keyFile := flag.String("key", "", "the verifier keys that you trust, one a line [those of the bundle]")
	heldFile := flag.String("held", "", "a checkpoint that you kept from before")
	receiptFile := flag.String("receipt", "", "receipts that you kept of writes, one after the other")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	found, err := verifyAll(flag.Arg(0), *keyFile, *heldFile, *receiptFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "wrong:", err)
		os.Exit(9)
	}
	for _, good := range found {
		fmt.Println(good)
	}
}

// What a bundle was found to be.
type verified struct {
	log      checkpoint
	first    int64
	receipts int
}

func (v verified) String() string {
	said := fmt.Sprintf("good: %d entries of %s", v.log.N, v.log.origin)
	if v.first > 0 {
		said += fmt.Sprintf(", of which the first %d were pruned", v.first)
	}
	if v.receipts > 0 {
		said += fmt.Sprintf("; receipts fulfilled: %d", v.receipts)
	}
	return said
}

func verify(bundle, keyFile, heldFile string, receipts []kept) (verified, error) {
	if keyFile == "" {
		keyFile = filepath.Join(bundle, "keys.txt")
	}
	keys, err := readKeys(keyFile)
	if err != nil {
		return verified{}, err
	}
	log, err := readCheckpoint(filepath.Join(bundle, "checkpoint"), keys)
	if err != nil {
		return verified{}, err
	}
	claims := []claim{{log.Tree, "the checkpoint"}}
	heads, told, err := readHead(filepath.Join(bundle, "head.json"), keys, log, &claims)
	if err != nil {
		return verified{}, fmt.Errorf("heads: %w", err)
	}
	if heldFile != "" {
		if err := hold(heldFile, keys, log, heads, told, &claims); err != nil {
			return verified{}, err
		}
	}
	first, stored, err := readPruned(bundle, log, &claims)
	if err != nil {
		return verified{}, fmt.Errorf("pruned: %w", err)
	}
	promises, err := readReceipts(receipts, keys, log, first)
	if err != nil {
		return verified{}, err
	}
	err = checkLeaves(filepath.Join(bundle, "leaves"), first, stored, log, claims, promises)
	return verified{log, first, len(receipts)}, err
}

// hold claims what a checkpoint says that is held: of the log, or of heads that name it.
func hold(file string, keys note.Verifiers, log, heads checkpoint, told *head, claims *[]claim) error {
	held, err := readCheckpoint(file, keys)
	if err != nil {
		return err
	}
	switch {
	case held.origin == log.origin && held.N > log.N:
		return fmt.Errorf("you hold %d entries, and the bundle has %d: it was cut", held.N, log.N)
	case held.origin == log.origin:
		*claims = append(*claims, claim{held.Tree, "the checkpoint that you hold"})
	case told != nil && held.origin == heads.origin:
		if err := grown(told, heads, held); err != nil {
			return err
		}
		if err := told.named(log, heads, held, claims); err != nil {
			return fmt.Errorf("the heads that you hold: %w", err)
		}
	default:
		return fmt.Errorf("you hold one of %s, of which the bundle has nothing", held.origin)
	}
	return nil
}

func readKeys(file string) (note.Verifiers, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []note.Verifier
	for line := range strings.Lines(string(text)) {
		verifier, err := note.NewVerifier(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

func readCheckpoint(file string, keys note.Verifiers) (checkpoint, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return checkpoint{}, err
	}
	read, err := openCheckpoint(text, keys)
	if err != nil {
		return checkpoint{}, fmt.Errorf("%s: %w", file, err)
	}
	return read, nil
}

func openCheckpoint(text []byte, keys note.Verifiers) (checkpoint, error) {
	opened, err := note.Open(text, keys)
	if err != nil {
		return checkpoint{}, err
	}
	return readBody(opened.Text)
}

func readBody(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return checkpoint{}, errors.New("it is no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return checkpoint{}, err
	}
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: root}}, nil
}

// readHead checks how the log stands in the heads, if the bundle says so, and adds what they claim.
func readHead(file string, keys note.Verifiers, log checkpoint, claims *[]claim) (checkpoint, *head, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return checkpoint{}, nil, nil
	}
	if err != nil {
		return checkpoint{}, nil, err
	}
	var told head
	if err := json.Unmarshal(text, &told); err != nil {
		return checkpoint{}, nil, err
	}
	heads, err := openCheckpoint([]byte(told.Checkpoint), keys)
	if err != nil {
		return checkpoint{}, nil, err
	}
	if cut := strings.LastIndex(log.origin, "/"); cut < 0 || heads.origin != log.origin[:cut]+"/heads" {
		return checkpoint{}, nil, fmt.Errorf("they are those of %s", heads.origin)
	}
	proof, err := hashes(told.LeafProof)
	if err != nil {
		return checkpoint{}, nil, err
	}
	if err := tlog.CheckRecord(proof, heads.N, heads.Hash, told.LeafIndex, tlog.RecordHash(told.Leaf)); err != nil {
		return checkpoint{}, nil, fmt.Errorf("the leaf: %w", err)
	}
	lines, err := readBody(string(told.Leaf))
	if err != nil || lines.origin != "hubkeep heads/1" {
		return checkpoint{}, nil, errors.New("the leaf is of another kind")
	}
	if proof, err = hashes(told.LineProof); err != nil {
		return checkpoint{}, nil, err
	}
	if err := tlog.CheckRecord(proof, lines.N, lines.Hash, told.LineIndex, tlog.RecordHash([]byte(told.Line))); err != nil {
		return checkpoint{}, nil, fmt.Errorf("the line: %w", err)
	}
	line, err := readBody(told.Line)
	if err != nil {
		return checkpoint{}, nil, err
	}
	if line.origin != log.origin {
		return checkpoint{}, nil, fmt.Errorf("the line is about %s", line.origin)
	}
	if line.N > log.N {
		return checkpoint{}, nil, fmt.Errorf("they name %d entries, and the bundle has %d", line.N, log.N)
	}
	*claims = append(*claims, claim{line.Tree, "the heads"})
	return heads, &told, nil
}

// grown checks that the heads only add to those that are held.
func grown(told *head, heads, held checkpoint) error {
	var proof tlog.TreeProof
	for _, given := range told.Consistency {
		if given.Sizes == [2]int64{held.N, heads.N} {
			read, err := hashes(given.Hashes)
			if err != nil {
				return err
			}
			proof = tlog.TreeProof(read)
		}
	}
	if err := tlog.CheckTree(proof, heads.N, heads.Hash, held.N, held.Hash); err != nil {
		return fmt.Errorf("the heads do not grow out of those that you hold: %w", err)
	}
	return nil
}

func hashes(encoded [][]byte) (tlog.RecordProof, error) {
	var proof tlog.RecordProof
	for _, bytes := range encoded {
		if len(bytes) != tlog.HashSize {
			return nil, errors.New("a hash has another length")
		}
		proof = append(proof, tlog.Hash(bytes))
	}
	return proof, nil
}

// checkLeaves reads the leaves once, compares the roots over the first ones with every claim, and each with what is promised of it.
func checkLeaves(file string, first int64, stored *stack, log checkpoint, claims []claim, promises map[int64][]promise) error {
	opened, err := os.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	reader := bufio.NewReader(opened)
	for count := first; ; count++ {
		for _, claim := range claims {
			if claim.N != count {
				continue
			}
			root, err := tlog.TreeHash(count, stored)
			if err != nil {
				return err
			}
			if root != claim.Hash {
				return fmt.Errorf("the first %d leaves are not those of %s: one was changed, moved, put in or left out", count, claim.who)
			}
		}
		leaf, err := readLeaf(reader)
		if err == io.EOF {
			if count != log.N {
				return fmt.Errorf("the leaves end before index %d, and the checkpoint says %d", count, log.N)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("leaves: the last is cut: %w", err)
		}
		if count == log.N {
			return fmt.Errorf("there are more leaves than the %d of the checkpoint", log.N)
		}
		for _, promise := range promises[count] {
			if tlog.RecordHash(leaf) != promise.leaf {
				return fmt.Errorf("%s: another entry than the one that it promises stands at index %d", promise.who, count)
			}
		}
		added, err := tlog.StoredHashes(count, leaf, stored)
		if err != nil {
			return err
		}
		stored.add(count, added)
	}
}

func readLeaf(reader io.Reader) ([]byte, error) {
	var length uint16
	if err := binary.Read(reader, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	leaf := make([]byte, length)
	if _, err := io.ReadFull(reader, leaf); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return leaf, nil
}

// stack keeps the newest hash of each level, which is all that roots and further leaves need.
type stack struct {
	numbers []int64
	hashes  []tlog.Hash
}

func (s *stack) add(count int64, added []tlog.Hash) {
	for level, hash := range added {
		if level == len(s.hashes) {
			s.numbers, s.hashes = append(s.numbers, 0), append(s.hashes, hash)
		}
		s.numbers[level], s.hashes[level] = count>>level, hash
	}
}

// ReadHashes implements tlog.HashReader.
func (s *stack) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		level, number := tlog.SplitStoredHashIndex(index)
		if level >= len(s.hashes) || s.numbers[level] != number {
			return nil, fmt.Errorf("hash %d is not kept", index)
		}
		read = append(read, s.hashes[level])
	}
	return slices.Clip(read), nil
}
