package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// expression is a `$` string: an import, or what Starlark makes of it.
func (r *Resolver) expression(path string, n *Node) (any, error) {
	source := n.Text()[1:]
	if n.written != "" {
		source = n.written[1:]
	}
	if imports, d := parseImport(source); imports != nil || d != "" {
		if d != "" {
			return nil, fault(n.Pos, path, "%s", d)
		}
		imports[0].Pos, imports[0].Path = n.Pos, path
		return r.importModule(imports[0])
	}
	p, err := expr.Compile(source)
	if err != nil {
		return nil, diag.List{r.failed(err, source, path, n)}
	}
	var errs diag.List
	refs := make([]any, len(p.Refs))
	for i, ref := range p.Refs {
		v, err := r.operand(ref, path, r.place(n, source, ref.Col, ref.Len))
		refs[i] = v
		errs.Add(diag.AsList(err)...)
	}
	names := make(map[string]any, len(p.Names))
	for _, name := range p.Names {
		v, d := r.global(name.Name, path)
		if d != nil {
			pos := r.place(n, source, name.Col, utf8.RuneCountInString(name.Name))
			if d.Pos.IsValid() {
				d.Notes = append(d.Notes, diag.Note{Pos: pos, Msg: fmt.Sprintf("%q is used", name.Name)})
			} else {
				d.Pos = pos
			}
			errs.Add(*d)
		}
		names[name.Name] = v
	}
	if errs.HasErrors() {
		return nil, errs
	}
	v, err := p.Eval(r.host, refs, names)
	if err != nil {
		return nil, diag.List{r.failed(err, source, path, n)}
	}
	return v, nil
}

// failed words an error of an expression.
func (r *Resolver) failed(err error, source, path string, n *Node) diag.Diagnostic {
	d := diag.Diagnostic{Pos: n.Pos, Path: path, Err: err}
	const most = 200
	shown := source
	if len(shown) > most {
		shown = strings.ToValidUTF8(shown[:most], "") + "..."
	}
	d.Msg = fmt.Sprintf("Failed to evaluate expression: '%s': %v", strings.ReplaceAll(shown, "\n", " "), err)
	var e *expr.Error
	if errors.As(err, &e) {
		d.Hint = e.Hint
		if e.Col > 0 {
			d.Pos = r.place(n, source, e.Col, e.Len)
		}
	}
	return d
}

// place is where column col of an expression is in its file: exactly when it stands there as it is, on one line.
func (r *Resolver) place(n *Node, source string, col, length int) diag.Pos {
	if n.Pos.Line < 1 {
		return n.Pos
	}
	rest := r.config.Sources[n.Pos.Source]
	for range n.Pos.Line - 1 {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	text := []rune(string(line))
	if n.Pos.Col < 1 || n.Pos.Col > len(text) {
		return n.Pos
	}
	i := strings.Index(string(text[n.Pos.Col-1:]), "$"+source)
	if i < 0 || i > 2 {
		return n.Pos
	}
	pos := n.Pos
	pos.Col += i + col // the sign takes one
	pos.Len = max(length, 1)
	return pos
}

// operand is the value of a reference in an expression.
func (r *Resolver) operand(ref expr.Ref, path string, pos diag.Pos) (any, error) {
	sign := "@"
	if ref.Raw {
		sign = "%"
	}
	name := ref.Name
	if strings.HasPrefix(name, Sep) {
		abs, d := absolute(sign, name, path)
		if d != nil {
			d.Pos = pos
			return nil, diag.List{*d}
		}
		name = abs
	}
	if ref.Raw {
		return r.rawOperand(name, path, pos)
	}
	if r.Node(name) == nil {
		return nil, diag.List{r.missing(name, pos, path)}
	}
	v, err := r.Resolve(name)
	if _, off := v.(Disabled); off {
		return nil, err
	}
	return v, err
}

// rawOperand is the value of a `%` reference in an expression: of a copy of its source.
func (r *Resolver) rawOperand(name, path string, pos diag.Pos) (any, error) {
	if n := r.Node(name); n != nil && n.Kind < List && !isReference(n) {
		return n.Value, nil
	}
	if len(r.copies) >= maxCopies {
		return nil, fault(pos, path, "too many raw references in expressions: more than %d, or they go in a circle", maxCopies)
	}
	n := &Node{Kind: String, Value: "%" + name, Pos: pos}
	c := &copier{}
	c.load = func(file string, at diag.Pos, path string) *Node { return r.config.include(&c.diags, file, at, path) }
	c.fill(r.config.Root, n, path)
	relative(n, path, &c.diags)
	if c.diags.HasErrors() {
		return nil, c.diags
	}
	key := fmt.Sprintf("%%%d", len(r.copies)+1)
	r.copies[key] = n
	if first, _, _ := strings.Cut(path, Sep); r.origin[first] != "" {
		path = r.origin[first]
	}
	r.origin[key] = path
	v, err := r.Resolve(key)
	if _, off := v.(Disabled); off {
		return nil, err
	}
	return v, err
}

// global is the value of a free name of an expression: an import or a module of the host's.
func (r *Resolver) global(name, path string) (any, *diag.Diagnostic) {
	if i, ok := r.imports[name]; ok {
		v, err := r.importModule(i)
		if err != nil {
			return nil, &diag.AsList(err)[0]
		}
		return v, nil
	}
	if v, err := r.module(name); err == nil {
		return v, nil
	}
	if d := refused(name, path); d != nil {
		return nil, d
	}
	d := &diag.Diagnostic{Path: path, Msg: fmt.Sprintf("name '%s' is not defined", name)}
	known := append(expr.Builtins(), "True", "False", "None", "torch", "math")
	for n := range r.imports {
		known = append(known, n)
	}
	switch near := diag.Nearest(name, known, 1); {
	case r.config.At(name) != nil:
		d.Hint = fmt.Sprintf("to refer to the configuration write @%s", name)
	case len(near) > 0:
		d.Hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return nil, d
}

// findImports collects the import expressions of a tree; they count everywhere.
func (r *Resolver) findImports(n *Node, path string) {
	for i, v := range n.Items {
		r.findImports(v, Join(path, fmt.Sprint(i)))
	}
	for _, p := range n.Pairs {
		r.findImports(p.Value, Join(path, p.Key))
	}
	if text := n.Text(); strings.HasPrefix(text, "$") {
		imports, _ := parseImport(text[1:])
		for _, i := range imports {
			i.Pos, i.Path = n.Pos, path
			r.imports[i.Name] = i
		}
	}
}

var (
	importStart   = regexp.MustCompile(`^\s*(?:import|from)\s`)
	importPattern = regexp.MustCompile(`^\s*import\s+([\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*)\s*$`)
	fromPattern   = regexp.MustCompile(`^\s*from\s+([\w.]+)\s+import\s+\(?\s*(\w+(?:\s+as\s+\w+)?(?:\s*,\s*\w+(?:\s+as\s+\w+)?)*)\s*\)?\s*$`)
)

// parseImport reads an import statement. Both results are zero when s is none.
func parseImport(s string) (imports []Import, problem string) {
	if !importStart.MatchString(s) {
		return nil, ""
	}
	from, list := "", ""
	if m := importPattern.FindStringSubmatch(s); m != nil {
		list = m[1]
	} else if m := fromPattern.FindStringSubmatch(s); m != nil {
		from, list = m[1]+".", m[2]
	} else {
		return nil, fmt.Sprintf("expected one import and nothing else (import a, import a as b, from a import b), got %q", strings.TrimSpace(s))
	}
	for part := range strings.SplitSeq(list, ",") {
		words := strings.Fields(part)
		i := Import{Name: words[0], Module: from + words[0]}
		if len(words) == 3 {
			i.Name = words[2]
		} else if top, _, dotted := strings.Cut(words[0], "."); dotted { // import a.b binds a
			i.Name, i.Module = top, top
		}
		imports = append(imports, i)
	}
	return imports, ""
}

// importModule gives what an import binds.
func (r *Resolver) importModule(i Import) (any, error) {
	v, err := r.module(i.Module)
	if err == nil {
		return v, nil
	}
	d := refused(i.Module, i.Path)
	if d == nil {
		d = &diag.Diagnostic{Path: i.Path, Msg: fmt.Sprintf("can't import '%s': the program carries no such module", i.Module),
			Hint: "modules that can be imported: math, torch, torch.nn and what `lighter list` shows"}
	}
	d.Pos, d.Path = i.Pos, i.Path
	return nil, diag.List{*d}
}

// module gives a module, or a member of one.
func (r *Resolver) module(name string) (any, error) {
	if v, ok := r.modules[name]; ok {
		return v, nil
	}
	v, ok := any(nil), false
	if r.host != nil {
		v, ok = r.host.Module(name)
	}
	if !ok && name == "math" {
		v, ok = expr.Math(), true
	}
	if i := strings.LastIndexByte(name, '.'); !ok && i > 0 {
		parent, err := r.module(name[:i])
		if err != nil {
			return nil, err
		}
		if v, ok = expr.Member(parent, name[i+1:]); !ok && r.host != nil {
			v, ok, _ = r.host.Attr(parent, name[i+1:])
		}
	}
	if !ok {
		return nil, errNoModule
	}
	r.modules[name] = v
	return v, nil
}

// refusals are the names of Python that an expression can't have, and why.
var refusals = map[string]string{
	"os": "expressions can't read the environment or the file system", "sys": "expressions can't read the interpreter's state",
	"pathlib": "expressions can't read the file system", "Path": "expressions can't read the file system",
	"open": "expressions can't read files", "glob": "expressions can't read the file system", "shutil": "expressions can't touch files",
	"datetime": "expressions can't read the clock", "time": "expressions can't read the clock", "date": "expressions can't read the clock",
	"random": "expressions can't draw random numbers", "uuid": "expressions can't draw random numbers", "secrets": "expressions can't draw random numbers",
	"subprocess": "expressions can't run programs", "socket": "expressions can't use the network", "requests": "expressions can't use the network",
	"urllib": "expressions can't use the network", "__import__": "expressions can't run Python code", "importlib": "expressions can't run Python code",
	"eval": "expressions can't run Python code", "exec": "expressions can't run Python code", "compile": "expressions can't run Python code",
	"globals": "expressions can't run Python code", "locals": "expressions can't run Python code", "input": "expressions can't ask",
	"getpass": "expressions can't read the environment", "platform": "expressions can't read the environment",
	"np": "NumPy is Python's", "numpy": "NumPy is Python's", "pd": "pandas is Python's", "pandas": "pandas is Python's",
}

// refused explains why a name or a module is not to be had, nil when it is just unknown.
func refused(name, path string) *diag.Diagnostic {
	top, _, _ := strings.Cut(name, ".")
	why, ok := refusals[top]
	if !ok {
		return nil
	}
	d := &diag.Diagnostic{Path: path, Msg: fmt.Sprintf("'%s' is not available: %s", name, why)}
	if path != "" && !strings.HasPrefix(path, "_imports_") {
		d.Hint = fmt.Sprintf("give the value on the command line: %s=VALUE", path)
	} else {
		d.Hint = "give the value on the command line: key::sub=VALUE"
	}
	return d
}
