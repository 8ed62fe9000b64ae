// Package diag describes problems in a configuration: where they are, what is wrong and what would be right.
//
// A problem is a [Diagnostic]; everything that reads a configuration collects them in a [List], so that all of them
// are reported in one go. Rendering them with the source line and a marker is [List.Render].
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pos is a range on one line of a source. The zero Pos is an unknown place.
type Pos struct {
	Source string // a file's path as the user gave it, or "argument 3" for an override on the command line
	Line   int    // 1-based; 0 when only the source is known
	Col    int    // 1-based, in characters
	Len    int    // in characters; 0 marks one character
}

// IsValid reports whether the source is known.
func (p Pos) IsValid() bool { return p.Source != "" }

// String is "file:line:col", "argument 3" for an override, and "" for an unknown place.
func (p Pos) String() string {
	switch {
	case p.Source == "" || p.Line == 0 || IsArgument(p.Source):
		return p.Source
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.Source, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.Source, p.Line, p.Col)
}

// Compare orders places of one source by line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

const argument = "argument "

// Argument names the n-th input, 1-based, as the source of an override.
func Argument(n int) string { return fmt.Sprintf("%s%d", argument, n) }

// IsArgument reports whether a source is an override and not a file.
func IsArgument(source string) bool { return strings.HasPrefix(source, argument) }

// Severity tells what stops a run from what is only worth a line.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Note is a second place that explains a problem, such as where a value was overridden.
type Note struct {
	Pos Pos
	Msg string
}

// Diagnostic is one problem. It is an error.
type Diagnostic struct {
	Severity Severity
	Pos      Pos
	Path     string // the key's path in the configuration, such as "model::optimizer::lr"; may be empty
	Msg      string // what is wrong: lower case, one line
	Hint     string // what would be right, such as `did you mean "lr"?`; may be empty or several lines
	Notes    []Note
	Err      error // the cause, when another error is behind it; its text is not printed again
}

// Error is "file:line:col: message".
func (d Diagnostic) Error() string {
	if at := d.Pos.String(); at != "" {
		return at + ": " + d.Msg
	}
	return d.Msg
}

// Line is the problem with its notes and its hint on one line.
func (d Diagnostic) Line() string {
	text := d.Error()
	for _, n := range d.Notes {
		text += "; " + n.String()
	}
	if d.Hint != "" {
		text += "; " + strings.ReplaceAll(d.Hint, "\n", " ")
	}
	return text
}

// Unwrap returns the cause.
func (d Diagnostic) Unwrap() error { return d.Err }

// List is a set of problems. As an error it is all of them, one line each.
type List []Diagnostic

// Add appends problems.
func (l *List) Add(ds ...Diagnostic) { *l = append(*l, ds...) }

// Errorf appends an error and returns it, so that a hint or notes can be set at once.
// The pointer is valid until the next append.
func (l *List) Errorf(pos Pos, path, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Pos: pos, Path: path, Msg: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warnf appends a warning and returns it, as [List.Errorf] does.
func (l *List) Warnf(pos Pos, path, format string, args ...any) *Diagnostic {
	d := l.Errorf(pos, path, format, args...)
	d.Severity = Warning
	return d
}

// Sort orders the list: sources in the order given, then those not named in it as they first appear, then line and
// column. Problems of equal places keep their order; exact repetitions are dropped. It returns the list.
func (l List) Sort(sources ...string) List {
	rank := make(map[string]int, len(sources))
	for _, s := range sources {
		if _, ok := rank[s]; !ok {
			rank[s] = len(rank)
		}
	}
	for _, d := range l {
		if _, ok := rank[d.Pos.Source]; !ok {
			rank[d.Pos.Source] = len(rank)
		}
	}
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(rank[a.Pos.Source], rank[b.Pos.Source]), a.Pos.Compare(b.Pos))
	})
	type key struct {
		severity       Severity
		pos            Pos
		path, msg, fix string
	}
	seen := make(map[key]bool, len(l))
	return slices.DeleteFunc(l, func(d Diagnostic) bool {
		k := key{d.Severity, d.Pos, d.Path, d.Msg, d.Hint}
		if seen[k] {
			return true
		}
		seen[k] = true
		return false
	})
}

// HasErrors reports whether any problem is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err is the list when it holds an error, else nil.
func (l List) Err() error {
	if l.HasErrors() {
		return l
	}
	return nil
}

// Error is every problem, one line each.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
		if d.Severity == Warning {
			lines[i] = strings.TrimSuffix(lines[i], d.Msg) + "warning: " + d.Msg
		}
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems, for errors.Is and errors.As.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, d := range l {
		errs[i] = d
	}
	return errs
}

// Sources holds the text of every source by its name, for rendering.
type Sources map[string][]byte

// AsList is any error as a list: the problems it holds, or one without a place. nil is an empty list.
func AsList(err error) List {
	if err == nil {
		return nil
	}
	var l List
	if errors.As(err, &l) {
		return l
	}
	var d Diagnostic
	if errors.As(err, &d) {
		return List{d}
	}
	return List{{Msg: err.Error(), Err: err}}
}
