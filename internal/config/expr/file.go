package expr

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/syntax"
)

// MaxFile is how many bytes a file may have.
const MaxFile = 256 << 10

// File is a file of code, rewritten to Starlark. It is the same for every [Runtime] and never changes.
type File struct {
	Name   string
	Source string

	code  string
	marks []place
	lines []int // the offset at which each line of the source begins
}

// place says where in the source the code from a place on comes from.
type place struct {
	line, col int32 // of the code, 1-based, in characters
	offset    int   // in the source, in bytes
}

var fileOptions = syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, LoadBindsGlobally: true, Recursion: true}

// CompileFile rewrites a file of code. Its name is how messages call it. An error is a [diag.List] of all that is wrong.
func CompileFile(name, source string) (*File, error) {
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	f := &File{Name: name, Source: source}
	switch {
	case len(source) > MaxFile:
		return nil, diag.List{{Pos: diag.Pos{Source: name}, Msg: fmt.Sprintf("a file of code has at most %d bytes, this one has %d", MaxFile, len(source))}}
	case !utf8.ValidString(source):
		return nil, diag.List{{Pos: diag.Pos{Source: name}, Msg: "invalid UTF-8"}}
	case strings.Contains(source, "\x00"):
		return nil, diag.List{{Pos: diag.Pos{Source: name}, Msg: "source code cannot contain null bytes"}}
	}
	f.lines = []int{0}
	for i := range len(source) {
		if source[i] == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	r := &rewriter{source: source, limit: len(source), lines: true}
	r.startLine(len(source) - len(strings.TrimPrefix(source, "\ufeff")))
	r.statements("")
	var problems diag.List
	for _, e := range r.problems {
		pos := f.pos(e.offset)
		pos.Len = max(e.Len, 1)
		problems.Add(diag.Diagnostic{Pos: pos, Msg: e.Msg, Hint: e.Hint})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	f.write(r.body.lines)
	if _, err := fileOptions.Parse(name, f.code, 0); err != nil {
		return nil, f.syntaxError(err)
	}
	return f, nil
}

// write lays out the code and remembers where it comes from.
func (f *File) write(lines []line) {
	var b strings.Builder
	for i, l := range lines {
		indent := strings.Repeat(" ", l.indent)
		b.WriteString(indent)
		col := len(indent) + 1
		for _, p := range l.code {
			if p.offset >= 0 {
				f.marks = append(f.marks, place{int32(i + 1), int32(col), p.offset})
			}
			b.WriteString(p.text)
			col += utf8.RuneCountInString(p.text)
		}
		b.WriteByte('\n')
	}
	f.code = b.String()
}

// source is the place of the source that a place of the code comes from.
func (f *File) at(p syntax.Position) diag.Pos {
	i := sort.Search(len(f.marks), func(i int) bool {
		m := f.marks[i]
		return m.line > p.Line || m.line == p.Line && m.col > p.Col
	})
	if i == 0 || f.marks[i-1].line != p.Line { // before the first mark of its line
		if i == len(f.marks) {
			return diag.Pos{Source: f.Name}
		}
		i++
	}
	offset := f.marks[i-1].offset
	pos := f.pos(offset)
	r := &rewriter{source: f.Source, limit: len(f.Source), nest: 1, lines: true}
	t := r.scan(offset)
	pos.Len = max(utf8.RuneCountInString(f.Source[t.start:t.stop]), 1)
	return pos
}

// pos is an offset as line and column.
func (f *File) pos(offset int) diag.Pos {
	offset = min(offset, len(f.Source))
	n := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset })
	return diag.Pos{Source: f.Name, Line: n, Col: utf8.RuneCountInString(f.Source[f.lines[n-1]:offset]) + 1}
}

// line is a line of the source, without the space around it.
func (f *File) line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	text, _, _ := strings.Cut(f.Source[f.lines[n-1]:], "\n")
	return strings.TrimSpace(text)
}

// syntaxError is what Starlark's parser has against the code.
func (f *File) syntaxError(err error) error {
	d := diag.Diagnostic{Pos: diag.Pos{Source: f.Name}, Msg: err.Error(), Err: err}
	var s syntax.Error
	if errors.As(err, &s) {
		d.Pos, d.Msg = f.at(s.Pos), pythonWording(s.Msg)
	}
	return diag.List{d}
}
