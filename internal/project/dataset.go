package project

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/data/draw"
)

// Dataset is a torch.utils.data.Dataset of user code: length(self) and getitem(self, i). Several threads may ask for samples at
// once, so its attributes don't change any more once it is built.
type Dataset struct {
	members
	class           string
	length, getitem *expr.Function
	n               int
}

func newDataset(s *session, args []any, kwargs *expr.Dict) (any, error) {
	d := &Dataset{class: s.className("torch.utils.data.Dataset")}
	if err := s.fill(d, "torch.utils.data.Dataset", args, kwargs); err != nil {
		return nil, err
	}
	d.length, d.getitem = d.either("length", "__len__"), d.either("getitem", "__getitem__")
	if d.getitem == nil || d.length == nil {
		return nil, fmt.Errorf("torch.utils.data.Dataset() needs the functions length(self) and getitem(self, i)")
	}
	d.freeze()
	return d, nil
}

// either is the function of one of two names.
func (m *members) either(a, b string) *expr.Function {
	if f := m.function(a); f != nil {
		return f
	}
	return m.function(b)
}

func (d *Dataset) held() *members { return &d.members }

// TypeName is the class's name.
func (d *Dataset) TypeName() string { return lastPart(d.class) }

// Len calls length.
func (d *Dataset) Len() int {
	if d.n > 0 {
		return d.n
	}
	v, err := d.length.Call([]any{d}, nil)
	n, ok := v.(int64)
	if err == nil && (!ok || n < 0 || n > math.MaxInt32) {
		err = fmt.Errorf("%s: length() must return an int >= 0, got %v", d.TypeName(), v)
	}
	throw(d.TypeName(), err)
	d.n = int(n)
	return d.n
}

// Item calls getitem. It draws from the default generator.
func (d *Dataset) Item(i int) (lighter.Value, error) { return d.Draw(i, draw.Default{}) }

// Draw calls getitem, whose random numbers come from r.
func (d *Dataset) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	v, err := draw.Call(r, d.getitem.Call, d, int64(i))
	if err != nil {
		return nil, &lighter.DataError{Err: fmt.Errorf("%s: %w", d.TypeName(), d.blame(err))}
	}
	return v, nil
}
