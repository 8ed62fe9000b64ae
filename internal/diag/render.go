package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// maxColumns is how much of a source line is shown.
const maxColumns = 100

const tabStop = 4

type style struct{ err, warn, mark, dim, bold, off string }

var ansi = style{err: "\x1b[31;1m", warn: "\x1b[33;1m", mark: "\x1b[32m", dim: "\x1b[2m", bold: "\x1b[1m", off: "\x1b[0m"}

// Render writes every problem with its source line, a marker under the place, the key's path, the hint and the notes:
//
//	base.yaml:31:9: unknown field "learning_rate" for torch.optim.Adam
//	   31 |         learning_rate: 0.001
//	      |         ~~~~~~~~~~~~~
//	   in model::optimizer
//	   did you mean "lr"?
//	   note: torch.optim.Adam is set at base.yaml:29:18
//
// Tabs are shown as spaces, wide characters get markers of their width, and a long line is cut around the place.
// color asks for ANSI colours. Errors of w are ignored.
func (l List) Render(w io.Writer, src Sources, color bool) {
	var s style
	if color {
		s = ansi
	}
	for _, d := range l {
		d.render(w, src, s)
	}
}

func (d Diagnostic) render(w io.Writer, src Sources, s style) {
	if at := d.Pos.String(); at != "" {
		fmt.Fprintf(w, "%s%s:%s ", s.bold, printable(at), s.off)
	}
	if d.Severity == Warning {
		fmt.Fprintf(w, "%swarning:%s ", s.warn, s.off)
	}
	msg := d.Msg
	if s != (style{}) && d.Severity == Error {
		msg = s.err + d.Msg + s.off
	}
	fmt.Fprintln(w, msg)
	if text, ok := line(src[d.Pos.Source], d.Pos.Line); ok {
		number := fmt.Sprint(d.Pos.Line)
		if IsArgument(d.Pos.Source) {
			number = ""
		}
		shown, mark := excerpt(text, d.Pos)
		gutter := strings.Repeat(" ", 3+len(number))
		fmt.Fprintf(w, "   %s%s |%s %s\n", s.dim, number, s.off, shown)
		if mark != "" {
			fmt.Fprintf(w, "%s%s |%s %s%s%s\n", gutter, s.dim, s.off, s.mark, mark, s.off)
		}
	}
	if d.Path != "" && !strings.Contains(d.Msg, d.Path) {
		fmt.Fprintf(w, "   in %s\n", printable(d.Path))
	}
	for hint := range strings.Lines(d.Hint) {
		fmt.Fprintf(w, "   %s%s%s\n", s.mark, strings.TrimRight(hint, "\n"), s.off)
	}
	for _, n := range d.Notes {
		fmt.Fprintf(w, "   %snote:%s %s\n", s.bold, s.off, n)
	}
}

// String is the note's text and its place, unless the text names it already.
func (n Note) String() string {
	at := n.Pos.String()
	switch {
	case at == "" || strings.Contains(n.Msg, at):
		return n.Msg
	case IsArgument(n.Pos.Source):
		return n.Msg + " by " + at
	}
	return n.Msg + " at " + at
}

// line is the n-th line of a text, 1-based.
func line(text []byte, n int) (string, bool) {
	if n < 1 || text == nil {
		return "", false
	}
	for ; n > 1; n-- {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return "", false
		}
		text = text[i+1:]
	}
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return string(bytes.TrimSuffix(text, []byte("\r"))), true
}

// excerpt is what is shown of a source line, and the marker under it.
func excerpt(text string, p Pos) (shown, mark string) {
	const dots = "..."
	var (
		cells      []string // the characters as shown
		widths     []int
		from, to   = 0, 0 // the columns of the marker
		width, col = 0, 1
	)
	length := max(p.Len, 1)
	for i := 0; i < len(text); col++ {
		r, size := utf8.DecodeRuneInString(text[i:])
		cell, cw := string(r), runewidth.RuneWidth(r)
		switch {
		case r == '\t':
			cw = tabStop - width%tabStop
			cell = strings.Repeat(" ", cw)
		case r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.Is(unicode.M, r):
			cell, cw = "\ufffd", 1
		}
		if col == p.Col {
			from = width
		}
		width += cw
		if col >= p.Col && col < p.Col+length {
			to = width
		}
		cells, widths = append(cells, cell), append(widths, cw)
		i += size
	}
	if p.Col >= col { // past the end, where something is missing
		from, to = width, width+1
	}
	left := 0
	if width > maxColumns { // cut around the place, which stays whole where it fits
		left = max(0, min(from-maxColumns/3, width-maxColumns))
	}
	right := left + maxColumns
	var b strings.Builder
	at, start := 0, -1
	for i, cell := range cells {
		if at >= left && at+widths[i] <= right {
			if start < 0 {
				start = at
			}
			b.WriteString(cell)
		}
		at += widths[i]
	}
	shown = strings.TrimRight(b.String(), " ")
	if left > 0 {
		shown = dots + shown
	}
	if right < width {
		shown += dots
	}
	if p.Col == 0 {
		return shown, ""
	}
	offset := from - max(start, 0)
	if left > 0 {
		offset += len(dots)
	}
	return shown, strings.Repeat(" ", max(offset, 0)) + strings.Repeat("~", max(1, min(to, right)-from))
}

// printable replaces what would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, s)
}
