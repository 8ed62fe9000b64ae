package torchfile

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// class is a Python class or function that a checkpoint may name. call is what
// this package does where Python would call it; without one it can only be named.
type class struct {
	name    string
	call    func(m *machine, args []any) (any, error)
	dtype   DType // of torch.float32 and its like, and of typed storages
	storage bool
}

// object is an instance of a class that wraps one value: an OmegaConf node.
type object struct {
	class string
	state *Dict
}

// typedStorage is a storage as the pickle refers to it.
type typedStorage struct {
	*Storage
	dtype DType // invalid for an UntypedStorage
}

// classes is the allow-list, by Python's full name.
var classes = map[string]*class{}

func allow(call func(*machine, []any) (any, error), names ...string) {
	for _, n := range names {
		classes[n] = &class{name: n, call: call}
	}
}

// enums are Lightning's own enumerations, whose members are their values.
var enums = []string{
	"pytorch.trainer.states.TrainerFn", "pytorch.trainer.states.TrainerStatus", "pytorch.trainer.states.RunningStage",
	"pytorch.utilities.enums.GradClipAlgorithmType", "pytorch.utilities.enums._FaultTolerantMode",
}

// namespaces are hyper-parameters as argparse and LightningCLI parse them.
var namespaces = []string{"argparse.Namespace", "jsonargparse.Namespace", "jsonargparse.namespace.Namespace", "jsonargparse._namespace.Namespace"}

// named are classes that stand in old checkpoints of Lightning as values: the keys of callbacks' states, and a default that
// argparse left behind.
var named = []string{
	"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
	"pytorch_lightning.callbacks.timer.Timer", "pytorch_lightning.callbacks.progress.ProgressBar",
	"pytorch_lightning.callbacks.lr_monitor.LearningRateMonitor",
	"pytorch_lightning.utilities.argparse._gpus_arg_default", "pytorch_lightning.utilities.argparse_utils._gpus_arg_default",
}

func init() {
	allow(newDict(OrderedDict), "collections.OrderedDict")
	allow(newDict(Counter), "collections.Counter")
	allow(newDict(PlainDict), "lightning_fabric.utilities.data.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
		"pytorch_lightning.utilities.parsing.AttributeDict")
	allow(defaultDict, "collections.defaultdict")
	allow(newSet, "builtins.set", "builtins.frozenset")
	allow(encodeBytes, "_codecs.encode")
	allow(joinPath, "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib._local.PosixPath", "pathlib._local.PurePosixPath")
	allow(nil, "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.dict", "builtins.list", "builtins.tuple", "builtins.bytes", "typing.Any",
		"torch.storage.UntypedStorage")
	allow(newSize, "torch.Size")
	allow(newDevice, "torch.device")
	allow(rebuildTensor1, "torch._utils._rebuild_tensor")
	allow(rebuildTensor, "torch._utils._rebuild_tensor_v2")
	allow(rebuildTensor3, "torch._utils._rebuild_tensor_v3")
	allow(rebuildParameter, "torch._utils._rebuild_parameter")
	allow(emptyTensor(true), "torch.nn.parameter.Parameter")
	for _, n := range enums {
		allow(onlyArgument, "lightning."+n, "pytorch_lightning."+strings.TrimPrefix(n, "pytorch."))
	}
	for _, n := range []string{"dictconfig.DictConfig", "listconfig.ListConfig", "base.Metadata", "base.ContainerMetadata", "nodes.AnyNode",
		"nodes.StringNode", "nodes.IntegerNode", "nodes.FloatNode", "nodes.BooleanNode", "nodes.BytesNode", "nodes.PathNode"} {
		allowObject("omegaconf." + n)
	}
	for _, n := range namespaces {
		allowObject(n)
	}
	allow(nil, named...)
	for d := Float32; d.Valid(); d++ {
		n := "torch." + d.String()
		classes[n] = &class{name: n, dtype: d}
		if s := dtypes[d].storage; s != "" {
			n = "torch." + s
			classes[n] = &class{name: n, dtype: d, storage: true}
			allow(emptyTensor(false), "torch."+strings.TrimSuffix(s, "Storage")+"Tensor")
		}
	}
	classes["torch.storage.UntypedStorage"].storage = true
}

// global pushes the class the pickle names, if it is allowed.
func (m *machine) global(op byte) error {
	var module, name string
	if op == opGlobal {
		for _, s := range []*string{&module, &name} {
			n := bytes.IndexByte(m.buf[m.pos:], '\n')
			line, err := m.take(n + 1)
			if n < 0 || err != nil {
				return errEnds
			}
			*s = string(line[:n])
		}
	} else {
		args, err := m.popN(2)
		if err != nil {
			return err
		}
		var ok, ok2 bool
		module, ok = args[0].(string)
		name, ok2 = args[1].(string)
		if !ok || !ok2 {
			return fmt.Errorf("pickle names a class by %s and %s", describe(args[0]), describe(args[1]))
		}
	}
	if module == "__builtin__" { // Python 2's name, which protocol 2 keeps
		module = "builtins"
		switch name {
		case "long":
			name = "int"
		case "unicode":
			name = "str"
		}
	}
	full := module + "." + name
	c := classes[full]
	if c == nil && m.arrays {
		c = arrayClasses[full]
	}
	if c == nil {
		return &ClassError{Class: full}
	}
	m.push(c)
	return nil
}

// call replaces a class and its arguments by what the class makes of them.
func (m *machine) call() error {
	v, err := m.popN(2)
	if err != nil {
		return err
	}
	c, ok := v[0].(*class)
	args, ok2 := v[1].(*node)
	if !ok || !ok2 || args.kind != opEmptyTuple {
		return fmt.Errorf("pickle calls %s with %s", describe(v[0]), describe(v[1]))
	}
	if c.call == nil {
		return &ClassError{Class: c.name}
	}
	out, err := c.call(m, args.items)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	m.push(out)
	return nil
}

// build sets an instance's attributes.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := state.(*Dict)
	switch v := v.(type) {
	case *object:
		v.state = d
	case *numpyType:
		ok = v.build(state)
	case *Array:
		return v.build(state)
	case *Tensor:
		return m.setTensor(v, state)
	case *Dict:
		if v.Kind == OrderedDict {
			v.Attrs = d
		}
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("pickle gives %s attributes by %s", describe(v), describe(state))
	}
	return nil
}

// unwrap returns the value an OmegaConf node holds; its types and flags are
// left behind. An interpolation stays the text it is.
func (o *object) unwrap() (any, error) {
	key := "_val"
	switch {
	case strings.HasSuffix(o.class, "Namespace"):
		if o.state == nil {
			return &Dict{}, nil
		}
		return o.state, nil
	case strings.HasSuffix(o.class, "Config"):
		key = "_content"
	}
	v, ok := o.state.Get(key)
	if !ok {
		return nil, fmt.Errorf("%s without a value", o.class)
	}
	return v, nil
}

// allowObject allows a class whose instances are, as data, one of their attributes or all of them.
func allowObject(name string) {
	allow(func(*machine, []any) (any, error) { return &object{class: name}, nil }, name)
}

func newDict(kind DictKind) func(*machine, []any) (any, error) {
	return func(m *machine, args []any) (any, error) {
		d := &Dict{Kind: kind}
		if len(args) == 0 {
			return d, nil
		}
		if src, ok := args[0].(*Dict); ok && len(args) == 1 {
			for k, v := range src.All() {
				d.Set(k, v)
			}
			return d, m.spend(src.Len())
		}
		if pairs, ok := args[0].(*node); ok && len(args) == 1 {
			return d, m.setPairs(d, pairs.items)
		}
		return nil, badArguments(args)
	}
}

// setPairs fills a dict from a list of keys and values, as Python 2 pickled an OrderedDict.
func (m *machine) setPairs(d *Dict, pairs []any) error {
	for _, p := range pairs {
		pair, ok := p.(*node)
		if !ok || len(pair.items) != 2 {
			return badArguments(pairs)
		}
		if _, ok := hashKey(pair.items[0]); !ok {
			return fmt.Errorf("a dict's key is %s; numbers and strings can be read", describe(pair.items[0]))
		}
		d.Set(pair.items[0], pair.items[1])
	}
	return m.spend(2 * len(pairs))
}

func defaultDict(_ *machine, args []any) (any, error) {
	if len(args) > 1 {
		return nil, badArguments(args)
	}
	return &Dict{}, nil // the factory of missing values has no use in data
}

func newSet(m *machine, args []any) (any, error) {
	if len(args) == 1 {
		if n, ok := args[0].(*node); ok {
			return &node{kind: opEmptySet, items: append([]any(nil), n.items...)}, m.spend(len(n.items))
		}
	}
	return nil, badArguments(args)
}

func newSize(m *machine, args []any) (any, error) {
	if len(args) == 1 {
		n, err := dims(args[0])
		return Size(n), err
	}
	return nil, badArguments(args)
}

func newDevice(_ *machine, args []any) (any, error) {
	if len(args) == 0 {
		return nil, badArguments(args)
	}
	kind, ok := args[0].(string)
	switch {
	case ok && len(args) == 1:
		return Device(kind), nil
	case ok && len(args) == 2:
		if i, ok := args[1].(int64); ok {
			return Device(fmt.Sprintf("%s:%d", kind, i)), nil
		}
	}
	return nil, badArguments(args)
}

// encodeBytes undoes how protocol 2 spells bytes: as code points 0 to 255.
func encodeBytes(m *machine, args []any) (any, error) {
	if len(args) != 2 || args[1] != "latin1" {
		return nil, badArguments(args)
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, badArguments(args)
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 255 {
			return nil, fmt.Errorf("%q is not a byte", r)
		}
		b = append(b, byte(r))
	}
	return b, m.spend(len(s))
}

func joinPath(m *machine, args []any) (any, error) {
	parts := make([]string, len(args))
	n := 0
	for i, a := range args {
		s, ok := a.(string)
		if !ok {
			return nil, badArguments(args)
		}
		parts[i] = s
		n += len(s)
	}
	if err := m.spend(n); err != nil {
		return nil, err
	}
	return path.Join(parts...), nil
}

// onlyArgument serves classes whose instances are, as data, what they are made of.
func onlyArgument(_ *machine, args []any) (any, error) {
	if len(args) != 1 {
		return nil, badArguments(args)
	}
	return args[0], nil
}

func badArguments(args []any) error {
	if len(args) == 0 {
		return fmt.Errorf("called without arguments")
	}
	kinds := make([]string, 0, 4)
	for _, a := range args[:min(len(args), 4)] {
		kinds = append(kinds, describe(a))
	}
	return fmt.Errorf("called with %d arguments, first %s", len(args), strings.Join(kinds, ", "))
}

// describe names a value's kind for an error.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *node:
		return map[byte]string{opEmptyList: "a list", opEmptyTuple: "a tuple", opEmptySet: "a set"}[v.kind]
	case *Dict:
		return "a dict"
	case *class:
		return fmt.Sprintf("the class %q", v.name)
	case *object:
		return "an instance of " + v.class
	case *numpyType:
		return "a numpy.dtype"
	case string:
		return fmt.Sprintf("the string %.40q", v)
	}
	return fmt.Sprintf("a value of type %T", v)
}
