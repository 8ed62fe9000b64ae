package expr

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// eval evaluates with math imported and references given by name.
func eval(t testing.TB, source string, refs map[string]any) (any, error) {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(p.Refs))
	for i, r := range p.Refs {
		v, ok := refs[r.Name]
		if !ok {
			t.Fatalf("%s refers to %q", source, r.Name)
		}
		values[i] = v
	}
	names := map[string]any{}
	for _, n := range p.Names {
		if n.Name != "math" {
			return nil, &Error{Msg: "name '" + n.Name + "' is not defined", Col: n.Col}
		}
		names["math"] = Math()
	}
	return p.Eval(nil, values, names)
}

// What Python gives for an expression, Python's repr() of it included, is what we give.
func TestAsPython(t *testing.T) {
	text, err := os.ReadFile("testdata/python.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][2]string
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 70 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		got, err := eval(t, "repr(("+c[0]+"))", nil)
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
		} else if got != c[1] {
			t.Errorf("%s = %v, in Python %s", c[0], got, c[1])
		}
	}
}

func TestReferences(t *testing.T) {
	refs := map[string]any{
		"a": int64(3), "l": []any{int64(1), int64(2)}, "r::0": 0.05, "rate": 0.0125, "big": true, "root": "logs", "vars::x": int64(4),
		"d": &Dict{Keys: []any{"k", int64(0)}, Values: []any{"v", "zero"}}, "::s": int64(9), "file.yaml::k": int64(7), "mode": "k",
	}
	for _, c := range []struct {
		source string
		want   any
	}{
		{"@a", int64(3)},
		{"@a * 2", int64(6)},
		{"@a%2", int64(1)},
		{"@a % 2", int64(1)},
		{"%vars::x * 2", int64(8)},
		{"%vars::x%3", int64(1)},
		{"%vars::x % %vars::x", int64(0)},
		{"%file.yaml::k + 1", int64(8)},
		{"@::s + 1", int64(10)},
		{"@l[0]", int64(1)},
		{"@l[@a - 2]", int64(2)},
		{"@d[@mode]", "v"},
		{"@d[0]", "zero"},
		{"@r::0 * 2 ** 2", 0.2},
		{"f'{@r::0}'", "0.05"},
		{`f"{@root}/{max(@l)}"`, "logs/2"},
		{"@rate * 2 ** 3 if @big else 1.0", 0.1},
		{"len([e for e in @l if e % 2 == 1])", int64(1)},
		{"'@a'", "@a"},
	} {
		got, err := eval(t, c.source, refs)
		if err != nil || got != c.want {
			t.Errorf("%s = %v, %v; want %v", c.source, got, err, c.want)
		}
	}
}

// An error says what is wrong, at its column.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		source string
		col    int
		want   string
	}{
		{"1/0", 2, "division by zero"},
		{"1 // 0", 3, "division by zero"},
		{"5 % 0", 3, "zero"},
		{"0 ** -1", 3, "zero"},
		{"1 + 'a'", 3, "unsupported operand type(s) for +: 'int' and 'str'"},
		{"[1][5]", 4, "list index out of range"},
		{"{'lr': 1}['lrr']", 10, "KeyError"},
		{"1 < 'a'", 3, "'<' not supported between instances of 'int' and 'str'"},
		{"'abc'.uper()", 7, "'str' object has no attribute 'uper'"},
		{"", 1, "empty"},
		{"1 +", 4, "unexpected end"},
		{"(1", 3, `expected ")"`},
		{"1 2", 3, "invalid syntax"},
		{"x = 1", 3, "statement"},
		{"'abc", 1, "unterminated string"},
		{"f'{1'", 0, ""},
		{"f'{}'", 3, "empty expression"},
		{"f'}'", 3, "single '}'"},
		{"foo + 1", 1, "name 'foo' is not defined"},
		{"[x for y in [1]]", 2, "name 'x' is not defined"},
		{"().__class__", 4, "not available"},
		{"__builtins__", 1, "not available"},
		{"await x", 1, "not supported"},
		{"@ + 1", 1, "expected a reference"},
		{"1 if 2", 7, `expected "else"`},
		{"lambda x x: 1", 10, `expected ":"`},
		{"1abc", 1, "invalid number"},
		{"0123", 1, "leading zeros"},
		{"?", 1, "unexpected character"},
		{"int('x')", 4, "invalid literal"},
		{"max([])", 4, "empty sequence"},
		{"math.sqrt(-1)", 10, "math domain error"},
		{"(lambda: 1/0)()", 11, "division by zero"},
		{"'é' + 1/0", 8, "division by zero"},
		{"len(5)", 4, "object of type 'int' has no len()"},
		{"b'x'", 1, "bytes"},
		{"{[1]: 2}", 1, "unhashable type: 'list'"},
	} {
		v, err := eval(t, c.source, nil)
		if err == nil {
			t.Errorf("%s = %v, want an error", c.source, v)
			continue
		}
		e := err.(*Error)
		if !strings.Contains(e.Msg, c.want) || c.col > 0 && e.Col != c.col {
			t.Errorf("%s: column %d: %s; want column %d: %s", c.source, e.Col, e.Msg, c.col, c.want)
		}
	}
}

// Nothing that an expression can say takes more than a moment or much memory.
func TestBounded(t *testing.T) {
	for _, source := range []string{
		"[0 for i in range(10**9)]", "list(range(10**9))", "sum(range(10**9))", "'a' * 10**9", "[0] * 10**9", "2 ** 10**9", "10 ** 10 ** 10", "1 << 10**9",
		"[[0] * 100000 for i in range(100000)]", "['a' * 1000000 for i in range(100000)]", "'a'.join(['b' * 1000] * 10000)",
		"('a' * 100000).replace('a', 'b' * 100000)", "f'{1:999999}' * 100", "sorted(range(10**8))", "max(range(10**9))",
		"(lambda f: f(f))(lambda f: f(f))", "[s[i:] for s in ['a' * 1000000] for i in range(100000)]", "'%s' % ('a' * 1000000) * 1000",
		"(lambda a: (lambda b: (lambda c: (lambda d: str([d, d, d, d, d, d, d, d, d, d]))([c] * 100))([b] * 100))([a] * 100))([0] * 100)",
		"(lambda a: (lambda b: (lambda c: [c, c] == [[b] * 100, c])([b] * 100))([a] * 100))([[0] * 100] * 100)",
		strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200), strings.Repeat("-", 5000) + "1", strings.Repeat("not ", 500) + "1", strings.Repeat("lambda: ", 500) + "1",
		"1" + strings.Repeat("+1", 30000), "{" + strings.Repeat("((1,),),", 3) + "}" + strings.Repeat("[0]", 300), "9" + strings.Repeat("9", 5000),
		"(lambda t: {t: 1})(" + strings.Repeat("(lambda x: (x, x))(", 30) + "1" + strings.Repeat(")", 31), "'{0}{0}{0}{0}'.format('a' * 1000000)",
	} {
		if v, err := eval(t, source, nil); err == nil {
			t.Errorf("%.60s gave %.40v without an error", source, v)
		}
	}
}

// What touches an unknown value is unknown; what does not is what it is, and its mistakes are found.
func TestUnknown(t *testing.T) {
	refs := map[string]any{"u": Unknown{}, "n": int64(1)}
	for _, source := range []string{
		"@u + 1", "@u.weight.shape[0]", "@u()", "-@u", "1 if @u else 2", "[p for p in @u]", "[p for n, p in @u.named_parameters() if 'x' in n]", "@u[0]", "@u[1:]",
		"len(@u)", "int(@u)", "max(@u, 1)", "max(@u)", "f'{@u}'", "@u == 1", "@u < 1", "1 < @u < 3", "@u is None", "math.sqrt(@u)", "'x'.startswith(@u)", "sum(@u)", "sorted(@u)",
		"','.join([@u])", "not @u", "@u and 1", "{@u: 1}", "1 in @u", "@u in [1]", "round(@u)", "[1, 2][@u]", "str(@u)", "list(@u)", "next(@u)", "zip(@u, [1])", "math.log(@u)",
	} {
		got, err := eval(t, source, refs)
		if _, ok := got.(Unknown); !ok || err != nil {
			t.Errorf("%s = %v, %v; want an unknown", source, got, err)
		}
	}
	got, err := eval(t, "[@u, @n + 1]", refs)
	if l, ok := got.([]any); !ok || err != nil || l[0] != (Unknown{}) || l[1] != int64(2) {
		t.Errorf("a list with an unknown is %v, %v", got, err)
	}
	if _, err := eval(t, "@n / 0", refs); err == nil {
		t.Error("no error beside an unknown")
	}
}

// A function of an expression can be called by the host.
func TestFunctions(t *testing.T) {
	v, err := eval(t, "lambda x, k=1: [x * 2, k]", nil)
	if err != nil {
		t.Fatal(err)
	}
	f := v.(Func)
	got, err := f([]any{int64(4)}, map[string]any{"k": "v"})
	if l, ok := got.([]any); !ok || err != nil || l[0] != int64(8) || l[1] != "v" {
		t.Errorf("f(4, k='v') = %v, %v", got, err)
	}
	if _, err := f(nil, nil); err == nil {
		t.Error("no error for a missing argument")
	}
}

func FuzzExpr(f *testing.F) {
	text, _ := os.ReadFile("testdata/python.json")
	var cases [][2]string
	if err := json.Unmarshal(text, &cases); err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		f.Add(c[0])
	}
	for _, s := range []string{"@a::b + %c", "f'{@a:{2}}'", "[x for", "lambda", "{1:", "@::::a", "%a.yaml::b", "'\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		defer time.AfterFunc(10*time.Second, func() { panic("it takes too long: " + source) }).Stop()
		p, err := Compile(source)
		if err != nil {
			if e := err.(*Error); e.Col < 1 || e.Msg == "" {
				t.Fatalf("%q: no place: %+v", source, e)
			}
			return
		}
		refs := make([]any, len(p.Refs))
		for i := range refs {
			refs[i] = []any{int64(1), "a", nil, 2.5}
		}
		names := map[string]any{}
		for _, n := range p.Names {
			names[n.Name] = Math()
		}
		if _, err := p.Eval(nil, refs, names); err != nil && strings.Contains(err.Error(), "internal error") {
			t.Fatalf("%q: %v", source, err)
		}
	})
}
