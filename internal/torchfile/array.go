package torchfile

import (
	"errors"
	"fmt"
)

// Array is a numpy.ndarray of a bare pickle: its element type ("u1", "f8"), its shape and its bytes in C order, little-endian.
type Array struct {
	Code  string
	Shape []int64
	Data  []byte
}

// arrayClasses are what a pickle of arrays may name beside what a checkpoint may.
var arrayClasses = map[string]*class{}

func init() {
	for _, n := range []string{"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"} {
		arrayClasses[n] = &class{name: n, call: newArray}
	}
	arrayClasses["numpy.ndarray"] = &class{name: "numpy.ndarray"}
}

// ReadPickle decodes a bare pickle of protocol 2 to 5 that may hold numpy arrays, as data. Text of Python 2 stays as its bytes.
func ReadPickle(data []byte) (any, error) {
	m := &machine{buf: data, memo: map[uint32]any{}, source: noStorages{}, arrays: true}
	return m.run()
}

// noStorages is the source of a pickle beside which there is nothing.
type noStorages struct{}

func (noStorages) storage(string, int64, int64, any) (*Storage, error) {
	return nil, errors.New("a tensor's storage in a pickle of arrays")
}

func (noStorages) size() int64 { return 0 }

func newArray(_ *machine, args []any) (any, error) {
	if len(args) != 3 {
		return nil, badArguments(args)
	}
	if c, ok := args[0].(*class); !ok || c.name != "numpy.ndarray" {
		return nil, badArguments(args)
	}
	return &Array{}, nil
}

// build takes numpy's state of an array: (version, shape, dtype, is Fortran's order, bytes).
func (a *Array) build(state any) error {
	n, ok := state.(*node)
	if !ok || len(n.items) != 5 || a.Data != nil {
		return errors.New("the state of a numpy array is not one")
	}
	shape, ok := n.items[1].(*node)
	t, ok2 := n.items[2].(*numpyType)
	fortran, ok3 := n.items[3].(bool)
	if !ok || !ok2 || !ok3 {
		return errors.New("the state of a numpy array is not one")
	}
	if fortran {
		return errors.New("a numpy array in Fortran's order")
	}
	if t.order != "<" && t.order != "|" || len(t.code) != 2 || t.code[1] < '1' || t.code[1] > '8' {
		return fmt.Errorf("a numpy array of type %q in order %q", t.code, t.order)
	}
	var data []byte
	switch d := n.items[4].(type) {
	case []byte:
		data = d
	case string:
		data = []byte(d)
	default:
		return errors.New("a numpy array of objects")
	}
	size := uint64(t.code[1] - '0')
	for _, v := range shape.items {
		d, ok := v.(int64)
		if !ok || d < 0 {
			return errors.New("a numpy array's shape is not one")
		}
		a.Shape = append(a.Shape, d)
		size = mulAdd(size, uint64(d), 0)
	}
	if size != uint64(len(data)) {
		return fmt.Errorf("a numpy array of shape %v has %d bytes, not %d", a.Shape, len(data), size)
	}
	a.Code, a.Data = t.code, data
	return nil
}
