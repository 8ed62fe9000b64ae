package project

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// Limits bound what a call of user code may take.
type Limits struct {
	Steps  int   // of Starlark, with those of what it calls
	Memory int64 // bytes by which the program's heap may grow; tensors are not in it
}

var usual = Limits{Steps: 500_000_000, Memory: 1 << 30}

// settings reads the marker, which may be empty: max_steps = 10_000_000 and max_memory = "512MB" bound what a call of user code
// may take.
func (p *Project) settings() error {
	f, err := p.load(Marker)
	if err != nil {
		return err
	}
	m, err := expr.NewRuntime(expr.Options{Steps: 1_000_000}).Run(f.code)
	if err != nil {
		return err
	}
	for _, g := range f.globals {
		v, _ := m.Get(g.Name)
		d := diag.Diagnostic{Pos: g.Pos}
		switch g.Name {
		case "max_steps":
			n, ok := v.(int64)
			if !ok || n < 1 {
				d.Msg = fmt.Sprintf("max_steps must be a positive int, got %v", v)
				return d
			}
			p.limits.Steps = int(n)
		case "max_memory":
			n, ok := sizeOf(v)
			if !ok {
				d.Msg = fmt.Sprintf("max_memory must be a size such as \"512MB\", got %v", v)
				return d
			}
			p.limits.Memory = n
		default:
			d.Msg = fmt.Sprintf("the marker of a project has no setting %q", g.Name)
			d.Hint = "it may set max_steps and max_memory; functions go to files of their own"
			return d
		}
	}
	return nil
}

// sizeOf is a number of bytes, or a text such as "512MB" or "2 GiB".
func sizeOf(v any) (int64, bool) {
	if n, ok := v.(int64); ok {
		return n, n > 0
	}
	s, ok := v.(string)
	if !ok {
		return 0, false
	}
	s = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), " ", ""))
	for i, unit := range []string{"K", "M", "G"} {
		for _, suffix := range []string{unit, unit + "B", unit + "IB"} {
			if number, ok := strings.CutSuffix(s, suffix); ok {
				n, err := strconv.ParseFloat(number, 64)
				bytes := int64(n * float64(int64(1)<<(10*(i+1))))
				return bytes, err == nil && bytes > 0
			}
		}
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(s, "B"), 10, 64)
	return n, err == nil && n > 0
}
