package files

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
)

// Impute says what missing cells become: {age: median, rooms: 0, city: unknown}.
type Impute []filling

type filling struct {
	column any // a name (string) or an index (int64)
	with   any // "mean", "median" or "most_frequent", another text, or a float64
}

// DecodeConfig implements [registry.Decoder].
func (m *Impute) DecodeConfig(v any) error {
	*m = nil
	if v == nil {
		return nil
	}
	d, ok := v.(*config.Dict)
	if !ok {
		return fmt.Errorf("must be %s, got %s", m.ConfigType(), lighter.TypeName(v))
	}
	for i, key := range d.Keys {
		f := filling{column: key}
		switch key := key.(type) {
		case int64:
		case string:
			if n, err := strconv.ParseInt(key, 10, 64); err == nil {
				f.column = n
			}
		default:
			return fmt.Errorf("a column is a name or an index, got %s", lighter.TypeName(key))
		}
		switch x := d.Values[i].(type) {
		case int64:
			f.with = float64(x)
		case float64:
			f.with = x
		case string:
			if x == "" {
				return errors.New("a missing text cannot become an empty one")
			}
			f.with = x
		default:
			return fmt.Errorf("must be %s, got %s for the column %v", m.ConfigType(), lighter.TypeName(x), key)
		}
		*m = append(*m, f)
	}
	return nil
}

// ConfigType implements [registry.Decoder].
func (*Impute) ConfigType() string {
	return "a mapping from columns to mean, median, most_frequent or a value: {age: median, rooms: 0}"
}

// middle is the median of numbers, which it sorts.
func middle(v []float64) float64 {
	slices.Sort(v)
	return v[(len(v)-1)/2]/2 + v[len(v)/2]/2
}

// mostFrequent is the value that occurs most often, the least of those that do.
func mostFrequent(v []float64) float64 {
	slices.Sort(v)
	best, most := v[0], 0
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && v[j] == v[i] {
			j++
		}
		if j-i > most {
			best, most = v[i], j-i
		}
		i = j
	}
	return best
}
