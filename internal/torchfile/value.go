package torchfile

import (
	"iter"
	"math"
	"math/big"
)

// A value of a checkpoint is one of
//
//	nil, bool, int64, float64, string, []byte
//	*big.Int      an integer outside int64
//	[]any         a list
//	Tuple, Set    a tuple; a set or frozenset, in the file's order
//	*Dict         a dict, OrderedDict or Counter
//	*Tensor       a tensor or an nn.Parameter
//	DType         torch.float32 and its like, as a value
//	Size, Device  torch.Size; torch.device
//	Class         a class that is named but not used
//
// Write takes int too. Python objects that are shared stay shared where the Go
// type is a pointer: *Dict and *Tensor.

// Tuple is a Python tuple.
type Tuple []any

// Set is a Python set or frozenset.
type Set []any

// Size is a torch.Size.
type Size []int64

// Device is a torch.device: "cpu", "cuda:0".
type Device string

// Class is the full name of a Python class that stands in the file as a value,
// such as omegaconf's DictConfig under Lightning's "hparams_type". Read-only:
// Write refuses it.
type Class string

// DictKind tells the dict classes of Python apart.
type DictKind uint8

// The dict classes that torch.load(weights_only=True) opens.
const (
	PlainDict DictKind = iota
	OrderedDict
	Counter
)

// Dict is a Python dict: an ordered map. Keys are nil, bool, int64, float64,
// string and Class; as in Python, 1, 1.0 and true are the same key. The zero Dict is empty
// and ready for use. A Dict is not safe for concurrent writes.
type Dict struct {
	Kind DictKind
	// Attrs are attributes set on an OrderedDict, nil if there are none. A
	// module's state_dict has one, "_metadata", with the layers' versions.
	Attrs *Dict

	keys  []any
	vals  []any
	index map[any]int
}

// NewDict makes a plain dict of keys and values in turn: NewDict("lr", 0.1, ...).
// A last key without a value gets nil.
func NewDict(kv ...any) *Dict {
	d := &Dict{}
	for i := 0; i < len(kv); i += 2 {
		var v any
		if i+1 < len(kv) {
			v = kv[i+1]
		}
		d.Set(kv[i], v)
	}
	return d
}

// Set sets the value of a key. A new key goes last. A key of a type no dict can
// have is kept, and Write reports it.
func (d *Dict) Set(key, value any) {
	h, ok := hashKey(key)
	if i, found := d.index[h]; ok && found {
		d.vals[i] = value
		return
	}
	if n, isInt := key.(int); isInt {
		key = int64(n)
	}
	d.keys = append(d.keys, key)
	d.vals = append(d.vals, value)
	if !ok {
		return
	}
	if d.index == nil {
		d.index = make(map[any]int)
	}
	d.index[h] = len(d.keys) - 1
}

// Get returns the value of a key and whether it is there.
func (d *Dict) Get(key any) (any, bool) {
	h, ok := hashKey(key)
	if !ok || d == nil {
		return nil, false
	}
	i, found := d.index[h]
	if !found {
		return nil, false
	}
	return d.vals[i], true
}

// Len is the number of keys.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.keys)
}

// Keys returns the keys in order. The caller must not change the slice.
func (d *Dict) Keys() []any {
	if d == nil {
		return nil
	}
	return d.keys
}

// All ranges over keys and values in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i := range d.Len() {
			if !yield(d.keys[i], d.vals[i]) {
				return
			}
		}
	}
}

// hashKey maps keys that are equal in Python to one Go value. ok is false for a
// key that this package does not keep.
func hashKey(k any) (h any, ok bool) {
	switch k := k.(type) {
	case nil, int64, string, Class:
		return k, true
	case int:
		return int64(k), true
	case bool:
		if k {
			return int64(1), true
		}
		return int64(0), true
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<62 {
			return int64(k), true
		}
		return k, true
	}
	return nil, false
}

// fitInt returns an int64 where the integer fits one, else the integer itself.
func fitInt(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}
