package files

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/tensor"
)

func (s Samples) input() part  { return part{"input", s.InputDType, s.InputShape, s.InputOps} }
func (s Samples) target() part { return part{"target", s.TargetDType, s.TargetShape, s.TargetOps} }

// part is how the input or the target of a table's samples is made from its numbers.
type part struct {
	field string // the argument that names its columns, for errors
	dtype creation.DType
	shape []int
	ops   Arithmetic
}

// dtypeFor is the element type asked for; otherwise float32, but int64 for a target of whole numbers that is used as it stands.
func (p part) dtypeFor(whole bool) tensor.DType {
	if p.field == "target" && whole && len(p.ops) == 0 {
		return p.dtype.Or(tensor.Int64)
	}
	return p.dtype.Or(tensor.Float32)
}

// finish takes x of shape [n, ...] to its dtype, does the arithmetic and gives each sample its shape.
func (p part) finish(x tensor.Tensor, dtype tensor.DType) (tensor.Tensor, error) {
	x, err := p.ops.apply(x.To(tensor.Device{}, dtype))
	if err != nil {
		return x, lighter.FieldError(p.field+"_ops", "%v", err)
	}
	if p.shape == nil {
		return x.Contiguous(), nil
	}
	n := x.Size(0)
	shape, size, open := []int64{n}, int64(1), -1
	for i, d := range p.shape {
		shape = append(shape, int64(d))
		if d == -1 && open < 0 {
			open = i + 1
			continue
		}
		if d < 1 {
			return x, lighter.FieldError(p.field+"_shape", "sizes must be positive, but for one -1; got %v", p.shape)
		}
		size *= int64(d)
	}
	have := x.Numel() / max(n, 1)
	if size > have || have%size != 0 || open < 0 && size != have {
		return x, lighter.FieldError(p.field+"_shape", "shape '%v' is invalid for a sample of %d numbers", p.shape, have)
	}
	if open >= 0 {
		shape[open] = have / size
	}
	return x.Reshape(shape...).Contiguous(), nil
}

// rows checks start and stop against a file of n rows.
func rows(start, stop *int, n int, path string) (from, to int, err error) {
	from, to = bounds(start, stop, n)
	switch {
	case start != nil && (from < 0 || from >= n):
		return 0, 0, lighter.FieldError("start", "is %d, but %s has %d rows", *start, path, n)
	case stop != nil && (to < 0 || to > n):
		return 0, 0, lighter.FieldError("stop", "is %d, but %s has %d rows", *stop, path, n)
	case from >= to:
		return 0, 0, lighter.FieldError("stop", "leaves no row: rows %d to %d of %s are none", from, to, path)
	}
	return from, to, nil
}

// Selection is what a table's rows and columns are taken for: the arguments that data sets of tables share.
type Selection struct {
	Target Columns `cfg:"target,aka=label|target_column|label_column" help:"the target's columns; one alone gives a scalar; null for none"`
	Input  Columns `cfg:"input,aka=features|columns" help:"the input's columns; all but the target's when null"`
	Samples
}

// Samples are the arguments that data sets in memory share: which rows they take, and what a sample is made of.
type Samples struct {
	Start       *int           `cfg:"start" help:"first row, counted from 0, a header left out"`
	Stop        *int           `cfg:"stop" help:"one past the last row; negative counts from the end"`
	InputOps    Arithmetic     `cfg:"input_ops" help:"add, sub, mul, div of the input, in order: [{div: 8}, {sub: 1}]"`
	TargetOps   Arithmetic     `cfg:"target_ops" help:"add, sub, mul, div of the target, in order: [{sub: 152}, {div: 77}]"`
	InputDType  creation.DType `cfg:"input_dtype,aka=dtype" help:"float32 when null"`
	TargetDType creation.DType `cfg:"target_dtype" help:"when null, int64 of whole numbers without target_ops, else float32"`
	InputShape  []int          `cfg:"input_shape,aka=shape" help:"shape of a sample's input, [1, 8, 8]; one size may be -1"`
	TargetShape []int          `cfg:"target_shape" help:"shape of a sample's target"`
	AllowNaN    bool           `cfg:"allow_nan" help:"take NaN and missing cells as NaN, which otherwise are errors"`
}

// checkShapes refuses sizes that can be no shape, before a file is read.
func (s Samples) checkShapes() error {
	if err := checkShape("input_shape", s.InputShape); err != nil {
		return err
	}
	return checkShape("target_shape", s.TargetShape)
}

func checkShape(field string, shape []int) error {
	for _, d := range shape {
		if d < 1 && d != -1 {
			return lighter.FieldError(field, "sizes must be positive, but for one -1; got %v", shape)
		}
	}
	return nil
}

// selected are columns of x, [n, columns]; one column alone gives [n].
func selected(x tensor.Tensor, columns []int, one bool) tensor.Tensor {
	if one {
		return x.Select(1, int64(columns[0]))
	}
	index := make([]int64, len(columns))
	for k, i := range columns {
		index[k] = int64(i)
	}
	return x.IndexSelect(1, tensor.FromSlice(index, int64(len(index))))
}

// refuseNaN reports the first NaN of a floating-point tensor, by its place.
func refuseNaN(x tensor.Tensor, what, path string) error {
	if !x.IsFloat() {
		return nil
	}
	at := tensor.CallOne("nonzero", tensor.CallOne("isnan", x))
	if at.Size(0) == 0 {
		return nil
	}
	place := tensor.Values[int64](at)[:x.Dim()]
	return fmt.Errorf("%s: the %s holds %d NaN, the first at %v; allow_nan: true takes them as they are", path, what, at.Size(0), place)
}
