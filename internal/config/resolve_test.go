package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/diag"
)

// thing is a component that the tests' host makes: its target, its arguments and how often it was made.
type thing struct {
	target string
	args   *Dict
}

// buildingHost makes things, and keeps the order it makes them in.
type buildingHost struct{ made []string }

func (h *buildingHost) Instantiate(r *Resolver, path string, n *Node, target string) (any, error) {
	t := &thing{target: target, args: &Dict{}}
	var errs diag.List
	for _, p := range n.Pairs {
		if p.Key == "_target_" || p.Key == "_disabled_" {
			continue
		}
		v, err := r.Resolve(Join(path, p.Key))
		if err != nil {
			errs.Add(diag.AsList(err)...)
			continue
		}
		if _, off := v.(Disabled); off {
			continue
		}
		t.args.Keys, t.args.Values = append(t.args.Keys, p.Key), append(t.args.Values, v)
	}
	h.made = append(h.made, path)
	if target == "fails" {
		errs.Add(diag.Diagnostic{Msg: "it fails"})
	}
	return t, errs.Err()
}

func (h *buildingHost) Attr(obj any, name string) (any, bool, []string) {
	t, ok := obj.(*thing)
	if !ok {
		if name == "float32" {
			return "torch.float32", true, nil
		}
		return nil, false, []string{"float32"}
	}
	if v := t.args.Get(name); v != nil {
		return v, true, nil
	}
	if name == "parameters" {
		return func([]any, map[string]any) (any, error) { return []any{t.target + ".weight", t.target + ".bias"}, nil }, true, nil
	}
	if name == "named_parameters" {
		return func([]any, map[string]any) (any, error) {
			return []any{[]any{"text.w", int64(1)}, []any{"image.w", int64(2)}}, nil
		}, true, nil
	}
	return nil, false, []string{"parameters", "named_parameters"}
}

func (h *buildingHost) Index(obj any, i any) (any, error) {
	if n, ok := i.(int64); ok {
		return obj.(*thing).args.Values[n], nil
	}
	return nil, fmt.Errorf("no element %v", i)
}

func (h *buildingHost) Iterate(any) ([]any, bool) { return nil, false }

func (h *buildingHost) Module(name string) (any, bool) {
	return &struct{ name string }{name}, name == "torch"
}

// Binary adds things, for the arithmetic of a host's objects.
func (h *buildingHost) Binary(op string, x, y any) (any, bool, error) {
	if op != "/" {
		return nil, false, nil
	}
	return fmt.Sprintf("%s/%v", x.(*thing).target, y), true, nil
}

func (h *buildingHost) Unary(string, any) (any, bool, error) { return nil, false, nil }

// checkingHost knows nothing of components.
type checkingHost struct{}

func (checkingHost) Instantiate(r *Resolver, path string, n *Node, _ string) (any, error) {
	var errs diag.List
	for _, p := range n.Pairs {
		if _, err := r.Resolve(Join(path, p.Key)); err != nil {
			errs.Add(diag.AsList(err)...)
		}
	}
	return Unknown{}, errs.Err()
}
func (checkingHost) Attr(any, string) (any, bool, []string) { return Unknown{}, true, nil }
func (checkingHost) Index(any, any) (any, error)            { return Unknown{}, nil }
func (checkingHost) Iterate(any) ([]any, bool)              { return nil, false }
func (checkingHost) Module(name string) (any, bool)         { return Unknown{}, name == "torch" }

func show(v any) string {
	switch v := v.(type) {
	case *Dict:
		parts := make([]string, len(v.Keys))
		for i, k := range v.Keys {
			parts[i] = fmt.Sprintf("%v:%s", k, show(v.Values[i]))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, it := range v {
			parts[i] = show(it)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *thing:
		return v.target + show(v.args)
	case nil:
		return "None"
	}
	return fmt.Sprint(v)
}

func TestResolve(t *testing.T) {
	for _, c := range []struct{ name, text, path, want string }{
		{"plain", "a: {b: [1, 2.5, x, null, true]}", "a", "{b:[1 2.5 x None true]}"},
		{"reference", "a: {b: 1}\nc: ['@a::b', '@a']", "c", "[1 {b:1}]"},
		{"list index", "l: [5, 6]\nm: '@l::1'", "m", "6"},
		{"text with a sign", "a: 'me@x.org'\nb: '@a@b'", "b", "@a@b"},
		{"relative", "m: {o: {lr: 1}, s: {lr: '@::::o::lr', x: '$@::lr + 1'}}", "m::s", "{lr:1 x:2}"},
		{"component", "n: {_target_: Net, k: '@v'}\nv: 3", "n", "Net{k:3}"},
		{"expression with an object", "n: {_target_: Net}\no: {_target_: Opt, params: '$@n.parameters()'}", "o", "Opt{params:[Net.weight Net.bias]}"},
		{"named parameters", "n: {_target_: Net}\np: \"$[p for n, p in @n.named_parameters() if 'text' in n]\"", "p", "[1]"},
		{"attribute of an element", "a: [{_target_: Net, weight: 7}]\nb: '$@a[0].weight'", "b", "7"},
		{"index of an object", "a: {_target_: Seq, x: {_target_: L, weight: 4}}\nb: '$@a[0].weight'", "b", "4"},
		{"arithmetic of an object", "a: {_target_: T}\nb: '$@a / 4'", "b", "T/4"},
		{"module", "a: '$torch.float32'", "a", "torch.float32"},
		{"import", "i: ['$import math']\na: '$math.floor(2.5)'", "a", "2"},
		{"import as", "i: '$import math as m'\na: '$m.sqrt(16)'", "a", "4"},
		{"import a member", "i: '$from math import floor as fl'\na: '$fl(2.5)'", "a", "2"},
		{"imports section", "_imports_: {m: math, f: math.floor, t: torch.float32}\na: '$[m.pi > 3, f(1.5), t]'", "a", "[true 1 torch.float32]"},
		{"raw operand", "vars: {x: 2, y: '$@vars::x + 1'}\na: '$%vars::x * 2 + %vars::y'", "a", "7"},
		{"raw operand of a component", "n: {_target_: Net, k: [1]}\na: '$[%n.k, @n.k]'", "a", "[[1] [1]]"},
		{"disabled in a list", "l: [{_target_: A, _disabled_: true}, {_target_: B, _disabled_: ' True '}, {_target_: C, _disabled_: '$1 > 2'}]", "l", "[C{}]"},
		{"disabled in a mapping", "m: {a: {_target_: A, _disabled_: true}, b: 1}", "m", "{b:1}"},
		{"disabled by reference", "a: {_target_: A, _disabled_: true}\nb: ['@a', '$@a is None']", "b", "[None true]"},
		{"disabled argument", "a: {_target_: A, x: {_target_: B, _disabled_: true}, y: 1}", "a", "A{y:1}"},
		{"target by reference", "t: Net\na: {_target_: '@t'}\nb: {_target_: '$@t + \"2\"'}", "b", "Net2{}"},
		{"dict of an expression", "l: [0.05]\na: \"$[{'params': @l, 'lr': @l::0 * 2 ** 2}]\"", "a", "[{params:[0.05] lr:0.2}]"},
		{"key of a mapping", "d: {0: cat, true: dog}\na: '$[@d[0], @d[True]]'", "a", "[cat dog]"},
		{"f-string", "rates: [0.1, 0.03]\na: \"$f'{@rates::1}'\"", "a", "0.03"},
		{"copies are made anew", "a: {_target_: A}\nb: '%a'\nc: '$@a is @b'", "c", "false"},
		{"references are shared", "a: {_target_: A}\nb: '@a'\nc: '$@a is @b'", "c", "true"},
		{"unicode", "größe: 3\na: '@größe'", "a", "3"},
		{"hyphen", "x-y: 3\na: '@x-y'", "a", "3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, map[string]string{"a.yaml": c.text})
			cfg, diags := composed("a.yaml")
			if diags != nil {
				t.Fatal(diags)
			}
			got, err := NewResolver(cfg, &buildingHost{}).Resolve(c.path)
			if err != nil || show(got) != c.want {
				t.Errorf("got %s, %v; want %s", show(got), err, c.want)
			}
		})
	}
}

// Every mistake is found at its place, all of them together.
func TestResolveErrors(t *testing.T) {
	for _, c := range []struct {
		name, text, path string
		want             []string
	}{
		{"reference to nothing", "vars: {learning_rate: 1}\nmodel: {optimizer: {lr: '@vars::learning_rte'}}", "model",
			[]string{"a.yaml:2:25: Reference '@vars::learning_rte' not found in configuration", "in model::optimizer::lr", `did you mean "@vars::learning_rate"?`}},
		{"section of a reference", "vars: {lr: 1}\na: '@vras::lr'", "a", []string{`did you mean "@vars::lr"?`}},
		{"elsewhere", "model: {optimizer: {lr: 1}}\na: '@lr'", "a", []string{`did you mean "@model::optimizer::lr"?`}},
		{"computing without $", "v: {a: 1}\na: '@v::a * 2'", "a", []string{"Reference '@v::a * 2' not found", `start with $: "$@v::a * 2"`}},
		{"unknown path", "model: 1", "modl", []string{"Config ID 'modl' not found in the configuration", `did you mean "model"?`}},
		{"circular", "a: '@b'\nb: {c: '$@d + 1'}\nd: '@a'", "a",
			[]string{"a.yaml:3:4: Circular reference detected: 'a' references back to 'd' (a -> b::c -> d -> a)", `note: a is "@b" at a.yaml:1:4`, `note: b::c is "$@d + 1" at a.yaml:2:8`, `note: d is "@a" at a.yaml:3:4`}},
		{"cycle of expressions by copies", "a: '$%b + 1'\nb: '$%a + 1'", "a", []string{"go in a circle"}},
		{"many cycles of expressions by copies", "a: '$%b + %b'\nb: '$%a + %a'", "a", []string{"go in a circle"}},
		{"expression", "a: 1\nb: {c: \"$1 + @a / 0\"}", "b", []string{"a.yaml:2:17: Failed to evaluate expression: '1 + @a / 0': ", "division by zero", "|                 ~\n", "in b::c"}},
		{"reference in an expression", "abc: 1\nb: '$@abd * 2 + @x'", "b", []string{"a.yaml:2:6: Reference '@abd' not found", "~~~~", `did you mean "@abc"?`, "a.yaml:2:17: Reference '@x' not found"}},
		{"name", "a: '$lne([1])'", "a", []string{"a.yaml:1:6: name 'lne' is not defined", `did you mean "len"?`}},
		{"name of a key", "rate: 1\na: '$rate * 2'", "a", []string{"name 'rate' is not defined", "to refer to the configuration write @rate"}},
		{"attribute", "n: {_target_: Net}\na: '$@n.paramters()'", "a", []string{"has no attribute 'paramters'", `did you mean "parameters"?`}},
		{"environment", "a: \"$os.environ.get('HOME')\"", "a", []string{"a.yaml:1:6: 'os' is not available: expressions can't read the environment", "give the value on the command line: a=VALUE"}},
		{"clock", "t: {d: '$datetime.datetime.now()'}", "t", []string{"'datetime' is not available: expressions can't read the clock", "t::d=VALUE"}},
		{"code", "a: \"$__import__('os').system('true')\"", "a", []string{"'__import__' is not available"}},
		{"file", "a: \"$open('x').read()\"", "a", []string{"'open' is not available: expressions can't read files"}},
		{"import of the environment", "a: '$import os'\nb: '$os.getenv(\"x\")'", "b", []string{"'os' is not available"}},
		{"import and more", "a: \"$import os; os.getenv('X')\"", "a", []string{"expected one import and nothing else"}},
		{"unknown module", "_imports_: {n: sklearn}\na: '$n.x'", "a", []string{"a.yaml:1:16: can't import 'sklearn': the program carries no such module"}},
		{"target that is no name", "a: {_target_: 5}", "a", []string{"a.yaml:1:15: _target_ must be the name of a component, got 5"}},
		{"all at once", "a: ['@x', '$1/0', {b: '@y', _target_: T}]", "a", []string{"'@x' not found", "division by zero", "'@y' not found"}},
		{"component without a place", "a:\n  b: {_target_: fails}", "a", []string{"a.yaml:2:6: it fails", "in a::b"}},
		{"syntax", "a: '$1 +'", "a", []string{"Failed to evaluate expression: '1 +'", "unexpected end"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, map[string]string{"a.yaml": c.text})
			cfg, diags := composed("a.yaml")
			if diags != nil {
				t.Fatal(diags)
			}
			_, err := NewResolver(cfg, &buildingHost{}).Resolve(c.path)
			var b strings.Builder
			diag.AsList(err).Sort(cfg.Order...).Render(&b, cfg.Sources, false)
			rest := b.String()
			for _, w := range c.want {
				i := strings.Index(rest, w)
				if i < 0 {
					t.Fatalf("no %q in\n%s", w, b.String())
				}
				rest = rest[i+len(w):]
			}
		})
	}
}

// Only what is asked for is made, depth first in the order of the file, each once.
func TestOrder(t *testing.T) {
	write(t, map[string]string{"a.yaml": `
model:
  _target_: M
  network: {_target_: N, layers: [{_target_: L1}, {_target_: L2}]}
  scheduler: {_target_: S, optimizer: "@model::optimizer"}
  optimizer: {_target_: O, params: "$@model::network.parameters()"}
data: {_target_: D}
broken: {math: "$1/0", missing: "@nowhere"}
`})
	c, diags := composed("a.yaml")
	if diags != nil {
		t.Fatal(diags)
	}
	h := &buildingHost{}
	r := NewResolver(c, h)
	for range 2 {
		if _, err := r.Resolve("model"); err != nil {
			t.Fatal(err)
		}
	}
	want := "model::network::layers::0 model::network::layers::1 model::network model::optimizer model::scheduler model"
	if got := strings.Join(h.made, " "); got != want {
		t.Errorf("made %s, want %s", got, want)
	}
}

// What many references lead to is resolved and reported once.
func TestSharedTower(t *testing.T) {
	text := "a0: ['@nowhere', 1]\n"
	for i := range 40 {
		text += fmt.Sprintf("a%d: ['@a%d', '@a%d']\n", i+1, i, i)
	}
	write(t, map[string]string{"a.yaml": text, "b.yaml": strings.Replace(text, "@nowhere", "x", 1) + "n: '$len(@a40)'\ns: '$str(@a0)'"})
	c, _ := composed("a.yaml")
	if _, err := NewResolver(c, checkingHost{}).Resolve("a40"); len(diag.AsList(err)) != 1 {
		t.Errorf("%d problems", len(diag.AsList(err)))
	}
	c, _ = composed("b.yaml")
	r := NewResolver(c, checkingHost{})
	if _, err := r.Resolve("n"); err == nil || !strings.Contains(err.Error(), "too much time or memory") {
		t.Errorf("a value of 2^40 elements in an expression: %v", err)
	}
	if v, err := r.Resolve("s"); v != "['x', 1]" || err != nil {
		t.Errorf("s is %v, %v", v, err)
	}
}

func TestChecking(t *testing.T) {
	write(t, map[string]string{"a.yaml": "n: {_target_: N, x: '@nope'}\nu: {_target_: U}\na: '$@u.weight.shape[0] * 2'\nb: ['$len(@u)', '$f\"{@u}\"', 3]"})
	c, _ := composed("a.yaml")
	r := NewResolver(c, checkingHost{})
	if v, err := r.Resolve("a"); v != (any)(Unknown{}) || err != nil {
		t.Errorf("a is %v, %v", v, err)
	}
	if v, err := r.Resolve("b"); show(v) != "[{} {} 3]" || err != nil {
		t.Errorf("b is %v, %v", show(v), err)
	}
	if _, err := r.Resolve("n"); err == nil {
		t.Error("no error in a component's argument")
	}
}

// A configuration of a thousand lines is composed and resolved in a moment.
func TestThousandLines(t *testing.T) {
	write(t, map[string]string{"a.yaml": thousandLines()})
	best := time.Hour
	for range 5 {
		start := time.Now()
		c, diags := composed("a.yaml", "vars::v3=7")
		if diags != nil {
			t.Fatal(diags)
		}
		if _, err := NewResolver(c, checkingHost{}).Resolve("layers"); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("%v", best)
	if best > 200*time.Millisecond { // 50 ms are promised; the machine may be busy
		t.Errorf("it takes %v", best)
	}
}

func thousandLines() string {
	var b strings.Builder
	b.WriteString("vars:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  v%d: %d\n", i, i)
	}
	b.WriteString("layers:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  - _target_: torch.nn.Linear\n    in_features: '@vars::v%d'\n    out_features: \"$@vars::v%d * 2 + len([1, 2])\"\n    bias: '%%vars::v3'\n", i, i)
	}
	return b.String()
}

func BenchmarkCompose(b *testing.B) {
	write(b, map[string]string{"a.yaml": thousandLines()})
	for b.Loop() {
		c, _ := composed("a.yaml")
		if _, err := NewResolver(c, checkingHost{}).Resolve("layers"); err != nil {
			b.Fatal(err)
		}
	}
}
