package tensor

// #include "lighter.h"
// #include <stdlib.h>
import "C"

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/lighter-go/lighter/internal/diag"
)

// Kwarg is a keyword argument of [Call].
type Kwarg struct {
	Name  string
	Value any
}

// Call runs any ATen operator by name, `Call("aten::linear", x, w)` or `Call("linear", x, w)`. The overload is the
// first whose schema takes the arguments; defaults and types come from the schema. Arguments are nil, Tensor, bool,
// int, int64, float64, string, DType, Device, MemoryFormat, slices of those, and Kwarg. Results are Tensor, bool, int64,
// float64, string, nil or []any of those. About 3 us dearer than a direct call.
func Call(name string, args ...any) []any {
	buf := appendText(nil, name)
	positional := 0
	for _, a := range args {
		if _, named := a.(Kwarg); !named {
			positional++
		}
	}
	buf = binary.LittleEndian.AppendUint32(buf, uint32(positional))
	for _, a := range args[:positional] {
		if _, named := a.(Kwarg); named {
			Fail(name, "positional argument follows a keyword argument")
		}
		buf = appendValue(name, buf, a)
	}
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(args)-positional))
	for _, a := range args[positional:] {
		kw := a.(Kwarg)
		buf = appendValue(name, appendText(buf, kw.Name), kw.Value)
	}
	var out *C.char
	var n C.size_t
	status := C.lt_call((*C.char)(unsafe.Pointer(unsafe.SliceData(buf))), C.size_t(len(buf)), &out, &n)
	if status != 0 {
		panic(callError(name, args))
	}
	return readResults(out, n)
}

func readResults(out *C.char, n C.size_t) []any {
	r := reader{unsafe.Slice((*byte)(unsafe.Pointer(out)), int(n))}
	results := make([]any, r.uint32())
	for i := range results {
		results[i] = r.value()
	}
	return results
}

// CallOne is [Call] for an operator with one tensor as its result.
func CallOne(name string, args ...any) Tensor {
	r := Call(name, args...)
	if len(r) == 1 {
		if t, ok := r[0].(Tensor); ok {
			return t
		}
	}
	Fail(name, "gives %d results, not one tensor", len(r))
	return Tensor{}
}

// callError names what is nearest to a misspelt operator or keyword.
func callError(name string, args []any) *Error {
	var kind C.int
	msg := C.GoString(C.lt_error(&kind))
	short := strings.TrimPrefix(name, "aten::")
	switch ErrorKind(kind) {
	case UnknownOperator:
		msg := "libtorch has no operator of this name"
		if near := diag.Nearest(short, Operators(), 1); len(near) > 0 {
			msg += fmt.Sprintf(": did you mean %q?", near[0])
		}
		return newError(short, UnknownOperator, msg)
	case BadArguments:
		e := newError(short, BadArguments, strings.TrimPrefix(msg, name+": "))
		e.Msg = strings.Join(strings.Fields(strings.ReplaceAll(e.Full, "aten::", "")), " ")
		if hint := keywordHint(e.Msg, args); hint != "" {
			e.Msg = hint + ": " + e.Msg
		}
		return e
	}
	return newError(short, ErrorKind(kind), msg)
}

// parameter is an argument's name in a schema, "int[] dim" or "bool keepdim=False".
var parameter = regexp.MustCompile(`(\w+)(?:=[^,)]*)?[,)]`)

func keywordHint(schemas string, args []any) string {
	var known []string
	for _, m := range parameter.FindAllStringSubmatch(schemas, -1) {
		known = append(known, m[1])
	}
	for _, a := range args {
		kw, ok := a.(Kwarg)
		if !ok || slices.Contains(known, kw.Name) {
			continue
		}
		hint := fmt.Sprintf("unknown keyword %q", kw.Name)
		if near := diag.Nearest(kw.Name, known, 1); len(near) > 0 {
			hint += fmt.Sprintf(", did you mean %q?", near[0])
		}
		return hint
	}
	return ""
}

// Operators lists the names of all ATen operators, sorted, without "aten::".
var Operators = sync.OnceValue(func() []string {
	var n C.size_t
	p := C.lt_operators(&n)
	return strings.Fields(C.GoStringN(p, C.int(n)))
})

// Schemas gives the schemas of an operator's overloads, as libtorch writes them; none when there is no such operator.
func Schemas(name string) []string {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var n C.size_t
	p := C.lt_schemas(c, &n)
	text := strings.TrimSpace(C.GoStringN(p, C.int(n)))
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// A value is a tag byte and its payload in little-endian order: n; t handle; i int64; d float64; b byte; s text;
// v device type and index; l count and values; m count and, by name, values.
func appendValue(op string, b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, 'n')
	case Tensor:
		return appendTensor(b, v)
	case bool:
		return appendBool(b, v)
	case int:
		return appendInt(b, int64(v))
	case int64:
		return appendInt(b, v)
	case DType:
		return appendInt(b, int64(v))
	case MemoryFormat:
		return appendInt(b, int64(v))
	case float64:
		return appendFloat(b, v)
	case string:
		return appendText(append(b, 's'), v)
	case Device:
		return appendDevice(b, v)
	case []any:
		return appendList(op, b, v)
	case map[string]any:
		b = binary.LittleEndian.AppendUint32(append(b, 'm'), uint32(len(v)))
		for key, item := range v {
			b = appendValue(op, appendText(b, key), item)
		}
		return b
	case []Tensor:
		return appendList(op, b, v)
	case []int64:
		return appendList(op, b, v)
	case []float64:
		return appendList(op, b, v)
	case []bool:
		return appendList(op, b, v)
	}
	Fail(op, "an argument of type %T cannot be given to an operator", v)
	return b
}

func appendInt(b []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(v))
}

func appendList[V any](op string, b []byte, items []V) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, 'l'), uint32(len(items)))
	for _, i := range items {
		b = appendValue(op, b, i)
	}
	return b
}

type reader struct{ b []byte }

func (r *reader) take(n int) []byte {
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) uint64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// tensor is a handle that came through a buffer as a number; it points to C memory, which the collector does not move.
func (r *reader) tensor() Tensor {
	h := r.uint64()
	return Tensor{*(*unsafe.Pointer)(unsafe.Pointer(&h))}
}

func (r *reader) value() any {
	switch r.take(1)[0] {
	case 't':
		return r.tensor()
	case 'i':
		return int64(r.uint64())
	case 'd':
		return math.Float64frombits(r.uint64())
	case 'b':
		return r.take(1)[0] != 0
	case 's':
		return string(r.take(int(r.uint32())))
	case 'l':
		items := make([]any, r.uint32())
		for i := range items {
			items[i] = r.value()
		}
		return items
	case 'm':
		items := map[string]any{}
		for range r.uint32() {
			key := string(r.take(int(r.uint32())))
			items[key] = r.value()
		}
		return items
	}
	return nil
}
