package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// One of several bundles, and the name of its log: <deployment>/<service>/<portal>.
type part struct {
	folder, log string
}

// serviceOf gives whose log it is: <deployment>/<service>.
func serviceOf(log string) string {
	cut := strings.LastIndex(log, "/")
	if cut < 0 {
		return ""
	}
	return log[:cut]
}

// verifyAll verifies the bundle in a folder, or all those in folders in it. What is held is held against the bundle of its service.
func verifyAll(folder, keyFile, heldFile, receiptFile string) ([]verified, error) {
	receipts, err := splitReceipts(receiptFile)
	if err != nil {
		return nil, err
	}
	folders, err := foldersIn(folder)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(folder, "checkpoint")); err == nil || len(folders) == 0 {
		found, err := verify(folder, keyFile, heldFile, receipts)
		return []verified{found}, err
	}
	parts, err := readParts(folders)
	if err != nil {
		return nil, err
	}
	held, err := heldOf(parts, heldFile)
	if err != nil {
		return nil, err
	}
	of := map[string][]kept{}
	for _, receipt := range receipts {
		service := serviceOf(receipt.log())
		if !hasService(parts, service) {
			return nil, fmt.Errorf("%s: it is of %s, of which there is no bundle", receipt.who, receipt.log())
		}
		of[service] = append(of[service], receipt)
	}
	var found []verified
	for _, part := range parts {
		service, against := serviceOf(part.log), ""
		if service == held {
			against = heldFile
		}
		good, err := verify(part.folder, keyFile, against, of[service])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(part.folder), err)
		}
		found = append(found, good)
	}
	return found, nil
}

func foldersIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() {
			folders = append(folders, filepath.Join(folder, entry.Name()))
		}
	}
	return folders, err
}

// readParts reads of which logs the bundles are: each of the service that its folder is named after, all of one portal.
func readParts(folders []string) ([]part, error) {
	var parts []part
	for _, folder := range folders {
		log, err := firstLine(filepath.Join(folder, "checkpoint"))
		if err != nil {
			return nil, err
		}
		service := serviceOf(log)
		if filepath.Base(service) != filepath.Base(folder) {
			return nil, fmt.Errorf("%s: it is of %s, in a folder of another service", filepath.Base(folder), log)
		}
		if len(parts) > 0 {
			first := parts[0].log
			if serviceOf(service) != serviceOf(serviceOf(first)) || log[len(service):] != first[len(serviceOf(first)):] {
				return nil, fmt.Errorf("%s and %s are not of one portal", first, log)
			}
		}
		parts = append(parts, part{folder, log})
	}
	return parts, nil
}

// heldOf gives the service that a checkpoint is of that is held.
func heldOf(parts []part, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	log, err := firstLine(file)
	if err == nil && !hasService(parts, serviceOf(log)) {
		err = fmt.Errorf("you hold one of %s, of which there is no bundle", log)
	}
	return serviceOf(log), err
}

func hasService(parts []part, service string) bool {
	for _, part := range parts {
		if serviceOf(part.log) == service {
			return true
		}
	}
	return false
}

func firstLine(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, found := strings.Cut(string(text), "\n")
	if !found {
		return "", errors.New(file + ": it is no checkpoint")
	}
	return line, nil
}
