// Package checkpoint opens files of weights, whatever program wrote them: checkpoints of Lightning, files of torch.save that
// hold a state_dict or one beside other things, and safetensors. It finds the weights in them, matches their names with a
// model's, and writes them again in another form. It knows no tensor library.
package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// The layouts of files.
const (
	Zip         = "PyTorch"
	Legacy      = "PyTorch before 1.6"
	Safetensors = "safetensors"
)

// The kinds of content.
const (
	Lightning = "Lightning checkpoint"
	StateDict = "state_dict"
	Wrapped   = "state_dict beside other values"
)

// File is a file of weights that is open for reading. Its tensors can be used until Close.
type File struct {
	Path   string
	Format string
	Kind   string
	// Root is what torch.save was given, nil for safetensors.
	Root *torchfile.Dict
	// Key is where in Root the weights are, "" for Root itself.
	Key string
	// Weights are the tensors under their names, in the file's order.
	Weights []safetensors.Tensor
	// Others are the names in the state_dict whose values are not tensors.
	Others []string
	// Metadata are the texts of a safetensors file.
	Metadata map[string]string
	// Versions are those of the layers' state, by the layer's path: what PyTorch calls _metadata. Nil when the file has none.
	Versions map[string]int64

	// Records is how many records were checked against their checksums. Only the layout Zip has any.
	Records int

	closer io.Closer
}

// Open opens a file, checks all of it that can be checked (checksums, sizes, offsets) and finds the weights.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	if f.Root != nil {
		err = f.find()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.closer.Close() }

func open(path string) (*File, error) {
	if isSafetensors(path) {
		s, err := safetensors.Open(path)
		if err != nil {
			return nil, err
		}
		return &File{Path: path, Format: Safetensors, Kind: StateDict, Weights: s.Tensors, Metadata: s.Metadata, closer: s}, nil
	}
	t, err := torchfile.Open(path)
	if err != nil {
		return nil, advise(err)
	}
	f := &File{Path: path, Format: Zip, Records: t.Records, closer: t}
	if t.Format == torchfile.Legacy {
		f.Format = Legacy
	}
	root, ok := t.Root.(*torchfile.Dict)
	if !ok {
		t.Close()
		return nil, fmt.Errorf("%s: it holds %s, not a dict with weights", path, kindOf(t.Root))
	}
	f.Root = root
	return f, nil
}

// isSafetensors goes by the content: nothing else begins like it. A file cut short has its name only.
func isSafetensors(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 9)
	n, _ := io.ReadFull(f, head)
	return safetensors.Is(head[:n]) || strings.HasSuffix(path, ".safetensors")
}

// advise says what helps against a class that is not read.
func advise(err error) error {
	var c *torchfile.ClassError
	if !errors.As(err, &c) {
		return err
	}
	return fmt.Errorf("%w. If you trust the file, save what is needed of it in Python: c = torch.load(path, weights_only=False); torch.save(c[\"state_dict\"], new)", err)
}

// usual are the keys under which programs keep a state_dict beside other values, the likelier first.
var usual = []string{"state_dict", "model_state_dict", "model", "model_state", "net", "network", "weights", "params", "module", "state"}

// find sets where the weights are.
func (f *File) find() error {
	_, isLightning := f.Root.Get("pytorch-lightning_version")
	state, ok := f.Root, false
	for _, k := range usual {
		if f.Kind != "" {
			break
		}
		v, _ := f.Root.Get(k)
		if state, ok = v.(*torchfile.Dict); ok && holdsTensors(state) {
			f.Kind, f.Key = Wrapped, k
		}
	}
	switch {
	case f.Kind != "":
	case holdsTensors(f.Root) && !isLightning:
		f.Kind, state = StateDict, f.Root
	default:
		var found []string
		for k, v := range f.Root.All() {
			if d, ok := v.(*torchfile.Dict); ok && holdsTensors(d) {
				state = d
				found = append(found, fmt.Sprint(k))
			}
		}
		if len(found) != 1 && !isLightning {
			return fmt.Errorf("it has no state_dict: its keys are %s", quoted(f.Root))
		}
		if len(found) == 1 {
			f.Kind, f.Key = Wrapped, found[0]
		}
	}
	if isLightning {
		// A Lightning checkpoint of a model without parameters has an empty state_dict.
		if state, ok = dictAt(f.Root, "state_dict"); !ok {
			return errors.New("it is a Lightning checkpoint without a state_dict")
		}
		f.Kind, f.Key = Lightning, "state_dict"
	}
	f.take(state)
	return nil
}

// take lists a state_dict.
func (f *File) take(state *torchfile.Dict) {
	for k, v := range state.All() {
		name, isText := k.(string)
		t, isTensor := v.(*torchfile.Tensor)
		if !isText || !isTensor {
			f.Others = append(f.Others, fmt.Sprint(k))
			continue
		}
		f.Weights = append(f.Weights, safetensors.Tensor{Name: name, Tensor: t})
	}
	layers, ok := dictAt(state.Attrs, "_metadata")
	if !ok {
		return
	}
	f.Versions = map[string]int64{}
	for path, v := range layers.All() {
		if d, ok := v.(*torchfile.Dict); ok {
			version, _ := d.Get("version")
			if n, ok := version.(int64); ok {
				f.Versions[fmt.Sprint(path)] = n
			}
		}
	}
}

func dictAt(d *torchfile.Dict, key string) (*torchfile.Dict, bool) {
	v, _ := d.Get(key)
	out, ok := v.(*torchfile.Dict)
	return out, ok
}

// holdsTensors says whether a dict looks like a state_dict: texts as keys, tensors as values, and hardly anything else.
func holdsTensors(d *torchfile.Dict) bool {
	tensors := 0
	for k, v := range d.All() {
		if _, ok := k.(string); !ok {
			return false
		}
		switch v.(type) {
		case *torchfile.Tensor:
			tensors++
		case *torchfile.Dict:
			return false
		}
	}
	return tensors > 0 && 2*tensors >= d.Len()
}

// quoted lists a dict's keys, the first of many.
func quoted(d *torchfile.Dict) string {
	var out []string
	for _, k := range d.Keys()[:min(d.Len(), 20)] {
		out = append(out, fmt.Sprintf("%q", fmt.Sprint(k)))
	}
	if more := d.Len() - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, ", ")
}

// kindOf is a value's type in Python's words.
func kindOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "None"
	case []any:
		return "a list"
	case torchfile.Tuple:
		return "a tuple"
	case *torchfile.Tensor:
		return "one tensor of shape " + fmt.Sprint(x.Shape)
	case *torchfile.Dict:
		return "a dict"
	case string:
		return "a str"
	}
	return fmt.Sprintf("a value of type %T", v)
}

// names are the weights' names.
func (f *File) names() []string {
	out := make([]string, len(f.Weights))
	for i, w := range f.Weights {
		out[i] = w.Name
	}
	return out
}
