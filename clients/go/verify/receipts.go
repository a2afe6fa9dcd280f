package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The first line of each receipt.
const receiptKind = "hubkeep receipt/1\n"

// A leaf that must stand at an index, and which receipt says so.
type promise struct {
	who  string
	leaf tlog.Hash
}

// A receipt as somebody has kept it: which it is, and its note without the first line. Nobody has looked at its signature.
type kept struct {
	who, rest string
}

// log gives the log that a receipt says it is of.
func (k kept) log() string {
	line, _, _ := strings.Cut(k.rest, "\n")
	return strings.TrimPrefix(line, "log ")
}

// splitReceipts gives the receipts in a file.
func splitReceipts(file string) ([]kept, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	notes := strings.Split("\n"+string(text), "\n"+receiptKind)
	if strings.Trim(notes[0], "\n") != "" || len(notes) == 1 {
		return nil, fmt.Errorf("receipt 1 in %s: it does not begin with %q", file, receiptKind)
	}
	var receipts []kept
	for number, rest := range notes[1:] {
		receipts = append(receipts, kept{fmt.Sprintf("receipt %d in %s", number+1, file), rest})
	}
	return receipts, nil
}

// readReceipts gives what receipts promise, by index. Each must be signed, and be of an entry that the bundle has.
func readReceipts(receipts []kept, keys note.Verifiers, log checkpoint, first int64) (map[int64][]promise, error) {
	promises := map[int64][]promise{}
	for _, receipt := range receipts {
		who := receipt.who
		opened, err := note.Open([]byte(receiptKind+strings.Trim(receipt.rest, "\n")+"\n"), keys)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", who, err)
		}
		origin, index, leaf, err := readReceipt(opened.Text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", who, err)
		case origin != log.origin:
			return nil, fmt.Errorf("%s: it is of %s, of which the bundle has nothing", who, origin)
		case index < first:
			return nil, fmt.Errorf("%s: its entry, with index %d, was pruned: the bundle begins at %d", who, index, first)
		case index >= log.N:
			return nil, fmt.Errorf("%s: it promises an entry with index %d, and the bundle has %d: is it older, or was the log cut?", who, index, log.N)
		}
		promises[index] = append(promises[index], promise{who, leaf})
	}
	return promises, nil
}

// readReceipt gives what the text of a receipt says: of which log, at which index, the hash of which leaf.
func readReceipt(text string) (string, int64, tlog.Hash, error) {
	none := errors.New("it is signed, and is no receipt")
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || lines[0]+"\n" != receiptKind || lines[5] != "" {
		return "", 0, tlog.Hash{}, none
	}
	var values [4]string
	for at, name := range [4]string{"log ", "index ", "leaf ", "time "} {
		value, found := strings.CutPrefix(lines[at+1], name)
		if !found {
			return "", 0, tlog.Hash{}, none
		}
		values[at] = value
	}
	index, err := strconv.ParseInt(values[1], 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != values[1] {
		return "", 0, tlog.Hash{}, none
	}
	leaf, err := tlog.ParseHash(values[2])
	if err != nil {
		return "", 0, tlog.Hash{}, none
	}
	return values[0], index, leaf, nil
}
