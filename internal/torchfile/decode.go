package torchfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// machine reads a pickle of protocol 2 to 5 with the opcodes that hold data. It
// is written here because the libraries for Go allocate what a pickle claims
// before they look, and build classes without asking.
//
// While it runs, lists, tuples and sets are *node, because later opcodes may
// still add to what is shared; settle turns them into the package's values.
type machine struct {
	buf    []byte
	pos    int
	stack  []any
	marks  []int // the stack's heights at the open MARKs
	memo   map[uint32]any
	source source
	work   int  // what calls have copied, see spend
	arrays bool // numpy arrays may be named: see ReadPickle
}

// source is where a pickle's storages come from.
type source interface {
	// storage gives the storage a persistent id names; view is None, or what part
	// of it is meant.
	storage(key string, elems, elemSize int64, view any) (*Storage, error)
	// size bounds what a tensor may unfold to.
	size() int64
}

// errEnds is a pickle whose bytes end before it does.
var errEnds = errors.New("pickle ends early")

func newMachine(buf []byte, from source) *machine {
	return &machine{buf: buf, memo: map[uint32]any{}, source: from}
}

// node is a list, tuple or set under construction.
type node struct {
	kind  byte // opEmptyList, opEmptyTuple or opEmptySet
	items []any
}

func (m *machine) run() (any, error) {
	head, err := m.take(2)
	if err != nil || head[0] != opProto || head[1] < 2 || head[1] > highestProtocol {
		return nil, fmt.Errorf("not a pickle of protocol 2 to %d", highestProtocol)
	}
	for {
		at := m.pos
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == opStop {
			root, err := m.pop()
			if err != nil {
				return nil, fmt.Errorf("pickle byte %d: %w", at, err)
			}
			return newSettler(m).settle(root, 0)
		}
		if err := m.step(op[0]); err != nil {
			return nil, fmt.Errorf("pickle byte %d: %w", at, err)
		}
	}
}

// step runs one opcode.
func (m *machine) step(op byte) error {
	if handled, err := m.literal(op); handled {
		return err
	}
	switch op {
	case opMark:
		m.marks = append(m.marks, len(m.stack))
	case opPop:
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		v, err := m.top()
		m.push(v)
		return err
	case opEmptyList, opEmptyTuple, opEmptySet:
		m.push(&node{kind: op})
	case opEmptyDict:
		m.push(&Dict{})
	case opTuple1, opTuple2, opTuple3:
		items, err := m.popN(int(op-opTuple1) + 1)
		m.push(&node{kind: opEmptyTuple, items: items})
		return err
	case opTuple, opFrozenSet:
		items, err := m.popMark()
		kind := byte(opEmptyTuple)
		if op == opFrozenSet {
			kind = opEmptySet
		}
		m.push(&node{kind: kind, items: items})
		return err
	case opAppend, opAppends, opAddItems:
		return m.extend(op)
	case opSetItem, opSetItems:
		return m.setItems(op)
	case opGlobal, opStackGlobal:
		return m.global(op)
	case opReduce, opNewObj:
		return m.call()
	case opBuild:
		return m.build()
	case opBinPersID:
		return m.persistent()
	case opFrame:
		return m.frame()
	case opBinPut, opLongBinPut, opMemoize:
		return m.put(op)
	case opBinGet, opLongBinGet:
		return m.get(op)
	default:
		return fmt.Errorf("opcode 0x%02x, which no checkpoint needs", op)
	}
	return nil
}

// literal runs the opcodes that push a value spelled out in the pickle.
func (m *machine) literal(op byte) (handled bool, err error) {
	switch op {
	case opNone:
		m.push(nil)
	case opTrue, opFalse:
		m.push(op == opTrue)
	case opBinInt:
		var n uint64
		n, err = m.uint(4)
		m.push(int64(int32(n)))
	case opBinInt1:
		err = m.small(1)
	case opBinInt2:
		err = m.small(2)
	case opLong1:
		err = m.long(1)
	case opLong4:
		err = m.long(4)
	case opBinFloat:
		var b []byte
		if b, err = m.take(8); err == nil {
			m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
	case opBinUnicode, opBinString:
		err = m.text(4)
	case opShortUnicode, opShortString:
		err = m.text(1)
	case opBinUnicode8:
		err = m.text(8)
	case opBinBytes:
		err = m.blob(4)
	case opShortBytes:
		err = m.blob(1)
	case opBinBytes8:
		err = m.blob(8)
	default:
		return false, nil
	}
	return true, err
}

// take returns the next n bytes, a part of the pickle.
func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.buf)-m.pos {
		return nil, errEnds
	}
	m.pos += n
	return m.buf[m.pos-n : m.pos], nil
}

// uint reads a little-endian integer of n bytes.
func (m *machine) uint(n int) (uint64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// counted reads a length of n bytes and that many bytes after it.
func (m *machine) counted(n int) ([]byte, error) {
	size, err := m.uint(n)
	if err != nil {
		return nil, err
	}
	return m.take(int(min(size, math.MaxInt))) // no more than there is, see take
}

func (m *machine) small(n int) error {
	i, err := m.uint(n)
	m.push(int64(i))
	return err
}

func (m *machine) long(n int) error {
	b, err := m.counted(n)
	m.push(longInt(b))
	return err
}

func (m *machine) text(n int) error {
	b, err := m.counted(n)
	m.push(string(b))
	return err
}

func (m *machine) blob(n int) error {
	b, err := m.counted(n)
	m.push(bytes.Clone(b))
	return err
}

// longInt decodes a little-endian two's complement integer.
func longInt(b []byte) any {
	be := slices.Clone(b)
	slices.Reverse(be)
	n := new(big.Int).SetBytes(be)
	if len(be) > 0 && be[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(be))*8))
	}
	return fitInt(n)
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// floor is the height that pops must not go below.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, fmt.Errorf("pickle takes a value from an empty stack")
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popN takes n values, in the order they were pushed. The slice is the caller's.
func (m *machine) popN(n int) ([]any, error) {
	at := len(m.stack) - n
	if at < m.floor() {
		return nil, fmt.Errorf("pickle takes a value from an empty stack")
	}
	items := slices.Clone(m.stack[at:])
	m.stack = m.stack[:at]
	return items, nil
}

// popMark takes all values since the last MARK, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, fmt.Errorf("pickle takes a mark that is not there")
	}
	items, err := m.popN(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return items, err
}

func (m *machine) extend(op byte) error {
	items, err := m.arguments(op != opAppend, 1)
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	want := byte(opEmptyList)
	if op == opAddItems {
		want = opEmptySet
	}
	n, ok := v.(*node)
	if !ok || n.kind != want {
		return fmt.Errorf("pickle adds items to %s", describe(v))
	}
	n.items = append(n.items, items...)
	return nil
}

// arguments takes the values since the mark, or the last n.
func (m *machine) arguments(marked bool, n int) ([]any, error) {
	if marked {
		return m.popMark()
	}
	return m.popN(n)
}

func (m *machine) setItems(op byte) error {
	items, err := m.arguments(op == opSetItems, 2)
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("pickle sets %d items of %s", len(items), describe(v))
	}
	for i := 0; i < len(items); i += 2 {
		if c, ok := items[i].(*class); ok {
			items[i] = Class(c.name) // Lightning's key of a callback's state before 1.5
		}
		if _, ok := hashKey(items[i]); !ok {
			return fmt.Errorf("a dict's key is %s; numbers and strings can be read", describe(items[i]))
		}
		d.Set(items[i], items[i+1])
	}
	return nil
}

func (m *machine) put(op byte) error {
	i := uint64(len(m.memo))
	var err error
	switch op {
	case opBinPut:
		i, err = m.uint(1)
	case opLongBinPut:
		i, err = m.uint(4)
	}
	if err != nil {
		return err
	}
	v, err := m.top()
	m.memo[uint32(i)] = v
	return err
}

func (m *machine) get(op byte) error {
	n := 1
	if op == opLongBinGet {
		n = 4
	}
	i, err := m.uint(n)
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(i)]
	if !ok {
		return fmt.Errorf("pickle recalls value %d, which it has not stored", i)
	}
	m.push(v)
	return nil
}

// frame reads the length of a frame, which says nothing that is needed.
func (m *machine) frame() error {
	n, err := m.uint(8)
	if err == nil && n > uint64(len(m.buf)-m.pos) {
		err = errEnds
	}
	return err
}

// spend counts work that a pickle can ask for again and again in a few bytes
// (copies of what is in the memo), and refuses when it is out of proportion.
func (m *machine) spend(n int) error {
	if m.work += n + 1; m.work > 1<<20+16*len(m.buf) {
		return fmt.Errorf("pickle of %d bytes unfolds to far more values than it holds", len(m.buf))
	}
	return nil
}
