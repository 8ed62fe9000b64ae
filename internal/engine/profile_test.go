package engine

import (
	"testing"

	"github.com/lighter-go/lighter/internal/config"
)

// Without a profiler nothing is measured, and a step costs no allocation for it.
func TestNoProfileAllocatesNothing(t *testing.T) {
	trainer := &Trainer{}
	steps := 0
	if n := testing.AllocsPerRun(100, func() {
		trainer.profileBatch()
		done := trainer.profile(nextBatch)
		done()
		trainer.measured(modelStep, func() { steps++ })
		trainer.profileHook(0, hookBatchEnd)()
		_ = trainer.profiledBatch(nil)
	}); n > 0 || steps == 0 {
		t.Errorf("%v allocations a step", n)
	}
}

func TestProfilerArgument(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string // "" is fine
	}{
		{nil, ""},
		{"simple", ""},
		{"pytorch", ""},
		{config.Unknown{}, ""},
		{"advanced", `the advanced profiler is cProfile, which measures Python's functions, and there are none here: use "simple" for the parts of the loop or "pytorch" for operators and layers`},
		{"xla", `the xla profiler is of TPUs, which are not supported: use "simple" or "pytorch"`},
		{"smple", "when passing string value for the `profiler` parameter of `Trainer`, it can only be one of simple, pytorch; got \"smple\""},
		{true, `must be "simple", "pytorch", a profiler or null, got bool`},
	} {
		err := new(profilerArg).CheckConfig(c.v)
		if got := ""; err == nil && c.want != "" || err != nil && err.Error() != c.want {
			t.Errorf("%v: got %q %v, want %q", c.v, got, err, c.want)
		}
	}
}
