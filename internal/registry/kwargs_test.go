package registry

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
)

// named takes arguments whose names are the user's, and one of its own.
type named struct {
	Own  int            `cfg:"own" help:"its own"`
	More map[string]int `cfg:"**kwargs,kwargs" help:"by names of the user's"`
}

func (n named) Build(*Env) (named, error) { return n, nil }

func init() { Register[named]("test.Named", named{Own: 1}) }

// A kwargs field takes the arguments that no other field names; a wrong one is blamed by the user's name.
func TestKwargs(t *testing.T) {
	get := func(x map[string]any) (named, error) {
		c, problems := config.Compose(map[string]any{"x": x})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		return Get[named](NewBuild(c, Env{}), "x")
	}
	n, err := get(map[string]any{"_target_": "test.Named", "own": 2, "a": 3, "kwargs": 4})
	if err != nil || n.Own != 2 || !slices.Equal(slices.Sorted(maps.Keys(n.More)), []string{"a", "kwargs"}) || n.More["kwargs"] != 4 {
		t.Errorf("got %+v, %v", n, err)
	}
	if _, err := get(map[string]any{"_target_": "test.Named", "a": "b"}); err == nil || !strings.Contains(err.Error(), `a of test.Named must be an int, got the str "b"`) {
		t.Errorf("got %v", err)
	}
	if e, _ := Lookup("test.Named"); e.proto.Interface().(named).More != nil {
		t.Error("the prototype was changed")
	}
}
