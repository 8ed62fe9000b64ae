// Package expr runs Python's code by Starlark: the `$` expressions of a configuration, and files of functions.
//
// [Compile] rewrites an expression and [CompileFile] a file to Starlark, in one pass that remembers the place of every
// token: f-strings, `**`, `is`, slices with commas, chained comparisons, arithmetic, assignments to attributes and
// indices, assert and raise become calls of functions of this package, which do what Python does; references of a
// configuration become names. A [Program] is evaluated with values for its names. A [Runtime] runs a [File] once and
// gives its functions, which Go calls as often as it likes and from any goroutine.
//
// The objects in it are the host's: [Host] and the interfaces beside it say what they can do.
//
// What code may do is bounded: it has no files, no clock and no environment, and its steps, the size of its values,
// the depth of its calls and the work of its functions are limited.
package expr

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// What an expression may take.
const (
	maxSource = 64 << 10  // bytes of source
	maxNest   = 100       // brackets and operators within each other
	maxSteps  = 2_000_000 // Starlark instructions
)

// limits are what an evaluation may take.
type limits struct {
	work  int // units that Starlark's steps don't see
	text  int // bytes of a string
	items int // elements of a list
	bits  int // of an integer
}

var expressionLimits = limits{work: 20_000_000, text: 1 << 20, items: 1 << 18, bits: 1 << 16}

// Ref is a reference in an expression, such as @model::network or %vars::lr.
type Ref struct {
	Raw  bool   // of a `%` reference
	Name string // as written after the sign: "a::b", "::b", "file.yaml::a"
	Col  int    // of the sign in the source, 1-based, in characters
	Len  int    // with the sign
}

// Name is a name that an expression uses and does not bind itself.
type Name struct {
	Name string
	Col  int
}

// Program is a compiled expression.
type Program struct {
	Refs  []Ref  // in order, once each
	Names []Name // in order, once each; the builtins are not among them

	source string
	code   string
	marks  []mark
	uses   []string // the functions of this package that the code calls
}

// mark says which column of the source the code from a column on comes from.
type mark struct{ code, source int }

// Error is what is wrong with an expression, at a column of its source.
type Error struct {
	Msg      string
	Hint     string
	Col, Len int // 1-based; 0 when unknown
	Err      error

	offset int // in the source, in bytes
}

func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause, such as an error of the host.
func (e *Error) Unwrap() error { return e.Err }

// Host gives expressions the objects of a configuration.
type Host interface {
	Attr(obj any, name string) (v any, ok bool, names []string)
	Index(obj any, i any) (any, error)
	Iterate(obj any) (items []any, ok bool)
}

// Operator is implemented by hosts whose objects take part in arithmetic and comparisons.
type Operator interface {
	// Binary gives x op y for one of + - * / // % ** & | ^ << >> == != < <= > >=; ok is false when the operands don't fit.
	Binary(op string, x, y any) (v any, ok bool, err error)
	// Unary gives op x for one of + - ~.
	Unary(op string, x any) (v any, ok bool, err error)
}

// Unknown stands for a value that exists only when the configuration is built.
type Unknown struct{}

// Dict is a mapping in order. A key is a string or another scalar.
type Dict struct {
	Keys   []any
	Values []any
}

// Get returns the value of a key, nil when there is none.
func (d *Dict) Get(key any) any {
	for i, k := range d.Keys {
		if k == key {
			return d.Values[i]
		}
	}
	return nil
}

// Func is how callables pass between expressions and the host.
type Func = func(args []any, kwargs map[string]any) (any, error)

// IsBuiltin reports whether name is one of the functions that expressions always have.
func IsBuiltin(name string) bool {
	return builtins[name] != nil || name == "True" || name == "False" || name == "None"
}

// Builtins are the names of the functions that expressions always have.
func Builtins() []string {
	names := make([]string, 0, len(builtins))
	for n := range builtins {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Eval evaluates the program. refs are the values of p.Refs, names those of p.Names; h may be nil.
// When the value depends on an [Unknown] it is Unknown. An error is an *[Error].
func (p *Program) Eval(h Host, refs []any, names map[string]any) (v any, err error) {
	m := &machine{host: h, limits: expressionLimits}
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, p.failure(asError(r))
		}
	}()
	env := starlark.StringDict{}
	for _, name := range p.uses {
		env[name] = m.builtin(name)
	}
	for name, value := range names {
		env[name] = m.in(value)
	}
	for i, value := range refs {
		env[refName(i)] = m.in(value)
	}
	if err := m.spend(0); err != nil {
		return nil, &Error{Msg: err.Error(), Col: 1}
	}
	m.start()
	result, err := starlark.EvalOptions(&syntax.FileOptions{Set: true, Recursion: false}, m.thread, codeFile, p.code, env)
	if m.unknown {
		return Unknown{}, nil
	}
	if err == nil {
		v, err = m.out(result)
	}
	if err != nil {
		return nil, p.failure(err)
	}
	if m.unknown {
		return Unknown{}, nil
	}
	return v, nil
}

const codeFile = "$"

func refName(i int) string { return fmt.Sprintf("__r%d", i) }

// failure words an error of Starlark's and finds its place in the source.
func (p *Program) failure(err error) *Error {
	e := &Error{Msg: err.Error(), Err: err}
	var eval *starlark.EvalError
	var syn syntax.Error
	switch {
	case errors.As(err, &eval):
		e.Msg = eval.Msg
		if cause := eval.Unwrap(); cause != nil {
			e.Err = cause
			e.Msg = cause.Error()
		}
		for i := range eval.CallStack {
			if f := eval.CallStack.At(i); f.Pos.Filename() == codeFile {
				e.Col = p.column(int(f.Pos.Col))
				break
			}
		}
	case errors.As(err, &syn):
		e.Msg, e.Col = syn.Msg, p.column(int(syn.Pos.Col))
	}
	var own *Error
	if errors.As(err, &own) {
		e.Msg, e.Hint, e.Err = own.Msg, own.Hint, own.Err
	}
	e.Msg = strings.TrimPrefix(e.Msg, "Starlark computation cancelled: ")
	if e.Col > 0 {
		e.Len = p.tokenLen(e.Col)
	}
	return e
}

// column is where in the source a column of the code comes from.
func (p *Program) column(code int) int {
	i := sort.Search(len(p.marks), func(i int) bool { return p.marks[i].code > code })
	if i == 0 {
		return 1
	}
	return p.marks[i-1].source
}

// tokenLen is the length of the token at a column of the source.
func (p *Program) tokenLen(col int) int {
	r := &rewriter{source: p.source, limit: len(p.source)}
	at := 0
	for i := range p.source {
		if col--; col == 0 {
			at = i
			break
		}
	}
	t := r.scan(at)
	return max(utf8.RuneCountInString(p.source[t.start:t.stop]), 1)
}
