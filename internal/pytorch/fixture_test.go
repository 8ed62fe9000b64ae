package pytorch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// module is a namespace for code in tests.
type module string

func (module) TypeName() string { return "module" }

// language gives code torch and its values, as the registry's host does.
type language struct{ objects }

func (l language) Attr(v any, name string) (any, bool, []string) {
	m, ok := v.(module)
	if !ok {
		return l.objects.Attr(v, name)
	}
	full := string(m) + "." + name
	if x, ok := Name(full); ok {
		if c, ok := x.(Callable); ok {
			return expr.Func(c.Call), true, nil
		}
		return x, true, nil
	}
	if IsModule(full) {
		return module(full), true, nil
	}
	if c, ok := Refused(full); ok {
		return expr.Func(c.Call), true, nil
	}
	var names []string
	for _, n := range Names() {
		if rest, ok := strings.CutPrefix(n, string(m)+"."); ok {
			names = append(names, rest)
		}
	}
	return nil, false, names
}

func (l language) Iterate(v any) ([]any, bool) {
	items, err := l.objects.Iterate(v)
	if err != nil {
		tensor.Fail("iterate", "%v", err)
	}
	return items, true
}

// functionOf compiles a body that sees what setup makes.
func functionOf(t testing.TB, setup, body string) (f *expr.Function, inputs []any, err error) {
	t.Helper()
	source := setup + "\ndef case(x, y, k, n, w):\n"
	for line := range strings.Lines(body) {
		source += "    " + line
	}
	file, err := expr.CompileFile("case.star", source+"\n\ndef given():\n    return [x, y, k, n, w]\n")
	if err != nil {
		return nil, nil, err
	}
	m, err := expr.NewRuntime(expr.Options{Host: language{}, Names: map[string]any{"torch": module("torch")}}).Run(file)
	if err != nil {
		return nil, nil, err
	}
	v, _ := m.Get("given")
	x, err := v.(*expr.Function).Call(nil, nil)
	if err != nil {
		return nil, nil, err
	}
	v, _ = m.Get("case")
	return v.(*expr.Function), x.([]any), nil
}

func call(t testing.TB, setup, body string) (any, error) {
	f, inputs, err := functionOf(t, setup, body)
	if err != nil {
		return nil, err
	}
	return f.Call(inputs, nil)
}

// same compares a value with what PyTorch gave.
func same(t *testing.T, what string, got any, want json.RawMessage) {
	t.Helper()
	var list []json.RawMessage
	if json.Unmarshal(want, &list) == nil {
		items, ok := elements(got)
		if !ok || len(items) != len(list) {
			t.Errorf("%s: got %s, want %d values", what, Repr(got), len(list))
			return
		}
		for i := range items {
			same(t, fmt.Sprintf("%s [%d]", what, i), items[i], list[i])
		}
		return
	}
	var text struct{ Repr *string }
	if err := json.Unmarshal(want, &text); err != nil {
		t.Fatal(err)
	}
	if text.Repr != nil {
		if s := Repr(got); s != *text.Repr {
			t.Errorf("%s: got\n%s\nwant\n%s", what, s, *text.Repr)
		}
		return
	}
	var w tensortest.Tensor
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	g, ok := got.(tensor.Tensor)
	if !ok {
		t.Errorf("%s: got %s, want a tensor", what, Repr(got))
		return
	}
	tensortest.Close(t, what, g, &w)
}

func TestUserCode(t *testing.T) {
	type fixture struct {
		Name, Kind, Body, Error string
		Want                    json.RawMessage
	}
	cases := tensortest.Load[fixture](t, "usercode")
	setup := cases[0].Body
	for _, c := range cases[1:] {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			got, err := call(t, setup, c.Body)
			switch {
			case c.Kind == "error":
				if err == nil {
					t.Errorf("gives %s, PyTorch fails with %q", Repr(got), c.Error)
				} else if !strings.Contains(err.Error(), c.Error) {
					t.Errorf("got %q, PyTorch says %q", err, c.Error)
				}
			case err != nil:
				t.Error(err)
			default:
				same(t, "value", got, c.Want)
			}
		})
	}
}
