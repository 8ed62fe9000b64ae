package files

import (
	"cmp"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// NPY is `lighter.datasets.NPY`: the rows of a NumPy array as samples (input, target), or (input) without a target.
type NPY struct {
	Path       string `cfg:"path,required,aka=file|filename|npy_path" help:"the file of the input, or of input and target"`
	TargetPath string `cfg:"target_path,aka=label_path|labels" help:"a file of the targets: an array with as many rows"`
	Selection
}

// Doc is the reference's text.
func (NPY) Doc() string {
	return `An array that numpy.save wrote, held in memory: any numeric dtype, byte order and memory order. Its first dimension counts the
samples. Columns are those of a two-dimensional array: an index, a list of them or a range as in Python, ` + "`\"0:64\"`" + `; an array of
more dimensions is the input as a whole, with the targets in ` + "`target_path`" + `. The operations of ` + "`input_ops` and `target_ops`" + ` are
PyTorch's in the dtype of the result, in the order written, with a number or a list of one number a column (or channel).
An array of Python objects is refused: reading one can run code.

    dataset:
      _target_: lighter.datasets.NPY
      path: data/digits.npy
      input: "0:64"
      target: 64
      input_shape: [1, 8, 8]
      input_ops: [{div: 8}, {sub: 1}]
      stop: 1200`
}

// Validate checks what needs no file.
func (c NPY) Validate() error {
	if c.TargetPath != "" && c.Target.given() {
		return lighter.FieldError("target", "cannot be combined with target_path")
	}
	return c.checkShapes()
}

// Build reads the files.
func (c NPY) Build(*lighter.Env) (_ lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	file, err := openNPY(c.Path)
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	defer file.close()
	n, err := samplesOf(file, "path")
	if err != nil {
		return nil, err
	}
	start, stop, err := rows(c.Start, c.Stop, n, c.Path)
	if err != nil {
		return nil, err
	}
	x, err := file.tensor(start, stop)
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	y := tensor.Tensor{}
	whole := file.whole()
	switch {
	case c.TargetPath != "":
		if y, whole, err = c.targets(n, start, stop); err != nil {
			return nil, err
		}
		if c.Input.given() {
			x, _, err = c.split(x)
		}
	case c.Target.given() || c.Input.given():
		x, y, err = c.split(x)
	}
	if err != nil {
		return nil, err
	}
	return c.dataset(s, start, array{x, c.Path, whole}, array{y, cmp.Or(c.TargetPath, c.Path), whole})
}

// array is the rows of an array in a file.
type array struct {
	x     tensor.Tensor // undefined for none
	path  string
	whole bool // its elements are integers
}

// dataset is the samples that an array of inputs and one of targets, if there is one, make, which begin at row start
// of the file; its tensors go to the scope around s.
func (c Samples) dataset(s tensor.Scope, start int, x, y array) (lighter.Dataset, error) {
	var columns []tensor.Tensor
	add := func(p part, a array) error {
		if !c.AllowNaN {
			if err := refuseNaN(a.x, p.field, a.path); err != nil {
				return data.Unreadable("path", err)
			}
		}
		v, err := p.finish(a.x, p.dtypeFor(a.whole))
		if err == nil {
			columns = append(columns, s.Return(v))
		}
		return err
	}
	if err := add(c.input(), x); err != nil {
		return nil, err
	}
	if y.x.Defined() {
		if err := add(c.target(), y); err != nil {
			return nil, err
		}
	}
	return data.RowsOf(data.InMemory(columns), x.path, start), nil
}

// split takes the input's and the target's columns; the target is undefined when there is none.
func (c NPY) split(x tensor.Tensor) (input, target tensor.Tensor, err error) {
	if x.Dim() != 2 {
		return x, target, lighter.FieldError("path", "%s is an array of %d dimensions, and columns are those of one with 2: leave input and target out and give target_path", c.Path, x.Dim())
	}
	n := int(x.Size(1))
	var columns []int
	if c.Target.given() {
		if columns, err = c.Target.of(n, nil); err != nil {
			return x, target, lighter.FieldError("target", "%s: %v", c.Path, err)
		}
		target = selected(x, columns, c.Target.one)
	}
	columns, err = inputColumns(&c.Input, columns, n, nil)
	if err != nil {
		return x, target, lighter.FieldError("input", "%s: %v", c.Path, err)
	}
	return selected(x, columns, c.Input.one), target, nil
}

// targets reads the file of the targets.
func (c NPY) targets(n, start, stop int) (y tensor.Tensor, whole bool, err error) {
	array, err := openNPY(c.TargetPath)
	if err != nil {
		return y, false, data.Unreadable("target_path", err)
	}
	defer array.close()
	m, err := samplesOf(array, "target_path")
	if err == nil && m != n {
		err = lighter.FieldError("target_path", "%s has %d rows, but %s has %d", c.TargetPath, m, c.Path, n)
	}
	if err != nil {
		return y, false, err
	}
	if y, err = array.tensor(start, stop); err != nil {
		err = data.Unreadable("target_path", err)
	}
	return y, array.whole(), err
}

func samplesOf(a *npyFile, field string) (int, error) {
	if len(a.shape) == 0 || a.shape[0] == 0 {
		return 0, data.Unreadable(field, fmt.Errorf("%s has the shape %v: there are no samples in it", a.path, a.shape))
	}
	return int(a.shape[0]), nil
}

// whole says whether the elements are integers.
func (f *npyFile) whole() bool { return f.kind == 'i' || f.kind == 'u' || f.kind == 'b' }

// tensor copies rows start to stop.
func (f *npyFile) tensor(start, stop int) (tensor.Tensor, error) {
	b, err := f.rows(int64(start), int64(stop))
	if err != nil {
		return tensor.Tensor{}, err
	}
	dtype, ok := npyTypes[fmt.Sprintf("%c%d", f.kind, f.size)]
	if !ok {
		return tensor.Tensor{}, fmt.Errorf("%s holds %q, which has no tensor", f.path, f.descr)
	}
	shape := append([]int64{int64(stop - start)}, f.shape[1:]...)
	if !f.fortran {
		return tensor.FromBytes(b, dtype, shape), nil
	}
	reversed, order := make([]int64, len(shape)), make([]int64, len(shape))
	for i := range shape {
		reversed[i], order[i] = shape[len(shape)-1-i], int64(len(shape)-1-i)
	}
	return tensor.CallOne("permute", tensor.FromBytes(b, dtype, reversed), order), nil
}

// npyTypes are the tensors for NumPy's kinds and sizes; unsigned integers without one were widened.
var npyTypes = map[string]tensor.DType{
	"b1": tensor.Bool, "u1": tensor.Uint8, "i1": tensor.Int8, "i2": tensor.Int16, "i4": tensor.Int32, "i8": tensor.Int64,
	"f2": tensor.Float16, "f4": tensor.Float32, "f8": tensor.Float64, "c8": tensor.Complex64, "c16": tensor.Complex128,
}

func init() { registry.Register[lighter.Dataset]("lighter.datasets.NPY", NPY{}) }
