package optim

import (
	"bytes"
	"encoding/json"
)

// orderedOptions is a JSON object with the order of its keys.
type orderedOptions struct {
	names  []string
	values []any
}

func (o *orderedOptions) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return err
		}
		o.names, o.values = append(o.names, name.(string)), append(o.values, v)
	}
	return nil
}
