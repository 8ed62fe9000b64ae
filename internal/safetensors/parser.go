package safetensors

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// parser walks the tokens of a header that is known to be JSON.
type parser struct{ dec *json.Decoder }

func newParser(header []byte) parser {
	dec := json.NewDecoder(bytes.NewReader(header))
	dec.UseNumber()
	return parser{dec}
}

// object calls field for every name, which reads its value. A name that stands twice is an error.
func (p parser) object(what string, field func(name string) error) error {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('{') {
		return damaged("%s is not an object", what)
	}
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return damaged("%s has a key that is no text", what)
		}
		if seen[name] {
			return damaged("%s has two keys %q", what, name)
		}
		seen[name] = true
		if err := field(name); err != nil {
			return err
		}
	}
	_, err := p.dec.Token() // the closing brace
	return err
}

// texts reads the metadata: null, or an object of texts.
func (p parser) texts() (map[string]string, error) {
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return nil, nil
	}
	out := map[string]string{}
	inner := newParser(raw)
	err := inner.object(metadataKey, func(name string) error {
		t, err := inner.dec.Token()
		text, ok := t.(string)
		if err != nil || !ok {
			return damaged("%s: the value of %q is not a text", metadataKey, name)
		}
		out[name] = text
		return nil
	})
	return out, err
}

// entry reads what the header says of a tensor.
func (p parser) entry(name string) (entry, error) {
	e := entry{name: name}
	var dtype string
	seen := 0
	err := p.object("tensor "+strconv.Quote(name), func(field string) error {
		seen++
		switch field {
		case "dtype":
			t, err := p.dec.Token()
			text, ok := t.(string)
			if err != nil || !ok {
				return damaged("tensor %q: its dtype is not a text", name)
			}
			dtype = text
			return nil
		case "shape":
			dims, err := p.numbers(name, field)
			e.shape = make([]int64, len(dims))
			for i, d := range dims {
				e.shape[i] = int64(d)
			}
			return err
		case "data_offsets":
			place, err := p.numbers(name, field)
			if err == nil && len(place) != 2 {
				err = damaged("tensor %q has %d data_offsets, not 2", name, len(place))
			}
			if err == nil {
				e.begin, e.end = place[0], place[1]
			}
			return err
		}
		seen-- // the format's reader ignores what it does not know
		var ignored json.RawMessage
		return p.dec.Decode(&ignored)
	})
	if err != nil {
		return e, err
	}
	if seen != 3 {
		return e, damaged("tensor %q needs dtype, shape and data_offsets", name)
	}
	return e, e.check(dtype)
}

// maxDims bounds a shape. PyTorch has at most 64 dimensions.
const maxDims = 64

// numbers reads a list of integers from 0 on.
func (p parser) numbers(name, field string) ([]uint64, error) {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('[') {
		return nil, damaged("tensor %q: its %s is not a list", name, field)
	}
	var out []uint64
	for p.dec.More() {
		t, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		text, _ := t.(json.Number)
		n, err := strconv.ParseUint(string(text), 10, 64)
		if err != nil || n > math.MaxInt64 {
			return nil, damaged("tensor %q: its %s holds %v, not an integer from 0 to %d", name, field, t, math.MaxInt64)
		}
		if len(out) == maxDims {
			return nil, damaged("tensor %q: its %s has more than %d items", name, field, maxDims)
		}
		out = append(out, n)
	}
	_, err := p.dec.Token() // the closing bracket
	return out, err
}
