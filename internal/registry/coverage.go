package registry

import (
	"bytes"
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

// coverageText names the modules of known.txt that the page of coverage goes through, and why some of their names are no
// components here.
//
//go:embed coverage.txt
var coverageText string

// reason says why names of a library are no components. Outside ones can have no place in a configuration, or are left out of the
// catalogue on purpose; the others are missing.
type reason struct {
	pattern string // a target, in which * stands for any characters
	outside bool
	text    string
}

func (r reason) covers(target string) bool {
	ok, _ := path.Match(r.pattern, target)
	return ok
}

// coverage is what coverage.txt holds: lines `module NAME`, `outside PATTERN: why` and `missing PATTERN: why`; # begins a comment.
func coverage() (modules []string, reasons []reason) {
	for line := range strings.Lines(coverageText) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "module":
			modules = append(modules, rest)
		case "outside", "missing":
			pattern, text, _ := strings.Cut(rest, ": ")
			reasons = append(reasons, reason{pattern, word == "outside", text})
		}
	}
	return modules, reasons
}

// reasonFor is why a name is no component, "" when coverage.txt does not say.
func reasonFor(target string) string {
	_, reasons := coverage()
	if i := slices.IndexFunc(reasons, func(r reason) bool { return r.covers(target) }); i >= 0 {
		return reasons[i].text
	}
	return ""
}

// Covered is how much of a library's module is here.
type Covered struct {
	Module        string
	Done, Missing int
	Unexplained   []string // names that are neither here nor have a reason
	rows          [][2]string
}

// Share is the part of the names in scope that are done, 0 to 1.
func (c Covered) Share() float64 {
	return float64(c.Done) / float64(max(1, c.Done+c.Missing+len(c.Unexplained)))
}

// Coverage compares the components of this program with the names of the modules that coverage.txt lists. unused are the reasons
// that explain no name.
func Coverage() (all []Covered, unused []string) {
	modules, reasons := coverage()
	used := map[string]bool{}
	for _, m := range modules {
		c := Covered{Module: m}
		for _, name := range knownModules()[m] {
			target := m + "." + name
			i := slices.IndexFunc(reasons, func(r reason) bool { return r.covers(target) })
			_, here := Lookup(target)
			switch {
			case here:
				c.Done++
				c.rows = append(c.rows, [2]string{name, "done"})
				continue
			case i < 0:
				c.Unexplained = append(c.Unexplained, target)
				c.rows = append(c.rows, [2]string{name, "missing"})
				continue
			case !reasons[i].outside:
				c.Missing++
			}
			used[reasons[i].pattern] = true
			c.rows = append(c.rows, [2]string{name, reasons[i].text})
		}
		all = append(all, c)
	}
	for _, r := range reasons {
		if !used[r.pattern] {
			unused = append(unused, r.pattern)
		}
	}
	return all, unused
}

// coveragePage is the page of the reference that shows [Coverage].
func coveragePage() []byte {
	var page bytes.Buffer
	fmt.Fprint(&page, generated+"# Coverage\n\nWhich names of PyTorch and torchmetrics are components here: each is done, or the reason stands beside it. Names that can "+
		"have no place in a configuration don't count.\n\n| module | done | of |\n|---|---|---|\n")
	all, _ := Coverage()
	for _, c := range all {
		fmt.Fprintf(&page, "| [%s](#%s) | %d | %d |\n", c.Module, strings.ReplaceAll(c.Module, ".", ""), c.Done, c.Done+c.Missing+len(c.Unexplained))
	}
	for _, c := range all {
		fmt.Fprintf(&page, "\n## %s\n\n| name | |\n|---|---|\n", c.Module)
		for _, r := range c.rows {
			fmt.Fprintf(&page, "| `%s` | %s |\n", r[0], r[1])
		}
	}
	return page.Bytes()
}
