package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/runner"
)

// report writes the error a command ended with: for a person, with the lines of the configuration that it is about, or
// as lines of JSON.
func (p *program) report(err error, code int) {
	problems, sources := configProblems(err)
	switch {
	case p.json && problems != nil:
		for _, d := range problems {
			p.reportJSON(d, code)
		}
	case p.json:
		p.log.Error().Int("exit_code", code).Msg(err.Error())
	case problems != nil:
		problems.Render(p.console, sources, p.console.Color())
		if n := count(problems, diag.Error); n > 1 {
			fmt.Fprintf(p.console, "%s %d errors in the configuration\n", p.errorWord(), n)
		}
	default:
		fmt.Fprintf(p.console, "%s %s\n", p.errorWord(), strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n   "))
	}
}

func (p *program) errorWord() string {
	if p.console.Color() {
		return "\x1b[31;1merror:\x1b[0m"
	}
	return "error:"
}

// configProblems are the problems of a configuration that an error consists of, with the texts they point into.
func configProblems(err error) (diag.List, diag.Sources) {
	var c *runner.ConfigError
	if errors.As(err, &c) {
		return c.Problems, c.Sources
	}
	var l diag.List
	var d diag.Diagnostic
	if errors.As(err, &l) || errors.As(err, &d) {
		return diag.AsList(err), nil
	}
	return nil, nil
}

func count(l diag.List, s diag.Severity) int {
	n := 0
	for _, d := range l {
		if d.Severity == s {
			n++
		}
	}
	return n
}

func (p *program) reportJSON(d diag.Diagnostic, code int) {
	event := p.log.Error()
	if d.Severity == diag.Warning {
		event = p.log.Warn()
	} else {
		event.Int("exit_code", code)
	}
	if d.Pos.IsValid() {
		event.Str("source", d.Pos.Source)
	}
	if d.Pos.Line > 0 {
		event.Int("line", d.Pos.Line).Int("column", d.Pos.Col)
	}
	if d.Path != "" {
		event.Str("path", d.Path)
	}
	if d.Hint != "" {
		event.Str("hint", d.Hint)
	}
	if len(d.Notes) > 0 {
		notes := zerolog.Arr()
		for _, n := range d.Notes {
			notes.Str(n.String())
		}
		event.Array("notes", notes)
	}
	event.Msg(d.Msg)
}
