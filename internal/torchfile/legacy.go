package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
)

// A file of torch.save before PyTorch 1.6 is five pickles, one after the other (a
// magic number, a version, the writer's machine, the object, and the keys of the
// storages), then each storage: its number of elements as an int64, and its
// bytes. torchvision's older weights are such files. They have no checksums.

const legacyVersion = 1001

var legacyMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// firstWindow is how much of a file is read at first to find a pickle's end. It
// grows while the pickle goes on.
const firstWindow = 1 << 20

// legacy is the reader's state, and the source of the object's storages: their
// places in the file are known only after it.
type legacy struct {
	r        io.ReaderAt
	length   int64
	pos      int64 // of the next pickle
	storages map[string]*legacyStorage
	views    []legacyView
	parts    map[string]*Storage
}

type legacyStorage struct {
	*Storage
	elemSize int64
	placed   bool
}

// legacyView is a storage that is a part of another.
type legacyView struct {
	*Storage
	root  *legacyStorage
	start int64 // in bytes
}

func readLegacy(r io.ReaderAt, size int64) (any, error) {
	l := &legacy{r: r, length: size, storages: map[string]*legacyStorage{}, parts: map[string]*Storage{}}
	if err := l.header(); err != nil {
		return nil, err
	}
	root, err := l.pickle()
	if err != nil {
		return nil, fmt.Errorf("the object's pickle: %w", err)
	}
	keys, err := l.pickle()
	if err != nil {
		return nil, fmt.Errorf("the pickle of the storages' keys: %w", err)
	}
	list, ok := keys.([]any)
	if !ok {
		return nil, fmt.Errorf("the storages' keys are no list")
	}
	for _, key := range list {
		if err := l.place(key); err != nil {
			return nil, err
		}
	}
	for key, s := range l.storages {
		if !s.placed {
			return nil, fmt.Errorf("%w: storage %q is missing", ErrDamaged, key)
		}
	}
	if l.pos != l.length {
		return nil, fmt.Errorf("%w: %d bytes follow the last storage", ErrDamaged, l.length-l.pos)
	}
	for _, v := range l.views {
		rec := *v.root.rec
		rec.offset, rec.size = rec.offset+v.start, v.size
		v.rec = &rec
	}
	return root, nil
}

// header reads the three pickles that say what the file is.
func (l *legacy) header() error {
	magic, err := l.pickle()
	if n, ok := magic.(*big.Int); err != nil || !ok || n.Cmp(legacyMagic) != 0 {
		return fmt.Errorf("%w: a pickle that torch.save did not write", ErrNotCheckpoint)
	}
	version, err := l.pickle()
	if err != nil {
		return fmt.Errorf("the format's version: %w", err)
	}
	if version != int64(legacyVersion) {
		return fmt.Errorf("version %v of the format before PyTorch 1.6, only %d can be read", version, legacyVersion)
	}
	info, err := l.pickle()
	if err != nil {
		return fmt.Errorf("what the file says of the machine it was written on: %w", err)
	}
	if d, ok := info.(*Dict); ok {
		if little, _ := d.Get("little_endian"); little == true {
			return nil
		}
	}
	return fmt.Errorf("the file was not written on a little-endian machine")
}

// pickle reads the next pickle, however long it is.
func (l *legacy) pickle() (any, error) {
	rest := l.length - l.pos
	for window := int64(firstWindow); ; window *= 8 {
		buf := make([]byte, min(window, rest, maxPickle))
		if n, err := l.r.ReadAt(buf, l.pos); n < len(buf) {
			return nil, err
		}
		m := newMachine(buf, l)
		v, err := m.run()
		switch {
		case err == nil:
			l.pos += int64(m.pos)
			return v, nil
		case !errors.Is(err, errEnds):
			return nil, err
		case window >= rest:
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		case window >= maxPickle:
			return nil, fmt.Errorf("pickle of more than %d bytes", int64(maxPickle))
		}
	}
}

func (l *legacy) size() int64 { return l.length }

// storage gives the storage of a key, whose bytes are found later. view is None
// or (key, offset, elements), a part of it.
func (l *legacy) storage(key string, elems, elemSize int64, view any) (*Storage, error) {
	size := mulAdd(uint64(elems), uint64(elemSize), 0)
	if size > uint64(l.length) {
		return nil, fmt.Errorf("%w: storage %q claims %d elements of %d bytes in a file of %d", ErrDamaged, key, elems, elemSize, l.length)
	}
	s := l.storages[key]
	if s == nil {
		s = &legacyStorage{Storage: &Storage{size: int64(size)}, elemSize: elemSize}
		l.storages[key] = s
	}
	if s.size != int64(size) || s.elemSize != elemSize {
		return nil, fmt.Errorf("storage %q has %d bytes in one place and %d in another", key, s.size, size)
	}
	if view == nil {
		return s.Storage, nil
	}
	n, ok := view.(*node)
	if !ok || n.kind != opEmptyTuple || len(n.items) != 3 {
		return nil, fmt.Errorf("part of storage %q is %s", key, describe(view))
	}
	name, ok := n.items[0].(string)
	offset, ok2 := n.items[1].(int64)
	count, ok3 := n.items[2].(int64)
	if !ok || !ok2 || !ok3 || offset < 0 || count < 0 || offset > elems || count > elems-offset {
		return nil, fmt.Errorf("part of storage %q reaches beyond its %d elements", key, elems)
	}
	if part := l.parts[name]; part != nil {
		return part, nil
	}
	part := &Storage{size: count * elemSize}
	l.parts[name] = part
	l.views = append(l.views, legacyView{Storage: part, root: s, start: offset * elemSize})
	return part, nil
}

// place finds the bytes of the next storage.
func (l *legacy) place(key any) error {
	name, ok := key.(string)
	s := l.storages[name]
	if !ok || s == nil || s.placed {
		return fmt.Errorf("%w: its list of storages names %v, which the object does not", ErrDamaged, key)
	}
	var b [8]byte
	if l.length-l.pos < 8 {
		return fmt.Errorf("%w: the file ends before storage %q", ErrDamaged, name)
	}
	if _, err := l.r.ReadAt(b[:], l.pos); err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint64(b[:]); n > math.MaxInt64 || mulAdd(n, uint64(s.elemSize), 0) != uint64(s.size) {
		return fmt.Errorf("%w: storage %q says it has %d elements of %d bytes, the object %d", ErrDamaged, name, n, s.elemSize, s.size/s.elemSize)
	}
	l.pos += 8
	if s.size > l.length-l.pos {
		return fmt.Errorf("%w: storage %q of %d bytes is cut off", ErrDamaged, name, s.size)
	}
	s.rec = SectionStorage(l.r, name, l.pos, s.size).rec
	s.placed = true
	l.pos += s.size
	return nil
}
