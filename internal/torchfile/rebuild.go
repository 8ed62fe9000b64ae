package torchfile

import "fmt"

// persistent replaces a persistent id, the tuple ("storage", class, key,
// location, elements), by the storage in the record data/KEY. Where the storage
// was (location) does not matter: its bytes are read into memory.
func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	n, ok := id.(*node)
	if !ok || n.kind != opEmptyTuple || len(n.items) != 5 || n.items[0] != "storage" {
		return fmt.Errorf("persistent id is %s, not a storage", describe(id))
	}
	c, isClass := n.items[1].(*class)
	key, isKey := n.items[2].(string)
	elems, isCount := n.items[4].(int64)
	if !isClass || !c.storage || !isKey || !isCount || elems < 0 {
		return fmt.Errorf("persistent id is not one of a storage: %s, %s, %s", describe(n.items[1]), describe(n.items[2]), describe(n.items[4]))
	}
	s := m.storages[key]
	if s == nil {
		rec, err := m.arc.record("data/" + key)
		if err != nil {
			return err
		}
		s = &Storage{size: rec.size, rec: rec}
		m.storages[key] = s
	}
	size := int64(1)
	if c.dtype.Valid() {
		size = c.dtype.Size()
	}
	if mulAdd(uint64(elems), uint64(size), 0) != uint64(s.size) {
		return s.rec.damaged("it has %d bytes, and the pickle says %d elements of %d", s.size, elems, size)
	}
	m.push(&typedStorage{s, c.dtype})
	return nil
}

// rebuildTensor takes (storage, offset, size, stride, requires_grad,
// backward_hooks) and perhaps a dict of the tensor's conj and neg bits.
func rebuildTensor(m *machine, args []any) (any, error) {
	if len(args) != 6 && len(args) != 7 {
		return nil, badArguments(args)
	}
	s, ok := args[0].(*typedStorage)
	if !ok || !s.dtype.Valid() {
		return nil, badArguments(args)
	}
	return m.tensor(s, s.dtype, args, args[6:])
}

// rebuildTensor3 is the same with the data type after the hooks.
func rebuildTensor3(m *machine, args []any) (any, error) {
	if len(args) != 7 && len(args) != 8 {
		return nil, badArguments(args)
	}
	s, ok := args[0].(*typedStorage)
	c, ok2 := args[6].(*class)
	if !ok || !ok2 || c.storage || !c.dtype.Valid() {
		return nil, badArguments(args)
	}
	return m.tensor(s, c.dtype, args, args[7:])
}

func (m *machine) tensor(s *typedStorage, d DType, args, metadata []any) (any, error) {
	t := &Tensor{DType: d, Storage: s.Storage}
	var ok, ok2 bool
	t.Offset, ok = args[1].(int64)
	t.RequiresGrad, ok2 = args[4].(bool)
	if !ok || !ok2 {
		return nil, badArguments(args)
	}
	var err error
	if t.Shape, err = dims(args[2]); err != nil {
		return nil, err
	}
	if t.Stride, err = dims(args[3]); err != nil {
		return nil, err
	}
	for _, md := range metadata {
		bits, isDict := md.(*Dict)
		if !isDict {
			return nil, badArguments(metadata)
		}
		for bit, on := range bits.All() {
			if on != false {
				return nil, fmt.Errorf("tensor has PyTorch's %q bit set; save tensor.resolve_conj().resolve_neg() instead", bit)
			}
		}
	}
	// Elements that a stride of 0 repeats may unfold to more than the file, but
	// not to gigabytes.
	return t, t.check(max(m.arc.size, 16<<20))
}

// rebuildParameter takes (tensor, requires_grad, backward_hooks).
func rebuildParameter(_ *machine, args []any) (any, error) {
	if len(args) != 3 {
		return nil, badArguments(args)
	}
	t, ok := args[0].(*Tensor)
	grad, ok2 := args[1].(bool)
	if !ok || !ok2 {
		return nil, badArguments(args)
	}
	p := *t
	p.Parameter, p.RequiresGrad = true, grad
	return &p, nil
}

// dims reads a tuple or a torch.Size of at most maxDims integers.
func dims(v any) ([]int64, error) {
	if s, ok := v.(Size); ok {
		return s, nil
	}
	n, ok := v.(*node)
	if !ok || n.kind == opEmptySet || len(n.items) > maxDims {
		return nil, fmt.Errorf("a size is %s, not a tuple of up to %d integers", describe(v), maxDims)
	}
	out := make([]int64, len(n.items))
	for i, d := range n.items {
		if out[i], ok = d.(int64); !ok {
			return nil, fmt.Errorf("a size holds %s", describe(d))
		}
	}
	return out, nil
}
