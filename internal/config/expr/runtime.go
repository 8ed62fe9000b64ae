package expr

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
)

// Options say what files of code see and what a call of their functions may take.
type Options struct {
	Host  Host
	Names map[string]any // what files see besides the builtins, such as torch
	// Print gets what print() writes, without a newline at its end.
	Print func(at diag.Pos, text string)
	// Load gives the module of a file. The path is relative to the project: "models/block.star".
	Load func(path string) (*Module, error)
	// Roots visits what the host's objects hold, in the form that [Runtime.Hold] gives: it outlives a call. Calls of the goroutine that
	// made the runtime rescue it.
	Roots func(visit func(held any))
	// Root is the folder that paths of load() are in, as it begins the names of files. It may be empty.
	Root string

	Steps  int   // of a call from Go with all that it calls; 0 is 500 million
	Memory int64 // bytes by which Go's heap may grow while a call runs; 0 is 1 GiB
	Depth  int   // functions within each other; 0 is 1000, and there are never more than 10000
}

// Runtime runs files. Its functions may be called by several goroutines at once.
type Runtime struct {
	o      Options
	limits limits
	env    starlark.StringDict
	pool   sync.Pool // of *machine

	home    int // the thread that made it
	rescued rescued

	mu    sync.Mutex
	files map[string]*File
}

// mostDepth is how many calls Go's stack has room for whatever is between them.
const mostDepth = 10_000

// NewRuntime makes a runtime.
func NewRuntime(o Options) *Runtime {
	o.Steps = cmp.Or(o.Steps, 500_000_000)
	o.Memory = cmp.Or(o.Memory, 1<<30)
	o.Depth = min(cmp.Or(o.Depth, 1000), mostDepth)
	if o.Print == nil {
		o.Print = func(diag.Pos, string) {}
	}
	r := &Runtime{o: o, env: starlark.StringDict{}, files: map[string]*File{}, home: threadID()}
	most := int(min(o.Memory, 1<<40))
	r.limits = limits{work: o.Steps, text: most / 2, items: most / 32, bits: min(most/2*8, 1<<24)}
	r.pool.New = func() any { return r.machine() }
	for name, f := range builtins {
		r.env[name] = bind(name, f)
	}
	for name, f := range internals {
		r.env[name] = bind(name, f)
	}
	for name, f := range fileBuiltins {
		r.env[name] = bind(name, f)
	}
	for _, name := range exceptionNames {
		r.env[name] = exceptionClass(name)
	}
	m := r.machine()
	for name, v := range o.Names {
		value := m.in(v)
		value.Freeze()
		r.env[name] = value
	}
	return r
}

// bind makes a function one that runs on the machine of the thread that calls it.
func bind(name string, f function) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (v starlark.Value, err error) {
		m := machineOf(t)
		defer func() { m.failed(err) }()
		defer recovered(&err)
		v, err = f(m, args{name, pos, kw})
		return v, frozen(err)
	})
}

// Module is a file that has run.
type Module struct {
	File    *File
	runtime *Runtime
	globals starlark.StringDict
}

// Names are the names that the file has bound, sorted.
func (m *Module) Names() []string { return m.globals.Keys() }

// Get gives a value of the module. A function is a *[Function].
func (m *Module) Get(name string) (any, bool) {
	v, ok := m.globals[name]
	if !ok {
		return nil, false
	}
	c := m.runtime.machine()
	out, err := c.out(v)
	return out, err == nil
}

// Check finds the names of a file that are not defined and other mistakes in what it binds. An error is a [diag.List].
func (r *Runtime) Check(f *File) error {
	tree, err := fileOptions.Parse(f.Name, f.code, 0)
	if err != nil {
		return f.syntaxError(err)
	}
	err = resolve.File(tree, r.env.Has, func(name string) bool { return name == "None" || name == "True" || name == "False" })
	var all resolve.ErrorList
	if !errors.As(err, &all) {
		return err
	}
	var problems diag.List
	known := r.known(f)
	for _, e := range all[:min(len(all), maxProblems)] {
		problems.Add(f.resolveError(e, known))
	}
	return problems.Sort()
}

// known are the names that a file may mean.
func (r *Runtime) known(f *File) []string {
	var names []string
	for name := range r.env {
		if !strings.HasPrefix(name, "__") {
			names = append(names, name)
		}
	}
	scan := &rewriter{source: f.Source, limit: len(f.Source), nest: 1, lines: true}
	for t := scan.scan(0); t.kind != end && scan.err == nil; t = scan.scan(t.stop) {
		if after := scan.scan(t.stop); t.kind == name && !reserved[t.text] && (after.text == "=" || after.text == "," || after.text == ")") {
			names = append(names, t.text)
		}
	}
	names = append(names, "None", "True", "False")
	slices.Sort(names)
	return slices.Compact(names)
}

// resolveError words what Starlark's resolver has against a file.
func (f *File) resolveError(e resolve.Error, known []string) diag.Diagnostic {
	d := diag.Diagnostic{Pos: f.at(e.Pos), Msg: pythonWording(e.Msg)}
	if rest, ok := strings.CutPrefix(e.Msg, "undefined: "); ok {
		missing, _, _ := strings.Cut(rest, " ")
		d.Msg = fmt.Sprintf("name '%s' is not defined", missing)
		known = slices.DeleteFunc(slices.Clone(known), func(n string) bool { return n == missing || len(n) > 2*len(missing) })
		if near := diag.Nearest(missing, known, 1); len(near) > 0 {
			d.Hint = fmt.Sprintf("did you mean %q?", near[0])
		}
	}
	return d
}

// Run executes a file once. Its globals can't change afterwards. An error is a [diag.List] or a *[Traceback].
func (r *Runtime) Run(f *File) (*Module, error) {
	if err := r.Check(f); err != nil {
		return nil, err
	}
	_, program, err := starlark.SourceProgramOptions(&fileOptions, f.Name, f.code, r.env.Has)
	if err != nil {
		return nil, f.syntaxError(err)
	}
	r.mu.Lock()
	r.files[f.Name] = f
	r.mu.Unlock()
	m := &Module{File: f, runtime: r}
	_, err = r.within(func(c *machine) (any, error) {
		globals, err := program.Init(c.thread, r.env)
		if err != nil {
			return nil, err
		}
		for name := range globals {
			if len(name) > 2 && strings.HasPrefix(name, "__") && name[2] >= '0' && name[2] <= '9' {
				delete(globals, name)
			}
		}
		m.globals = globals
		return nil, c.freeze(globals)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// load is load() of a file.
func (r *Runtime) load(t *starlark.Thread, from string) (starlark.StringDict, error) {
	if r.o.Load == nil {
		return nil, errors.New("load is not available here")
	}
	file := strings.TrimPrefix(strings.TrimPrefix(t.CallFrame(0).Pos.Filename(), r.o.Root), "/")
	p, ok := strings.CutPrefix(from, "//")
	if !ok {
		p = path.Join(path.Dir(file), from)
	}
	if p = path.Clean(p); path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") || strings.Contains(from, `\`) || path.IsAbs(from) && !ok {
		return nil, fmt.Errorf("%q is outside the project", from)
	}
	if path.Ext(p) != ".star" {
		return nil, &Error{Msg: fmt.Sprintf("%q is no file of code", from), Hint: fmt.Sprintf("did you mean %q?", strings.ReplaceAll(from, ".", "/")+".star")}
	}
	m, err := r.o.Load(p)
	if err != nil {
		return nil, err
	}
	return m.globals, nil
}

// file is the one of a name.
func (r *Runtime) file(name string) *File {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[name]
}

// place is where in a source a frame of a call is; ok is false for functions that are not of a file.
func (r *Runtime) place(frame starlark.CallFrame) (f *File, at diag.Pos, ok bool) {
	if f = r.file(frame.Pos.Filename()); f == nil {
		return nil, diag.Pos{}, false
	}
	return f, f.at(frame.Pos), true
}
