package checkpoint

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// Report is what a file holds, for people and as JSON.
type Report struct {
	Path   string `json:"path"`
	Format string `json:"format"`
	Kind   string `json:"kind"`
	Bytes  int64  `json:"bytes"`
	// Records is how many records were checked against their checksums; 0 for a format without any.
	Records int `json:"records_checked"`
	// WeightsKey is where the weights are in the file, "" when they are all it holds.
	WeightsKey string `json:"weights_key"`

	Version    string `json:"lightning_version,omitempty"`
	Epoch      *int64 `json:"epoch,omitempty"`
	GlobalStep *int64 `json:"global_step,omitempty"`
	// Resumable says that a fit can go on from it: it holds an optimizer's state.
	Resumable bool `json:"resumable"`

	Tensors  []TensorReport `json:"tensors"`
	Elements int64          `json:"elements"`
	// WeightBytes counts a tensor that has two names once.
	WeightBytes int64            `json:"weight_bytes"`
	DTypes      map[string]int64 `json:"elements_by_dtype"`
	Others      []string         `json:"values_that_are_no_tensors,omitempty"`

	Optimizers []OptimizerReport `json:"optimizers,omitempty"`
	Schedulers []map[string]any  `json:"lr_schedulers,omitempty"`
	Callbacks  []CallbackReport  `json:"callbacks,omitempty"`

	HyperParameters any               `json:"hyper_parameters,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	// Keys are what else stands at the top of the file.
	Keys []string `json:"other_keys,omitempty"`
}

// TensorReport is one weight.
type TensorReport struct {
	Name     string  `json:"name"`
	Shape    []int64 `json:"shape"`
	DType    string  `json:"dtype"`
	Elements int64   `json:"elements"`
	Bytes    int64   `json:"bytes"`
	// SameAs is the earlier name of the same tensor.
	SameAs string `json:"same_as,omitempty"`
}

// OptimizerReport is an optimizer's state.
type OptimizerReport struct {
	Groups []GroupReport `json:"param_groups"`
	// States is how many parameters have a state, of Names ("exp_avg").
	States int      `json:"states"`
	Names  []string `json:"state_names"`
	Bytes  int64    `json:"bytes"`
}

// GroupReport is a group of parameters.
type GroupReport struct {
	Parameters int            `json:"parameters"`
	Options    map[string]any `json:"options"`
	order      []string
}

// Order is that of the options in the file.
func (g GroupReport) Order() []string { return g.order }

// CallbackReport is a callback's state.
type CallbackReport struct {
	Key   string `json:"key"`
	State any    `json:"state"`
}

// Report describes the file.
func (f *File) Report() (*Report, error) {
	st, err := os.Stat(f.Path)
	if err != nil {
		return nil, err
	}
	r := &Report{Path: f.Path, Format: f.Format, Kind: f.Kind, Bytes: st.Size(), Records: f.Records, WeightsKey: f.Key,
		Tensors: []TensorReport{}, DTypes: map[string]int64{}, Others: f.Others, Metadata: f.Metadata}
	r.tensors(f)
	if f.Root == nil || f.Kind == StateDict {
		return r, nil
	}
	r.Version, _ = get[string](f.Root, "pytorch-lightning_version")
	r.Epoch, r.GlobalStep = number(f.Root, "epoch"), number(f.Root, "global_step")
	states, ok := get[[]any](f.Root, "optimizer_states")
	r.Resumable = ok && len(states) > 0
	for _, s := range states {
		if d, ok := s.(*torchfile.Dict); ok {
			r.Optimizers = append(r.Optimizers, optimizerReport(d))
		}
	}
	schedulers, _ := get[[]any](f.Root, "lr_schedulers")
	for _, s := range schedulers {
		if d, ok := plain(s, 0).(map[string]any); ok {
			r.Schedulers = append(r.Schedulers, d)
		}
	}
	if d, ok := dictAt(f.Root, "callbacks"); ok {
		for k, v := range d.All() {
			r.Callbacks = append(r.Callbacks, CallbackReport{Key: fmt.Sprint(k), State: plain(v, 0)})
		}
	}
	if v, ok := f.Root.Get("hyper_parameters"); ok {
		r.HyperParameters = plain(v, 0)
	}
	shown := []string{"epoch", "global_step", "pytorch-lightning_version", "optimizer_states", "lr_schedulers", "callbacks", "hyper_parameters", f.Key}
	for _, k := range f.Root.Keys() {
		if name := fmt.Sprint(k); !slices.Contains(shown, name) {
			r.Keys = append(r.Keys, name)
		}
	}
	return r, nil
}

func (r *Report) tensors(f *File) {
	names := map[*torchfile.Tensor]string{}
	for _, w := range f.Weights {
		n := w.Numel()
		t := TensorReport{Name: w.Name, Shape: w.Shape, DType: w.DType.String(), Elements: n, Bytes: n * w.DType.Size(), SameAs: names[w.Tensor]}
		if t.Shape == nil {
			t.Shape = []int64{}
		}
		if t.SameAs == "" {
			names[w.Tensor] = w.Name
			r.Elements += t.Elements
			r.WeightBytes += t.Bytes
			r.DTypes[t.DType] += t.Elements
		}
		r.Tensors = append(r.Tensors, t)
	}
}

func optimizerReport(d *torchfile.Dict) OptimizerReport {
	r := OptimizerReport{Groups: []GroupReport{}, Names: []string{}}
	groups, _ := get[[]any](d, "param_groups")
	for _, g := range groups {
		gd, ok := g.(*torchfile.Dict)
		if !ok {
			continue
		}
		group := GroupReport{Options: map[string]any{}}
		for k, v := range gd.All() {
			if k == "params" {
				params, _ := v.([]any)
				group.Parameters = len(params)
				continue
			}
			name := fmt.Sprint(k)
			group.Options[name] = plain(v, 0)
			group.order = append(group.order, name)
		}
		r.Groups = append(r.Groups, group)
	}
	state, _ := dictAt(d, "state")
	for _, v := range state.All() {
		values, ok := v.(*torchfile.Dict)
		if !ok {
			continue
		}
		r.States++
		for k, x := range values.All() {
			if name := fmt.Sprint(k); !slices.Contains(r.Names, name) {
				r.Names = append(r.Names, name)
			}
			if t, ok := x.(*torchfile.Tensor); ok {
				r.Bytes += t.Numel() * t.DType.Size()
			}
		}
	}
	return r
}

func get[V any](d *torchfile.Dict, key string) (V, bool) {
	v, _ := d.Get(key)
	x, ok := v.(V)
	return x, ok
}

func number(d *torchfile.Dict, key string) *int64 {
	if n, ok := get[int64](d, key); ok {
		return &n
	}
	return nil
}

const (
	plainDepth = 24   // how deep values are shown
	plainItems = 4096 // how many items of one value
)

// plain turns a value into one that encoding/json writes: a tensor of one element is its number, a larger one a text.
func plain(v any, depth int) any {
	if depth > plainDepth {
		return "..."
	}
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Sprint(x)
		}
	case *big.Int:
		return x.String()
	case []byte:
		return fmt.Sprintf("%d bytes", len(x))
	case torchfile.Tuple:
		return plain([]any(x), depth)
	case torchfile.Set:
		return plain([]any(x), depth)
	case []any:
		out := []any{}
		for _, item := range x[:min(len(x), plainItems)] {
			out = append(out, plain(item, depth+1))
		}
		return out
	case *torchfile.Dict:
		out := map[string]any{}
		for k, item := range x.All() {
			if len(out) < plainItems {
				out[fmt.Sprint(k)] = plain(item, depth+1)
			}
		}
		return out
	case *torchfile.Tensor:
		return tensorText(x)
	case torchfile.Size, torchfile.DType, torchfile.Device, torchfile.Class:
		return fmt.Sprint(x)
	}
	return v
}

// tensorText is "tensor of shape [2 3], float32", or the number of a scalar.
func tensorText(t *torchfile.Tensor) any {
	if t.Numel() == 1 {
		if n, ok := scalar(t); ok {
			return plain(n, 0)
		}
	}
	return fmt.Sprintf("tensor of shape %s, %s", strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ", "), t.DType)
}
