// Package shard reads WebDataset's shards: tar archives in which the files of a sample follow each other and share the name up to
// the first point. They are streamed; nothing is unpacked to the disk.
package shard

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// mostURLs bounds what a pattern may expand to.
const mostURLs = 1_000_000

// Expand gives the files that patterns name, in order: braces as in a shell ("train-{000..012}.tar", "{train,extra}.tar"), "::"
// between patterns as webdataset has it, and *, ? and [] as in filepath.Match, whose files come sorted. What a pattern with one of
// those names must exist.
func Expand(patterns []string) ([]string, error) {
	var all []string
	for _, list := range patterns {
		for _, pattern := range strings.Split(list, "::") {
			names, err := braces(pattern)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", pattern, err)
			}
			for _, name := range names {
				if !strings.ContainsAny(name, "*?[") {
					all = append(all, name)
					continue
				}
				found, err := filepath.Glob(name)
				if err != nil {
					return nil, fmt.Errorf("%q: %w", name, err)
				}
				if len(found) == 0 {
					return nil, fmt.Errorf("no file matches %q", name)
				}
				all = append(all, found...)
			}
			if len(all) > mostURLs {
				return nil, fmt.Errorf("%q: it names more than %d files", pattern, mostURLs)
			}
		}
	}
	return all, nil
}

// sequence is from..to or from..to..step.
var sequence = regexp.MustCompile(`^(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?$`)

// braces expands the first group of braces and what follows it.
func braces(s string) ([]string, error) {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		return []string{s}, nil
	}
	depth, end := 0, -1
	cuts := []int{open}
	for i := open; i < len(s) && end < 0; i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				end = i
			}
		case ',':
			if depth == 1 {
				cuts = append(cuts, i)
			}
		}
	}
	if end < 0 {
		return nil, fmt.Errorf("a brace is not closed")
	}
	rest, err := braces(s[end+1:])
	if err != nil {
		return nil, err
	}
	var inner []string
	if len(cuts) > 1 {
		for k, from := range cuts {
			to := end
			if k+1 < len(cuts) {
				to = cuts[k+1]
			}
			part, err := braces(s[from+1 : to])
			if err != nil {
				return nil, err
			}
			inner = append(inner, part...)
		}
	} else if inner, err = numbers(s[open+1 : end]); err != nil {
		return nil, err
	}
	if len(inner)*len(rest) > mostURLs {
		return nil, fmt.Errorf("it names more than %d files", mostURLs)
	}
	var all []string
	for _, a := range inner {
		for _, b := range rest {
			all = append(all, s[:open]+a+b)
		}
	}
	return all, nil
}

// numbers expands 000..012 to numbers as wide as the wider end.
func numbers(s string) ([]string, error) {
	m := sequence.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("{%s} is no range such as {000..012} and no list such as {a,b}", s)
	}
	from, err1 := strconv.Atoi(m[1])
	to, err2 := strconv.Atoi(m[2])
	step := 1
	var err3 error
	if m[3] != "" {
		step, err3 = strconv.Atoi(m[3])
	}
	if err1 != nil || err2 != nil || err3 != nil || step == 0 {
		return nil, fmt.Errorf("{%s} is no range", s)
	}
	step = max(step, -step)
	if n := (max(from, to) - min(from, to)) / step; n < 0 || n >= mostURLs {
		return nil, fmt.Errorf("it names more than %d files", mostURLs)
	}
	width := 0
	if padded(m[1]) || padded(m[2]) {
		width = max(len(m[1]), len(m[2]))
	}
	var all []string
	for i := from; from <= to && i <= to || from > to && i >= to; {
		all = append(all, fmt.Sprintf("%0*d", width, i))
		if from <= to {
			i += step
		} else {
			i -= step
		}
	}
	return all, nil
}

func padded(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return len(s) > 1 && s[0] == '0'
}
