package project

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// file is one of the project's, read once.
type file struct {
	name    string // slash-separated, below the folder
	text    []byte
	code    *expr.File
	globals []expr.Global
	err     error // why it can't be used
}

// checker is a runtime that knows what files see, and nothing of what it is.
var checker = sync.OnceValue(func() *expr.Runtime {
	seen := map[string]any{"math": nil, "super": nil}
	for _, n := range namespaces {
		seen[n] = nil
	}
	return expr.NewRuntime(expr.Options{Names: seen})
})

// load reads and compiles a file.
func (p *Project) load(name string) (*file, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.files[name]; f != nil {
		return f, f.err
	}
	f := &file{name: name}
	p.files[name] = f
	if f.text, f.err = p.read(name); f.err == nil {
		f.code, f.err = expr.CompileFile(name, string(f.text))
	}
	if f.err == nil {
		f.err = checker().Check(f.code)
	}
	if f.err == nil {
		f.globals = f.code.Globals()
	}
	return f, f.err
}

// read gives the text of a file. A file that a link takes out of the folder can't be opened.
func (p *Project) read(name string) ([]byte, error) {
	f, err := p.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, expr.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

func (f *file) names() []string {
	names := make([]string, len(f.globals))
	for i, g := range f.globals {
		names[i] = g.Name
	}
	return names
}

// global finds what a file binds to a name.
func (p *Project) global(f *file, name string) (any, error) {
	i := slices.IndexFunc(f.globals, func(g expr.Global) bool { return g.Name == name })
	if i < 0 {
		d := diag.Diagnostic{Msg: fmt.Sprintf("%s defines no %q", f.name, name)}
		switch near := diag.Nearest(name, f.names(), 1); {
		case len(near) > 0:
			d.Hint = fmt.Sprintf("did you mean %q?", near[0])
		case len(f.globals) > 0:
			d.Hint = "it defines " + strings.Join(f.names(), ", ")
		}
		return nil, d
	}
	return &member{p, f, f.globals[i]}, nil
}

// member is a name that a file binds, before the file has run.
type member struct {
	project *Project
	file    *file
	global  expr.Global
}

// Params are the function's parameters. What is no def may be a function all the same, with parameters of any kind.
func (m *member) Params() []expr.Param {
	if m.global.Function {
		return m.global.Params
	}
	return []expr.Param{{Name: "args", Kind: expr.VarArgs}, {Name: "kwargs", Kind: expr.VarKeywords}}
}

// IsFunction says that the name is a def's.
func (m *member) IsFunction() bool { return m.global.Function }

// Pos is where the name is bound.
func (m *member) Pos() diag.Pos { return m.global.Pos }

// Value runs the file, once a build, and gives the value of the name.
func (m *member) Value(env *registry.Env) (any, error) {
	s := m.project.in(env)
	mod, err := s.run(m.file)
	if err != nil {
		return nil, err
	}
	v, ok := mod.Get(m.global.Name)
	if !ok {
		return nil, fmt.Errorf("%s has not bound %q", m.file.name, m.global.Name)
	}
	return v, nil
}

// Call calls the function.
func (m *member) Call(env *registry.Env, args []any, kwargs []registry.Keyword) (any, error) {
	v, err := m.Value(env)
	if err != nil {
		return nil, err
	}
	named := &expr.Dict{}
	for _, k := range kwargs {
		named.Keys, named.Values = append(named.Keys, k.Name), append(named.Values, k.Value)
	}
	defer m.project.in(env).building(env)()
	if f, ok := v.(*expr.Function); ok {
		return f.CallOrdered(args, named)
	}
	f, ok := expr.AsFunc(v)
	if !ok {
		return nil, fmt.Errorf("'%s' object is not callable", lighter.TypeName(v))
	}
	byName := map[string]any{}
	for _, k := range kwargs {
		byName[k.Name] = k.Value
	}
	return f(args, byName)
}
