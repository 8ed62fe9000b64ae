package callback

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// golden reads a file of testdata/callbacks.py.
func golden[T any](t *testing.T, file string) (cases T) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	must(t, err)
	must(t, json.Unmarshal(data, &cases))
	return cases
}

// goldenFloat is a number of a golden: JSON has no NaN and no infinity.
type goldenFloat float64

func (f *goldenFloat) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"nan"`:
		*f = goldenFloat(math.NaN())
	case `"inf"`:
		*f = goldenFloat(math.Inf(1))
	case `"-inf"`:
		*f = goldenFloat(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(f))
	}
	return nil
}

// configured builds a callback from the arguments of a golden, as a configuration would give them.
func configured(t *testing.T, target string, args map[string]any) (lighter.Callback, interface{ String() string }) {
	t.Helper()
	env, out := envOf(false)
	given := map[string]any{}
	for name, v := range args {
		given[name] = configValue(v)
	}
	c, err := registry.New[lighter.Callback](target, env, given)
	must(t, err)
	return c, out
}

// configValue is a JSON value as the configuration resolves it.
func configValue(v any) any {
	switch x := v.(type) {
	case float64:
		if x == math.Trunc(x) {
			return int64(x)
		}
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = configValue(x[i])
		}
		return out
	case map[string]any:
		d := &config.Dict{}
		for k, item := range x {
			d.Keys, d.Values = append(d.Keys, k), append(d.Values, configValue(item))
		}
		return d
	}
	return v
}

// reports are the messages in a log since it was `from` bytes long.
func reports(t *testing.T, log interface{ String() string }, from int) []string {
	t.Helper()
	lines := []string{}
	for line := range strings.Lines(log.String()[from:]) {
		var event struct{ Message string }
		must(t, json.Unmarshal([]byte(line), &event))
		lines = append(lines, event.Message)
	}
	return lines
}
