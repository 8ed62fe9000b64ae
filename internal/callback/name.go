package callback

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
)

// nameTemplate is the parsed `filename` of a ModelCheckpoint: text around fields {name} and {name:spec}.
type nameTemplate []namePart

type namePart struct {
	text  string
	field bool
	name  string // of a field
	spec  string // Python's format specification
}

// parseName reads a template. As in str.format, {{ and }} are braces.
func parseName(s string) (nameTemplate, error) {
	var t nameTemplate
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			return append(t, namePart{text: s}), nil
		}
		if i+1 < len(s) && s[i+1] == s[i] {
			t = append(t, namePart{text: s[:i+1]})
			s = s[i+2:]
			continue
		}
		if s[i] == '}' {
			return nil, errors.New("single '}' encountered in format string")
		}
		end := strings.IndexAny(s[i+1:], "{}")
		if end < 0 || s[i+1+end] == '{' {
			return nil, errors.New("expected '}' before end of string")
		}
		name, spec, _ := strings.Cut(s[i+1:i+1+end], ":")
		t = append(t, namePart{text: s[:i]}, namePart{field: true, name: name, spec: spec})
		s = s[i+end+2:]
	}
	return t, nil
}

// check says what is wrong with a field's format: epoch and step are ints, metrics floats.
func (t nameTemplate) check() error {
	for _, p := range t {
		if !p.field {
			continue
		}
		var v any = 0.5
		if p.name == "epoch" || p.name == "step" {
			v = int64(1)
		}
		if _, err := formatNumber(v, p.spec); err != nil {
			return fmt.Errorf("{%s:%s}: %w", p.name, p.spec, err)
		}
	}
	return nil
}

// format fills the fields in. insert puts "name=" before each; what was never logged is 0.
func (t nameTemplate) format(c candidates, insert bool) (string, error) {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
		if !p.field {
			continue
		}
		if insert {
			b.WriteString(p.name + "=")
		}
		v, ok := c.get(p.name)
		if !ok {
			v = int64(0)
		}
		text, err := formatNumber(v, p.spec)
		if err != nil && !ok { // a format for floats only
			text, err = formatNumber(0.0, p.spec)
		}
		if err != nil {
			return "", fmt.Errorf("{%s:%s} in the filename of a checkpoint: %w", p.name, p.spec, err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// formatNumber is Python's format(v, spec) of an int64 or a float64.
func formatNumber(v any, spec string) (string, error) {
	p, err := expr.Compile("format(value, spec)")
	if err != nil {
		return "", err
	}
	text, err := p.Eval(nil, nil, map[string]any{"value": v, "spec": spec})
	if err != nil {
		var e *expr.Error
		if errors.As(err, &e) {
			return "", errors.New(e.Msg)
		}
		return "", err
	}
	return text.(string), nil
}

// candidates are the values a checkpoint may monitor or be named by.
type candidates struct {
	metrics     map[string]float64 // as float32 holds them
	epoch, step int64
}

// get is the value under a name: an int64 for epoch and step, else a float64.
func (c candidates) get(name string) (any, bool) {
	v, ok := c.metrics[name]
	switch {
	case name == "epoch" && ok || name == "step" && ok:
		return int64(v), true
	case name == "epoch":
		return c.epoch, true
	case name == "step":
		return c.step, true
	}
	return v, ok
}

// score is the value under a name as a number to compare.
func (c candidates) score(name string) (float64, bool) {
	v, ok := c.get(name)
	if i, isInt := v.(int64); isInt {
		return float64(i), ok
	}
	f, _ := v.(float64)
	return f, ok
}
