package checkpoint

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// Endings are those of the files that Export writes.
var Endings = []string{".safetensors", ".pt", ".pth"}

// NetworkPrefix is what the names of a LighterModule's network begin with.
const NetworkPrefix = "network."

// Part gives the weights whose names begin with prefix, without it, and the names of the others. Empty parts are an error, and
// so is a name that stands for nothing without the prefix.
func (f *File) Part(prefix string) (part []safetensors.Tensor, left []string, err error) {
	for _, w := range f.Weights {
		rest, ok := strings.CutPrefix(w.Name, prefix)
		if !ok || rest == "" {
			left = append(left, w.Name)
			continue
		}
		part = append(part, safetensors.Tensor{Name: rest, Tensor: w.Tensor})
	}
	if part == nil {
		return nil, nil, fmt.Errorf("%s: no weight's name begins with %q; they begin with %s", f.Path, prefix, strings.Join(heads(f.names()), ", "))
	}
	return part, left, nil
}

// DefaultPrefix is the prefix of the network, when there is one: what PyTorch's own code calls its model.
func (f *File) DefaultPrefix() string {
	for _, w := range f.Weights {
		if strings.HasPrefix(w.Name, NetworkPrefix) {
			return NetworkPrefix
		}
	}
	return ""
}

// Export writes weights to path, whole or not at all, in the form its ending asks for. convert, when given, makes another
// tensor of each. Weights that share a tensor in the file share one in a .pt and are written out for each name in a
// .safetensors, whose readers expect that.
func (f *File) Export(path, prefix string, part []safetensors.Tensor, convert func(*torchfile.Tensor) (*torchfile.Tensor, error)) error {
	made := map[*torchfile.Tensor]*torchfile.Tensor{}
	out := make([]safetensors.Tensor, len(part))
	for i, w := range part {
		t := made[w.Tensor]
		if t == nil {
			plain := *w.Tensor // a state_dict holds tensors, not parameters
			plain.Parameter, plain.RequiresGrad = false, false
			t = &plain
			if convert != nil {
				var err error
				if t, err = convert(t); err != nil {
					return fmt.Errorf("%s: %w", w.Name, err)
				}
			}
			made[w.Tensor] = t
		}
		out[i] = safetensors.Tensor{Name: w.Name, Tensor: t}
	}
	if filepath.Ext(path) == ".safetensors" {
		return safetensors.Save(path, out, map[string]string{"format": "pt"})
	}
	state := &torchfile.Dict{Kind: torchfile.OrderedDict}
	for _, w := range out {
		state.Set(w.Name, w.Tensor)
	}
	state.Attrs = f.layers(prefix)
	return torchfile.Save(path, state)
}

// layers are the versions of the part's layers, as PyTorch keeps them with a state_dict; nil when the file has none.
func (f *File) layers(prefix string) *torchfile.Dict {
	if f.Versions == nil {
		return nil
	}
	weights, _ := dictAt(f.Root, f.Key)
	if f.Key == "" {
		weights = f.Root
	}
	all, _ := dictAt(weights.Attrs, "_metadata")
	out := &torchfile.Dict{Kind: torchfile.OrderedDict}
	for k, v := range all.All() {
		name := fmt.Sprint(k) + "."
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out.Set(strings.TrimSuffix(rest, "."), v)
		}
	}
	return torchfile.NewDict("_metadata", out)
}
