package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// The errors of Starlark's interpreter that are worded as Python's.
var (
	callPattern  = regexp.MustCompile(`^function (\S+) (accepts no arguments|accepts (?:at most )?\d+ positional arguments? \((\d+) given\)|got multiple values for parameter "?([^"]+)"?|got an unexpected keyword argument "?([^"]+)"?|missing \d+ arguments? \((.+)\))`)
	noCall       = regexp.MustCompile(`^invalid call of non-function \((.*)\)$`)
	unassigned   = regexp.MustCompile(`^(local|global) variable (\S+) referenced before assignment$`)
	notExported  = regexp.MustCompile(`^load: name (\S+) not found in module (.*?)(?: \(did you mean (.*)\?\))?$`)
	starlarkType = map[string]string{"NoneType": "NoneType", "string": "str", "builtin_function_or_method": "builtin_function_or_method"}
)

// pythonWording is what Python calls a mistake that Starlark's parser or resolver has found.
func pythonWording(msg string) string {
	switch {
	case msg == "required parameter may not follow optional":
		return "parameter without a default follows parameter with a default"
	case strings.HasPrefix(msg, "load: names with leading underscores are not exported: "):
		return fmt.Sprintf("'%s' is private to its file: its name begins with an underscore", msg[strings.LastIndexByte(msg, ' ')+1:])
	}
	if g := repeated.FindStringSubmatch(msg); g != nil {
		return "keyword argument repeated: " + g[1]
	}
	return msg
}

var repeated = regexp.MustCompile(`^keyword argument "?([^"]+)"? is repeated$`)

// reword gives Python's wording to an error of Starlark's own. own is the function in which it came up.
func (m *machine) reword(t *Traceback, own string) {
	if g := noCall.FindStringSubmatch(t.Msg); g != nil {
		name := g[1]
		if python, ok := starlarkType[name]; ok {
			name = python
		}
		t.Msg = fmt.Sprintf("'%s' object is not callable", name)
		return
	}
	if g := unassigned.FindStringSubmatch(t.Msg); g != nil {
		t.Msg = fmt.Sprintf("%s variable '%s' referenced before assignment", g[1], g[2])
		if g[1] == "local" {
			t.Hint = fmt.Sprintf("a function that assigns to '%s' has a variable of its own of that name", g[2])
		}
		return
	}
	if g := notExported.FindStringSubmatch(t.Msg); g != nil {
		t.Msg = fmt.Sprintf("%s has no '%s'", g[2], g[1])
		if g[3] != "" {
			t.Hint = fmt.Sprintf("did you mean %q?", g[3])
		}
		return
	}
	if g := callPattern.FindStringSubmatch(t.Msg); g != nil && g[1] == own && len(t.Frames) > 0 {
		m.rewordCall(t, g)
	}
}

// rewordCall words a call that doesn't fit its function, and places it at the call.
func (m *machine) rewordCall(t *Traceback, g []string) {
	def := m.definition(t.Frames[len(t.Frames)-1].at)
	if len(t.Frames) > 1 {
		t.Frames = t.Frames[:len(t.Frames)-1]
	} else {
		t.outside = true
	}
	name := functionName(g[1]) + "()"
	var positional, keyword []string
	required := 0
	star := false
	for _, p := range def {
		switch p := p.(type) {
		case *syntax.Ident:
			if star {
				keyword = append(keyword, p.Name)
			} else {
				positional = append(positional, p.Name)
				required++
			}
		case *syntax.BinaryExpr:
			if id, ok := p.X.(*syntax.Ident); ok && star {
				keyword = append(keyword, id.Name)
			} else if ok {
				positional = append(positional, id.Name)
			}
		case *syntax.UnaryExpr:
			star = true
		}
	}
	switch {
	case strings.HasPrefix(g[2], "accepts no arguments"):
		// positional and named ones are counted together
		t.Msg = name + " takes no arguments" + strings.TrimPrefix(strings.TrimPrefix(t.Msg, "function "+g[1]), " accepts no arguments")
	case g[3] != "":
		takes := fmt.Sprintf("%d", len(positional))
		if required < len(positional) {
			takes = fmt.Sprintf("from %d to %d", required, len(positional))
		}
		was := "were"
		if g[3] == "1" {
			was = "was"
		}
		t.Msg = fmt.Sprintf("%s takes %s positional %s but %s %s given", name, takes, plural(len(positional), "argument"), g[3], was)
	case g[4] != "":
		t.Msg = fmt.Sprintf("%s got multiple values for argument '%s'", name, g[4])
	case g[5] != "":
		t.Msg = fmt.Sprintf("%s got an unexpected keyword argument '%s'", name, g[5])
		if near := diag.Nearest(g[5], append(positional, keyword...), 1); len(near) > 0 {
			t.Hint = fmt.Sprintf("did you mean %q?", near[0])
		}
	default:
		kind := "keyword-only"
		var missing []string
		for _, n := range strings.Split(g[6], ", ") {
			if slices.Contains(positional, n) {
				if kind == "keyword-only" {
					kind, missing = "positional", nil
				}
			} else if kind == "positional" {
				continue // Python names those that are missing by position first
			}
			missing = append(missing, "'"+n+"'")
		}
		t.Msg = fmt.Sprintf("%s missing %d required %s %s: %s", name, len(missing), kind, plural(len(missing), "argument"), enumeration(missing))
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// enumeration is "a", "a and b" or "a, b, and c".
func enumeration(items []string) string {
	switch n := len(items); n {
	case 1:
		return items[0]
	case 2:
		return items[0] + " and " + items[1]
	default:
		return strings.Join(items[:n-1], ", ") + ", and " + items[n-1]
	}
}

// definition is the parameters of the function that a frame is in.
func (m *machine) definition(frame starlark.CallFrame) []syntax.Expr {
	f := m.run.file(frame.Pos.Filename())
	if f == nil {
		return nil
	}
	tree, err := fileOptions.Parse(f.Name, f.code, 0)
	if err != nil {
		return nil
	}
	var params []syntax.Expr
	syntax.Walk(tree, func(n syntax.Node) bool {
		var p []syntax.Expr
		switch n := n.(type) {
		case *syntax.DefStmt:
			if n.Name.Name == frame.Name {
				p = n.Params
			}
		case *syntax.LambdaExpr:
			if frame.Name == "lambda" {
				p = n.Params
			}
		}
		if p != nil {
			if from, to := n.Span(); !before(frame.Pos, from) && !before(to, frame.Pos) {
				params = p // the innermost one comes last
			}
		}
		return true
	})
	return params
}

func before(p, q syntax.Position) bool { return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col }
