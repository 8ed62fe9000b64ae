package torchfile

import "fmt"

// persistent replaces a persistent id, the tuple ("storage", class, key,
// location, elements), by the storage. Where it was (location) does not matter:
// its bytes are read into memory. A sixth item is the legacy format's view.
func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	n, ok := id.(*node)
	if !ok || n.kind != opEmptyTuple || len(n.items) < 5 || len(n.items) > 6 || n.items[0] != "storage" {
		return fmt.Errorf("persistent id is %s, not a storage", describe(id))
	}
	c, isClass := n.items[1].(*class)
	key, isKey := n.items[2].(string)
	elems, isCount := n.items[4].(int64)
	if !isClass || !c.storage || !isKey || !isCount || elems < 0 {
		return fmt.Errorf("persistent id is not one of a storage: %s, %s, %s", describe(n.items[1]), describe(n.items[2]), describe(n.items[4]))
	}
	size := int64(1)
	if c.dtype.Valid() {
		size = c.dtype.Size()
	}
	var view any
	if len(n.items) == 6 {
		view = n.items[5]
	}
	s, err := m.source.storage(key, elems, size, view)
	if err != nil {
		return err
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

// rebuildTensor1 takes (storage, offset, size, stride), as before PyTorch 0.4.
func rebuildTensor1(m *machine, args []any) (any, error) {
	if len(args) != 4 {
		return nil, badArguments(args)
	}
	return rebuildTensor(m, append(args[:4:4], false, nil))
}

// emptyTensor is an instance of a class of tensors before its state is set.
func emptyTensor(parameter bool) func(*machine, []any) (any, error) {
	return func(_ *machine, args []any) (any, error) {
		if len(args) != 0 {
			return nil, badArguments(args)
		}
		return &Tensor{Parameter: parameter}, nil
	}
}

// setTensor is torch.Tensor.__setstate__ for the states of PyTorch before 0.4: (storage, offset, size, stride) of a tensor,
// (tensor, gradient, hooks, requires_grad, volatile) of a variable or parameter.
func (m *machine) setTensor(t *Tensor, state any) error {
	n, ok := state.(*node)
	if !ok || n.kind != opEmptyTuple || t.Storage != nil {
		return fmt.Errorf("pickle gives a tensor attributes by %s", describe(state))
	}
	var data *Tensor
	grad := false
	switch len(n.items) {
	case 4:
		out, err := rebuildTensor1(m, n.items)
		if err != nil {
			return err
		}
		data = out.(*Tensor)
	case 5:
		data, _ = n.items[0].(*Tensor)
		grad, _ = n.items[3].(bool)
	}
	if data == nil || data.Storage == nil {
		return badArguments(n.items)
	}
	parameter := t.Parameter
	*t = *data
	t.Parameter, t.RequiresGrad = parameter, grad
	return nil
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
	return t, t.check(max(m.source.size(), 16<<20))
}

// rebuildParameter takes (tensor, requires_grad, backward_hooks).
func rebuildParameter(_ *machine, args []any) (any, error) {
	if len(args) != 3 {
		return nil, badArguments(args)
	}
	t, ok := args[0].(*Tensor)
	grad, ok2 := args[1].(bool)
	if !ok || !ok2 || t.Storage == nil {
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
