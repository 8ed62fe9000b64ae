package lighter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// attention takes (query, key, mask=).
type attention struct{ lighter.Node }

func (*attention) Signature() string { return "query, key, mask=, causal=" }

func (*attention) Forward(in ...lighter.Value) lighter.Value { return fmt.Sprint(in...) }

func TestCallByKeyword(t *testing.T) {
	m := &attention{}
	m.SetClass("project.Attention")
	kw := func(pairs ...any) map[string]lighter.Value {
		out := map[string]lighter.Value{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}
	for _, c := range []struct {
		args   []lighter.Value
		kwargs map[string]lighter.Value
		want   string
	}{
		{[]lighter.Value{1, 2}, nil, "1 2"},
		{[]lighter.Value{1}, kw("key", 2), "1 2"},
		{[]lighter.Value{1, 2}, kw("causal", true), "1 2 <nil> true"},
		{[]lighter.Value{1, 2}, kw("mask", nil), "1 2"},
		{nil, kw("mask", 3, "key", 2, "query", 1), "1 2 3"},
		{[]lighter.Value{1}, kw("mask", 3), "missing 1 required positional argument: 'key'"},
		{[]lighter.Value{1, 2}, kw("key", 3), "got multiple values for argument 'key'"},
		{[]lighter.Value{1, 2}, kw("msk", 3), `got an unexpected keyword argument 'msk': did you mean "mask"?`},
	} {
		if got := call(m, c.args, c.kwargs); !strings.Contains(got, c.want) {
			t.Errorf("%v %v: got %q, want %q", c.args, c.kwargs, got, c.want)
		}
	}
}

func call(m lighter.Module, args []lighter.Value, kwargs map[string]lighter.Value) (out string) {
	var err error
	func() {
		defer tensor.Recover(&err)
		out = fmt.Sprint(lighter.Call(m, args, kwargs))
	}()
	if err != nil {
		return err.Error()
	}
	return out
}
