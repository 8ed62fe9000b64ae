package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
)

// devices says which one device is used.
type devices struct {
	index int  // of a GPU
	all   bool // -1: every GPU, of which there must be one
}

// DecodeConfig takes Lightning's forms of one device: 1, "1", "auto", -1, [n] and "n,".
func (d *devices) DecodeConfig(v any) error {
	*d = devices{}
	switch x := v.(type) {
	case nil:
		return nil
	case int64:
		if d.all = x == -1; x == 1 || d.all {
			return nil
		}
	case string:
		list, isList := strings.CutSuffix(strings.TrimSpace(x), ",")
		n, err := strconv.Atoi(list)
		switch {
		case x == "auto":
			return nil
		case err != nil:
		case isList && n >= 0:
			d.index = n
			return nil
		case n == 1 || n == -1:
			d.all = n == -1
			return nil
		}
	case []any:
		if n, ok := single(x); ok && n >= 0 {
			d.index = int(n)
			return nil
		}
	}
	return fmt.Errorf("one device is supported: %s, got %v", d.ConfigType(), v)
}

func single(items []any) (int64, bool) {
	if len(items) != 1 {
		return 0, false
	}
	n, ok := items[0].(int64)
	return n, ok
}

// ConfigType names the form.
func (*devices) ConfigType() string { return `1, "auto", -1 or the list of one GPU's number` }

// of is the device to use of the count GPUs there are.
func (d devices) of(count int) (int, error) {
	switch {
	case d.all && count > 1:
		return 0, fmt.Errorf("trainer::devices is -1 and there are %d GPUs: one device is supported; [0] takes the first", count)
	case d.index >= count:
		return 0, fmt.Errorf("trainer::devices asks for GPU %d, but there are %d, numbered from 0", d.index, count)
	}
	return d.index, nil
}

// strategy is how devices share the work. With one device, DDP is what training alone is.
type strategy struct{ ddp string }

// DecodeConfig takes Lightning's names.
func (s *strategy) DecodeConfig(v any) error {
	*s = strategy{}
	name, ok := v.(string)
	if v != nil && !ok {
		return errors.New("must be the name of a strategy: " + s.ConfigType())
	}
	base, _, _ := strings.Cut(name, "_find_unused_parameters_")
	switch base {
	case "", "auto", "single_device":
		return nil
	case "ddp", "ddp_spawn", "ddp_fork", "ddp_notebook":
		s.ddp = name
		return nil
	}
	err := fmt.Sprintf("strategy %q is not supported: one device trains, with %s", name, s.ConfigType())
	if near := diag.Nearest(name, []string{"auto", "single_device", "ddp"}, 1); len(near) > 0 {
		err += fmt.Sprintf("\ndid you mean %q?", near[0])
	}
	return errors.New(err)
}

// ConfigType names the form.
func (*strategy) ConfigType() string { return `"auto", "single_device" or "ddp"` }
