package module

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// A value that is no scalar is logged by its elements; what is too large or no tensor leaves a warning, once, and no trace.
func TestElementsOfMetricsAreLogged(t *testing.T) {
	tensortest.Scope(t)
	zeros := func(shape ...int64) tensor.Tensor { return tensor.Zeros(shape, tensor.Int64, tensor.Device{}) }
	for _, c := range []struct {
		value   lighter.Value
		names   string
		warning string
	}{
		{zeros(), "m", ""},
		{zeros(1), "m", ""},
		{zeros(3), "m_0 m_1 m_2", ""},
		{zeros(2, 2), "m_0_0 m_0_1 m_1_0 m_1_1", ""},
		{lighter.Dict{"b": zeros(), "a": zeros(2)}, "a_0 a_1 b", ""},
		{zeros(33, 33), "", "has 1089 elements, and at most 1024 are logged"},
		{lighter.List{zeros(3), zeros(2)}, "", "does not contain a single element, thus it cannot be converted to a scalar"},
	} {
		var log bytes.Buffer
		m := &Module{log: zerolog.New(&log)}
		var names []string
		for range 2 {
			names = nil
			m.scalars("m", c.value, func(name string, x tensor.Tensor) {
				names = append(names, name)
				if x.Numel() != 1 {
					t.Errorf("%s has %d elements", name, x.Numel())
				}
			})
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("%v is logged as %q, want %q", c.value, got, c.names)
		}
		if n := strings.Count(log.String(), c.warning); c.warning != "" && n != 1 || c.warning == "" && log.Len() > 0 {
			t.Errorf("%v: the log is %q, want %q once", c.value, &log, c.warning)
		}
	}
	x := tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	(&Module{}).scalars("m", x, func(name string, v tensor.Tensor) {
		if name == "m_1_0" && v.Item() != 4 {
			t.Errorf("m_1_0 is %v, want 4", v.Item())
		}
	})
}
