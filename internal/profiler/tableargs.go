package profiler

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
)

// tableArgs are table_kwargs.
type tableArgs struct {
	header    string
	unit      string
	nameWidth int
	topLevel  bool
}

// DecodeConfig implements the registry's Decoder, with Lightning's errors.
func (a *tableArgs) DecodeConfig(v any) error {
	if v == nil {
		return nil
	}
	d, ok := v.(*config.Dict)
	if !ok {
		return fmt.Errorf("must be %s, got %s", a.ConfigType(), lighter.TypeName(v))
	}
	for i, k := range d.Keys {
		fits := false
		value := d.Values[i]
		switch k {
		case "sort_by", "row_limit":
			return fmt.Errorf("found invalid table_kwargs key: %v. This is already a positional argument of the Profiler", k)
		case "header":
			a.header, fits = value.(string)
		case "time_unit":
			a.unit, fits = value.(string)
			fits = fits && slices.Contains([]string{"s", "ms", "us"}, a.unit)
		case "max_name_column_width":
			var n int64
			n, fits = value.(int64)
			fits = fits && n > 3
			a.nameWidth = int(n)
		case "top_level_events_only":
			a.topLevel, fits = value.(bool)
		case "max_src_column_width", "max_shapes_column_width": // no column that is as wide as they allow
			_, fits = value.(int64)
		default:
			return fmt.Errorf("found invalid table_kwargs key: %v. Should be within header, max_name_column_width, max_shapes_column_width, max_src_column_width, time_unit, top_level_events_only", k)
		}
		if !fits {
			return fmt.Errorf("%v of the table cannot be %v", k, value)
		}
	}
	return nil
}

// ConfigType implements the registry's Decoder.
func (*tableArgs) ConfigType() string { return "a mapping of the table's options" }
