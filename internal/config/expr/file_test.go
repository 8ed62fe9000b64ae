package expr

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/diag"
)

// runFile runs a source and gives what it prints.
func runFile(t testing.TB, o Options, source string) (string, *Module, error) {
	t.Helper()
	f, err := CompileFile("test.star", source)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	o.Print = func(_ diag.Pos, text string) { b.WriteString(text + "\n") }
	m, err := NewRuntime(o).Run(f)
	return b.String(), m, err
}
