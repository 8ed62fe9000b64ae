package files

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/tensor"
)

// Arrays are the arguments that files of named arrays share.
type Arrays struct {
	Input  string `cfg:"input,aka=features|input_key|x" help:"the array of the inputs, by name; null where the file has one array"`
	Target string `cfg:"target,aka=label|labels|target_key|y" help:"the array of the targets, by name; null for none"`
	Samples
}

// arrayFile is an open file of named arrays.
type arrayFile interface {
	// names are in the file's order.
	names() []string
	// open reads the header of an array and gives its shape.
	open(name string) (arrayReader, error)
}

type arrayReader interface {
	dims() []int64
	whole() bool // its elements are integers
	tensor(start, stop int) (tensor.Tensor, error)
}

// build makes the samples of a file's arrays.
func (c Arrays) build(path string, f arrayFile) (_ lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	name := c.Input
	if name == "" {
		if n := f.names(); len(n) != 1 {
			return nil, lighter.FieldError("input", "%s holds %d arrays: say which is the input. There are %s", path, len(n), quoted(n, 20))
		}
		name = f.names()[0]
	}
	input, n, err := openArray(path, f, "input", name)
	if err != nil {
		return nil, err
	}
	start, stop, err := rows(c.Start, c.Stop, n, path)
	if err != nil {
		return nil, err
	}
	parts := [2]array{{path: path, whole: input.whole()}, {path: path}}
	if parts[0].x, err = input.tensor(start, stop); err != nil {
		return nil, data.Unreadable("path", err)
	}
	if c.Target != "" {
		target, m, err := openArray(path, f, "target", c.Target)
		if err != nil {
			return nil, err
		}
		if m != n {
			return nil, lighter.FieldError("target", "%q of %s has %d rows, but %q has %d", c.Target, path, m, name, n)
		}
		parts[1].whole = target.whole()
		if parts[1].x, err = target.tensor(start, stop); err != nil {
			return nil, data.Unreadable("path", err)
		}
	}
	return c.dataset(s, start, parts[0], parts[1])
}

// openArray opens the array that an argument names; n are its rows.
func openArray(path string, f arrayFile, field, name string) (a arrayReader, n int, err error) {
	known := false
	for _, other := range f.names() {
		known = known || other == name
	}
	if !known {
		hint := fmt.Sprintf("there are %s", quoted(f.names(), 20))
		if near := diag.Nearest(name, f.names(), 1); len(near) > 0 {
			hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		return nil, 0, lighter.FieldError(field, "%s has no array %q: %s", path, name, hint)
	}
	if a, err = f.open(name); err != nil {
		return nil, 0, data.Unreadable("path", err)
	}
	shape := a.dims()
	if len(shape) == 0 || shape[0] == 0 {
		return nil, 0, data.Unreadable("path", fmt.Errorf("%s: %q has the shape %v: there are no samples in it", path, name, shape))
	}
	return a, int(shape[0]), nil
}
