package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// TestFormsOfArguments are the forms that Lightning's Trainer takes, what they mean, and what others are told.
func TestFormsOfArguments(t *testing.T) {
	mapping := &config.Dict{Keys: []any{"minutes"}, Values: []any{int64(2)}}
	for _, c := range []struct {
		into registry.Decoder
		v    any
		want string // of the decoded value, or "error: " and a part of the message
	}{
		{&precision{}, nil, "32-true"},
		{&precision{}, int64(16), "16-mixed"},
		{&precision{}, "bf16", "bf16-mixed"},
		{&precision{}, int64(64), "64-true"},
		{&precision{}, "16-true", "16-true"},
		{&precision{}, int64(8), `error: precision "8" is invalid`},
		{&precision{}, 1.5, `error: precision "1.5" is invalid`},
		{&precision{}, "transformer-engine-float16", "error: Transformer Engine"},
		{&devices{}, int64(1), "0"},
		{&devices{}, "-1", "0"},
		{&devices{}, []any{int64(3)}, "3"},
		{&devices{}, "2,", "2"},
		{&devices{}, int64(2), "error: one device is supported"},
		{&devices{}, "0,1", "error: one device is supported"},
		{&devices{}, []any{int64(0), int64(1)}, "error: one device is supported"},
		{&strategy{}, "auto", ""},
		{&strategy{}, "ddp_find_unused_parameters_false", "ddp_find_unused_parameters_false"},
		{&strategy{}, "deepspeed_stage_2", "error: is not supported"},
		{&limit{}, int64(3), "3"},
		{&limit{}, 4.0, "4"},
		{&limit{}, 0.25, "0.25"},
		{&limit{}, 1.5, "error: it has to be in [0.0, 1.0] or an int"},
		{&limit{}, int64(-1), "error: must not be negative"},
		{&interval{}, 0.5, "0.5"},
		{&interval{}, "00:00:01:30", "1m30s"},
		{&interval{}, mapping, "2m0s"},
		{&interval{}, "1:30", "error: DD:HH:MM:SS"},
		{&interval{}, "00:00:00:00", "error: must be positive"},
		{&interval{}, true, "error: must be an int"},
	} {
		got := ""
		err := c.into.DecodeConfig(c.v)
		switch x := c.into.(type) {
		case *precision:
			got = x.name
		case *devices:
			got = fmt.Sprint(x.index)
		case *strategy:
			got = x.ddp
		case *limit:
			got = limitText(*x)
		case *interval:
			if got = limitText(x.limit); x.every > 0 {
				got = time.Duration(x.every).String()
			}
		}
		part, wantErr := strings.CutPrefix(c.want, "error: ")
		switch {
		case wantErr && (err == nil || !strings.Contains(err.Error(), part)):
			t.Errorf("%T of %v: error %v, want %q", c.into, c.v, err, part)
		case !wantErr && (err != nil || got != c.want):
			t.Errorf("%T of %v is %q, %v, want %q", c.into, c.v, got, err, c.want)
		}
	}
}

func limitText(l limit) string {
	if l.count < 0 {
		return fmt.Sprint(l.fraction)
	}
	return fmt.Sprint(l.count)
}

func TestDeviceOfConfiguration(t *testing.T) {
	for _, c := range []struct {
		d     devices
		gpus  int
		index int
		err   string
	}{
		{devices{}, 4, 0, ""},
		{devices{index: 3}, 4, 3, ""},
		{devices{index: 4}, 4, 0, "GPU 4, but there are 4"},
		{devices{all: true}, 1, 0, ""},
		{devices{all: true}, 2, 0, "[0] takes the first"},
	} {
		n, err := c.d.of(c.gpus)
		if n != c.index || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v of %d GPUs is %d, %v, want %d, %q", c.d, c.gpus, n, err, c.index, c.err)
		}
	}
}
