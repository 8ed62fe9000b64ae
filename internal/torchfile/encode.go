package torchfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds the nesting of containers, written and read. Python's pickle
// itself gives up at about this depth.
const maxDepth = 1000

// encoder turns a value into a pickle of protocol 2, and collects the storages
// the pickle refers to: the i-th is the record data/i.
type encoder struct {
	out      bytes.Buffer
	memo     map[any]uint32 // strings, globals, and *Dict and *Tensor by address
	keys     map[*Storage]int
	dtypes   map[*Storage]DType
	storages []*Storage
	open     map[*Dict]bool // the dicts around what is being written
	depth    int
	err      error
}

// global is a Python class or function by name, and a key of the memo.
type global struct{ module, name string }

var orderedDict = global{"collections", "OrderedDict"}

func newEncoder() *encoder {
	return &encoder{memo: map[any]uint32{}, keys: map[*Storage]int{}, dtypes: map[*Storage]DType{}, open: map[*Dict]bool{}}
}

func (e *encoder) encode(root any) error {
	e.op(opProto, 2)
	e.value(root)
	e.op(opStop)
	return e.err
}

func (e *encoder) op(b ...byte) { e.out.Write(b) }

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

// recall emits the memo's entry for key, if there is one.
func (e *encoder) recall(key any) bool {
	i, ok := e.memo[key]
	switch {
	case !ok:
		return false
	case i < 256:
		e.op(opBinGet, byte(i))
	default:
		e.op(opLongBinGet)
		e.uint32(i)
	}
	return true
}

// memoize gives what is on top of the stack the next number of the memo.
func (e *encoder) memoize(key any) {
	i := uint32(len(e.memo))
	e.memo[key] = i
	if i < 256 {
		e.op(opBinPut, byte(i))
		return
	}
	e.op(opLongBinPut)
	e.uint32(i)
}

func (e *encoder) uint32(n uint32) {
	e.out.Write(binary.LittleEndian.AppendUint32(e.out.AvailableBuffer(), n))
}

func (e *encoder) value(v any) {
	if e.err != nil {
		return
	}
	if e.depth++; e.depth > maxDepth {
		e.fail("values are nested more than %d deep; does one hold itself?", maxDepth)
		return
	}
	defer func() { e.depth-- }()
	switch v := v.(type) {
	case nil:
		e.op(opNone)
	case bool:
		e.bool(v)
	case int:
		e.int(int64(v))
	case int64:
		e.int(v)
	case *big.Int:
		switch {
		case v == nil:
			e.op(opNone)
		case v.IsInt64():
			e.int(v.Int64())
		default:
			e.bigInt(v)
		}
	case float64:
		e.op(opBinFloat)
		e.out.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	case string:
		e.string(v)
	case []byte:
		e.bytes(v)
	case []any:
		e.list(v)
	case Tuple:
		e.tuple(v...)
	case Set:
		e.call(global{"__builtin__", "set"}, []any(v))
	case Size:
		t := make(Tuple, len(v))
		for i, d := range v {
			t[i] = d
		}
		e.call(global{"torch", "Size"}, t)
	case Device:
		e.call(global{"torch", "device"}, string(v))
	case DType:
		if !v.Valid() {
			e.fail("unknown data type %v", v)
		}
		e.global(global{"torch", v.String()})
	case *Dict:
		e.dict(v)
	case *Tensor:
		e.tensor(v)
	default:
		e.fail("a value of type %T cannot be written to a checkpoint", v)
	}
}

func (e *encoder) bool(b bool) {
	if b {
		e.op(opTrue)
	} else {
		e.op(opFalse)
	}
}

func (e *encoder) int(n int64) {
	switch {
	case n >= 0 && n < 1<<8:
		e.op(opBinInt1, byte(n))
	case n >= 0 && n < 1<<16:
		e.op(opBinInt2, byte(n), byte(n>>8))
	case n == int64(int32(n)):
		e.op(opBinInt)
		e.uint32(uint32(n))
	default:
		e.bigInt(big.NewInt(n))
	}
}

// bigInt writes an integer of up to 255 bytes, little-endian two's complement.
// weights_only opens no longer one.
func (e *encoder) bigInt(n *big.Int) {
	size := n.BitLen()/8 + 1
	if size > 255 {
		e.fail("an integer of %d bits is too large for a checkpoint", n.BitLen())
		return
	}
	u := n
	if n.Sign() < 0 {
		u = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(size)*8))
	}
	b := u.FillBytes(make([]byte, size))
	e.op(opLong1, byte(size))
	for i := range b {
		e.op(b[size-1-i])
	}
}

func (e *encoder) string(s string) {
	if e.recall(s) {
		return
	}
	if !utf8.ValidString(s) {
		e.fail("string %.40q is not UTF-8", s)
	}
	if int64(len(s)) > math.MaxUint32 {
		e.fail("a string of %d bytes is too long for a checkpoint", len(s))
		return
	}
	e.op(opBinUnicode)
	e.uint32(uint32(len(s)))
	e.out.WriteString(s)
	e.memoize(s)
}

// bytes goes by a string of the code points 0 to 255, as Python's protocol 2.
func (e *encoder) bytes(p []byte) {
	r := make([]rune, len(p))
	for i, b := range p {
		r[i] = rune(b)
	}
	e.call(global{"_codecs", "encode"}, string(r), "latin1")
}

func (e *encoder) list(l []any) {
	e.op(opEmptyList)
	if len(l) == 0 {
		return
	}
	e.op(opMark)
	for _, v := range l {
		e.value(v)
	}
	e.op(opAppends)
}

func (e *encoder) tuple(t ...any) {
	if len(t) > 3 {
		e.op(opMark)
	}
	for _, v := range t {
		e.value(v)
	}
	switch len(t) {
	case 0:
		e.op(opEmptyTuple)
	case 1, 2, 3:
		e.op(opTuple1 + byte(len(t)-1))
	default:
		e.op(opTuple)
	}
}

func (e *encoder) global(g global) {
	if !e.recall(g) {
		e.op(opGlobal)
		e.out.WriteString(g.module + "\n" + g.name + "\n")
		e.memoize(g)
	}
}

// call writes the call of a class or function that weights_only allows.
func (e *encoder) call(g global, args ...any) {
	e.global(g)
	e.tuple(args...)
	e.op(opReduce)
}

func (e *encoder) dict(d *Dict) {
	if d == nil {
		e.op(opNone)
		return
	}
	if e.open[d] {
		e.fail("a dict holds itself")
		return
	}
	if e.recall(d) {
		return
	}
	e.open[d] = true
	defer delete(e.open, d)
	switch d.Kind {
	case PlainDict:
		e.op(opEmptyDict)
	case OrderedDict:
		e.call(orderedDict)
	case Counter:
		e.call(global{"collections", "Counter"})
	default:
		e.fail("unknown kind of dict %d", d.Kind)
	}
	e.memoize(d)
	if d.Len() > 0 {
		e.op(opMark)
		for k, v := range d.All() {
			if _, ok := hashKey(k); !ok {
				e.fail("a %T cannot be a dict's key in a checkpoint", k)
			}
			e.value(k)
			e.value(v)
		}
		e.op(opSetItems)
	}
	if d.Attrs.Len() > 0 {
		if d.Kind != OrderedDict {
			e.fail("only an OrderedDict can have attributes in a checkpoint")
		}
		e.value(d.Attrs)
		e.op(opBuild)
	}
}

// tensor writes torch._utils._rebuild_tensor_v2(storage, offset, size, stride,
// requires_grad, backward_hooks), or _v3, which adds the data type.
func (e *encoder) tensor(t *Tensor) {
	if t == nil {
		e.op(opNone)
		return
	}
	if e.recall(t) {
		return
	}
	if err := t.check(math.MaxInt64); err != nil {
		e.fail("%w", err)
		return
	}
	if t.Parameter {
		e.global(global{"torch._utils", "_rebuild_parameter"})
	}
	typed := dtypes[t.DType].storage != ""
	rebuild := global{"torch._utils", "_rebuild_tensor_v2"}
	if !typed {
		rebuild.name = "_rebuild_tensor_v3"
	}
	e.global(rebuild)
	e.op(opMark)
	e.storage(t.Storage, t.DType)
	e.int(t.Offset)
	e.tuple(ints(t.Shape)...)
	e.tuple(ints(t.strides())...)
	e.bool(t.RequiresGrad && !t.Parameter)
	e.call(orderedDict)
	if !typed {
		e.global(global{"torch", t.DType.String()})
	}
	e.op(opTuple, opReduce)
	if t.Parameter {
		e.bool(t.RequiresGrad)
		e.call(orderedDict)
		e.op(opTuple3, opReduce)
	}
	e.memoize(t)
}

// storage writes the persistent id ("storage", class, key, location, elements).
func (e *encoder) storage(s *Storage, d DType) {
	key, ok := e.keys[s]
	if !ok {
		key = len(e.storages)
		e.keys[s], e.dtypes[s] = key, d
		e.storages = append(e.storages, s)
	}
	if e.dtypes[s] != d {
		e.fail("two tensors share a storage but have the data types %v and %v, which PyTorch does not save", e.dtypes[s], d)
	}
	class, n := global{"torch.storage", "UntypedStorage"}, s.size
	if name := dtypes[d].storage; name != "" {
		class, n = global{"torch", name}, s.size/d.Size()
	}
	if s.size%d.Size() != 0 {
		e.fail("a storage of %d bytes cannot hold %v", s.size, d)
	}
	e.op(opMark)
	e.string("storage")
	e.global(class)
	e.string(strconv.Itoa(key))
	e.string("cpu")
	e.int(n)
	e.op(opTuple, opBinPersID)
}

func ints(n []int64) []any {
	t := make([]any, len(n))
	for i, v := range n {
		t[i] = v
	}
	return t
}
