package model

import (
	"errors"
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// noIndex is no target's.
const noIndex = math.MinInt64

// CheckTarget implements [lighter.TargetChecker].
func (m *loss) CheckTarget(pred, target lighter.Value) error {
	x, ok1 := pred.(tensor.Tensor)
	y, ok2 := target.(tensor.Tensor)
	if !m.indexed || !ok1 || !ok2 || y.IsFloat() || x.Dim() == 0 || y.Dim() == 0 && x.Dim() != 1 {
		return nil
	}
	dim := 1
	if x.Dim() == 1 {
		dim = 0
	}
	classes := x.Size(dim)
	s := tensor.Open()
	defer s.Close()
	const most = 1 << 20 // what is looked at in every step where the loss itself cannot say: a batch of labels, not of masks
	if x.Device().Type != tensor.CPU && y.Numel() > most {
		return nil
	}
	for i, v := range tensor.Values[int64](y) {
		if v == m.ignored || v >= 0 && v < classes {
			continue
		}
		k, per := 0, int64(1)
		if y.Dim() > 0 && dim == 1 {
			per = y.Numel() / y.Size(0)
			k = int(int64(i) / per)
		}
		where := ""
		if per > 1 {
			where = fmt.Sprintf(" (at element %d of its target)", int64(i)%per)
		}
		text := fmt.Sprintf("Target %d is out of bounds%s: the prediction has %d classes, so targets must be from 0 to %d", v, where, classes, classes-1)
		return &lighter.SampleError{K: k, Err: errors.New(text)}
	}
	return nil
}

var _ lighter.TargetChecker = (*loss)(nil)
